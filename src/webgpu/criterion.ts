/**
 * The criteria on WebGPU, in one submission: boxes and weights of the positives are made, the losses run over those and, with
 * what the boxes say of them, over all anchors; gradients go back to the rows they came from.
 */
import type { CheckedMaps } from "../criteria/criterion_call.ts";
import type { CheckedLoss } from "../ops/checked_loss.ts";
import type { CriterionResult, Placement } from "../types.ts";
import type { GpuSource } from "../validate.ts";
import { chunksOf } from "./chunks.ts";
import type { Gpu } from "./gpu.ts";
import { eachItem, itemGroups } from "./grid.ts";
import { prepareAdder, prepareLoss } from "./loss.ts";
import { Output } from "./output.ts";
import { type Fields, paramsBlock, paramsText } from "./params.ts";
import type { RowMap, Step } from "./positive_rows.ts";
import { half } from "./shaders/half.ts";
import { numbers } from "./shaders/numbers.ts";
import { onDevice, readable, storageOf } from "./storage.ts";
import { addUp } from "./sums.ts";
import { Work } from "./work.ts";

const shared = /* wgsl */ `
struct Positive {
  box: vec4f,   // of its object, around the anchor's point
  row: u32,     // in a map of all anchors
  stride: f32,
}

// What the sum over the positives is divided by, with that of their weights.
fn divisor_of(total: f32) -> f32 {
  let by_weight = select(max(total, 1.0), params.nan, is_nan(total));
  return select(params.divisor, by_weight, params.by_weight == 1u);
}
`;

export async function runCriterion(
  gpu: Gpu,
  checked: CheckedMaps,
  planOf: PlanOf,
): Promise<CriterionResult<Placement>> {
  const work = new Work(checked.op, gpu.device, gpu.pool);
  try {
    const run = new CriterionRun(gpu, work, checked);
    return await run.result(planOf(run, checked));
  } finally {
    work.release();
  }
}

/** Commands and results over the positives' rows. */
export interface Plan {
  /** Commands in their order, before the classification loss; none where nobody can be positive. */
  steps(): readonly Promise<Step>[];
  /** What the steps make of the classification loss. */
  readonly cls: Partial<CheckedLoss>;
  readonly positives: Listed;
  /** Sums that come back. */
  readonly sums: Readonly<Record<string, GPUBufferBinding>>;
  /** Gradients (P, columns), and the maps that they are of. */
  readonly grads: Readonly<Record<string, { readonly map: RowMap; readonly rows: GPUBufferBinding }>>;
  /** The weighted parts beside the classification's. */
  parts(sums: Readonly<Record<string, number>>): Omit<CriterionResult["parts"], "cls">;
}

/** The rows that a plan's gradients are of. */
export interface Listed {
  /** How many there are at most. */
  readonly count: number;
  /** Into a map of zeros. */
  scatter(argument: string, columns: number, gathered: GPUBufferBinding, map: Output): Promise<Step>;
  /** Has come back what the others need. */
  copyBack(encoder: GPUCommandEncoder): void;
  /** How many positives there are. */
  found(): number;
  /** `scatter` on the host. */
  spread(values: Float32Array, columns: number): Float32Array;
}

/** A criterion's plan for a call that the criterion itself checked. */
export type PlanOf = (run: CriterionRun, checked: CheckedMaps) => Plan;

/** The losses over (P, …) rows that a plan is made of. */
type RowLoss = Pick<
  CheckedLoss,
  "stem" | "kind" | "parameters" | "pred" | "columns" | "rows" | "target" | "targetColumns"
>;

/** One call: what its plans are made of, and the run of one. */
export class CriterionRun {
  readonly gpu: Gpu;
  readonly work: Work;
  readonly op: string;
  readonly #checked: CheckedMaps;

  constructor(gpu: Gpu, work: Work, checked: CheckedMaps) {
    this.gpu = gpu;
    this.work = work;
    this.op = checked.op;
    this.#checked = checked;
  }

  /** Whether gradients are wanted. */
  get grad(): boolean {
    return this.#checked.settings.grad;
  }

  buffer(floats: number): GPUBufferBinding {
    return this.work.guard(() => this.work.storage(floats * 4));
  }

  upload(data: ArrayBufferView): GPUBufferBinding {
    return this.work.guard(() => this.work.upload(data));
  }

  /** A shader's invocation for each item. */
  each(text: string, fields: Fields, bindings: readonly GPUBufferBinding[]): Promise<Step> {
    return this.groups(text + eachItem("item(i);"), fields, bindings, itemGroups(fields.counts.items));
  }

  /** A shader with an entry point of its own, for so many workgroups. */
  async groups(text: string, fields: Fields, bindings: readonly GPUBufferBinding[], groups: number): Promise<Step> {
    const code = [paramsText(withDivisor(fields)), numbers, shared, text].join("\n");
    const pipeline = await this.gpu.pipelines.get(this.op, code);
    return (encoder) => {
      const params = this.work.uniform(paramsBlock(withDivisor(fields)));
      this.work.dispatch(encoder, pipeline, [params, ...bindings], groups);
    };
  }

