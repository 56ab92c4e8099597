/**
 * The criteria on WebGPU, in one submission: the positives' rows are gathered, their boxes and weights made, the losses run
 * over those and, with the qualities of the boxes, over all anchors; gradients go back to the rows they came from.
 */
import type { CheckedCriterion } from "../criteria/criterion_call.ts";
import type { CheckedLoss } from "../ops/checked_loss.ts";
import type { CriterionResult, Placement } from "../types.ts";
import { matrix } from "../validate.ts";
import type { Gpu } from "./gpu.ts";
import { eachItem, itemGroups } from "./grid.ts";
import { prepareAdder, prepareLoss } from "./loss.ts";
import { Output } from "./output.ts";
import { type Fields, paramsBlock, paramsText } from "./params.ts";
import { PositiveRows, type RowMap, type Step } from "./positive_rows.ts";
import { numbers } from "./shaders/numbers.ts";
import { onDevice } from "./storage.ts";
import { addUp } from "./sums.ts";
import { Work } from "./work.ts";

/** Bytes of a `Positive`. */
const POSITIVE_BYTES = 32;

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
  checked: CheckedCriterion,
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
  /** Commands in their order, before the classification loss. */
  steps(): readonly Promise<Step>[];
  /** Sums that come back. */
  readonly sums: Readonly<Record<string, GPUBufferBinding>>;
  /** Gradients (P, columns), and the maps that they are of. */
  readonly grads: Readonly<Record<string, { readonly map: RowMap; readonly rows: GPUBufferBinding }>>;
  /** The weighted parts beside the classification's. */
  parts(sums: Readonly<Record<string, number>>): Omit<CriterionResult["parts"], "cls">;
}

/** A criterion's plan for a call that the criterion itself checked. */
export type PlanOf = (run: CriterionRun, checked: CheckedCriterion) => Plan;

/** The losses over (P, …) rows that a plan is made of. */
type RowLoss = Pick<
  CheckedLoss,
  "stem" | "kind" | "parameters" | "pred" | "columns" | "rows" | "target" | "targetColumns"
>;

/** One call: what its plans are made of, and the run of one. */
export class CriterionRun {
  readonly count: number;
  readonly rows: PositiveRows;
  readonly positives: GPUBufferBinding;
  /** (B·N), the qualities of the positives; anything elsewhere. */
  readonly scores: GPUBufferBinding;
  readonly #gpu: Gpu;
  readonly #work: Work;
  readonly #checked: CheckedCriterion;

  constructor(gpu: Gpu, work: Work, checked: CheckedCriterion) {
    const { positives, scene } = checked;
    this.#gpu = gpu;
    this.#work = work;
    this.#checked = checked;
    this.count = positives.count;
    this.rows = new PositiveRows(gpu, work, checked.op, positives.rows, scene.rows);
    this.positives = work.guard(() => work.upload(positivesBlock(checked)));
    this.scores = this.buffer(scene.rows);
  }

  buffer(floats: number): GPUBufferBinding {
    return this.#work.guard(() => this.#work.storage(floats * 4));
  }

  /** A shader's item for each positive, or for each of its sides. */
  async each(text: string, { counts, parameters }: Fields, bindings: readonly GPUBufferBinding[]): Promise<Step> {
    const { normalizer } = this.#checked.settings;
    const fields = {
      counts: { ...counts, by_weight: normalizer === "mmdet" ? 1 : 0 },
      parameters: { ...parameters, divisor: Math.max(this.count, 1) },
    };
    const code = [paramsText(fields), numbers, shared, text, eachItem("item(i);")].join("\n");
    const pipeline = await this.#gpu.pipelines.get(this.#checked.op, code);
    return (encoder) => {
      const params = this.#work.uniform(paramsBlock(fields));
      this.#work.dispatch(encoder, pipeline, [params, ...bindings], itemGroups(counts.items));
    };
  }

  /** Generalized IoU loss of the boxes with those of their objects. */
  boxLoss(
    pred: GPUBufferBinding,
    weights: GPUBufferBinding,
    sum: GPUBufferBinding,
    grad: GPUBufferBinding | null,
  ): Promise<Step> {
    const { op, positives, eps } = this.#checked;
    const target = matrix({ op, argument: "boxes" }, positives.boxes, 4);
    const pairs = { pred: onDevice(pred, this.count, 4), columns: 4, rows: this.count, target, targetColumns: 4 };
    const loss = { stem: "giou_loss", kind: "box loss", parameters: { eps }, ...pairs } as const;
    return this.loss(loss, weights, sum, grad);
  }

