/** Two threads against one, in one process: each call alone on the machine, one right after the other. */
import { createEngine, type Detections, type Engine, heads, type HostTensor } from "densehead";
import type { Bench, Family } from "./bench.ts";
import { headScene } from "./inputs.ts";
import { classificationInput } from "./loss_inputs.ts";
import { ANCHORS, CHANNELS, IMAGE, KEEP } from "./yolov8.ts";

const THREADS = 2;
/** Anchors of 80 classes: ten million elements. */
const LOGITS = { anchors: 125_000, classes: 80 };
const IMAGES = 32;
const TARGETS = { shared: 1.7, plain: 1.5, detect: 1.7 } as const;

type Arrays = "shared" | "plain";
const WHERE: Record<Arrays, string> = { shared: "in shared memory", plain: "in plain arrays" };

export const threads: Family = {
  name: "threads",
  async run(bench) {
    const options = {
      device: "wasm",
      relaxedSimd: bench.engine.capabilities.wasm === "simd" ? "off" : "auto",
    } as const;
    using one = await createEngine(options);
    using several = await createEngine({ ...options, threads: THREADS });
    const { threadsReason } = several.capabilities;
    bench.report.heading(`threads: ${THREADS} against 1, quality focal loss of ten million elements`);
    if (threadsReason !== null) return bench.report.absent(`${THREADS} threads`, threadsReason);
    for (const arrays of ["shared", "plain"] as const) await measureLoss(bench, one, several, arrays);
    bench.report.heading(`threads: ${THREADS} against 1, detect of ${IMAGES} images`);
    await measureDetect(bench, one, several);
  },
};

function placed(data: Float32Array, arrays: Arrays): Float32Array {
  if (arrays === "plain") return data.slice();
  const copy = new Float32Array(new SharedArrayBuffer(data.byteLength));
  copy.set(data);
  return copy;
}

async function measureLoss({ runner }: Bench, one: Engine, several: Engine, arrays: Arrays): Promise<void> {
  const { pred, target } = classificationInput("qualityFocalLoss", LOGITS.anchors, LOGITS.classes, 1);
  const [logits, targets] = [pred, target].map((data) => placed(data as Float32Array, arrays));
  const out = { grad: placed(logits, arrays) };
  for (
    const [what, settings] of [
      ["sum", { reduction: "sum" }],
      ["sum and gradient into out", { reduction: "sum", grad: true, out }],
    ] as const
  ) {
    const run = (engine: Engine) => async () => (await engine.qualityFocalLoss(logits, targets, settings)).loss;
    await runner.race<number>({
      ours: { name: `${THREADS} threads, ${what}, ${WHERE[arrays]}`, run: run(several) },
      rivals: [{ name: "1 thread", target: TARGETS[arrays], run: run(one) }],
      difference: (ours, theirs) => Object.is(ours, theirs) ? null : `${theirs} instead of ${ours}`,
    });
  }
}

async function measureDetect({ runner }: Bench, one: Engine, several: Engine): Promise<void> {
  const data = new Float32Array(IMAGES * CHANNELS * ANCHORS);
  for (let i = 0; i < IMAGES; i++) data.set(headScene(12, 11, 1 + i).logits, i * CHANNELS * ANCHORS);
  const outputs: HostTensor = { data: placed(data, "shared"), dims: [IMAGES, CHANNELS, ANCHORS] };
  const options = { head: heads.yolov8(), imageSize: [IMAGE, IMAGE], ...KEEP } as const;
  const run = (engine: Engine) => () => engine.detect(outputs, options);
  await runner.race<readonly Detections[]>({
    ours: { name: `${THREADS} threads, ${WHERE.shared}`, run: run(several) },
    rivals: [{ name: "1 thread", target: TARGETS.detect, run: run(one) }],
    difference: (ours, theirs) => JSON.stringify(ours) === JSON.stringify(theirs) ? null : "other detections",
  });
}
