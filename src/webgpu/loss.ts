/**
 * Losses on WebGPU: the rows in pieces that fit a binding, each through the loss's shader; then sums of sums.
 */
import type { LossCall, LossParameters } from "../ops/loss_call.ts";
import type { LossResult, Placement, Reduction } from "../types.ts";
import { type AnySource, rangeError } from "../validate.ts";
import { bindingsOf, type Storage, type Variant } from "./bindings.ts";
import type { BufferPool } from "./buffers.ts";
import { type Family, groupsOf, lossShader } from "./families.ts";
import { Output } from "./output.ts";
import { mostColumns, type Piece, pieceBytes, piecesOf } from "./pieces.ts";
import type { Pipelines } from "./pipelines.ts";
import { shaders } from "./shaders.ts";
import { BLOCK, sumShader } from "./sums.ts";
import { Work } from "./work.ts";

/** What losses need of a backend. */
export interface Gpu {
  readonly device: GPUDevice;
  readonly pool: BufferPool;
  readonly pipelines: Pipelines;
}

/** No row is outside. */
const NONE = 0xffffffff;

type Result = LossResult<Reduction, boolean, Placement>;

export async function runLoss(gpu: Gpu, call: LossCall): Promise<Result> {
  const { family, body } = shaders[call.kernel];
  const variant = variantOf(call, family, gpu.device.features.has("subgroups"));
  const pipeline = (code: string) => gpu.pipelines.get(call.op, code);
  const stageOf = async (family: Family): Promise<Stage> => {
    return { family, pipeline: await pipeline(lossShader(body, family, variant)) };
  };
  const leavesRest = family.rest !== undefined && call.rows * call.columns % family.width > 0;
  const [main, rest, sum] = await Promise.all([
    stageOf(family),
    leavesRest ? stageOf(family.rest) : null,
    pipeline(sumShader(variant.subgroups)),
  ]);
  return new LossRun(gpu, call, { variant, main, rest, sum }).result();
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
  readonly sum: GPUComputePipeline;
}

/** Items [first, end) of a stage. */
interface Part {
  readonly stage: Stage;
  readonly first: number;
  readonly end: number;
  readonly groups: number;
}

interface Outputs {
  readonly loss: Output;
  readonly grad: Output | null;
}

/** What all pieces write to. */
interface Targets extends Outputs {
  readonly blocksPerPiece: number;
  readonly sums: GPUBufferBinding;
  /** The first row whose target is outside. */
  readonly outside?: GPUBufferBinding;
}

/** One call: its pieces, and where its results go. */
class LossRun {
  readonly #gpu: Gpu;
  readonly #call: LossCall;
  readonly #shader: Shader;
  /** Values of a row: its elements', or its own. */
  readonly #valuesPerRow: number;
  /** Has every element or row its own value? */
  readonly #each: boolean;
  /** Do maps come from the host or go there? Then pieces wait for each other. */
  readonly #streams: boolean;

  constructor(gpu: Gpu, call: LossCall, shader: Shader) {
    this.#gpu = gpu;
    this.#call = call;
    this.#shader = shader;
    this.#valuesPerRow = shader.main.family.byRow ? 1 : call.columns;
    this.#each = call.settings.reduction === "none";
    this.#streams = streams(call);
  }

