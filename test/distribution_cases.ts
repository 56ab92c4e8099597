/** Distributions on which an error would show: a sweep over all sizes of logits, and a search for the worst. */
import { floats, type Random } from "./random.ts";

type Shape = (x: number, bin: number, bins: number) => number;

const SHAPES: Shape[] = [
  (x, bin, bins) => bin === bins - 2 ? x : -5,
  (x) => x,
  (x, bin, bins) => x * bin / (bins - 1),
  (x, bin, bins) => bin === 0 || bin === bins - 1 ? x : x - 20,
];

/** Rows of one peak, of equal logits, of a ramp and of two peaks, with logits from -130 to 130: four sides for each. */
export function sweep(bins: number): Float32Array<ArrayBuffer> {
  const logits = Array.from({ length: 1041 }, (_, i) => -130 + i / 4);
  return floats(logits.length * 4 * bins, (i) => {
    const row = Math.floor(i / bins);
    return SHAPES[row % 4](logits[row >> 2], i % bins, bins);
  });
}

/** The largest float32. */
const LARGEST = 2 ** 128 - 2 ** 104;

/** Rows of four bins with huge and infinite logits in every combination: four sides each. */
export function extremes(): Float32Array<ArrayBuffer> {
  const values = [0, 88, 3e38, -3e38, LARGEST, -LARGEST, Infinity, -Infinity];
  return floats(4 * values.length ** 4, (i) => values[Math.floor((i >> 2) / values.length ** (i & 3)) % values.length]);
}

/** One row of logits, of a kind that is hard to add up. */
function hardRow(r: Random, bins: number): Float32Array<ArrayBuffer> {
  const [p, q] = [r.integer(bins), r.integer(bins)];
  const [height, spread] = [r.uniform(0, 20), [0.1, 1, 3, 10, 25, 75][r.integer(6)]];
  const kinds: ((bin: number) => number)[] = [
    (bin) => bin === p ? height : 0,
    (bin) => bin === p || bin === q ? height : 0,
    (bin) => (bin - p) * height / 20,
    (bin) => -Math.abs(bin - p) * height / 5,
    // Beside the largest term these are just under half of its last place.
    (bin) => bin === p || bin === q ? 0 : -15.95 - r.uniform(0, 0.1),
    (bin) => bin === p ? 1.5 : -5,
    (bin) => bin < p ? height : 0,
    () => r.normal() * spread,
  ];
  const kind = kinds[r.integer(kinds.length)];
  const [base, noise] = [r.uniform(-60, 60), 10 ** r.uniform(-7, 0)];
  return floats(bins, (bin) => kind(bin) + base + noise * r.normal());
}

/** Rows of a round of the search, and how many of them have offspring in the next. */
const ROWS = 64;
const PARENTS = 8;
const ROUNDS = 3;

/** The worst of the rows' errors, from a random start and then around the worst of each round. */
export async function worstError(
  r: Random,
  bins: number,
  errorsOf: (rows: Float32Array<ArrayBuffer>) => ArrayLike<number> | Promise<ArrayLike<number>>,
): Promise<number> {
  let rows = Array.from({ length: ROWS }, () => hardRow(r, bins));
  let worst = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const errors = Array.from(await errorsOf(joined(rows)), (error) => Number.isNaN(error) ? Infinity : error);
    const order = Array.from(errors.keys()).sort((a, b) => errors[b] - errors[a]);
    worst = Math.max(worst, errors[order[0]]);
    rows = rows.map((_, i) => changed(r, rows[order[i % PARENTS]]));
  }
  return worst;
}

function joined(rows: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, i) => all.set(row, i * row.length));
  return all;
}

/** Another logit in one place, or all of them a little elsewhere. */
function changed(r: Random, row: Float32Array): Float32Array<ArrayBuffer> {
  const [spot, by, noise] = [r.integer(row.length), r.normal(), 10 ** r.uniform(-7, -1)];
  return r.integer(2) === 0
    ? floats(row.length, (i) => i === spot ? row[i] + by : row[i])
    : floats(row.length, (i) => row[i] + noise * r.normal());
}

/** Rows of four bins: saturated, huge and infinite. */
export const HARD_ROWS = [
  [0, 0, 0, 0],
  [20, 0, 0, 0],
  [-20, 0, 0, 20],
  [88, -88, 104, -104],
  [1e4, -1e4, 0, 0],
  [-1e4, -1e4, -1e4, 1e4],
  [Infinity, 0, 0, 0],
  [0, Infinity, Infinity, 0],
  [0, -Infinity, 0, 0],
  [-Infinity, -Infinity, -Infinity, -Infinity],
];
