/**
 * Losses on WASM: the operation from its check, the chunks through the kernel, and the parameter block that it reads.
 */
import type { LossResult, Reduction } from "../types.ts";
import { type HostArray, type OutArray, section } from "../arrays.ts";
import { onHost, type Source, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { apart, type LossCall, type LossKernel, type LossParameters, type LossSettings } from "./loss_call.ts";

/** Elements that go through a kernel at a time. It depends on nothing, so that no sum depends on the memory at hand. */
const CHUNK = 16384;

/** Where half of exp(-|x|) stops being a normal number. */
export const REACH = 86.5;

/** Up to which |x| the kernels' near way holds, whatever the loss. */
const NEAR = 40;

interface LossSpec<A extends unknown[]> {
  readonly name: string;
  readonly stem: LossKernel;
  readonly shapes: string;
  readonly summary: string;
  check(...args: A): LossCall;
}

/** A row of the registry that runs wherever its checked call can. */
export function lossOperation<A extends unknown[]>(spec: LossSpec<A>) {
  const check = (...args: A) => apart(spec.check(...args));
  return {
    ...spec,
    check,
    kernels: [spec.stem],
    run: (backend: WasmBackend, ...args: A) => runLoss(backend, check(...args)),
  };
}

/** Runs the kernel over all chunks and reduces. */
export function runLoss(backend: WasmBackend, checked: LossCall): LossResult<Reduction, boolean> {
  const call = hostCall(checked);
  const { settings } = call;
  const { rows, columns, valueColumns } = call;
  const perElement = settings.reduction === "none";
  const values = perElement ? settings.out.loss ?? newArray(call.op, rows * valueColumns) : null;
  const grad = settings.grad ? settings.out.grad ?? newArray(call.op, rows * columns) : null;
  const sum = backend.memory.frame(call.op, (allocate) => {
    const place = grad === null ? 0 : placeOf(backend, call, settings, grad);
    const chunk = chunkRows(call);
    const rooms = lossRooms(backend, allocate, call, settings, chunk);
    const block = allocate(104);
    writeParameters(backend, block, call.parameters, settings);
    const direct = rowsInPlace(backend, call, settings, chunk, place);
    for (let row = 0; row < rows;) {
      const count = row < direct ? direct : Math.min(chunk, rows - row);
      // Kernels write whole vectors, so the last rows are not written where another array may follow.
      const own = place !== 0 && row + count < rows ? place + row * columns * 4 : rooms.grad;
      stageChunk(backend, call, settings, { ...rooms, grad: own }, block, row, count);
      backend.kernels[call.kernel](block);
      checkTargets(backend, block, call, row);
      if (values !== null) copyOut(backend, rooms.values, values, row * valueColumns, count * valueColumns);
      if (grad !== null && own === rooms.grad) copyOut(backend, own, grad, row * columns, count * columns);
      row += count;
    }
    return backend.memory.view(Float64Array, block, 1)[0];
  });
  const loss = values === null ? reduced(sum, settings.factor) : backend.handedBack(values);
  return grad === null ? { loss } : { loss, grad: backend.handedBack(grad) };
}

/** As a weight of 0, a factor of 0 leaves nothing of an infinite loss. */
function reduced(sum: number, factor: number): number {
  return factor === 0 && !Number.isNaN(sum) ? 0 : sum * factor;
}

function newArray(op: string, length: number): OutArray {
  const data = new Float32Array(length);
  return { place: { op, argument: "result" }, data, length, byteOffset: 0, given: data };
}

/** A call with every tensor on the host. */
interface HostCall extends LossCall<Source> {
  readonly scores: HostArray<Float32Array> | null;
}

function hostCall(call: LossCall): HostCall {
  const { op, settings } = call;
  if (settings.placement !== "host") {
    const place = { op, argument: "options.placement" };
    throw typeError(place, `"${settings.placement}"`, `"host": results stay on the device only with WebGPU`);
  }
  onHost({ op, argument: "pred" }, call.pred);
  if (call.target !== null) onHost({ op, argument: "target" }, call.target);
  if (settings.weight !== null) onHost({ op, argument: "options.weight" }, settings.weight);
  return call as HostCall;
}

/** A kernel leaves the first row whose target is outside, counted from 1; the chunk began at `firstRow`. */
function checkTargets(backend: WasmBackend, block: number, call: HostCall, firstRow: number): void {
  if (call.outside === undefined) return;
  const { floats, ints } = backend.memory;
  const found = ints[(block >> 2) + 18];
  if (found === 0) return;
  throw call.outside(firstRow + found - 1, floats[(ints[(block >> 2) + 3] >> 2) + found - 1]);
}

/** Where `grad` lies, if that is in linear memory and apart from all that is read; else 0. */
function placeOf(
  backend: WasmBackend,
  call: HostCall,
  { weight }: LossSettings<Source>,
  grad: HostArray<Float32Array>,
): number {
  const place = backend.pointerOf(grad);
  if (place === 0) return 0;
  // Overlap at other places was refused.
  const same = [call.pred, call.target, weight].some((source) => source !== null && backend.resident(source) === place);
  return same ? 0 : place;
}

/** Rows of a chunk: whole blocks of the kernel where they fit. */
function chunkRows({ columns, blockRows, rows }: HostCall): number {
  const most = Math.max(1, Math.floor(CHUNK / columns));
  return Math.min(rows, Math.floor(most / blockRows) * blockRows || most);
}

/** How many rows, from the first on, one call takes because nothing of them is staged; blocks end at the same places. */
function rowsInPlace(
  backend: WasmBackend,
  { labels, pred, target, blockRows, rows }: HostCall,
  { weight, reduction, grad }: LossSettings<Source>,
  chunk: number,
  place: number,
): number {
  const inputs = [pred, target, weight].filter((source) => source !== null);
  const inPlace = labels === null && inputs.every((source) => backend.resident(source) !== 0);
  if (!inPlace || reduction === "none" || chunk % blockRows !== 0) return 0;
  if (!grad) return rows;
  return place === 0 ? 0 : Math.floor((rows - 1) / chunk) * chunk;
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
  call: HostCall,
  { weight, weightKind, reduction, grad }: LossSettings<Source>,
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
  settings: LossSettings<Source>,
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
  backend.memory.view(Float64Array, block + 96, 1)[0] = exponent;
}

/** |x| up to which a loss or gradient of the order exp(-(1 + exponent)|x|) is a normal number, scaled too. */
function nearOf(exponent: number, { grad, factor }: LossSettings<Source>): number {
  const scaled = grad ? REACH + Math.min(0, Math.log(Math.abs(factor))) : REACH;
  return Math.min(NEAR, scaled / (1 + exponent) - 1);
}

/** Stages a chunk of rows and writes the fields of the block that change with it. */
function stageChunk(
  backend: WasmBackend,
  call: HostCall,
  settings: LossSettings<Source>,
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
  if (labels !== null) ints.set(section(backend.values(labels), row, count), rooms.labels >> 2);
  if (scores !== null) floats.set(section(backend.values(scores), row, count), rooms.scores >> 2);
  if (rooms.values !== 0) floats.fill(0, rooms.values >> 2, (rooms.values >> 2) + count * call.valueColumns);
  ints.set(fields, (block >> 2) + 2);
}

function copyOut(
  backend: WasmBackend,
  from: number,
  to: HostArray<Float32Array>,
  at: number,
  length: number,
): void {
  backend.values(to).set(backend.memory.floats.subarray(from >> 2, (from >> 2) + length), at);
}
