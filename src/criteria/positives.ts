/**
 * The anchors that have an object: collected from all images, their rows gathered from the maps and scattered back.
 */
import { anchorPoint } from "../heads/levels.ts";
import type { Source } from "../validate.ts";
import type { Rows, WasmBackend } from "../wasm/backend.ts";
import type { Scene } from "./criterion_input.ts";
import { boxAt, IGNORED, NEGATIVE } from "./ground_truth.ts";

/** P positives of a batch, in the order of its anchors. */
export interface Positives {
  readonly count: number;
  /** How many each image has. */
  readonly perImage: readonly number[];
  /** (P), each one's row in a map of all images. */
  readonly rows: Int32Array;
  /** (P), the classes of their objects. */
  readonly labels: Int32Array;
  /** (P). */
  readonly strides: Float32Array;
  /** (P, 4), from the anchor's point to the sides l, t, r, b of its object, in pixels. */
  readonly sides: Float32Array;
  /** (P, 4), the objects' boxes around the anchors' points. */
  readonly boxes: Float32Array;
}

export function collectPositives(scene: Scene): Positives {
  const anchors = scene.assigned.map(positiveAnchors);
  const perImage = anchors.map((own) => own.length);
  const count = perImage.reduce((sum, length) => sum + length, 0);
  const positives = {
    count,
    perImage,
    rows: new Int32Array(count),
    labels: new Int32Array(count),
    strides: new Float32Array(count),
    sides: new Float32Array(count * 4),
    boxes: new Float32Array(count * 4),
  };
  let at = 0;
  anchors.forEach((own, image) => {
    for (const anchor of own) describePositive(scene, image, anchor, positives, at++);
  });
  return positives;
}

function positiveAnchors(assigned: Int32Array): number[] {
  const anchors = [];
  for (let anchor = 0; anchor < assigned.length; anchor++) {
    if (assigned[anchor] >= 0) anchors.push(anchor);
  }
  return anchors;
}

function describePositive(
  { head, levels, anchors, gt, assigned }: Scene,
  image: number,
  anchor: number,
  positives: Positives,
  at: number,
): void {
  const index = assigned[image][anchor];
  const { x, y, stride } = anchorPoint(levels, anchor, head.anchorOffset);
  const { x1, y1, x2, y2 } = boxAt(gt[image].boxes, index);
  positives.rows[at] = image * anchors + anchor;
  positives.labels[at] = gt[image].labels[index];
  positives.strides[at] = stride;
  setFour(positives.sides, 4 * at, x - x1, y - y1, x2 - x, y2 - y);
  setFour(positives.boxes, 4 * at, x1 - x, y1 - y, x2 - x, y2 - y);
}

/** One after the other: `set` of a list of four takes 28 times as long. */
function setFour(values: Float32Array, at: number, a: number, b: number, c: number, d: number): void {
  values[at] = a;
  values[at + 1] = b;
  values[at + 2] = c;
  values[at + 3] = d;
}

/** (B·N), the class of each positive, and of no class elsewhere. */
export function labelsOf(scene: Scene, { rows, labels }: Positives): Int32Array {
  const ofRows = new Int32Array(scene.rows).fill(NEGATIVE);
  rows.forEach((row, i) => ofRows[row] = labels[i]);
  return ofRows;
}

/** (B·N), the quality of each positive. */
export function qualitiesOf(scene: Scene, { rows }: Positives, quality: Float32Array): Float32Array {
  const ofRows = new Float32Array(scene.rows);
  rows.forEach((row, i) => ofRows[row] = quality[i]);
  return ofRows;
}

/** (B·N): 0 for the ignored anchors, else 1; nothing where none is ignored. */
export function anchorWeights({ anchors, rows, assigned }: Scene): Float32Array | undefined {
  if (!assigned.some((indices) => indices.includes(IGNORED))) return undefined;
  const weights = new Float32Array(rows);
  assigned.forEach((indices, image) => weights.set(indices.map((index) => index === IGNORED ? 0 : 1), image * anchors));
  return weights;
}

/** (rows, columns) of a map; rows are counted from `firstRow` on. */
export function gatherRows(
  backend: WasmBackend,
  map: Source,
  columns: number,
  rows: Int32Array,
  firstRow = 0,
): Float32Array {
  const gathered = new Float32Array(rows.length * columns);
  const part = rowsFrom(firstRow, columns, rows);
  forEachGroup(backend, map, columns, rows, (values, at) => gathered.set(values, at * columns), part);
  return gathered;
}

/** Whole rows of a map, counted from `firstRow` on. */
function rowsFrom(firstRow: number, columns: number, { length }: Int32Array): Rows {
  return { start: firstRow * columns, pitch: columns, rows: length, columns };
}

