/**
 * What the losses share: reduction, weights, where results go, and the parameter block that the kernels read.
 */
import type { LossOptions, LossResult, Reduction, TensorLike } from "../types.ts";
import {
  boolean,
  describe,
  describeTensor,
  number,
  oneOf,
  type Place,
  rangeError,
  shapeOf,
  type Source,
  tensor,
  typeError,
} from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";

/** Elements that go through a kernel at a time. It depends on nothing, so that no sum depends on the memory at hand. */
const CHUNK = 16384;

/** Where half of exp(-|x|) stops being a normal number. */
export const REACH = 86.5;

/** Up to which |x| the kernels' near way holds, whatever the loss. */
const NEAR = 40;

/** The loss's own parameters, as the kernels' block names them. */
export interface LossParameters {
  /** 0, 1, 1.5 and 2 have paths of their own. */
  readonly exponent?: number;
  readonly reach?: number;
  readonly alpha?: number;
  readonly option?: number;
  readonly low?: number;
  readonly inverse?: number;
  readonly scale?: number;
}

/** Checked options of a call. `factor` is the loss weight over what the sum is divided by. */
export interface LossSettings {
  readonly reduction: Reduction;
  readonly weight: Source | null;
  readonly weightKind: 0 | 1 | 2;
  readonly grad: boolean;
  readonly factor: number;
  readonly out: { readonly loss: Float32Array | null; readonly grad: Float32Array | null };
}

/** How many elements and rows a loss sees, and how many values it gives. */
export interface LossExtent {
  readonly elements: number;
  readonly rows: number;
  readonly values: number;
  /** Does a weight for each element mean anything? Not to a row loss. */
  readonly elementWeights: boolean;
}

export function lossSettings(op: string, options: LossOptions, extent: LossExtent): LossSettings {
  const place = (member: string): Place => ({ op, argument: `options.${member}` });
  const reduction = oneOf(place("reduction"), options.reduction ?? "mean", ["none", "sum", "mean"]);
  if ((options.placement ?? "host") !== "host") {
    throw typeError(
      place("placement"),
      describe(options.placement),
      `"host": results stay on the device only with WebGPU`,
    );
  }
  const grad = boolean(place("grad"), options.grad ?? false);
  const divisor = divisorOf(op, reduction, options.avgFactor, extent.values);
  const { weight, weightKind } = weightOf(place("weight"), options.weight, extent);
  const lossWeight = number(place("lossWeight"), options.lossWeight ?? 1);
  const out = {
    loss: outArray(place("out.loss"), options.out?.loss, reduction === "none" ? extent.values : null),
    grad: outArray(place("out.grad"), options.out?.grad, grad ? extent.elements : null),
  };
  return { reduction, weight, weightKind, grad, factor: lossWeight / divisor, out };
}

function divisorOf(op: string, reduction: Reduction, avgFactor: number | undefined, values: number): number {
  const place = { op, argument: "options.avgFactor" };
  if (avgFactor === undefined) return reduction === "mean" ? values : 1;
  if (reduction === "sum") throw typeError(place, describe(avgFactor), `no avgFactor with reduction "sum"`);
  if (!(number(place, avgFactor) > 0)) throw rangeError(place, avgFactor, "a number over 0");
  return reduction === "mean" ? avgFactor : 1;
}

function weightOf(
  place: Place,
  weight: TensorLike | undefined,
  { elements, rows, elementWeights }: LossExtent,
): Pick<LossSettings, "weight" | "weightKind"> {
  if (weight === undefined) return { weight: null, weightKind: 0 };
  const found = tensor(place, weight, (length) => [length]);
  const length = found.dims.reduce((product, d) => product * d, 1);
  if (elementWeights && length === elements) return { weight: found, weightKind: 1 };
  if (length === rows) return { weight: found, weightKind: 2 };
  const perElement = elementWeights ? `${elements} values, one per element, or ` : "";
  throw typeError(place, describeTensor(weight, found), `${perElement}${rows} values, one per row`);
}

function outArray(place: Place, array: Float32Array | undefined, length: number | null): Float32Array | null {
  if (array === undefined) return null;
  if (length === null) throw typeError(place, describe(array), "nothing: this call has no such array");
  if (!(array instanceof Float32Array) || array.length !== length) {
    throw typeError(place, describe(array), `Float32Array(${length})`);
  }
  return array;
}

