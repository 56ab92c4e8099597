/**
 * Positives that the objects alone say: listed before anything runs.
 */
import type { CheckedCriterion } from "../criteria/criterion_call.ts";
import { matrix } from "../validate.ts";
import type { CriterionRun, Listed } from "./criterion.ts";
import type { Output } from "./output.ts";
import type { Fields } from "./params.ts";
import { PositiveRows, type Step } from "./positive_rows.ts";
import { onDevice } from "./storage.ts";

/** Bytes of a `Positive`. */
const POSITIVE_BYTES = 32;

export class KnownPositives implements Listed {
  readonly count: number;
  readonly rows: PositiveRows;
  readonly block: GPUBufferBinding;
  /** (B·N), the qualities of the positives; anything elsewhere. */
  readonly scores: GPUBufferBinding;
  readonly #run: CriterionRun;
  readonly #checked: CheckedCriterion;

  constructor(run: CriterionRun, checked: CheckedCriterion) {
    const { positives, scene } = checked;
    this.#run = run;
    this.#checked = checked;
    this.count = positives.count;
    this.rows = new PositiveRows(run.gpu, run.work, run.op, positives.rows, scene.rows);
    this.block = run.upload(positivesBlock(checked));
    this.scores = run.buffer(scene.rows);
  }

  /** Fields of a shader, with what its sums are divided by. */
  fields({ counts, parameters }: Fields): Fields {
    const by_weight = this.#checked.settings.normalizer === "mmdet" ? 1 : 0;
    return { counts: { ...counts, by_weight }, parameters: { ...parameters, divisor: Math.max(this.count, 1) } };
  }

  /** The divisor of a sum over the positives, by the sum of their weights. */
  divisorOf(total: number): number {
    return Math.max(this.#checked.settings.normalizer === "paper" ? this.count : total, 1);
  }

  /** What the classification loss learns. */
  get cls(): Pick<CheckedCriterion["cls"], "scores"> {
    return { scores: this.count === 0 ? null : onDevice(this.scores, this.#checked.scene.rows, 1) };
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
    const loss = { stem: "giou_loss", kind: "box loss", parameters: { innerRatio: 1, eps }, ...pairs } as const;
    return this.#run.loss(loss, weights, sum, grad);
  }

  scatter(argument: string, columns: number, gathered: GPUBufferBinding, map: Output): Promise<Step> {
    return this.rows.scatter(argument, columns, gathered, map);
  }

  copyBack(): void {}

  found(): number {
    return this.count;
  }

  spread(values: Float32Array, columns: number): Float32Array {
    return this.#checked.scatter(values, columns);
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
