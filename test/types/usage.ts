/** What a consumer writes, with and without the DOM's declarations. It is compiled, never run. */
import { anchorRows, createEngine, heads, inputs, toSvg } from "densehead";
import type {
  AnchorMap,
  AnchorRows,
  AnchorRowsOptions,
  Assignment,
  AtssOptions,
  CocoResult,
  CreateEngine,
  CriterionInput,
  CriterionResult,
  DataArray,
  Detection,
  Detections,
  DetectOptions,
  DflDecodeOptions,
  DflLayout,
  DflStatistics,
  Engine,
  EngineOptions,
  GflCriterionInput,
  GflCriterionOptions,
  GpuBuffer,
  GpuDevice,
  GpuTensor,
  GpuTexture,
  GroundTruth,
  HalfArray,
  HeadOptions,
  Heads,
  HeadSpec,
  HostTensor,
  ImageTransform,
  InferHints,
  InputSpec,
  InputTensor,
  NamedOutputs,
  NmsOptions,
  Outputs,
  Pixels,
  Placement,
  Result,
  Signal,
  SlimEngineOptions,
  SoftNmsOptions,
  SvgColumns,
  SvgObject,
  SvgObjects,
  SvgOptions,
  SyncOps,
  TaskAlignedAssignment,
  TaskAlignedOptions,
  TensorLike,
  VfnetCriterionInput,
  VfnetCriterionOptions,
  WasmSource,
  WasmTensor,
  YoloCriterionInput,
  YoloCriterionOptions,
} from "densehead";
import { cocoEvaluate, CocoEvaluator, rle } from "densehead/eval";
import type {
  ClassEvaluation,
  CocoDataset,
  CocoEvaluation,
  CocoOptions,
  EvalAnnotation,
  EvalKind,
  EvalResult,
  Polygons,
  ReliabilityBin,
  Rle,
  RunLengthCode,
} from "densehead/eval";
import {
  outputsByRole,
  readNpy,
  readSafetensors,
  rolesByName,
  toFloat32,
  writeNpy,
  writeSafetensors,
} from "densehead/files";
import type {
  ElementType,
  FileArray,
  FileBytes,
  FileTensor,
  Named,
  OutputRoles,
  OutputsByRole,
  Safetensors,
  SafetensorsOptions,
  WritableTensor,
  WrittenFile,
} from "densehead/files";
import { createEngine as createSlimEngine, heads as slimHeads } from "densehead/slim";

const engineOptions: EngineOptions = { device: "auto", maxMemory: 2 ** 26, relaxedSimd: "off", offloadThreshold: 1e6 };
const engine: Engine = await createEngine(engineOptions);
const create: CreateEngine = createEngine;
const another = await create();
another.dispose();

// ── Boxes ───────────────────────────────────────────────────────────────────────

const boxes = new Float32Array(8);
const scores = new Float32Array(2);
const classes = Int32Array.of(0, 1);
const quantised: HostTensor = { data: new Int8Array(8), dims: [2, 4], scale: 0.5, zeroPoint: -1 };
const half: HostTensor = { data: new Uint16Array(8), dims: [2, 4] };
const tensors: TensorLike[] = [boxes, quantised, half, { data: new Float64Array(8), dims: [2, 4] as const }];
const layout: DflLayout = { bins: 16, layout: "channels-first" };
const decode: DflDecodeOptions = { ...layout, firstBin: -2, binStep: 0.5 };
const nmsOptions: NmsOptions = { iouThreshold: 0.6, scoreThreshold: 0.1, maxDetections: 100 };
const softOptions: SoftNmsOptions = {
  method: "linear",
  sigma: 0.4,
  iouThreshold: 0.3,
  minScore: 0.01,
  maxDetections: 9,
};

const sync: SyncOps = engine.sync;
const iou: Float32Array = sync.boxIou(boxes, quantised);
const giou: Promise<Float32Array> = engine.generalizedBoxIou(half, tensors[0] as TensorLike);
const sides: Float32Array = await engine.dflDecode(boxes, decode);
const { std, entropy, top, saturation, excess }: DflStatistics = sync.dflStatistics(boxes, layout);
const decoded: Float32Array = sync.distance2bbox(new Float32Array(4), sides, { maxShape: [480, 640] });
const distances: Float32Array = sync.bbox2distance(new Float32Array(4), decoded, { maxDistance: 16, eps: 0.01 });
const kept: Int32Array = await engine.nms(boxes, scores, nmsOptions);
const keptByClass: Int32Array = sync.batchedNms(boxes, scores, classes, nmsOptions);
const soft: { indices: Int32Array; scores: Float32Array } = sync.softNms(boxes, scores, softOptions);
const now: Result<"sync", number> = 1;
const later: Result<"async", number> = Promise.resolve(1);

