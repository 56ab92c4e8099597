/** Losses on WebGPU: bytes read and written in a second, against a kernel that copies. */
import { createEngine, type Engine, type GpuTensor, type HostTensor } from "densehead";
import type { Bench, Family } from "./bench.ts";
import { copying, type Gpu, openGpu, repeated, timeOf } from "./gpu_device.ts";
import { classificationInput } from "./loss_inputs.ts";
import type { ClassificationName } from "./loss_task.ts";
import { attempt } from "./peers/load.ts";
import type { Entrant } from "./runner.ts";
import { CLASSES } from "./yolov8.ts";

const LOSSES = [
  "qualityFocalLoss",
  "varifocalLoss",
  "sigmoidFocalLoss",
] as const;
const ANCHORS = 22_300;
const LARGE = [8 * 33_600, 64 * 33_600] as const;
/** Of the copy's bandwidth. */
const TARGETS = { sum: 0.8, gradient: 0.7 } as const;
const SUM_TOLERANCE = 1e-5;

type Loss = (typeof LOSSES)[number] & ClassificationName;

export const gpu: Family = {
  name: "gpu",
  async run(bench) {
    bench.report.heading("gpu: losses on WebGPU");
    const found = await attempt("WebGPU", openGpu);
    if ("absent" in found) return bench.report.skipped("WebGPU", found.absent);
    bench.report.line(
      "adapter",
      `${found.description}${found.software ? ", software adapter only" : ""}`,
    );
    bench.report.line("features", found.features);
    try {
      using engine = await createEngine({
        device: "webgpu",
        gpuDevice: found.device,
      });
      for (const loss of LOSSES) await measureLoss(bench, found, engine, loss);
    } finally {
      found.device.destroy();
    }
    bench.report.line("TensorFlow.js, onnxruntime-web, jax-js", "not measured");
  },
};

async function measureLoss(
  bench: Bench,
  found: Gpu,
  engine: Engine,
  loss: Loss,
): Promise<void> {
  const { pred, target } = classificationInput(loss, ANCHORS, CLASSES, 1);
  const dims = [ANCHORS, CLASSES];
  const host = { pred: { data: pred, dims }, target: { data: target, dims } };
  await checkSum(bench, engine, loss, host);
  const sizes = found.software ? [ANCHORS] : [ANCHORS, ...LARGE];
  for (const anchors of sizes) {
    if (anchors * CLASSES * 4 > found.device.limits.maxBufferSize) continue;
    using resident = repeatedMaps(found, host, anchors);
    for (const grad of [false, true]) {
      bench.report.heading(
        `gpu: ${loss}, ${anchors} × ${CLASSES}, ${grad ? "sum and gradient" : "sum"}`,
      );
      await measureResident(bench, found, engine, { loss, grad, ...resident });
      if (anchors === ANCHORS) {
        await measureHost(bench, engine, loss, host, grad);
      }
    }
  }
}

interface Maps<T> {
  readonly pred: T;
  readonly target: T;
}

/** The maps on the device, repeated up to so many anchors. */
function repeatedMaps(
  found: Gpu,
  { pred, target }: Maps<HostTensor>,
  anchors: number,
): Maps<GpuTensor> & Disposable {
  const place = ({ data }: HostTensor) => repeated(found.device, data as Float32Array, anchors * CLASSES * 4);
  const buffers = [place(pred), place(target)];
  const [onGpu, targetOnGpu] = buffers.map((gpuBuffer) => ({
    gpuBuffer,
    dims: [anchors, CLASSES],
  }));
  return {
    pred: onGpu,
    target: targetOnGpu,
    [Symbol.dispose]: () => buffers.forEach((buffer) => buffer.destroy()),
  };
}

async function checkSum(
  { report }: Bench,
  engine: Engine,
  loss: Loss,
  { pred, target }: Maps<HostTensor>,
) {
  const wanted = engine.sync[loss](pred, target, { reduction: "sum" }).loss;
  const got = (await engine[loss](pred, target, { reduction: "sum" })).loss;
  const error = Math.abs(got / wanted - 1);
  if (!(error <= SUM_TOLERANCE)) {
    report.differs(`${loss} on WASM`, `relative error ${error}`);
  }
}

interface ResidentTask extends Maps<GpuTensor> {
  readonly loss: Loss;
  readonly grad: boolean;
}

async function measureResident(
  { runner, report }: Bench,
  found: Gpu,
  engine: Engine,
  task: ResidentTask,
) {
  const { loss, grad, pred, target } = task;
  const map = pred.gpuBuffer as GPUBuffer;
  const call = async () => {
    const result = await engine[loss](pred, target, {
      reduction: "sum",
      grad,
      placement: "gpu",
    });
    return Object.values<GpuTensor>(result).map(({ gpuBuffer }) => gpuBuffer as GPUBuffer);
  };
  const ours = entrant(
    "ours, on the device",
    (calls) => timeOf(found.device, call, calls, grad ? map.size : 0),
  );
  using copy = copying(found.device, map.size);
  const { time, ratio } = await runner.compare(
    ours,
    entrant("copy", copy.time),
  );
  const share = ratio.median * (grad ? 3 : 2) / 2;
  const rate = 2 * map.size / 1e6 / time.median;
  const text = `${(rate * share).toFixed(1)} GB/s, ${(100 * share).toFixed(0)} % of a copy's ${rate.toFixed(1)} GB/s`;
  const least = grad ? TARGETS.gradient : TARGETS.sum;
  if (found.software) report.line(ours.name, text);
  else report.check(ours.name, text, share >= least, `≥ ${100 * least} %`);
}

async function measureHost(
  { runner, report }: Bench,
  engine: Engine,
  loss: Loss,
  { pred, target }: Maps<HostTensor>,
  grad: boolean,
): Promise<void> {
  const run = () => engine[loss](pred, target, { reduction: "sum", grad });
  report.time("ours, host arrays", await runner.time({ name: "ours", run }));
}

function entrant(
  name: string,
  clock: (calls: number) => Promise<number>,
): Entrant<unknown> {
  return { name, clock, run: () => clock(1) };
}
