/** What training does around a network: assignment, and a whole criterion with its gradient. */
import { type Assignment, type CriterionResult, heads, type TensorLike } from "densehead";
import { differentIndices, differentLosses, differentValues } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { type CriterionInput, criterionInput } from "./criterion_inputs.ts";
import { attempt } from "./peers/load.ts";
import script from "./peers/torch_criteria.py";
import type { PythonProcess } from "./peers/python_process.ts";
import { startTorch } from "./peers/torch_process.ts";
import type { Absent, Entrant, Rival } from "./runner.ts";

const IMAGE_SIZE = [800, 1333] as const;
const OBJECTS = 50;
const HEAD = heads.gfl();
const GRID = { height: IMAGE_SIZE[0], width: IMAGE_SIZE[1], strides: HEAD.strides };
const TARGETS = { atss: 10, gfl: 5, yolo: 6 } as const;
const YOLO = heads.yolov8();
const YOLO_SIZE = [640, 640] as const;
const YOLO_IMAGES = 8;
const YOLO_OBJECTS = 20;
const IOU_TOLERANCE = 1e-6;
/** PyTorch adds up in float32. */
const SUM_TOLERANCE = 1e-4;
/** Of the largest member. */
const GRADIENT_TOLERANCE = 2e-5;

type Outcome = Pick<CriterionResult, "total" | "grad">;

export const criteria: Family = {
  name: "criteria",
  async run(bench) {
    const torch = await attempt("PyTorch", () => startTorch(script));
    try {
      await measureAtss(bench, torch);
      await measureGfl(bench, torch);
      await measureYolo(bench, torch);
    } finally {
      if ("close" in torch) torch.close();
    }
  },
};

/** Prepares the peer only where it is there. */
async function rivalOf<T>(
  torch: PythonProcess | Absent,
  prepare: (torch: PythonProcess) => Promise<Omit<Rival<T>, "name">>,
): Promise<Rival<T> | Absent> {
  return "absent" in torch ? torch : { name: `${torch.name}, one thread`, ...await prepare(torch) };
}

async function measureAtss({ engine, runner, report }: Bench, torch: PythonProcess | Absent): Promise<void> {
  const { gt } = criterionInput(IMAGE_SIZE, HEAD, OBJECTS, 1);
  const options = { imageSize: IMAGE_SIZE, strides: HEAD.strides };
  report.heading(`criteria: ATSS, ${IMAGE_SIZE[1]} × ${IMAGE_SIZE[0]}, ${OBJECTS} objects`);
  await runner.race<Assignment>({
    ours: { name: "ours", run: () => engine.sync.atssAssign(options, gt) },
    rivals: [await rivalOf(torch, (torch) => torchAtss(torch, gt.boxes))],
    difference: (ours, theirs) =>
      differentIndices(ours.gtIndex, theirs.gtIndex) ?? differentValues(IOU_TOLERANCE)(ours.iou, theirs.iou),
  });
}

async function torchAtss(torch: PythonProcess, boxes: Float32Array): Promise<Omit<Rival<Assignment>, "name">> {
  const prepared = await torch.prepare("atss", GRID, [{ data: boxes, dims: [OBJECTS, 4] }]);
  return {
    clock: prepared.clock,
    target: TARGETS.atss,
    run: async () => {
      const { arrays: [index, iou] } = await prepared.run();
      return { gtIndex: Int32Array.from(index), iou };
    },
  };
}

async function measureGfl({ engine, runner, report }: Bench, torch: PythonProcess | Absent): Promise<void> {
  const scene = criterionInput(IMAGE_SIZE, HEAD, OBJECTS, 1);
  const { gt, anchors } = scene;
  const hostCls = { data: scene.cls, dims: [1, anchors, HEAD.numClasses] };
  const hostDist = { data: scene.dist, dims: [1, anchors, 4 * HEAD.bins] };
  using cls = engine.tensor(hostCls.dims);
  using dist = engine.tensor(hostDist.dims);
  cls.data.set(scene.cls);
  dist.data.set(scene.dist);
  report.heading(`criteria: GFL with gradient, ${anchors} × (${HEAD.numClasses} + 4·${HEAD.bins}), ${OBJECTS} objects`);
  const rivals = [await rivalOf(torch, (torch) => torchGfl(torch, scene))];
  const ours = (name: string, logits: { cls: TensorLike; dist: TensorLike }): Entrant<Outcome> => {
    const input = { ...logits, head: HEAD, imageSize: IMAGE_SIZE, gt: [gt] };
    return { name, run: () => engine.sync.gflCriterion(input, { normalizer: "mmdet", grad: true }) };
  };
  const difference = differentOutcomes;
  await runner.race({ ours: ours("ours, in memory", { cls, dist }), rivals, difference });
  await runner.race({ ours: ours("ours, host arrays", { cls: hostCls, dist: hostDist }), rivals, difference });
}

