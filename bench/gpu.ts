/** Losses, decode, pixels and criteria on WebGPU: against peers on the same adapter, and bytes in a second against a kernel that copies. */
import { createEngine, type Engine, type GpuTensor, type HostTensor } from "densehead";
import { differentLosses } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { measureBandwidth } from "./gpu_bandwidth.ts";
import { measureCriteria } from "./gpu_criteria.ts";
import { measureDecode } from "./gpu_decode.ts";
import { type Gpu, openGpu, readBack, repeated } from "./gpu_device.ts";
import { measurePreprocess } from "./gpu_preprocess.ts";
import { classificationInput } from "./loss_inputs.ts";
import {
  type GpuLossPeer,
  type GpuPreparedLoss,
  lossesOf,
  type LossName,
  type LossOutcome,
  type LossTask,
} from "./loss_task.ts";
import { jaxGpuLosses } from "./peers/jax_losses.ts";
import { attempt } from "./peers/load.ts";
import { onnxGpuLosses } from "./peers/onnx_losses.ts";
import { onnxGpuRuntime } from "./peers/onnx_session.ts";
import { tensorflowGpuLosses } from "./peers/tensorflow_losses.ts";
import { type TorchGpuLosses, torchGpuLosses } from "./peers/torch_gpu_losses.ts";
import type { Report } from "./report.ts";
import type { Absent, Rival } from "./runner.ts";
import { CLASSES } from "./yolov8.ts";

const ANCHORS = 22_300;
const LARGE = [8 * 33_600, 64 * 33_600] as const;
/** What a software adapter gets done. */
const SOFTWARE_ANCHORS = 2000;
/** Of the copy's bandwidth. */
const TARGETS = { sum: 0.8, gradient: 0.7 } as const;
/** Peers add up in float32. */
const SUM_TOLERANCE = 1e-3;
/** Of the largest member. */
const GRADIENT_TOLERANCE = 2e-5;

type Peers = readonly (GpuLossPeer | Absent)[];

export const gpu: Family = {
  name: "gpu",
  async run(bench) {
    bench.report.heading("gpu: losses, decode, pixels and criteria on WebGPU");
    const found = await attempt("WebGPU", openGpu);
    if ("absent" in found) return bench.report.absent("WebGPU", found.absent);
    bench.report.figure(
      "adapter",
      `${found.description}${found.software ? ", software adapter only" : ""}`,
    );
    bench.report.figure("features", found.features);
    const torch = [
      await attempt("PyTorch, eager", () => torchGpuLosses(false)),
      await attempt("PyTorch, compiled", () => torchGpuLosses(true)),
    ];
    try {
      using engine = await createEngine({
        device: "webgpu",
        gpuDevice: found.device,
      });
      const peers = [...await webgpuPeers(), ...torch];
      const losses = lossesOf("element loss");
      // The first alone: a look at whether all runs.
      for (const loss of bench.quick && found.software ? losses.slice(0, 1) : losses) {
        await measureLoss(bench, found, engine, loss, peers);
      }
      await measureDecode(bench, found, engine);
      await measurePreprocess(bench, found, engine);
      await measureCriteria(bench, found, engine);
    } finally {
      for (const peer of torch as (TorchGpuLosses | Absent)[]) if ("close" in peer) peer.close();
      found.device.destroy();
    }
  },
};

async function webgpuPeers(): Promise<Peers> {
  return [
    await attempt("jax-js (webgpu)", jaxGpuLosses),
    await attempt("TensorFlow.js (webgpu)", tensorflowGpuLosses),
    await attempt("onnxruntime-web (webgpu)", async () => onnxGpuLosses(await onnxGpuRuntime())),
  ];
}