// ── Heads and detection ─────────────────────────────────────────────────────────

const changes: HeadOptions = { numClasses: 3, strides: [8, 16], anchorOffset: 0, bins: 8, objectness: "sqrt-multiply" };
const presets: Heads = heads;
const all: HeadSpec[] = [
  presets.gfl(changes),
  heads.vfnet({ refined: true, boxUnit: "pixel" }),
  slimHeads.vfnet({ name: "mine", layout: "rows", channelOrder: "separate" }),
];
type PresetName = Exclude<keyof Heads, "infer">;
const made = (preset: PresetName): HeadSpec => heads[preset]();
const hints: InferHints = { imageSize: [640, 640], numClasses: 80 };
const outputs: Outputs = { data: new Float32Array(84 * 8400), dims: [1, 84, 8400] };
const named: NamedOutputs = { rows: quantised, classes: [boxes] };
const withRows: Outputs = named;
const byRole: Outputs = { classes: [boxes, boxes], boxes: quantised, objectness: [scores] };
const head: HeadSpec = heads.infer(outputs, hints);
const transform: ImageTransform = { scaleX: 0.5, scaleY: 0.5, padX: 0, padY: 12, clip: [720, 1280] };
declare const signal: Signal;
const options: DetectOptions = {
  head,
  imageSize: [640, 640],
  scoreThreshold: 0.3,
  iouThreshold: 0.7,
  maxDetections: 50,
  preNmsTopK: 1000,
  multiLabel: true,
  classAgnostic: false,
  transform,
  clip: true,
  uncertainty: true,
  signal,
};
const [first]: Detections[] = await engine.detect(outputs, options);
for (const { box: [x1, y1, x2, y2], score, classId, anchor } of first) console_(x1, y1, x2, y2, score, classId, anchor);
const list: Detection[] = [...first];
const arrays: [Float32Array, Float32Array, Int32Array, Int32Array, number] = [
  first.boxes,
  first.scores,
  first.classes,
  first.anchors,
  first.length,
];
const uncertain: (Float32Array | undefined)[] = [first.std, first.saturation, first.excess];
const rows: CocoResult[] = sync.detect([boxes, scores], { head, imageSize: [32, 32] })[0].toCoco("a.jpg", [1, 2, 3]);
const numbered: number[] = first.toCoco(7).flatMap(({ bbox: [x, y, w, h], score, category_id }) => [
  ...[x, y, w, h],
  ...[score, category_id],
]);

// ── Assignment ──────────────────────────────────────────────────────────────────

const truth: GroundTruth = { boxes: new Float32Array(4), labels: Int32Array.of(2), ignore: new Float32Array(4) };
const grid: AtssOptions = { imageSize: [640, 640], strides: [8, 16], anchorOffset: 0.5, anchorScale: 5, topk: 9 };
const { gtIndex, iou: quality }: Assignment = sync.atssAssign(grid, truth);
const aligning: TaskAlignedOptions = { topk: 10, alpha: 0.5, beta: 6 };
const aligned: TaskAlignedAssignment = await engine.taskAlignedAssign(
  scores,
  boxes,
  new Float32Array(4),
  truth,
  aligning,
);
const learned: [Int32Array, Float32Array, Float32Array] = [gtIndex, quality, aligned.targetScores];
// ── Criteria ────────────────────────────────────────────────────────────────────

const objects: GroundTruth = { boxes: new Float32Array(4), labels: Int32Array.of(2) };
const scene: CriterionInput = { cls: scores, head, imageSize: [64, 64], gt: [objects], gtIndex: [new Int32Array(84)] };
const gflInput: GflCriterionInput = { ...scene, dist: half };
const gflOptions: GflCriterionOptions = { normalizer: "mmdet", lambdaBox: 2, lambdaDfl: 0.25, beta: 2, grad: true };
const vfnetInput: VfnetCriterionInput = { ...scene, distances: boxes, refined: quantised };
const vfnetOptions: VfnetCriterionOptions = { normalizer: "paper", lambdaRefine: 1, alpha: 0.75, gamma: 2 };
const { total, parts, numPos, grad }: CriterionResult = sync.gflCriterion(gflInput, gflOptions);
const trained: [number, number | undefined, number, Float32Array | undefined] = [total, parts.dfl, numPos, grad?.dist];
const yoloInput: YoloCriterionInput = { cls: scores, dist: half, head, imageSize: [64, 64], gt: [objects] };
const yoloOptions: YoloCriterionOptions = { gains: { box: 1 }, topk: 7, topk2: 1, alpha: 1, beta: 6, timesBatch: true };
export const oneToOne: CriterionResult = sync.yoloCriterion(yoloInput, yoloOptions);
const refinement: number | undefined = (await engine.vfnetCriterion(vfnetInput, vfnetOptions)).parts.boxRefine;

