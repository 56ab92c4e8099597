/**
 * Losses on WebGPU: the rows in chunks that fit a binding, each through the loss's shader; then sums of sums.
 */
import { type HostArray, type PlainArray, section, valuesOf } from "../arrays.ts";
import { nameOf } from "../operation.ts";
import type { CheckedLoss, LossKind } from "../ops/checked_loss.ts";
import type { LossResult, Placement, Reduction } from "../types.ts";
import type { AnySource, GpuSource } from "../validate.ts";
import { bindingsOf, type Variant } from "./bindings.ts";
import { type Chunk, chunkBytes, chunksOf } from "./chunks.ts";
import { boxwise, elementwise, type Family, groupsOf, lossShader, rowwise } from "./families.ts";
import type { Gpu } from "./gpu.ts";
import { Output } from "./output.ts";
import { type Fields, paramsBlock } from "./params.ts";
import { shaders } from "./shaders.ts";
import { storageOf } from "./storage.ts";
import { type Adder, addUp, sumShader, sumsPerGroup } from "./sums.ts";
import { Work } from "./work.ts";

/** How a loss's kind goes around its mathematics. */
const FAMILIES: Readonly<Record<LossKind, Family>> = {
  "element loss": elementwise,
  "row loss": rowwise,
  "box loss": boxwise,
};

/** No row is outside. */
const NONE = 0xffffffff;

type Result = LossResult<Reduction, boolean, Placement>;

export async function runLoss(gpu: Gpu, call: CheckedLoss): Promise<Result> {
  const run = await prepareLoss(gpu, call);
  const work = new Work(call.op, gpu.device, gpu.pool);
  try {
    return await run.result(work);
  } finally {
    work.release();
  }
}

/** A call with its shaders compiled. */
export async function prepareLoss(gpu: Gpu, call: CheckedLoss): Promise<LossRun> {
  const { stem, kind } = call;
  const family = FAMILIES[kind];
  const body = shaders[nameOf(stem)];
  const fields = fieldsOf(call, NO_COUNTS);
  const variant = variantOf(call, family, gpu);
  const pipeline = (code: string) => gpu.pipelines.get(call.op, code);
  const stageOf = async (family: Family): Promise<Stage> => {
    return { family, pipeline: await pipeline(lossShader(body, family, variant, fields)) };
  };
  const leavesRest = family.rest !== undefined && call.rows * call.columns % family.width > 0;
  const [main, rest, sum] = await Promise.all([
    stageOf(family),
    leavesRest ? stageOf(family.rest) : null,
    prepareAdder(gpu, call.op),
  ]);
  return new LossRun(gpu, call, { variant, main, rest, sum });
}

export async function prepareAdder({ pipelines, subgroups }: Gpu, op: string): Promise<Adder> {
  return { pipeline: await pipelines.get(op, sumShader(subgroups)), subgroups };
}

/** A family's shader. */
interface Stage {
  readonly family: Family;
  readonly pipeline: GPUComputePipeline;
}

interface Shader {
  readonly variant: Variant;
  readonly main: Stage;
  /** For the values that make no item of the main family; null where there are none. */
  readonly rest: Stage | null;
  readonly sum: Adder;
}

/** A dispatch of a stage over its items [first, end). */
interface Dispatch {
  readonly stage: Stage;
  readonly first: number;
  readonly end: number;
  readonly groups: number;
  /** Index of its first sum among those of its chunk, and their number. */
  readonly firstSum: number;
  readonly sums: number;
}

/** A call's results. */
export interface Outputs {
  readonly loss: Output;
  readonly grad: Output | null;
}

/** Buffers that all chunks write to. */
interface Targets extends Outputs {
  /** Null with values for each element or row. */
  readonly sums: Sums | null;
  /** The first row whose target is outside. */
  readonly outside?: GPUBufferBinding;
}

/** Sums of the chunks, and the sum over all: the same where there is one chunk. */
interface Sums {
  readonly count: number;
  readonly ofChunks: GPUBufferBinding;
  readonly total: GPUBufferBinding;
}

