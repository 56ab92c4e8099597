/**
 * Losses on WASM: the chunks through the kernel, and the parameter block that it reads.
 */
import { type HostArray, type OutArray, section } from "../arrays.ts";
import type { LossResult, Reduction } from "../types.ts";
import { onHost, type Source, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { CheckedLoss, LossSettings } from "./checked_loss.ts";
import { type BlockLayout, CALL_FIELDS, ELEMENT_FIELDS, layOut } from "./loss_block.ts";

/** A loss's kernel takes the loss's parameter block. */
type LossKernels = Readonly<Record<string, (block: number) => void>>;

/**
 * Elements that go through a kernel at a time, where memory allows. Blocks begin anew with each chunk; so a chunk that must
 * be smaller is one of as many whole blocks, or is taken part by part, and no sum depends on the memory at hand.
 */
const CHUNK = 16384;
/**
 * Chunks of a section. Every section has a sum of its own, and these are added in order. So threads that take sections come
 * to the bits of one thread.
 */
const SECTION_CHUNKS = 4;
/** Elements of a block of the classification losses. */
const BLOCK = 512;
/** Bytes from the beginning of a staging area to its first element. */
const BESIDE = 16;
/** Bytes that a block may be longer than what was asked for. */
const ROUNDING = 80;
/** Labels, scores, weights, values and targets of rows; there are no more arrays of elements. */
const ROW_ARRAYS = 5;
/** Bytes of the parameter block, and a little more. */
const OTHERS = 1024;

/** Where half of exp(-|x|) stops being a normal number. */
const REACH = 86.5;

/** Up to which |x| the kernels' near way holds, whatever the loss. */
const NEAR = 40;

/** Offsets in bytes of the fields that every loss has, and of those of element losses. */
const AT = Object.fromEntries(
  layOut(CALL_FIELDS, ELEMENT_FIELDS).map(({ name, offset }) => [name, offset]),
) as Readonly<
  Record<keyof typeof CALL_FIELDS | keyof typeof ELEMENT_FIELDS, number>
>;

/** Runs the kernel over all sections and reduces. */
export function runLoss(backend: WasmBackend, checked: CheckedLoss): LossResult<Reduction, boolean> {
  const call = hostCall(checked);
  const out = resultArrays(call);
  return joinLoss(backend, call, out, [runSections(backend, call, out)]);
}

/** Where results go; what the call does not ask for is null. */
export interface LossArrays<A extends HostArray = HostArray<Float32Array>> {
  readonly loss: A | null;
  readonly grad: A | null;
}

/** The caller's arrays, or new ones. */
export function resultArrays({ op, rows, columns, valueColumns, settings }: CheckedLoss): LossArrays<OutArray> {
  const { reduction, grad, out } = settings;
  return {
    loss: reduction === "none" ? out.loss ?? newArray(op, rows * valueColumns) : null,
    grad: grad ? out.grad ?? newArray(op, rows * columns) : null,
  };
}

/** What is left of sections when their values are where they belong. */
export interface LossSums {
  /** Of each section; not read where values are wanted. */
  readonly sums: readonly number[];
  /** The first row whose target is outside, and that target. What follows it was not computed. */
  readonly outside: readonly [row: number, target: number] | null;
}

/** The result of all sections, from those of runs of them in order. */
export function joinLoss(
  backend: WasmBackend,
  call: CheckedLoss,
  { loss, grad }: LossArrays<OutArray>,
  parts: readonly LossSums[],
): LossResult<Reduction, boolean> {
  let sum = 0;
  let sections = 0;
  for (const { sums, outside } of parts) {
    if (outside !== null) throw call.outside?.(sections * sectionRows(call) + outside[0], outside[1]);
    for (const each of sums) sum += each;
    sections += sums.length;
  }
  const value = loss === null ? reduced(sum, call.settings.factor) : backend.handedBack(loss);
  return grad === null ? { loss: value } : { loss: value, grad: backend.handedBack(grad) };
}

/** Rows of a section: whole chunks, as many as they have where memory allows. */
export function sectionRows(call: CheckedLoss): number {
  return fullChunk(call) * SECTION_CHUNKS;
}

/** Runs the kernel over all chunks of all sections. */
export function runSections(
  backend: WasmBackend,
  call: HostCall,
  { loss: values, grad }: LossArrays,
): LossSums {
  const { settings, rows, columns } = call;
  const kernel = (backend.kernels as unknown as LossKernels)[call.stem];
  const inSection = sectionRows(call);
  return backend.memory.frame(call.op, (allocate) => {
    const place = grad === null ? 0 : placeOf(backend, call, settings, grad);
    const chunk = chunkRows(backend, call, settings);
    const part = partOf(backend, call, settings, chunk);
    const staging = stagingOf(backend, allocate, call, settings, chunk, part);
    const block = allocate(call.layout.bytes);
    writeParameters(backend, block, call);
    if (call.table !== undefined) writeTable(backend, allocate, block, call.layout, call.table);
    const direct = rowsInPlace(backend, call, settings, chunk, place);
    const sums: number[] = [];
    for (let row = 0; row < rows;) {
      const sectionEnd = Math.min(rows, (sums.length + 1) * inSection);
      const count = Math.min(row < direct ? direct - row : chunk, sectionEnd - row);
      // Kernels write whole vectors, so the last rows are not written where another array may follow.
      const own = place !== 0 && row + count < rows ? place + row * columns * 4 : 0;
      stageRows(backend, call, staging, row, count);
      const step = row < direct ? count * columns : part;
      for (let first = 0; first < count * columns; first += step) {
        const end = Math.min(first + step, count * columns);
        const at = row * columns + first;
        stageElements(backend, call, settings, staging, block, own, [row, count], [first, end]);
        kernel(block);
        const outside = targetOutside(backend, block, call, row);
        if (outside !== null) return { sums, outside };
        if (grad !== null && own === 0) copyOut(backend, staging.grad, grad, at, end - first);
        if (values !== null && perElement(call)) copyOut(backend, staging.values, values, at, end - first);
      }
      if (values !== null && !perElement(call)) copyOut(backend, staging.values, values, row, count);
      row += count;
      if (row === sectionEnd) sums.push(takeSum(backend, block));
    }
    return { sums, outside: null };
  });
}

/** The sum so far, which then begins anew. */
function takeSum({ memory }: WasmBackend, block: number): number {
  const place = memory.view(Float64Array, block + AT.sum, 1);
  const [sum] = place;
  place[0] = 0;
  return sum;
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
export interface HostCall extends CheckedLoss<Source> {
  readonly labels: HostArray<Int32Array> | null;
  readonly scores: HostArray<Float32Array> | null;
}

export function hostCall(call: CheckedLoss): HostCall {
  const { op, settings } = call;
  if (settings.placement !== "host") {
    const place = { op, argument: "options.placement" };
    throw typeError(place, `"${settings.placement}"`, `"host": results stay on the device only with WebGPU`);
  }
  onHost({ op, argument: "pred" }, call.pred);
  if (call.target !== null) onHost({ op, argument: "target" }, call.target);
  if (call.areas !== undefined) onHost({ op, argument: "areas" }, call.areas);
  if (settings.weight !== null) onHost({ op, argument: "options.weight" }, settings.weight);
  return call as HostCall;
}

/** A kernel leaves the first row whose target is outside, counted from 1; the chunk began at `firstRow`. */
function targetOutside(
  backend: WasmBackend,
  block: number,
  { layout, areas }: HostCall,
  firstRow: number,
): LossSums["outside"] {
  const field = layout.own.find(({ name }) => name === "outside");
  if (field === undefined) return null;
  const { floats, ints } = backend.memory;
  const row = ints[(block + field.offset) >> 2];
  const values = ints[(block + (areas === undefined ? AT.target : AT.scores)) >> 2];
  return row === 0 ? null : [firstRow + row - 1, floats[(values >> 2) + row - 1]];
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

/** True where values and blocks are of elements; where a row has one value of its own they are of rows. */
function perElement({ labels, columns, valueColumns }: HostCall): boolean {
  return labels === null && columns === valueColumns;
}

/** Rows of a chunk: whole blocks of the kernel where they fit, and where memory is short no more of them than fit. */
function chunkRows(backend: WasmBackend, call: HostCall, settings: LossSettings<Source>): number {
  const { columns, blockRows, rows } = call;
  let chunk = fullChunk(call);
  while (chunk >= 2 * blockRows && missingBytes(backend, call, settings, chunk, chunk * columns) > 0) {
    chunk = Math.floor(chunk / 2 / blockRows) * blockRows;
  }
  return Math.min(rows, chunk);
}

/** Rows of a chunk where memory allows. */
function fullChunk({ columns, blockRows }: CheckedLoss): number {
  const most = Math.max(1, Math.floor(CHUNK / columns));
  return Math.floor(most / blockRows) * blockRows || most;
}

/** Elements of a chunk that are in memory at a time: all where they fit, else whole blocks. */
function partOf(backend: WasmBackend, call: HostCall, settings: LossSettings<Source>, chunk: number): number {
  const all = Math.max(1, chunk * call.columns);
  if (call.labels === null && !perElement(call)) return all;
  const missing = missingBytes(backend, call, settings, chunk, all);
  if (missing <= 0) return all;
  const arrays = elementArrays(backend, call, settings);
  return Math.max(BLOCK, Math.floor((all - missing / 4 / arrays) / BLOCK) * BLOCK);
}

/** How many arrays of elements are staged. */
function elementArrays(
  backend: WasmBackend,
  call: HostCall,
  { weight, weightKind, ...settings }: LossSettings<Source>,
) {
  const { pred, target, columns, targetColumns } = call;
  const inputs = [pred, targetColumns === columns ? target : null, weightKind === 1 ? weight : null];
  const staged = inputs.filter((source) => source !== null && backend.resident(source) === 0).length;
  // Targets of more elements than the predictions count as whole arrays of them.
  const wide = target !== null && targetColumns > columns ? Math.ceil(targetColumns / columns) : 0;
  return wide + staged + Number(settings.grad) + Number(settings.reduction === "none" && perElement(call));
}

/** How many bytes a chunk needs beyond what is spare, at most. Mostly there is plenty, which is seen at once. */
function missingBytes(
  backend: WasmBackend,
  call: HostCall,
  settings: LossSettings<Source>,
  chunk: number,
  part: number,
): number {
  const { spare } = backend.memory;
  const ofElements = backend.stagingBytes(part) + ROUNDING;
  if (2 * ROW_ARRAYS * ofElements + OTHERS <= spare) return 0;
  const ofRows = backend.stagingBytes(chunk) + ROUNDING;
  return elementArrays(backend, call, settings) * ofElements + ROW_ARRAYS * ofRows + OTHERS - spare;
}

/** How many rows, from the first on, one call takes because nothing of them is staged; blocks end at the same places. */
function rowsInPlace(
  backend: WasmBackend,
  { labels, pred, target, areas, blockRows, rows }: HostCall,
  { weight, reduction, grad }: LossSettings<Source>,
  chunk: number,
  place: number,
): number {
  const inputs = [pred, target, areas ?? null, weight].filter((source) => source !== null);
  const inPlace = labels === null && inputs.every((source) => backend.resident(source) !== 0);
  if (!inPlace || reduction === "none" || chunk % blockRows !== 0) return 0;
  if (!grad) return rows;
  return place === 0 ? 0 : Math.floor((rows - 1) / chunk) * chunk;
}

interface Staging {
  readonly pred: number;
  readonly target: number;
  readonly labels: number;
  readonly scores: number;
  readonly weight: number;
  readonly values: number;
  readonly grad: number;
}

function stagingOf(
  backend: WasmBackend,
  allocate: (bytes: number) => number,
  call: HostCall,
  { weight, weightKind, reduction, grad }: LossSettings<Source>,
  chunk: number,
  part: number,
): Staging {
  // Not where a block's start could be at a distance of whole blocks from address 0, which stands for no array.
  const elements = () => allocate(backend.stagingBytes(part) + BESIDE) + BESIDE;
  const ofElements = (source: Source | null) => source === null || backend.resident(source) !== 0 ? 0 : elements();
  const ofRows = (source: Source | null, width: number) =>
    source === null || backend.resident(source) !== 0 ? 0 : allocate(backend.stagingBytes(chunk * width));
  const values = () => perElement(call) ? elements() : allocate(backend.stagingBytes(chunk));
  return {
    pred: ofElements(call.pred),
    target: call.targetColumns === call.columns ? ofElements(call.target) : ofRows(call.target, call.targetColumns),
    labels: call.labels === null ? 0 : allocate(chunk * 4),
    scores: call.scores === null ? ofRows(call.areas ?? null, 1) : allocate(chunk * 4),
    weight: weightKind === 1 ? ofElements(weight) : ofRows(weight, 1),
    values: reduction === "none" ? values() : 0,
    grad: grad ? elements() : 0,
  };
}

/** Exponents that have a path of their own in the kernels; `exponentKind` is the place here. */
const EXPONENT_PATHS: readonly number[] = [0, 1, 1.5, 2];

/** Writes the fields that hold for all chunks. */
function writeParameters(backend: WasmBackend, block: number, call: HostCall): void {
  const { layout: { own }, kind, parameters, settings } = call;
  const { floats, ints } = backend.memory;
  for (const { name, type, offset } of own) {
    const words = type === "f32" ? floats : ints;
    words[(block + offset) >> 2] = parameters[name];
  }
  floats[(block + AT.factor) >> 2] = settings.factor;
  backend.memory.view(Float64Array, block + AT.sum, 1)[0] = 0;
  if (kind === "element loss") writePower(backend, block, call);
}

/** The loss's own field `table` is where its table lies. */
function writeTable(
  { memory }: WasmBackend,
  allocate: (bytes: number) => number,
  block: number,
  { own }: BlockLayout,
  table: Float32Array,
): void {
  const at = allocate(table.byteLength);
  memory.floats.set(table, at >> 2);
  for (const { name, offset } of own) if (name === "table") memory.ints[(block + offset) >> 2] = at;
}

function writePower({ memory }: WasmBackend, block: number, { exponent, settings }: HostCall): void {
  const path = EXPONENT_PATHS.indexOf(exponent);
  const { floats, ints } = memory;
  memory.view(Float64Array, block + AT.power, 1)[0] = exponent;
  floats[(block + AT.exponent) >> 2] = exponent;
  ints[(block + AT.exponentKind) >> 2] = path < 0 ? EXPONENT_PATHS.length : path;
  // A loss of the order exp(-(1 + exponent)|x|) is no normal number from here on.
  floats[(block + AT.reach) >> 2] = REACH / (1 + exponent);
  floats[(block + AT.near) >> 2] = nearOf(exponent, settings);
}

/** |x| up to which a loss or gradient of the order exp(-(1 + exponent)|x|) is a normal number, scaled too. */
function nearOf(exponent: number, { grad, factor }: LossSettings<Source>): number {
  const scaled = grad ? REACH + Math.min(0, Math.log(Math.abs(factor))) : REACH;
  return Math.min(NEAR, scaled / (1 + exponent) - 1);
}

/** Stages what there is of each row of a chunk. */
function stageRows(
  backend: WasmBackend,
  call: HostCall,
  staging: Staging,
  row: number,
  count: number,
): void {
  const { labels, scores } = call;
  const { floats, ints } = backend.memory;
  if (labels !== null) ints.set(section(backend.values(labels), row, count), staging.labels >> 2);
  if (scores !== null) floats.set(section(backend.values(scores), row, count), staging.scores >> 2);
  // Sums of rows are added to.
  if (staging.values !== 0 && !perElement(call)) floats.fill(0, staging.values >> 2, (staging.values >> 2) + count);
}

/**
 * Stages the elements of a chunk from the first to the end, and writes the fields of the block that change with them. The
 * kernel counts elements from the chunk's first, so that arrays of elements begin as far before their staging area.
 */
function stageElements(
  backend: WasmBackend,
  call: HostCall,
  { weight, weightKind }: LossSettings<Source>,
  staging: Staging,
  block: number,
  own: number,
  [row, count]: readonly [number, number],
  [first, end]: readonly [number, number],
): void {
  const { columns, targetColumns } = call;
  const ofElements = (source: Source | null, area: number) =>
    source === null ? 0 : backend.stage(source, row * columns + first, end - first, area) - 4 * first;
  const ofRows = (source: Source | null, width: number, area: number) =>
    source === null ? 0 : backend.stage(source, row * width, count * width, area);
  const before = (area: number) => area === 0 ? 0 : area - 4 * first;
  const pred = ofElements(call.pred, staging.pred);
  const target = targetColumns === columns
    ? ofElements(call.target, staging.target)
    : ofRows(call.target, targetColumns, staging.target);
  const weights = weightKind === 1 ? ofElements(weight, staging.weight) : ofRows(weight, 1, staging.weight);
  const { ints } = backend.memory;
  ints[(block + AT.pred) >> 2] = pred;
  ints[(block + AT.target) >> 2] = target;
  ints[(block + AT.labels) >> 2] = staging.labels;
  ints[(block + AT.scores) >> 2] = call.areas === undefined ? staging.scores : ofRows(call.areas, 1, staging.scores);
  ints[(block + AT.weight) >> 2] = weights;
  ints[(block + AT.weightKind) >> 2] = weightKind;
  ints[(block + AT.values) >> 2] = perElement(call) ? before(staging.values) : staging.values;
  ints[(block + AT.grad) >> 2] = own === 0 ? before(staging.grad) : own;
  ints[(block + AT.count) >> 2] = end;
  ints[(block + AT.columns) >> 2] = columns;
  ints[(block + AT.first) >> 2] = first;
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