/** A row loss or an element loss as the kernels take it, a chunk of rows at a time. */
export interface LossCall {
  readonly op: string;
  readonly kernel: (call: number) => void;
  readonly parameters: LossParameters;
  readonly pred: Source;
  /** Elements of a row of `pred`, and how many rows; without rows of its own a loss has rows of 1. */
  readonly columns: number;
  readonly rows: number;
  /** Rows of the least chunk that ends where a block of the kernel does, so that chunks do not change a sum. */
  readonly blockRows: number;
  /** Dense target and its elements for each row, or null with labels. */
  readonly target: Source | null;
  readonly targetColumns: number;
  readonly labels: Int32Array | null;
  readonly scores: Float32Array | null;
  /** Values of a row: its elements, or 1 for a row loss. */
  readonly valueColumns: number;
  /** Looks at the block after each chunk, which began at that row; throws what the kernel found. */
  check?(backend: WasmBackend, block: number, firstRow: number): void;
}

/** Runs the kernel over all chunks and reduces. */
export function runLoss(
  backend: WasmBackend,
  call: LossCall,
  settings: LossSettings,
): LossResult<Reduction, boolean> {
  const { rows, columns, valueColumns } = call;
  const perElement = settings.reduction === "none";
  const values = perElement ? settings.out.loss ?? new Float32Array(rows * valueColumns) : null;
  const grad = settings.grad ? settings.out.grad ?? new Float32Array(rows * columns) : null;
  const place = grad === null ? 0 : placeOf(backend, call, settings, grad);
  const sum = backend.memory.frame(call.op, (allocate) => {
    const chunk = chunkRows(call);
    const rooms = lossRooms(backend, allocate, call, settings, chunk);
    const block = allocate(96);
    writeParameters(backend, block, call.parameters, settings);
    for (let row = 0; row < rows;) {
      const count = callRows(backend, call, settings, chunk, row, place);
      // Kernels write whole vectors, so the last rows are not written where another array may follow.
      const own = place !== 0 && row + count < rows ? place + row * columns * 4 : rooms.grad;
      stageChunk(backend, call, settings, { ...rooms, grad: own }, block, row, count);
      call.kernel(block);
      call.check?.(backend, block, row);
      const { floats } = backend.memory;
      if (values !== null) copyOut(floats, rooms.values, values, row * valueColumns, count * valueColumns);
      if (grad !== null && own === rooms.grad) {
        const to = place === 0 ? grad : backend.memory.view(Float32Array, place, rows * columns);
        copyOut(floats, own, to, row * columns, count * columns);
      }
      row += count;
    }
    return backend.memory.view(Float64Array, block, 1)[0];
  });
  const loss = values ?? sum * settings.factor;
  if (grad === null) return { loss };
  // Growth of the memory empties a view of it.
  return {
    loss,
    grad: grad.length > 0 || place === 0 ? grad : backend.memory.view(Float32Array, place, rows * columns),
  };
}

/** Where `grad` lies, if that is in linear memory and apart from all that is read; else 0. */
function placeOf(backend: WasmBackend, call: LossCall, { weight }: LossSettings, grad: Float32Array): number {
  if (grad.length === 0 || !backend.memory.owns(grad.buffer)) return 0;
  const { byteOffset, byteLength } = grad;
  for (const source of [call.pred, call.target, weight]) {
    const from = source === null ? 0 : backend.resident(source);
    const length = source === null ? 0 : source.dims.reduce((product, d) => product * d, 4);
    if (from !== 0 && from < byteOffset + byteLength && byteOffset < from + length) return 0;
  }
  return byteOffset;
}

/** Rows of a chunk: whole blocks of the kernel where they fit. */
function chunkRows({ columns, blockRows, rows }: LossCall): number {
  const most = Math.max(1, Math.floor(CHUNK / columns));
  return Math.min(rows, Math.floor(most / blockRows) * blockRows || most);
}

/** Rows of the call from `row` on: a chunk, or as many as need no staging; blocks are cut at the same places. */
function callRows(
  backend: WasmBackend,
  { labels, pred, target, blockRows, rows }: LossCall,
  { weight, reduction, grad }: LossSettings,
  chunk: number,
  row: number,
  place: number,
): number {
  const inputs = [pred, target, weight].filter((source) => source !== null);
  const inPlace = labels === null && inputs.every((source) => backend.resident(source) !== 0);
  if (!inPlace || reduction === "none" || chunk % blockRows !== 0) return Math.min(chunk, rows - row);
  if (!grad) return rows;
  const staged = place === 0 ? 0 : Math.floor((rows - 1) / chunk) * chunk;
  return row < staged ? staged : Math.min(chunk, rows - row);
}

interface Rooms {
  readonly pred: number;
  readonly target: number;
  readonly labels: number;
  readonly scores: number;
  readonly weight: number;
  readonly values: number;
  readonly grad: number;
}