/** (rows), one of a map's columns; rows are counted from `firstRow` on. */
export function gatherColumn(
  backend: WasmBackend,
  map: Source,
  columns: number,
  column: number,
  rows: Int32Array,
  firstRow: number,
): Float32Array {
  const gathered = new Float32Array(rows.length);
  const part = { start: firstRow * columns + column, pitch: columns, rows: rows.length, columns: 1 };
  forEachGroup(backend, map, 1, rows, (values, at) => gathered.set(values, at), part);
  return gathered;
}

/** (rows), the probability of each one's likeliest class. */
export function topScores(backend: WasmBackend, map: Source, columns: number, rows: Int32Array): Float32Array {
  const scores = new Float32Array(rows.length);
  forEachGroup(backend, map, columns, rows, (values, at) => {
    for (let i = 0; i < values.length / columns; i++) {
      let top = -Infinity;
      // Math.max keeps NaN.
      for (let c = i * columns; c < (i + 1) * columns; c++) top = Math.max(top, values[c]);
      scores[at + i] = 1 / (1 + Math.exp(-top));
    }
  });
  return scores;
}

/** (rows, 4), the mean bins of distributions (rows, 4·bins), which are copied no further than to where the kernel reads them. */
export function gatherMeans(
  backend: WasmBackend,
  map: Source,
  bins: number,
  rows: Int32Array,
  firstRow: number,
): Float32Array {
  const means = new Float32Array(rows.length * 4);
  gatherDecoded(backend, map, bins, [rows, firstRow], means, (logits, count, out) => {
    backend.kernels.dfl_decode_rows(logits, count / 4, bins, 0, 1, out);
  });
  return means;
}

/** The same in float64. */
export function gatherExactMeans(
  backend: WasmBackend,
  map: Source,
  bins: number,
  rows: Int32Array,
  firstRow: number,
): Float64Array {
  const means = new Float64Array(rows.length * 4);
  gatherDecoded(backend, map, bins, [rows, firstRow], means, (logits, count, out) => {
    backend.kernels.dfl_expectations(logits, count, bins, out);
  });
  return means;
}

/** What a kernel makes of each distribution. */
function gatherDecoded<A extends Float32Array | Float64Array>(
  backend: WasmBackend,
  map: Source,
  bins: number,
  [rows, firstRow]: readonly [Int32Array, number],
  into: A,
  kernel: (logits: number, count: number, out: number) => void,
): void {
  const { memory } = backend;
  const Values = into.constructor as new (buffer: ArrayBufferLike, start: number, length: number) => A;
  forEachGroup(backend, map, 4 * bins, rows, (values, at, logits) => {
    const count = values.length / bins;
    memory.frame("means", (allocate) => {
      const out = allocate(count * into.BYTES_PER_ELEMENT);
      kernel(logits, count, out);
      into.set(memory.view<A>(Values, out, count), at * 4);
    });
  }, rowsFrom(firstRow, 4 * bins, rows));
}

/**
 * Calls back with the listed rows as float32, some at a time, the place of the first of them in the list, and where they lie in
 * linear memory.
 */
function forEachGroup(
  backend: WasmBackend,
  map: Source,
  columns: number,
  rows: Int32Array,
  body: (values: Float32Array, at: number, pointer: number) => void,
  part = rowsFrom(0, columns, rows),
): void {
  const { memory } = backend;
  const group = Math.min(rows.length, Math.max(1, Math.floor(backend.chunk / columns)));
  memory.frame("gather", (allocate) => {
    const list = allocate(group * 4);
    const staging = allocate(backend.stagingBytes(group * columns));
    for (let at = 0; at < rows.length; at += group) {
      const listed = rows.subarray(at, at + group);
      memory.ints.set(listed, list >> 2);
      backend.gatherRows(map, part, list, listed.length, 0, staging);
      body(memory.view(Float32Array, staging, listed.length * columns), at, staging);
    }
  });
}

/** What makes a map of values (P, columns): in the rows of the positives, and zeros elsewhere. */
export function scatterInto(
  scene: Scene,
  { rows }: Positives,
): (values: Float32Array, columns: number) => Float32Array {
  return (values, columns) => {
    const map = new Float32Array(scene.rows * columns);
    for (let i = 0; i < rows.length; i++) {
      const from = i * columns;
      const to = rows[i] * columns;
      // Rows are short: `set` would take longer to begin than the loop to end.
      for (let column = 0; column < columns; column++) map[to + column] = values[from + column];
    }
    return map;
  };
}