  /** The weighted sum of a loss and, where there is a buffer for it, its gradient. */
  async loss(
    part: RowLoss,
    weights: GPUBufferBinding,
    sum: GPUBufferBinding,
    grad: GPUBufferBinding | null,
  ): Promise<Step> {
    const run = await prepareLoss(this.#gpu, {
      ...part,
      op: this.#checked.op,
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
    return (encoder) => run.encode(this.#work, encoder, sum, grad);
  }

  async sum(values: GPUBufferBinding, into: GPUBufferBinding): Promise<Step> {
    const adder = await prepareAdder(this.#gpu, this.#checked.op);
    const size = { rows: 1, columns: this.count, factor: 1 };
    return (encoder) => addUp(this.#work, encoder, adder, values, size, into);
  }

  /** The divisor of a sum over the positives, by the sum of their weights. */
  divisorOf(total: number): number {
    return Math.max(this.#checked.settings.normalizer === "paper" ? this.count : total, 1);
  }

  async result(plan: Plan): Promise<CriterionResult<Placement>> {
    const { cls, scene, settings } = this.#checked;
    const work = this.#work;
    const none = this.count === 0;
    const scores = none ? null : onDevice(this.scores, scene.rows, 1);
    const loss = new Float32Array(1);
    const sums = Object.entries(plan.sums).map(([name, at]) => ({ name, at, value: new Float32Array(1) }));
    const clsGrad = settings.grad ? this.#output(scene.rows * scene.head.numClasses) : null;
    const grads = Object.entries(plan.grads).map(([name, { map, rows }]) => this.#gradient(name, map, rows));
    try {
      const run = await prepareLoss(this.#gpu, { ...cls, scores });
      const steps = none ? [] : await Promise.all([...plan.steps(), ...grads.map(({ step }) => step())]);
      await run.run(work, { loss: new Output(loss), grad: clsGrad }, (encoder) => {
        for (const step of steps) step(encoder);
        if (!none) sums.forEach(({ at, value }) => work.copyBack(encoder, at, value));
      });
    } catch (error) {
      for (const output of [clsGrad, ...grads.map(({ output }) => output)]) output?.discard(this.#gpu.pool);
      throw error;
    }
    const others = plan.parts(Object.fromEntries(sums.map(({ name, value }) => [name, value[0]])));
    const parts = { cls: loss[0], ...others };
    const result = {
      total: Object.values<number>(parts).reduce((sum, part) => sum + part),
      parts,
      numPos: this.count,
    };
    if (clsGrad === null) return result;
    const tensors = grads.map(({ name, tensor }) => [name, tensor()]);
    return { ...result, grad: { cls: clsGrad.tensor(cls.pred.dims), ...Object.fromEntries(tensors) } };
  }

  #output(floats: number): Output {
    const onGpu = this.#checked.settings.placement === "gpu";
    return new Output(onGpu ? this.#work.guard(() => this.#gpu.pool.result(floats * 4)) : new Float32Array(floats));
  }

  /** The gradient of a map: for the host only the positives' rows come back. */
  #gradient(name: string, { argument, source, columns }: RowMap, rows: GPUBufferBinding) {
    const { scene, settings } = this.#checked;
    if (settings.placement === "gpu") {
      const output = this.#output(scene.rows * columns);
      const step = () => this.rows.scatter(argument, columns, rows, output);
      return { name, output, step, tensor: () => output.tensor(source.dims) };
    }
    const values = new Float32Array(this.count * columns);
    const step = () => Promise.resolve((encoder: GPUCommandEncoder) => this.#work.copyBack(encoder, rows, values));
    return { name, output: null, step, tensor: () => this.#checked.scatter(values, columns) };
  }
}

/** The block of `Positive`s. */
function positivesBlock({ positives: { count, rows, strides, boxes } }: CheckedCriterion): Uint8Array {
  const block = new ArrayBuffer(Math.max(count, 1) * POSITIVE_BYTES);
  const [floats, words] = [new Float32Array(block), new Uint32Array(block)];
  const each = POSITIVE_BYTES / 4;
  for (let i = 0; i < count; i++) {
    floats.set(boxes.subarray(4 * i, 4 * i + 4), each * i);
    words[each * i + 4] = rows[i];
    floats[each * i + 5] = strides[i];
  }
  return new Uint8Array(block);
}