  /**
   * `each` over rows of a map on the device, which it reads with `map_at(k)`: once for each part of the map that fits a
   * binding, of `map_rows` rows from `first_row` on.
   */
  async eachPart(
    { argument, source, columns }: RowMap & { readonly source: GpuSource },
    text: string,
    fields: Fields,
    bindings: readonly GPUBufferBinding[],
  ): Promise<Step> {
    const within = (first_row: number, map_rows: number) => ({
      ...withDivisor(fields),
      counts: { ...withDivisor(fields).counts, columns, first_row, map_rows },
    });
    const map = [half, readable(1, "map", storageOf(source))];
    const code = [paramsText(within(0, 0)), numbers, ...map, text, eachItem("item(i);")].join("\n");
    const pipeline = await this.gpu.pipelines.get(this.op, code);
    const rows = source.dims.reduce((product, extent) => product * extent, 1) / columns;
    const { maxStorageBufferBindingSize } = this.gpu.device.limits;
    const parts = chunksOf({ op: this.op, argument }, rows, columns, maxStorageBufferBindingSize);
    return (encoder) => {
      for (const { firstRow, rows } of parts) {
        const params = this.work.uniform(paramsBlock(within(firstRow, rows)));
        const part = this.work.input(source, firstRow * columns, rows * columns);
        this.work.dispatch(encoder, pipeline, [params, part, ...bindings], itemGroups(fields.counts.items));
      }
    };
  }

  /** The weighted sum of a loss and, where there is a buffer for it, its gradient. */
  async loss(
    part: RowLoss,
    weights: GPUBufferBinding,
    sum: GPUBufferBinding,
    grad: GPUBufferBinding | null,
  ): Promise<Step> {
    const run = await prepareLoss(this.gpu, {
      ...part,
      op: this.op,
      // The block of WASM's kernels is not made.
      layout: { bytes: 0, own: [] },
      exponent: 0,
      settings: {
        reduction: "sum",
        weight: onDevice(weights, part.rows, 1),
        weightKind: 2,
        grad: grad !== null,
        factor: 1,
        placement: "gpu",
        out: { loss: null, grad: null },
      },
      blockRows: 1,
      labels: null,
      scores: null,
      valueColumns: 1,
    });
    return (encoder) => run.encode(this.work, encoder, sum, grad);
  }

  async sum(values: GPUBufferBinding, count: number, into: GPUBufferBinding): Promise<Step> {
    const adder = await prepareAdder(this.gpu, this.op);
    const size = { rows: 1, columns: count, factor: 1 };
    return (encoder) => addUp(this.work, encoder, adder, values, size, into);
  }

  async result(plan: Plan): Promise<CriterionResult<Placement>> {
    const { work, gpu } = this;
    const { settings } = this.#checked;
    const { positives } = plan;
    const cls = { ...this.#checked.cls, ...plan.cls };
    const none = positives.count === 0;
    const loss = new Float32Array(1);
    const sums = Object.entries(plan.sums).map(([name, at]) => ({ name, at, value: new Float32Array(1) }));
    const clsGrad = settings.grad ? this.#output(cls.rows * cls.columns) : null;
    const grads = Object.entries(plan.grads).map(([name, { map, rows }]) => this.#gradient(name, map, rows, positives));
    try {
      const run = await prepareLoss(gpu, cls);
      const steps = none ? [] : await Promise.all([...plan.steps(), ...grads.map(({ step }) => step())]);
      await run.run(work, { loss: new Output(loss), grad: clsGrad }, (encoder) => {
        for (const step of steps) step(encoder);
        if (none) return;
        positives.copyBack(encoder);
        sums.forEach(({ at, value }) => work.copyBack(encoder, at, value));
      });
    } catch (error) {
      for (const output of [clsGrad, ...grads.map(({ output }) => output)]) output?.discard(gpu.pool);
      throw error;
    }
    const others = plan.parts(Object.fromEntries(sums.map(({ name, value }) => [name, value[0]])));
    const parts = { cls: loss[0], ...others };
    const result = {
      total: Object.values<number>(parts).reduce((sum, part) => sum + part),
      parts,
      numPos: none ? 0 : positives.found(),
    };
    if (clsGrad === null) return result;
    const tensors = grads.map(({ name, tensor }) => [name, tensor()]);
    return { ...result, grad: { cls: clsGrad.tensor(cls.pred.dims), ...Object.fromEntries(tensors) } };
  }

  #output(floats: number): Output {
    const onGpu = this.#checked.settings.placement === "gpu";
    return new Output(onGpu ? this.work.guard(() => this.gpu.pool.result(floats * 4)) : new Float32Array(floats));
  }

  /** The gradient of a map: for the host only the positives' rows come back. */
  #gradient(name: string, { argument, source, columns }: RowMap, rows: GPUBufferBinding, positives: Listed) {
    const { cls, settings } = this.#checked;
    if (settings.placement === "gpu") {
      const output = this.#output(cls.rows * columns);
      const step = () => positives.scatter(argument, columns, rows, output);
      return { name, output, step, tensor: () => output.tensor(source.dims) };
    }
    const values = new Float32Array(positives.count * columns);
    const step = () => Promise.resolve((encoder: GPUCommandEncoder) => this.work.copyBack(encoder, rows, values));
    return { name, output: null, step, tensor: () => positives.spread(values, columns) };
  }
}

/** Where a plan says nothing else, sums are divided by that of the weights. */
function withDivisor({ counts, parameters }: Fields): Fields {
  return { counts: { by_weight: 1, ...counts }, parameters: { divisor: 1, ...parameters } };
}
