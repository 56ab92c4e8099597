/** Whole criteria with their gradients on maps that are on the device: only sums come back. */
import { type Engine, type GpuTensor, type GroundTruth, heads, type HeadSpec } from "densehead";
import type { Bench } from "./bench.ts";
import { criterionInput } from "./criterion_inputs.ts";
import { measureBandwidth } from "./gpu_bandwidth.ts";
import { type Gpu, repeated } from "./gpu_device.ts";
import { between, seeded } from "./random.ts";

const IMAGES = 8;
const OBJECTS = 20;
const SIZE = 640;
/** What a software adapter gets done. */
const SOFTWARE_SIZE = 160;
const SOFTWARE_IMAGES = 1;

type Maps = Readonly<Record<string, GpuTensor>>;
type Result = Promise<{ readonly grad?: Maps }>;

export async function measureCriteria(bench: Bench, found: Gpu, engine: Engine): Promise<void> {
  const options = { grad: true, placement: "gpu" } as const;
  const side = found.software ? SOFTWARE_SIZE : SIZE;
  const imageSize = [side, side] as const;
  const images = found.software ? SOFTWARE_IMAGES : IMAGES;
  const sceneOf = (head: HeadSpec) => criterionInput(imageSize, head, OBJECTS, 1);
  const gfl = heads.gfl();
  const { gt, anchors, cls, dist } = sceneOf(gfl);
  const everyGt = Array<GroundTruth>(images).fill(gt);
  const of = (head: HeadSpec) => ({ head, imageSize, gt: everyGt });
  await measure(bench, found, { name: "gflCriterion", anchors, maps: { cls, dist } }, ({ cls, dist }) => {
    return engine.gflCriterion({ cls, dist, ...of(gfl) }, options);
  });
  const [distances, refined] = [1, 2].map((seed) => lengths(4 * anchors, seed));
  const vfnet = { name: "vfnetCriterion", anchors, maps: { cls, distances, refined } };
  await measure(bench, found, vfnet, ({ cls, distances, refined }) => {
    return engine.vfnetCriterion({ cls, distances, refined, ...of(heads.vfnet()) }, options);
  });
  const yolo = heads.yolov8();
  const scene = sceneOf(yolo);
  const { anchors: cells, cls: scores, dist: sides } = scene;
  const task = { name: "yoloCriterion", anchors: cells, maps: { cls: scores, dist: sides } };
  await measure(bench, found, task, ({ cls, dist }) => {
    return engine.yoloCriterion({ cls, dist, ...of(yolo), gt: Array<GroundTruth>(images).fill(scene.gt) }, options);
  });
}

/** In pixels. */
function lengths(count: number, seed: number): Float32Array {
  const random = seeded(seed);
  return Float32Array.from({ length: count }, () => between(random, 4, 64));
}

interface Task {
  readonly name: string;
  readonly anchors: number;
  /** Of one image. */
  readonly maps: Readonly<Record<string, Float32Array>>;
}

/** Bytes are those of the maps and of their gradients. */
async function measure(
  bench: Bench,
  found: Gpu,
  { name, anchors, maps }: Task,
  criterion: (maps: Maps) => Result,
): Promise<void> {
  const images = found.software ? SOFTWARE_IMAGES : IMAGES;
  const software = found.software ? ", software adapter only" : "";
  bench.report.heading(`gpu: ${name} with gradient, ${images} × ${anchors}, ${OBJECTS} objects each${software}`);
  const buffers = Object.values(maps).map((data) => repeated(found.device, data, images * data.byteLength));
  const entries = Object.entries(maps).map(([key, { length }], i) => {
    return [key, { gpuBuffer: buffers[i], dims: [images, anchors, length / anchors] }];
  });
  const onDevice: Maps = Object.fromEntries(entries);
  const call = async () => {
    const { grad } = await criterion(onDevice);
    return Object.values(grad ?? {}).map(({ gpuBuffer }) => gpuBuffer as GPUBuffer);
  };
  bench.report.time("ours, on the device", await bench.runner.time({ name, run: () => released(call()) }));
  const resultBytes = buffers.reduce((sum, { size }) => sum + size, 0);
  await measureBandwidth(bench, found, { call, moved: 2 * resultBytes, resultBytes });
  for (const buffer of buffers) buffer.destroy();
}

/** The sums have come back when a call settles. */
async function released(buffers: Promise<GPUBuffer[]>): Promise<void> {
  for (const buffer of await buffers) buffer.destroy();
}
