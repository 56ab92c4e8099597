/** Greedy NMS of one class, with few boxes and with many. */
import { differentIndices } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { crowdedBoxes } from "./inputs.ts";
import { carefulNms } from "./peers/careful_nms.ts";
import { copiedNms } from "./peers/copied_nms.ts";
import { attempt } from "./peers/load.ts";
import { type TensorflowNms, tensorflowNms } from "./peers/tensorflow_nms.ts";
import { seeded } from "./random.ts";
import type { Absent } from "./runner.ts";
import { growthExponent, significant } from "./statistics.ts";

const IOU_THRESHOLD = 0.6;
const GROWTH_COUNTS = [12_500, 25_000, 50_000, 100_000];
/** Clearly under the 2 of a comparison of every pair. */
const GROWTH_LIMIT = 1.3;

interface Case {
  readonly count: number;
  readonly limit: number;
  readonly target: number;
}

const FEW: Case = { count: 1000, limit: 300, target: 15 };
const MANY: Case = { count: 30_000, limit: Infinity, target: 40 };

type Indices = ArrayLike<number>;

export const nms: Family = {
  name: "nms",
  async run(bench) {
    const tensorflow = await attempt("TensorFlow.js", tensorflowNms);
    await measure(bench, FEW, tensorflow);
    await measure(bench, MANY, bench.quick ? tooSlow(tensorflow) : tensorflow);
    await measureGrowth(bench);
  },
};

function tooSlow({ name }: TensorflowNms | Absent): Absent {
  return { name, absent: "takes seconds a call, too slow for --quick" };
}

async function measure(
  { engine, runner, report }: Bench,
  { count, limit, target }: Case,
  tensorflow: TensorflowNms | Absent,
): Promise<void> {
  const input = crowdedBoxes(count, count);
  const options = { iouThreshold: IOU_THRESHOLD, maxDetections: limit };
  const run = () => engine.sync.nms(input.boxes, input.scores, options);
  report.heading(
    `nms: ${count} boxes, ${describeLimit(limit)}, ${run().length} kept`,
  );
  const rivals = [
    {
      name: "copied JavaScript",
      target,
      run: () => copiedNms(input, IOU_THRESHOLD, limit),
    },
    {
      name: "careful JavaScript",
      run: () => carefulNms(input, IOU_THRESHOLD, limit),
    },
    "absent" in tensorflow ? tensorflow : {
      name: tensorflow.name,
      target,
      run: tensorflow.prepare(input, IOU_THRESHOLD, limit),
    },
  ];
  await runner.race<Indices>({
    ours: { name: "ours", run },
    rivals,
    difference: differentIndices,
  });
}

function describeLimit(limit: number): string {
  return limit === Infinity ? "no limit" : `at most ${limit}`;
}

interface Growth {
  readonly name: string;
  readonly iouThreshold: number;
  boxes(count: number): Float32Array;
  readonly classOf?: (i: number) => number;
}

/** What spoils a grid of cells, or leaves many boxes in one of them. */
const GROWTHS: readonly Growth[] = [
  { name: "crowded", iouThreshold: IOU_THRESHOLD, boxes: (count) => crowdedBoxes(count, count).boxes },
  { name: "tiles", iouThreshold: 0.5, boxes: tiles },
  {
    name: "tiles, one 1e6 px away",
    iouThreshold: 0.5,
    boxes: (count) => withFirst(tiles(count), [1e6, 1e6, 1e6 + 1, 1e6 + 1]),
  },
  { name: "tiles, one 2e8 px wide", iouThreshold: 0.5, boxes: (count) => withFirst(tiles(count), [-1e8, 0, 1e8, 1]) },
  { name: "tiles, every tenth as large as the image", iouThreshold: 0.5, boxes: tilesUnderSheets },
  { name: "equal boxes of classes 128 · i", iouThreshold: 0.5, boxes: equalBoxes, classOf: (i) => 128 * i },
  { name: "tiles, threshold 0.001", iouThreshold: 0.001, boxes: tiles },
  { name: "lines that cross", iouThreshold: 0.5, boxes: crossingLines },
];

/** How time grows with the number of boxes. */
async function measureGrowth({ engine, runner, report }: Bench): Promise<void> {
  report.heading(`nms: growth from ${GROWTH_COUNTS[0]} to ${GROWTH_COUNTS[GROWTH_COUNTS.length - 1]} boxes, no limit`);
  for (const { name, iouThreshold, boxes, classOf } of GROWTHS) {
    const medians: number[] = [];
    for (const count of GROWTH_COUNTS) {
      const corners = boxes(count);
      const scores = Float32Array.from({ length: count }, seeded(count));
      const classes = Int32Array.from({ length: count }, (_, i) => classOf?.(i) ?? 0);
      const run = () => engine.sync.batchedNms(corners, scores, classes, { iouThreshold });
      medians.push((await runner.time({ name: `${count}`, run })).median);
    }
    report.figure(name, `${medians.map(significant).join(", ")} ms`);
    const exponent = growthExponent(GROWTH_COUNTS, medians);
    report.check(
      `${name}, time ∝ boxes to the power of`,
      exponent.toFixed(2),
      exponent < GROWTH_LIMIT,
      `< ${GROWTH_LIMIT}`,
    );
  }
}

/** Boxes of which none overlaps another, row by row. */
function tiles(count: number): Float32Array {
  const side = Math.ceil(Math.sqrt(count));
  return eachBox(count, (i) => {
    const [x, y] = [2 * (i % side), 2 * Math.floor(i / side)];
    return [x, y, x + 1, y + 1];
  });
}

/** Tiles under large boxes, in the same place or a little beside each other. */
function tilesUnderSheets(count: number): Float32Array {
  const random = seeded(count);
  const extent = 2 * Math.sqrt(count);
  const boxes = tiles(count);
  for (let i = 0; i < count; i += 10) {
    const [x, y] = [random() * extent, random() * extent];
    boxes.set([x, y, x + extent, y + extent], 4 * i);
  }
  return boxes;
}

function equalBoxes(count: number): Float32Array {
  return eachBox(count, () => [0, 0, 10, 10]);
}

function crossingLines(count: number): Float32Array {
  return eachBox(count, (i) => i % 2 === 0 ? [0, i, count, i + 1] : [i, 0, i + 1, count]);
}

function eachBox(count: number, box: (i: number) => readonly number[]): Float32Array {
  const boxes = new Float32Array(4 * count);
  for (let i = 0; i < count; i++) boxes.set(box(i), 4 * i);
  return boxes;
}

function withFirst(boxes: Float32Array, first: readonly number[]): Float32Array {
  boxes.set(first);
  return boxes;
}