  async result(): Promise<Result> {
    const pieces = this.#pieces();
    const work = this.#work();
    const outputs = work.guard(() => this.#outputs());
    try {
      await this.#run(work, pieces, outputs);
    } catch (error) {
      outputs.loss.discard();
      outputs.grad?.discard();
      throw error;
    } finally {
      work.release();
    }
    return this.#tensors(outputs);
  }

  #work(): Work {
    return new Work(this.#call.op, this.#gpu.device, this.#gpu.pool);
  }

  #pieces(): Piece[] {
    const { op, columns, rows } = this.#call;
    const bytes = pieceBytes(this.#gpu.device.limits, this.#streams);
    const pieces = piecesOf(rows, columns, bytes);
    if (pieces !== null) return pieces;
    const wanted = `at most ${mostColumns(bytes)} on this device`;
    throw rangeError({ op, argument: "pred" }, `of ${columns} values a row`, wanted);
  }

  #outputs(): Outputs {
    const { rows, columns, valueColumns, settings } = this.#call;
    const output = (floats: number, host: Float32Array | null) =>
      new Output(settings.placement === "gpu" ? this.#gpu.pool.result(floats * 4) : host ?? new Float32Array(floats));
    return {
      loss: output(this.#each ? rows * valueColumns : 1, settings.out.loss),
      grad: settings.grad ? output(rows * columns, settings.out.grad) : null,
    };
  }

  async #run(work: Work, pieces: readonly Piece[], outputs: Outputs): Promise<void> {
    const { settings, outside, target } = this.#call;
    const blocksOf = pieces.map(({ rows }) => this.#parts(rows).reduce((total, { groups }) => total + groups, 0));
    const blocks = blocksOf.reduce((total, count) => total + count, 0);
    const found = Uint32Array.of(NONE);
    const to: Targets = work.guard(() => ({
      ...outputs,
      blocksPerPiece: blocksOf[0],
      sums: work.storage(Math.max(blocks, 1) * 4),
      outside: outside && work.upload(found),
    }));
    const waiting = this.#streams ? pieces.slice(0, -1) : [];
    for (const piece of waiting) await this.#runPiece(piece, to);
    work.submit((encoder) => {
      for (const piece of pieces.slice(waiting.length)) this.#encode(work, encoder, piece, to);
      if (!this.#each) {
        const total = to.loss.room(work, 0, 1);
        this.#addUp(work, encoder, to.sums, { rows: 1, columns: blocks, factor: settings.factor }, total);
        to.loss.copyBack(work, encoder, total, 0, 1);
      }
      if (to.outside) work.copyBack(encoder, to.outside, found);
    });
    await work.read();
    if (found[0] !== NONE) throw outside?.(found[0], labelOf(target, found[0]));
  }

  /** A piece that is done before the next one is uploaded. */
  async #runPiece(piece: Piece, to: Targets): Promise<void> {
    const work = this.#work();
    try {
      work.submit((encoder) => this.#encode(work, encoder, piece, to));
      await Promise.all([work.read(), this.#gpu.device.queue.onSubmittedWorkDone()]);
    } finally {
      work.release();
    }
  }

  /** The main shader's items, and what is left of so many rows. */
  #parts(rows: number): Part[] {
    const { main, rest } = this.#shader;
    const values = rows * this.#valuesPerRow;
    const items = Math.floor(values / main.family.width);
    const parts = [partOf(main, 0, items)];
    if (rest !== null) parts.push(partOf(rest, items * main.family.width, values));
    return parts.filter(({ groups }) => groups > 0);
  }

  /** The commands of a piece: the loss's shader, sums of rows where labels make them, and what comes back. */
  #encode(work: Work, encoder: GPUCommandEncoder, piece: Piece, to: Targets): void {
    const { columns, valueColumns, settings } = this.#call;
    const [firstValue, values] = [piece.firstRow * valueColumns, piece.rows * valueColumns];
    const [firstElement, elements] = [piece.firstRow * columns, piece.rows * columns];
    const rowSums = this.#each && valueColumns < this.#valuesPerRow;
    const room = this.#each ? to.loss.room(work, firstValue, values) : to.sums;
    const grad = to.grad?.room(work, firstElement, elements);
    const buffers: Record<string, GPUBufferBinding | undefined> = {
      ...this.#inputs(work, piece),
      values: rowSums ? work.storage(elements * 4) : room,
      grad,
      outside: to.outside,
    };
    const bound = bindingsOf(this.#shader.variant).map((name) => buffers[name] as GPUBufferBinding);
    let firstBlock = piece.index * to.blocksPerPiece;
    for (const part of this.#parts(piece.rows)) {
      const params = work.uniform(this.#params(piece, part, firstBlock, rowSums));
      work.dispatch(encoder, part.stage.pipeline, [params, ...bound], part.groups);
      firstBlock += part.groups;
    }
    if (rowSums) {
      const size = { rows: piece.rows, columns, factor: settings.factor };
      this.#addUp(work, encoder, buffers.values as GPUBufferBinding, size, room);
    }
    if (this.#each) to.loss.copyBack(work, encoder, room, firstValue, values);
    if (grad) to.grad?.copyBack(work, encoder, grad, firstElement, elements);
  }

  #inputs(work: Work, { firstRow, rows }: Piece): Record<string, GPUBufferBinding | undefined> {
    const { pred, columns, target, targetColumns, labels, scores, settings: { weight, weightKind } } = this.#call;
    const input = (source: AnySource | null, width: number) =>
      source === null ? undefined : work.input(source, firstRow * width, rows * width);
    return {
      pred: input(pred, columns),
      target: input(target, targetColumns),
      labels: labels === null ? undefined : work.upload(labels.subarray(firstRow, firstRow + rows)),
      scores: scores === null ? undefined : work.upload(scores.subarray(firstRow, firstRow + rows)),
      weight: input(weight, weightKind === 1 ? columns : 1),
    };
  }

  /** The block of `Params` in families.ts. */
  #params({ firstRow }: Piece, { first, end }: Part, firstBlock: number, rowSums: boolean): ArrayBuffer {
    const { columns, parameters, settings } = this.#call;
    const { exponent = 0, alpha = 0, low = 0, inverse = 1, scale = 1 }: LossParameters = parameters;
    const high = leadingBits(exponent);
    const block = new ArrayBuffer(64);
    const words = new Uint32Array(block);
    words.set([end, columns, firstRow, firstBlock]);
    words[15] = first;
    const factors = [rowSums ? 1 : settings.factor, settings.factor];
    const own = [exponent, high, exponent - high, alpha, low, inverse, scale];
    new Float32Array(block).set([Infinity, NaN, ...factors, ...own], 4);
    return block;
  }

  /** (rows, columns) → (rows), times the factor, in as many passes as it takes. */
  #addUp(
    work: Work,
    encoder: GPUCommandEncoder,
    values: GPUBufferBinding,
    { rows, columns, factor }: { rows: number; columns: number; factor: number },
    into: GPUBufferBinding,
  ): void {
    const blocks = Math.max(1, Math.ceil(columns / BLOCK));
    const last = blocks === 1;
    const totals = last ? into : work.storage(rows * blocks * 4);
    const params = new ArrayBuffer(16);
    new Uint32Array(params).set([rows, columns, blocks]);
    new Float32Array(params)[3] = last ? factor : 1;
    work.dispatch(encoder, this.#shader.sum, [work.uniform(params), values, totals], rows * blocks);
    if (!last) this.#addUp(work, encoder, totals, { rows, columns: blocks, factor }, into);
  }

  #tensors({ loss, grad }: Outputs): Result {
    const { pred, rows, valueColumns } = this.#call;
    const dims = valueColumns === this.#valuesPerRow && !this.#shader.main.family.byRow ? pred.dims : [rows];
    const values = loss.tensor(this.#each ? dims : []);
    const scalar = !this.#each && values instanceof Float32Array ? values[0] : values;
    return (grad === null ? { loss: scalar } : { loss: scalar, grad: grad.tensor(pred.dims) }) as Result;
  }
}

function partOf(stage: Stage, first: number, end: number): Part {
  return { stage, first, end, groups: groupsOf(stage.family, end - first) };
}

function streams({ pred, target, settings: { weight, placement, grad, reduction } }: LossCall): boolean {
  const onHost = [pred, target, weight].some((source) => source !== null && source.kind !== "gpu");
  return onHost || (placement === "host" && (grad || reduction === "none"));
}

function variantOf(call: LossCall, family: Family, subgroups: boolean): Variant {
  const { pred, target, columns, scores, parameters, settings: { weight, weightKind, grad, reduction } } = call;
  return {
    pred: storageOf(pred),
    target: target !== null ? storageOf(target) : scores === null ? "labels" : "qualities",
    weight: weight === null ? "none" : weightKind === 2 && !family.byRow ? "row" : "item",
    weightStorage: weight === null ? "float32" : storageOf(weight),
    gradient: grad,
    each: reduction === "none",
    squared: parameters.exponent === 2,
    outside: call.outside !== undefined,
    evenRows: columns % 4 === 0,
    subgroups,
  };
}

/** How a shader reads the source. */
export function storageOf(source: AnySource): Storage {
  return (source.kind === "gpu" ? source.half : source.kind === "f16") ? "float16" : "float32";
}

/** The leading 12 bits, so that a product with a float's exponent is exact. */
function leadingBits(value: number): number {
  const floats = Float32Array.of(value);
  new Uint32Array(floats.buffer)[0] &= 0xfffff000;
  return floats[0];
}

/** A target as it came, where the host has it. */
function labelOf(target: AnySource | null, row: number): number | null {
  if (target === null || target.kind === "gpu" || target.kind === "f16") return null;
  return (target.data[row] - target.zeroPoint) * target.scale;
}
