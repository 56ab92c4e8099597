/**
 * A call of every operation, and its arguments replaced one by one: what the suites about arguments walk.
 */
import { type Engine, heads, type WasmTensor } from "densehead";
import { random } from "./random.ts";

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint16Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/** Where something stands among the arguments: [0, "data"]. */
export type Path = readonly (string | number)[];

const N = 8;
const CLASSES = 4;
const BINS = 4;

const seeded = (length: number, seed: number, low = 0, high = 1): Float32Array<ArrayBuffer> => {
  const r = random(seed);
  return Float32Array.from({ length }, () => r.uniform(low, high));
};
const tensor = (dims: number[], seed: number, low = 0, high = 1) => ({
  data: seeded(dims.reduce((a, b) => a * b, 1), seed, low, high),
  dims,
});
const boxes = (seed: number) => {
  const found = tensor([N, 4], seed, 0, 20);
  for (let i = 0; i < found.data.length; i++) if (i % 4 > 1) found.data[i] += 20;
  return found;
};
const classesOf = (length: number): Int32Array<ArrayBuffer> => Int32Array.from({ length }, (_, i) => i % CLASSES);
const truth = () => ({
  boxes: Float32Array.of(2, 2, 20, 20, 10, 12, 30, 31),
  labels: Int32Array.of(1, 2),
  ignore: Float32Array.of(0, 20, 8, 31),
});
const rowsOf = (rows: number, columns: number, seed: number) => tensor([rows, columns], seed, -3, 3);
const out = (loss: number, grad: number) => ({ loss: new Float32Array(loss), grad: new Float32Array(grad) });
const labelled = () => ({ labels: classesOf(N), scores: seeded(N, 3) });
const everything = { reduction: "none", grad: true, lossWeight: 0.5 };

const dense = (options: object) => () => [
  rowsOf(N, CLASSES, 1),
  tensor([N, CLASSES], 2),
  { ...everything, ...options, weight: tensor([N, CLASSES], 4), out: out(N * CLASSES, N * CLASSES) },
];
const withLabels = (options: object) => () => [
  rowsOf(N, CLASSES, 1),
  labelled(),
  { ...everything, ...options, weight: tensor([N], 4), out: out(N, N * CLASSES) },
];
const pairs = () => [boxes(5), boxes(6), { ...everything, eps: 1e-6, weight: tensor([N], 4), out: out(N, N * 4) }];

const yolo = heads.yolov8({ numClasses: CLASSES, bins: BINS, strides: [8, 16] });
/** Of 32 × 32 pixels. */
const ANCHORS = 16 + 4;
const scene = (head: object) => ({
  head,
  imageSize: [32, 32],
  gt: [truth()],
  gtIndex: [Int32Array.from({ length: ANCHORS }, (_, i) => i % 4 - 2)],
});
const gfl = heads.gfl({ numClasses: CLASSES, bins: BINS, strides: [8, 16] });
const vfnet = heads.vfnet({ numClasses: CLASSES, strides: [8, 16] });

/** Arguments of each operation, made anew by each call; more than one way where it has them. */
export const cases: Record<string, (() => unknown[])[]> = {
  detect: [() => [
    tensor([2, 4 * BINS + CLASSES, ANCHORS], 7, -3, 3),
    {
      head: yolo,
      imageSize: [32, 32],
      scoreThreshold: 0.5,
      iouThreshold: 0.5,
      transform: { scaleX: 2, scaleY: 2, padX: 1, padY: 1, clip: [16, 16] },
      uncertainty: true,
    },
  ], () => [
    {
      classes: [tensor([1, CLASSES, 16], 7, -3, 3), tensor([1, CLASSES, 4], 8, -3, 3)],
      boxes: [tensor([1, 4 * BINS, 16], 9, -3, 3), tensor([1, 4 * BINS, 4], 10, -3, 3)],
    },
    { head: yolo, imageSize: [32, 32], multiLabel: true },
  ]],
  atssAssign: [() => [{ imageSize: [32, 32], strides: [8, 16], topk: 5 }, truth()]],
  taskAlignedAssign: [() => [
    tensor([N, CLASSES], 1),
    boxes(2),
    tensor([N, 2], 3, 2, 30),
    truth(),
    { topk: 3 },
  ]],
  gflCriterion: [() => [
    {
      ...scene(gfl),
      cls: tensor([1, ANCHORS, CLASSES], 1, -3, 3),
      dist: tensor([1, ANCHORS, 4 * BINS], 2, -3, 3),
    },
    { grad: true, beta: 2 },
  ]],
  vfnetCriterion: [() => [
    {
      ...scene(vfnet),
      cls: tensor([1, ANCHORS, CLASSES], 1, -3, 3),
      distances: tensor([1, ANCHORS, 4], 2, 0, 9),
      refined: tensor([1, ANCHORS, 4], 3, 0, 9),
    },
    { grad: true, normalizer: "mmdet" },
  ]],
  binaryCrossEntropyWithLogits: [dense({}), withLabels({})],
  sigmoidFocalLoss: [dense({ alpha: 0.3 }), withLabels({ gamma: 1 })],
  qualityFocalLoss: [dense({ beta: 1 }), withLabels({ beta: 1 })],
  varifocalLoss: [dense({ alpha: 0.5 }), withLabels({ iouWeighted: false })],
  generalizedFocalLoss: [dense({ yLeft: 0, yRight: 1 })],
  distributionFocalLoss: [() => [
    rowsOf(N, BINS, 1),
    tensor([N], 2, 0, BINS - 1),
    { ...everything, weight: tensor([N], 4), out: out(N, N * BINS) },
  ]],
  iouLoss: [pairs],
  giouLoss: [pairs],
  diouLoss: [pairs],
  ciouLoss: [pairs],
  eiouLoss: [pairs],
  siouLoss: [pairs],
  dflDecode: [
    () => [rowsOf(N, 4 * BINS, 1), { bins: BINS, firstBin: 1 }],
    () => [rowsOf(4 * BINS, N, 1), { bins: BINS, layout: "channels-first" }],
  ],
  dflStatistics: [
    () => [rowsOf(N, 4 * BINS, 1), { bins: BINS }],
    () => [rowsOf(4 * BINS, N, 1), { bins: BINS, layout: "channels-first" }],
  ],
  distance2bbox: [() => [tensor([N, 2], 1), tensor([N, 4], 2), { maxShape: [0.5, 0.5] }]],
  bbox2distance: [() => [tensor([N, 2], 1), tensor([N, 4], 2), { maxDistance: 0.5 }]],
  starPoints: [() => [tensor([N, 2], 1), tensor([N, 4], 2)]],
  starDeformOffsets: [() => [tensor([N, 4], 2), { stride: 8 }]],
  refineDistances: [() => [tensor([N, 4], 1), tensor([N, 4], 2), { kind: "exp" }]],
  boxIou: [() => [boxes(1), boxes(2)]],
  generalizedBoxIou: [() => [boxes(1), boxes(2)]],
  nms: [() => [boxes(1), tensor([N], 2), { iouThreshold: 0.3, scoreThreshold: 0.1, maxDetections: 7 }]],
  batchedNms: [
    () => [boxes(1), tensor([N], 2), Int32Array.from({ length: N }, (_, i) => i & 1), { iouThreshold: 0.3 }],
  ],
  softNms: [() => [boxes(1), tensor([N], 2), { method: "linear", sigma: 0.4, minScore: 0.2 }]],
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
}