async function torchGfl(
  torch: PythonProcess,
  { gt: { boxes, labels }, anchors, cls, dist }: CriterionInput,
): Promise<Omit<Rival<Outcome>, "name">> {
  const prepared = await torch.prepare("gfl", GRID, [
    { data: cls, dims: [anchors, HEAD.numClasses] },
    { data: dist, dims: [anchors, 4 * HEAD.bins] },
    { data: boxes, dims: [OBJECTS, 4] },
    { data: Float32Array.from(labels), dims: [OBJECTS] },
  ]);
  return {
    clock: prepared.clock,
    target: TARGETS.gfl,
    run: async () => {
      const { value, arrays: [cls, dist] } = await prepared.run();
      return { total: value, grad: { cls, dist } };
    },
  };
}

async function measureYolo({ engine, runner, report }: Bench, torch: PythonProcess | Absent): Promise<void> {
  const scenes = Array.from({ length: YOLO_IMAGES }, (_, i) => criterionInput(YOLO_SIZE, YOLO, YOLO_OBJECTS, 1 + i));
  const [{ anchors }] = scenes;
  const joined = (arrays: readonly Float32Array[]) => {
    const all = new Float32Array(arrays.length * arrays[0].length);
    arrays.forEach((array, i) => all.set(array, i * array.length));
    return all;
  };
  const cls = { data: joined(scenes.map((scene) => scene.cls)), dims: [YOLO_IMAGES, anchors, YOLO.numClasses] };
  const dist = { data: joined(scenes.map((scene) => scene.dist)), dims: [YOLO_IMAGES, anchors, 4 * YOLO.bins] };
  const input = { cls, dist, head: YOLO, imageSize: YOLO_SIZE, gt: scenes.map(({ gt }) => gt) };
  report.heading(
    `criteria: YOLO with gradient, ${YOLO_IMAGES} × ${anchors} × (${YOLO.numClasses} + 4·${YOLO.bins}), ${YOLO_OBJECTS} objects each`,
  );
  const prepare = async (torch: PythonProcess): Promise<Omit<Rival<Outcome>, "name">> => {
    const [height, width] = YOLO_SIZE;
    const prepared = await torch.prepare("yolo", { height, width, strides: YOLO.strides }, [
      cls,
      dist,
      { data: joined(scenes.map(({ gt }) => gt.boxes)), dims: [YOLO_IMAGES, YOLO_OBJECTS, 4] },
      { data: joined(scenes.map(({ gt }) => Float32Array.from(gt.labels))), dims: [YOLO_IMAGES, YOLO_OBJECTS] },
    ]);
    return {
      clock: prepared.clock,
      target: TARGETS.yolo,
      run: async () => {
        const { value, arrays: [cls, dist] } = await prepared.run();
        return { total: value, grad: { cls, dist } };
      },
    };
  };
  await runner.race<Outcome>({
    ours: { name: "ours, host arrays", run: () => engine.sync.yoloCriterion(input, { grad: true }) },
    rivals: [await rivalOf(torch, prepare)],
    difference: differentOutcomes,
  });
}

/** The total, and the gradient of each input. */
function differentOutcomes(ours: Outcome, theirs: Outcome): string | null {
  const compare = differentLosses(SUM_TOLERANCE, GRADIENT_TOLERANCE);
  for (const input of ["cls", "dist"]) {
    const [our, their] = [ours, theirs].map(({ total, grad }) => ({ loss: total, grad: grad?.[input] }));
    const different = compare(our, their);
    if (different !== null) return `${input}: ${different}`;
  }
  return null;
}