// ── Pixels ──────────────────────────────────────────────────────────────────────

const photo: Pixels = { data: new Uint8ClampedArray(64 * 64 * 4), width: 64, height: 64 };
const wide: InputSpec = { name: "own", size: [64, 128], fit: "letterbox", dtype: "float16", mean: [0.5, 0.5, 0.5] };
const { tensor: image, transform: fitted }: { tensor: InputTensor; transform: ImageTransform } = sync.preprocess(
  photo,
  wide,
);
const planes: Float32Array = sync.preprocess([photo], inputs.yolov8({ size: [64, 64] })).tensor.data;
const halfPlanes: Uint16Array = sync.preprocess(photo, inputs.yolov8({ size: [64, 64], dtype: "float16" })).tensor.data;
declare const texture: GpuTexture;
const { tensor: ofTexture } = await engine.preprocess(texture, inputs.rtdetr({ size: [64, 64] }));
const handedOn: GpuTensor = ofTexture;
const frames: ImageTransform[] = (await engine.preprocess([texture], wide)).transform;

// ── Engine ──────────────────────────────────────────────────────────────────────

const tensor: WasmTensor = engine.tensor([2, 4]);
tensor.data.set(boxes);
tensor.dispose();
const alsoInput: TensorLike = tensor;
const build: "simd" | "relaxed-simd" = engine.capabilities.wasm;
const adapter: string | null = engine.capabilities.webgpu;
const { device, reason }: { device: "wasm" | "webgpu"; reason: string } = engine.plan("nms", 8400);
const bytes: number = engine.memory.used + engine.memory.peak + engine.memory.reserved + engine.memory.limit;
declare const gpuDevice: GpuDevice;
declare const gpuBuffer: GpuBuffer;
declare const halves: HalfArray;
const onGpu: GpuTensor = { gpuBuffer, dims: [1, 84, 8400], dataType: "float16" };
const values: DataArray = halves;
const shared = await createEngine({ gpuDevice });
await shared.nms(onGpu, scores, { iouThreshold: 0.5 });
const stays = await shared.qualityFocalLoss(onGpu, scores, { reduction: "none", grad: true, placement: "gpu" });
const staying: GpuTensor[] = [stays.loss, stays.grad];
const bitmaps = new Uint8Array(9);
const { grad: slopes } = await shared.maskLoss(scores, onGpu, bitmaps, onGpu, { grad: true, placement: "gpu" });
const masked: GpuTensor[] = [slopes.coefficients, slopes.prototypes];
const hosted: Float32Array = (await shared.maskLoss(scores, onGpu, bitmaps, scores, { grad: true })).grad.prototypes;
const placement: Placement = "host";
const average: number = (await shared.qualityFocalLoss(onGpu, scores)).loss;

// ── Slim ────────────────────────────────────────────────────────────────────────

const source: WasmSource = new Uint8Array(8);
const slimOptions: SlimEngineOptions = { wasm: source, relaxedSimd: "auto" };
const slim: Engine = await createSlimEngine(slimOptions);
await createSlimEngine({ wasm: Promise.resolve(new ArrayBuffer(8)) });
await createEngine({ threads: "auto" });
await createEngine({ threads: 4 });

// ── Misuse ──────────────────────────────────────────────────────────────────────

// @ts-expect-error: no such device
await createEngine({ device: "gpu" });
// @ts-expect-error: no such option
await createEngine({ thread: 4 });
// @ts-expect-error: no such number of threads
await createEngine({ threads: "all" });
// @ts-expect-error: slim has no kernels of its own
await createSlimEngine({});
// @ts-expect-error: a threshold is needed
sync.nms(boxes, scores);
// @ts-expect-error: an array is no options
sync.binaryCrossEntropyWithLogits(boxes, boxes, boxes);
// @ts-expect-error: plain arrays have no dtype
sync.boxIou([0, 0, 1, 1], boxes);
// @ts-expect-error: classes are int32
sync.batchedNms(boxes, scores, new Float32Array(2), nmsOptions);
// @ts-expect-error: a head is needed
sync.detect(outputs, { imageSize: [640, 640] });
// @ts-expect-error: labels are int32
sync.atssAssign(grid, { boxes, labels: [0, 1] });
// @ts-expect-error: ground truth is needed
sync.gflCriterion({ cls: scores, dist: half, head, imageSize: [64, 64] });
// @ts-expect-error: no such preset
heads.yolov99();
// @ts-expect-error: a promise is not its value
const early: Float32Array = engine.boxIou(boxes, boxes);
// @ts-expect-error: results cannot be replaced
first.boxes = boxes;

