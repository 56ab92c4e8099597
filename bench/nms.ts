/** Greedy NMS of one class, with few boxes and with many. */
import { differentIndices } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { crowdedBoxes, type ScoredBoxes } from "./inputs.ts";
import { carefulNms } from "./peers/careful_nms.ts";
import { copiedNms } from "./peers/copied_nms.ts";
import { attempt } from "./peers/load.ts";
import { type TensorflowNms, tensorflowNms } from "./peers/tensorflow_nms.ts";
import type { Absent } from "./runner.ts";
import { growthExponent } from "./statistics.ts";

const IOU_THRESHOLD = 0.6;
const GROWTH_COUNTS = [3000, 10_000, 30_000, 100_000];
/** Clearly under the 2 of a comparison of every pair. */
const GROWTH_LIMIT = 1.6;

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

/** How time grows with the number of boxes, more and more of them in the same image. */
async function measureGrowth({ engine, runner, report }: Bench): Promise<void> {
  report.heading("nms: growth, no limit");
  const medians: number[] = [];
  for (const count of GROWTH_COUNTS) {
    const { boxes, scores }: ScoredBoxes = crowdedBoxes(count, count);
    const run = () => engine.sync.nms(boxes, scores, { iouThreshold: IOU_THRESHOLD });
    const time = await runner.time({ name: `${count}`, run });
    medians.push(time.median);
    report.time(`${count} boxes, ${run().length} kept`, time);
  }
  const exponent = growthExponent(GROWTH_COUNTS, medians);
  report.check(
    "time ∝ boxes to the power of",
    exponent.toFixed(2),
    exponent < GROWTH_LIMIT,
    `< ${GROWTH_LIMIT}`,
  );
}