async function measureLoss(
  bench: Bench,
  found: Gpu,
  engine: Engine,
  loss: LossName,
  peers: Peers,
): Promise<void> {
  const anchors = found.software ? SOFTWARE_ANCHORS : ANCHORS;
  const input = classificationInput(loss, anchors, CLASSES, 1);
  for (const size of found.software ? [anchors] : [anchors, ...LARGE]) {
    if (size * CLASSES * 4 > found.device.limits.maxBufferSize) continue;
    using maps = repeatedMaps(found, input, size);
    for (const grad of [false, true]) {
      const task = { ...input, loss, grad };
      const what = `${size} × ${CLASSES}, ${grad ? "sum and gradient" : "sum"}`;
      bench.report.heading(`gpu: ${loss}, ${what}${found.software ? ", software adapter only" : ""}`);
      if (size === anchors) await racePeers(bench, found, engine, task, maps, peers);
      const bytes = 4 * size * CLASSES;
      await measureBandwidth(bench, found, {
        call: () => stay(engine, loss, maps, grad),
        moved: (grad ? 3 : 2) * bytes,
        resultBytes: grad ? bytes : 0,
        copied: bytes,
        least: grad ? TARGETS.gradient : TARGETS.sum,
      });
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
  { pred, target }: Maps<Float32Array>,
  anchors: number,
): Maps<GpuTensor> & Disposable {
  const buffers = [pred, target].map((data) => repeated(found.device, data, anchors * CLASSES * 4));
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

function lossOf(engine: Engine, loss: LossName): Engine["qualityFocalLoss"] {
  return engine[loss] as Engine["qualityFocalLoss"];
}

/** Inputs on the device, of which only the sum comes back; and host arrays, to which all comes back. */
async function racePeers(
  { runner, report }: Bench,
  { device }: Gpu,
  engine: Engine,
  task: LossTask,
  maps: Maps<GpuTensor>,
  peers: Peers,
): Promise<void> {
  const { loss, grad, predDims, targetDims } = task;
  const options = { reduction: "sum", grad } as const;
  const difference = differentLosses(SUM_TOLERANCE, GRADIENT_TOLERANCE);
  const host: Maps<HostTensor> = {
    pred: { data: task.pred, dims: predDims },
    target: { data: task.target, dims: targetDims },
  };
  await runner.race<LossOutcome>({
    ours: {
      name: "ours, on the device",
      run: () => lossOf(engine, loss)(maps.pred, maps.target, options),
      clock: (calls) => inTurn(calls, () => resident(engine, device, task, maps)),
    },
    rivals: await rivalsOf(report, task, peers, "resident"),
    difference,
  });
  const onWasm = {
    name: "densehead on WASM",
    run: () => (engine.sync[loss] as Engine["sync"]["qualityFocalLoss"])(host.pred, host.target, options),
  };
  await runner.race<LossOutcome>({
    ours: { name: "ours, host arrays", run: () => lossOf(engine, loss)(host.pred, host.target, options) },
    rivals: [onWasm, ...await rivalsOf(report, task, peers, "host")],
    difference,
  });
}

/** The peers that have the loss in this way, and those that are not there; those without such a loss are only named. */
async function rivalsOf(
  report: Report,
  task: LossTask,
  peers: Peers,
  way: keyof GpuPreparedLoss,
): Promise<(Rival<LossOutcome> | Absent)[]> {
  const without: string[] = [];
  const rivals = peers.map(async (peer) => {
    if ("absent" in peer) return peer;
    return await attempt(peer.name, async () => {
      const found = await peer.prepare(task);
      if (found === null) without.push(peer.name);
      const prepared = found?.[way];
      await prepared?.run();
      return prepared && { name: peer.name, ...prepared };
    });
  });
  const all = await Promise.all(rivals);
  report.without(without);
  return all.filter((rival) => rival !== undefined);
}

/** Milliseconds of each of so many calls, each after the other's end. */
async function inTurn(calls: number, call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < calls; i++) await call();
  return (performance.now() - start) / calls;
}

/** The sum comes back; a gradient is made, and stays. */
async function resident(
  engine: Engine,
  device: GPUDevice,
  { loss, grad }: LossTask,
  maps: Maps<GpuTensor>,
): Promise<void> {
  const buffers = await stay(engine, loss, maps, grad);
  await readBack(device, buffers[0]);
  for (const buffer of buffers) buffer.destroy();
}

/** Everything stays on the device. */
async function stay(
  engine: Engine,
  loss: LossName,
  { pred, target }: Maps<GpuTensor>,
  grad: boolean,
): Promise<GPUBuffer[]> {
  const result = await lossOf(engine, loss)(pred, target, {
    reduction: "sum",
    grad,
    placement: "gpu",
  });
  return Object.values<GpuTensor>(result).map(({ gpuBuffer }) => gpuBuffer as GPUBuffer);
}