/** No `console` without the DOM's declarations. */
declare function console_(...values: number[]): void;

export {
  adapter,
  alsoInput,
  arrays,
  build,
  byRole,
  bytes,
  device,
  distances,
  entropy,
  giou,
  iou,
  kept,
  keptByClass,
  withRows,
};
export { fitted, frames, halfPlanes, handedOn, image, planes };
export {
  all,
  average,
  early,
  excess,
  hosted,
  later,
  learned,
  list,
  made,
  masked,
  now,
  numbered,
  placement,
  reason,
  refinement,
  rows,
  saturation,
  slim,
  soft,
  staying,
  std,
  top,
  trained,
  uncertain,
  values,
};

// ── Rows ────────────────────────────────────────────────────────────────────────

const rowOptions: AnchorRowsOptions = { head, imageSize: [64, 64] };
const rowsOfAnchors: AnchorRows = anchorRows(outputs, rowOptions);
const rowMap: AnchorMap = rowsOfAnchors.classes;
export const scored = sync.gflCriterion({ ...rowOptions, cls: rowMap, dist: rowsOfAnchors.boxes, gt: [] });

// ── Drawing ─────────────────────────────────────────────────────────────────────

const svgColumns: SvgColumns = { boxes: [0, 0, 1, 1], scores: Float64Array.of(0.5), classes: [0] };
const svgObjects: readonly SvgObject[] = [{ box: [0, 0, 1, 1], score: 0.5, classId: 0 }];
const svgOptions: SvgOptions = { size: [64, 64], image: new Uint8Array(8), names: { 0: "a" }, uncertainty: "std" };
const svgForms: SvgObjects[] = [svgColumns, svgObjects, first, first.toJSON(), [...first], objects];
export const pictures: string[] = svgForms.map((form) => toSvg(form, { ...svgOptions, truth: objects }));

// ── Files ───────────────────────────────────────────────────────────────────────

const written: WrittenFile = writeNpy({ data: Int32Array.of(1, 2), dims: [2] });
const fileBytes: FileBytes[] = [written, new ArrayBuffer(8)];
const fileTensor: FileTensor = readNpy(written);
const fileArray: FileArray = fileTensor.data;
const elementType: ElementType = fileTensor.type;
const writable: WritableTensor[] = [fileTensor, { data: new Float64Array(2), dims: [2], type: "float64" }];
const namedTensors: Named<WritableTensor> = new Map(writable.map((each, i) => [`t${i}`, each]));
const fileOptions: SafetensorsOptions = { maxHeader: 65536 };
const inSafetensors: Safetensors = readSafetensors(
  writeSafetensors(namedTensors, { head: "gfl" }),
  fileOptions,
);
const head8 = slimHeads.gfl({ strides: [8] });
const inFile = await engine.detect(outputsByRole(inSafetensors.tensors), { head: head8, imageSize: [64, 64] });
const valuesByRole: OutputsByRole<number> | readonly number[] = outputsByRole({ cls: 1, box: 2 });
const roleNames: OutputRoles | undefined = rolesByName(inSafetensors.tensors.keys());
const asFloats: Float32Array = toFloat32(fileTensor);
// ── Evaluation ──────────────────────────────────────────────────────────────────

const annotation: EvalAnnotation = { image_id: 1, category_id: 1, bbox: [0, 0, 9, 9] };
const dataset: CocoDataset = { images: [{ id: 1 }], categories: [{ id: 1 }], annotations: [annotation] };
const evalKind: EvalKind = "bbox";
const cocoOptions: CocoOptions = { kind: evalKind, maxDets: [1, 10, 100] };
const evalResults: EvalResult[] = first.toCoco(1);
const evaluation: CocoEvaluation = cocoEvaluate(dataset, evalResults, cocoOptions);
const evaluator: CocoEvaluator = new CocoEvaluator(dataset.categories, cocoOptions);
evaluator.add(1, dataset.annotations, evalResults, [480, 640]);
evaluator.merge(CocoEvaluator.fromJSON(evaluator.toJSON()));
const byClass: ClassEvaluation | undefined = evaluator.evaluate().classes[0];
const bin: ReliabilityBin | undefined = evaluation.calibration.bins[0];
const polygons: Polygons = [[0, 0, 9, 0, 9, 9]];
const runLengths: Rle = rle;
const mask: RunLengthCode = runLengths.fromPolygons(polygons, [480, 640]);
export const evaluated = [evaluation.stats.AP, byClass?.threshold, bin?.score, rle.iou([mask], [mask], [0])];

export const files = [
  fileBytes,
  fileArray,
  elementType,
  inSafetensors.metadata.get("head"),
  inFile,
  valuesByRole,
  roleNames,
  asFloats,
];