function lossRooms(
  backend: WasmBackend,
  allocate: (bytes: number) => number,
  call: LossCall,
  { weight, weightKind, reduction, grad }: LossSettings,
  chunk: number,
): Rooms {
  const room = (source: Source | null, floats: number) =>
    source === null || backend.resident(source) !== 0 ? 0 : allocate(backend.room(floats));
  return {
    pred: room(call.pred, chunk * call.columns),
    target: room(call.target, chunk * call.targetColumns),
    labels: call.labels === null ? 0 : allocate(chunk * 4),
    scores: call.scores === null ? 0 : allocate(chunk * 4),
    weight: room(weight, weightKind === 1 ? chunk * call.columns : chunk),
    values: reduction === "none" ? allocate(backend.room(chunk * call.valueColumns)) : 0,
    grad: grad ? allocate(backend.room(chunk * call.columns)) : 0,
  };
}

const EXPONENT_PATHS: readonly number[] = [0, 1, 1.5, 2];

/** The fields of `LossCall` in assembly/losses/call.ts that hold for all chunks, from `valueScale` on. */
function writeParameters(
  backend: WasmBackend,
  block: number,
  parameters: LossParameters,
  settings: LossSettings,
): void {
  const { exponent = 0, reach = REACH, alpha = 0, option = 0, low = 0, inverse = 1, scale = 1 } = parameters;
  const { floats, ints } = backend.memory;
  const path = EXPONENT_PATHS.indexOf(exponent);
  floats[(block >> 2) + 12] = settings.factor;
  floats[(block >> 2) + 13] = settings.factor;
  ints[(block >> 2) + 14] = path < 0 ? EXPONENT_PATHS.length : path;
  floats[(block >> 2) + 15] = exponent;
  floats[(block >> 2) + 16] = reach;
  floats[(block >> 2) + 17] = alpha;
  ints[(block >> 2) + 18] = option;
  floats[(block >> 2) + 19] = low;
  floats[(block >> 2) + 20] = inverse;
  floats[(block >> 2) + 21] = scale;
  floats[(block >> 2) + 22] = nearOf(exponent, settings);
  backend.memory.view(Float64Array, block, 1)[0] = 0;
}

/** |x| up to which a loss or gradient of the order exp(-(1 + exponent)|x|) is a normal number, scaled too. */
function nearOf(exponent: number, { grad, factor }: LossSettings): number {
  const scaled = grad ? REACH + Math.min(0, Math.log(Math.abs(factor))) : REACH;
  return Math.min(NEAR, scaled / (1 + exponent) - 1);
}

/** Stages a chunk of rows and writes the fields of the block that change with it. */
function stageChunk(
  backend: WasmBackend,
  call: LossCall,
  settings: LossSettings,
  rooms: Rooms,
  block: number,
  row: number,
  count: number,
): void {
  const { columns, targetColumns, labels, scores } = call;
  const stage = (source: Source | null, width: number, room: number) =>
    source === null ? 0 : backend.stage(source, row * width, count * width, room);
  const { weight, weightKind } = settings;
  const fields = [
    stage(call.pred, columns, rooms.pred),
    stage(call.target, targetColumns, rooms.target),
    rooms.labels,
    rooms.scores,
    stage(weight, weightKind === 1 ? columns : 1, rooms.weight),
    weightKind,
    rooms.values,
    rooms.grad,
    count * columns,
    columns,
  ];
  const { floats, ints } = backend.memory;
  if (labels !== null) ints.set(labels.subarray(row, row + count), rooms.labels >> 2);
  if (scores !== null) floats.set(scores.subarray(row, row + count), rooms.scores >> 2);
  if (rooms.values !== 0) floats.fill(0, rooms.values >> 2, (rooms.values >> 2) + count * call.valueColumns);
  ints.set(fields, (block >> 2) + 2);
}

function copyOut(floats: Float32Array, from: number, to: Float32Array, at: number, length: number): void {
  to.set(floats.subarray(from >> 2, (from >> 2) + length), at);
}

/** The shape of the predictions, and how many rows they make: all axes but the last. */
export function predOf(op: string, pred: TensorLike): { source: Source; elements: number; rows: number } {
  const source = tensor({ op, argument: "pred" }, pred, (length) => [length]);
  const elements = source.dims.reduce((product, d) => product * d, 1);
  const columns = source.dims.length > 1 ? source.dims[source.dims.length - 1] : 1;
  return { source, elements, rows: columns === 0 ? 0 : elements / columns };
}

/** A dense target: the shape of the predictions, or a bare array of as many values. */
export function denseTarget(op: string, target: TensorLike, pred: Source): Source {
  const place = { op, argument: "target" };
  const found = tensor(place, target, (length) => length === pred.data.length ? pred.dims : [length]);
  if (found.dims.length !== pred.dims.length || found.dims.some((d, i) => d !== pred.dims[i])) {
    throw typeError(place, describeTensor(target, found), `shape ${shapeOf(pred.dims)}, as pred`);
  }
  return found;
}
