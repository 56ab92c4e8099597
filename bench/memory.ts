/** Does anything stay behind, in linear memory or on the JavaScript heap, when calls are repeated? */
import { createEngine, type Engine, heads } from "densehead";
import type { Bench, Family } from "./bench.ts";
import { heapGrowth } from "./heap.ts";
import { crowdedBoxes, headScene, sideLogits } from "./inputs.ts";
import { classificationInput } from "./loss_inputs.ts";
import { BINS, CLASSES, IMAGE, KEEP } from "./yolov8.ts";

const CALLS = 10_000;
const QUICK_CALLS = 1000;
const ROUNDS = 5;
const PEAK_MIB = 2;
/** What one call may leave behind: less than the smallest object. */
const HEAP_SLACK = 8;
const ANCHORS = 500;
const BOXES = 1000;

type Call = (engine: Engine) => unknown;

export const memory: Family = {
  name: "memory",
  async run(bench) {
    bench.report.heading(`memory: a fresh engine for each, host arrays, ${calls(bench)} calls`);
    for (const [name, call] of Object.entries(workloads())) await measure(bench, name, call);
  },
};

function calls({ quick }: Bench): number {
  return quick ? QUICK_CALLS : CALLS;
}

function workloads(): Record<string, Call> {
  const { logits } = headScene(60, 14, 2);
  const options = { head: heads.yolov8(), imageSize: [IMAGE, IMAGE] as const, ...KEEP };
  const { pred, predDims, target } = classificationInput("qualityFocalLoss", ANCHORS, CLASSES, 1);
  const map = { data: pred, dims: predDims };
  const sides = sideLogits(ANCHORS, BINS, "rows", 1);
  const { boxes, scores } = crowdedBoxes(BOXES, BOXES);
  return {
    "detect, 144 × 8400": ({ sync }) => sync.detect(logits, options),
    [`qualityFocalLoss, ${ANCHORS} × ${CLASSES}`]: ({ sync }) => sync.qualityFocalLoss(map, target),
    "the same with gradient": ({ sync }) => sync.qualityFocalLoss(map, target, { grad: true }),
    [`dflDecode, ${ANCHORS} × 4 × ${BINS}`]: ({ sync }) => sync.dflDecode(sides, { bins: BINS }),
    [`nms, ${BOXES} boxes`]: ({ sync }) => sync.nms(boxes, scores, { iouThreshold: KEEP.iouThreshold }),
  };
}

async function measure(bench: Bench, name: string, call: Call): Promise<void> {
  using engine = await createEngine({ device: "wasm" });
  call(engine);
  const first = engine.memory.reserved;
  const each = calls(bench) / ROUNDS;
  const repeat = () => {
    for (let i = 0; i < each; i++) call(engine);
  };
  const heap = await heapGrowth(repeat, ROUNDS) / each;
  const { peak, reserved } = engine.memory;
  const grown = reserved - first;
  const texts = [
    `peak ${(peak / 2 ** 20).toFixed(2)} MiB`,
    `reserved +${grown} bytes`,
    `heap ${Math.max(heap, 0).toFixed(1)} bytes a call`,
  ];
  bench.report.check(
    name,
    texts.join(", "),
    peak <= PEAK_MIB * 2 ** 20 && grown === 0 && heap < HEAP_SLACK,
    `≤ ${PEAK_MIB} MiB, +0, < ${HEAP_SLACK}`,
  );
}