/** The paths of what `wanted` finds among the arguments. */
export function pathsOf(args: unknown, wanted: (value: unknown) => boolean, path: Path = []): Path[] {
  const own = path.length > 0 && wanted(args) ? [path] : [];
  if (!isObject(args)) return own;
  const inner = Object.keys(args).flatMap((key) => {
    return pathsOf(args[key], wanted, [...path, Array.isArray(args) ? Number(key) : key]);
  });
  return [...own, ...inner];
}

export function at(args: unknown, path: Path): unknown {
  return path.reduce((value: unknown, key) => (value as Record<string | number, unknown>)[key], args);
}

export function replace(args: unknown, path: Path, value: unknown): void {
  (at(args, path.slice(0, -1)) as Record<string | number, unknown>)[path.at(-1) as string] = value;
}

/** Has something done whenever a member is read. */
export function whenRead(args: unknown, path: Path, deed: () => void): void {
  const value = at(args, path);
  Object.defineProperty(at(args, path.slice(0, -1)), path.at(-1) as string, {
    get() {
      deed();
      return value;
    },
    enumerable: true,
    configurable: true,
  });
}

/** Plain numbers in the place of arrays, so that results compare whatever classes they are of. */
export function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

export const isArray = (value: unknown) => ArrayBuffer.isView(value);
export const arraysOf = (args: unknown[]): Path[] => pathsOf(args, isArray);
export const named = (path: Path) => path.join(".");

type Constructor = new (...args: unknown[]) => TypedArray;

export const constructorOf = (array: TypedArray) => array.constructor as Constructor;

/** The same values in a class whose constructor ignores its arguments. */
export function deaf(array: TypedArray): TypedArray {
  class Deaf extends constructorOf(array) {
    constructor() {
      super(array);
    }
  }
  return new Deaf();
}

/** Does the runtime have buffers that can be resized? */
export const resizable = typeof (ArrayBuffer.prototype as { resize?: unknown }).resize === "function";

/** The same values in a buffer that can be resized. */
export function resizableCopy(array: TypedArray) {
  const Buffer = ArrayBuffer as unknown as new (
    size: number,
    options: object,
  ) => ArrayBuffer & { resize(size: number): void };
  const buffer = new Buffer(array.byteLength, { maxByteLength: array.byteLength * 2 });
  const copy = new (constructorOf(array))(buffer, 0, array.length);
  copy.set(array as never);
  return { buffer, copy };
}

/** The same values in a tensor. */
export function inMemory(on: Engine, array: TypedArray): { array: TypedArray; tensor: WasmTensor } {
  const tensor = on.tensor([Math.ceil(array.byteLength / 4)]);
  const view = new (constructorOf(array))(tensor.data.buffer, tensor.data.byteOffset, array.length);
  view.set(array as never);
  return { array: view, tensor };
}

/** Every call: operation, what tells it from others, and its arguments. */
export const calls = Object.entries(cases).flatMap(([op, ways]) =>
  ways.map((args, i) => ({ op, what: ways.length === 1 ? op : `${op}, way ${i}`, args }))
);