/** Commands that go before a call's own. */
type Before = (encoder: GPUCommandEncoder) => void;

/** One call: its chunks and its results. */
export class LossRun {
  readonly #gpu: Gpu;
  readonly #call: CheckedLoss;
  readonly #shader: Shader;
  /** Values of a row: its elements', or its own. */
  readonly #valuesPerRow: number;
  /** Whether every element or row has its own value. */
  readonly #each: boolean;
  /** Whether maps come from the host or go there: then chunks wait for each other. */
  readonly #streams: boolean;

  constructor(gpu: Gpu, call: CheckedLoss, shader: Shader) {
    this.#gpu = gpu;
    this.#call = call;
    this.#shader = shader;
    this.#valuesPerRow = shader.main.family.byRow ? 1 : call.columns;
    this.#each = call.settings.reduction === "none";
    this.#streams = streams(call);
  }

  async result(work: Work): Promise<Result> {
    const outputs = work.guard(() => this.#outputs());
    try {
      await this.run(work, outputs);
    } catch (error) {
      outputs.loss.discard(this.#gpu.pool);
      outputs.grad?.discard(this.#gpu.pool);
      throw error;
    }
    return this.#tensors(outputs);
  }

  /** Runs the call and fills the outputs, `before` in the same submission where the call takes only one. */
  async run(work: Work, outputs: Outputs, before: Before = () => {}): Promise<void> {
    const { outside, target, areas } = this.#call;
    const chunks = this.#chunks();
    const to = work.guard(() => this.#targets(work, chunks, outputs));
    const firstOutside = Uint32Array.of(NONE);
    const waiting = this.#streams ? chunks.slice(0, -1) : [];
    if (waiting.length > 0) work.submit(before);
    for (const chunk of waiting) await this.#runChunk(chunk, to);
    work.submit((encoder) => {
      if (waiting.length === 0) before(encoder);
      this.#encodeAll(work, encoder, chunks.slice(waiting.length), to);
      if (to.outside) work.copyBack(encoder, to.outside, firstOutside);
    });
    await work.read();
    const [row] = firstOutside;
    if (row !== NONE) throw outside?.(row, valueOnHost(areas ?? target, row));
  }

  /** The call as a part of other commands, over tensors that are on the device: its sum and its gradient stay there. */
  encode(work: Work, encoder: GPUCommandEncoder, loss: GPUBufferBinding, grad: GPUBufferBinding | null): void {
    const chunks = this.#chunks();
    const outputs = { loss: new Output(loss.buffer), grad: grad && new Output(grad.buffer) };
    this.#encodeAll(work, encoder, chunks, this.#targets(work, chunks, outputs));
  }

  #chunks(): Chunk[] {
    const { op, columns, rows } = this.#call;
    return chunksOf({ op, argument: "pred" }, rows, columns, chunkBytes(this.#gpu.device.limits, this.#streams));
  }

  #outputs(): Outputs {
    const { rows, columns, valueColumns, settings } = this.#call;
    const output = (floats: number) =>
      new Output(settings.placement === "gpu" ? this.#gpu.pool.result(floats * 4) : new Float32Array(floats));
    return {
      loss: output(this.#each ? rows * valueColumns : 1),
      grad: settings.grad ? output(rows * columns) : null,
    };
  }

  #targets(work: Work, chunks: readonly Chunk[], outputs: Outputs): Targets {
    return {
      ...outputs,
      sums: this.#each ? null : this.#sums(work, chunks.length, outputs.loss),
      outside: this.#shader.variant.outside ? work.upload(Uint32Array.of(NONE)) : undefined,
    };
  }

  #sums(work: Work, count: number, loss: Output): Sums {
    const total = loss.binding(work, 0, 1);
    return { count, total, ofChunks: count === 1 ? total : work.storage(Math.max(count, 1) * 4) };
  }

  /** The last chunks, and the sum over all. */
  #encodeAll(work: Work, encoder: GPUCommandEncoder, chunks: readonly Chunk[], to: Targets): void {
    for (const chunk of chunks) this.#encode(work, encoder, chunk, to);
    if (to.sums === null) return;
    const { count, ofChunks, total } = to.sums;
    const all = { rows: 1, columns: count, factor: this.#call.settings.factor };
    if (count !== 1) addUp(work, encoder, this.#shader.sum, ofChunks, all, total);
    to.loss.copyBack(work, encoder, total, 0, 1);
  }

  /** A chunk that is done before the next one is uploaded. */
  async #runChunk(chunk: Chunk, to: Targets): Promise<void> {
    const work = new Work(this.#call.op, this.#gpu.device, this.#gpu.pool);
    try {
      work.submit((encoder) => this.#encode(work, encoder, chunk, to));
      await Promise.all([work.read(), this.#gpu.device.queue.onSubmittedWorkDone()]);
    } finally {
      work.release();
    }
  }

  /** The main shader's items of so many rows, and the rest of their values. */
  #dispatches(rows: number): Dispatch[] {
    const { main, rest, variant } = this.#shader;
    const values = rows * this.#valuesPerRow;
    const items = Math.floor(values / main.family.width);
    const { software, subgroups } = variant;
    const over = (stage: Stage, first: number, end: number, firstSum: number): Dispatch => {
      const groups = groupsOf(stage.family, end - first, software);
      return { stage, first, end, groups, firstSum, sums: groups * sumsPerGroup(subgroups) };
    };
    const dispatches = [over(main, 0, items, 0)];
    if (rest !== null) dispatches.push(over(rest, items * main.family.width, values, dispatches[0].sums));
    return dispatches.filter(({ groups }) => groups > 0);
  }

  /** The commands of a chunk: the loss's shader, sums of rows where labels make them, and what comes back. */
  #encode(work: Work, encoder: GPUCommandEncoder, chunk: Chunk, to: Targets): void {
    const { columns, valueColumns, settings } = this.#call;
    const [firstValue, values] = [chunk.firstRow * valueColumns, chunk.rows * valueColumns];
    const [firstElement, elements] = [chunk.firstRow * columns, chunk.rows * columns];
    const rowSums = this.#each && valueColumns < this.#valuesPerRow;
    const dispatches = this.#dispatches(chunk.rows);
    const sums = dispatches.reduce((all, each) => all + each.sums, 0);
    const loss = this.#each ? to.loss.binding(work, firstValue, values) : work.storage(sums * 4);
    const grad = to.grad?.binding(work, firstElement, elements);
    const buffers: Record<string, GPUBufferBinding | undefined> = {
      ...this.#inputs(work, chunk),
      values: rowSums ? work.storage(elements * 4) : loss,
      grad,
      outside: to.outside,
    };
    const bound = bindingsOf(this.#shader.variant).map((name) => buffers[name] as GPUBufferBinding);
    for (const dispatch of dispatches) {
      const params = work.uniform(this.#params(chunk, dispatch));
      work.dispatch(encoder, dispatch.stage.pipeline, [params, ...bound], dispatch.groups);
    }
    if (to.sums !== null) {
      const { count, ofChunks } = to.sums;
      const size = { rows: 1, columns: sums, factor: count === 1 ? settings.factor : 1 };
      addUp(work, encoder, this.#shader.sum, loss, size, ofChunks, chunk.index);
    }
    if (rowSums) {
      // The values have the factor already: without it their sum might be infinite.
      const size = { rows: chunk.rows, columns, factor: 1 };
      addUp(work, encoder, this.#shader.sum, buffers.values as GPUBufferBinding, size, loss);
    }
    if (this.#each) to.loss.copyBack(work, encoder, loss, firstValue, values);
    if (grad) to.grad?.copyBack(work, encoder, grad, firstElement, elements);
  }

  #inputs(work: Work, { firstRow, rows }: Chunk): Record<string, GPUBufferBinding | undefined> {
    const { pred, columns, target, targetColumns, labels, scores, areas, table, settings } = this.#call;
    const { weight, weightKind } = settings;
    const input = (source: AnySource | null, width: number) =>
      source === null ? undefined : work.input(source, firstRow * width, rows * width);
    const ofLabels = <A extends PlainArray>(array: HostArray<A> | GpuSource | null) =>
      array === null || "gpuBuffer" in array ? input(array, 1) : work.upload(section(valuesOf(array), firstRow, rows));
    return {
      pred: input(pred, columns),
      target: input(target, targetColumns),
      labels: ofLabels(labels),
      scores: ofLabels(scores),
      areas: input(areas ?? null, 1),
      table: table && work.upload(table),
      weight: input(weight, weightKind === 1 ? columns : 1),
    };
  }

  #params({ firstRow }: Chunk, { first, end, firstSum }: Dispatch): ArrayBuffer {
    const { columns } = this.#call;
    return paramsBlock(fieldsOf(this.#call, { end, columns, firstRow, firstSum, firstItem: first }));
  }

  #tensors({ loss, grad }: Outputs): Result {
    const { pred, rows, valueColumns } = this.#call;
    const dims = valueColumns === this.#valuesPerRow && !this.#shader.main.family.byRow ? pred.dims : [rows];
    const values = loss.tensor(this.#each ? dims : []);
    const scalar = !this.#each && values instanceof Float32Array ? values[0] : values;
    return (grad === null ? { loss: scalar } : { loss: scalar, grad: grad.tensor(pred.dims) }) as Result;
  }
}

function streams({ pred, target, areas, settings: { weight, placement, grad, reduction } }: CheckedLoss): boolean {
  const onHost = [pred, target, areas ?? null, weight].some((source) => source !== null && source.kind !== "gpu");
  return onHost || (placement === "host" && (grad || reduction === "none"));
}

function variantOf(call: CheckedLoss, family: Family, { subgroups, software }: Gpu): Variant {
  const { pred, target, columns, scores, areas, exponent, settings: { weight, weightKind, grad, reduction } } = call;
  return {
    pred: storageOf(pred),
    target: target !== null ? storageOf(target) : scores === null ? "labels" : "qualities",
    weight: weight === null ? "none" : weightKind === 2 && !family.byRow ? "row" : "item",
    weightStorage: weight === null ? "float32" : storageOf(weight),
    gradient: grad,
    each: reduction === "none",
    squared: exponent === 2,
    areas: areas === undefined ? "none" : storageOf(areas),
    table: call.table !== undefined,
    outside: "outside" in call.parameters,
    evenRows: columns % 4 === 0,
    subgroups,
    software,
  };
}

/** Whole numbers of `params`. */
interface Counts {
  /** Of the items. */
  readonly end: number;
  /** Elements of a row. */
  readonly columns: number;
  readonly firstRow: number;
  /** Index of the chunk's first sum. */
  readonly firstSum: number;
  readonly firstItem: number;
}

const NO_COUNTS: Counts = { end: 0, columns: 0, firstRow: 0, firstSum: 0, firstItem: 0 };

/** Members of a loss's `params`: the loss's own parameters by their names in snake_case. */
function fieldsOf({ exponent, parameters, settings: { factor } }: CheckedLoss, counts: Counts): Fields {
  const high = leadingBits(exponent);
  const power = { exponent, exponentHigh: high, exponentLow: exponent - high };
  return { counts: snake(counts), parameters: snake({ factor, ...power, ...parameters }) };
}

function snake(fields: object): Readonly<Record<string, number>> {
  const entries = Object.entries(fields) as [string, number][];
  return Object.fromEntries(entries.map(([name, value]) => [name.replaceAll(/[A-Z]/g, "_$&").toLowerCase(), value]));
}

/** The leading 12 bits, so that a product with a float's exponent is exact. */
export function leadingBits(value: number): number {
  const floats = Float32Array.of(value);
  new Uint32Array(floats.buffer)[0] &= 0xfffff000;
  return floats[0];
}

/** A value as it came, where the host has it. */
export function valueOnHost(source: AnySource | null, at: number): number | null {
  if (source === null || source.kind === "gpu" || source.kind === "f16") return null;
  return (valuesOf(source)[at] - source.zeroPoint) * source.scale;
}
