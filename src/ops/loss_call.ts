/**
 * A loss as a call, and the operation made of its check.
 */
import type { HostArray } from "../arrays.ts";
import type { Call, Division, SourceMap } from "../call.ts";
import { nameOf, type OperationFacts } from "../operation.ts";
import type { Params } from "../params.ts";
import type { ClassTarget, Placement, TensorLike } from "../types.ts";
import { type AnySource, elementsOf, type GpuSource } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { apart, type CheckedLoss, type LossKind, type LossSettings } from "./checked_loss.ts";
import type { OwnFields } from "./loss_block.ts";
import { runLoss } from "./loss.ts";
import { divisionOf } from "./loss_share.ts";

export class LossCall implements Call {
  readonly kind = "loss";
  readonly checked: CheckedLoss;

  constructor(checked: CheckedLoss) {
    this.checked = checked;
  }

  get op(): string {
    return this.checked.op;
  }

  get elements(): number {
    return elementsOf(this.checked.pred.dims);
  }

  get placement(): Placement {
    return this.checked.settings.placement;
  }

  get out(): LossSettings["out"] {
    return this.checked.settings.out;
  }

  sources(): [string, AnySource][] {
    const { pred, target, areas, settings: { weight } } = this.checked;
    const found: [string, AnySource][] = [["pred", pred]];
    if (target !== null) found.push(["target", target]);
    if (areas !== undefined) found.push(["areas", areas]);
    if (weight !== null) found.push(["options.weight", weight]);
    return found;
  }

  withSources(map: SourceMap): LossCall {
    const mapped = <S extends HostArray | GpuSource>(source: S | null) => source === null ? null : map(source);
    const { pred, target, labels, scores, areas, settings } = this.checked;
    return new LossCall({
      ...this.checked,
      pred: map(pred),
      target: mapped(target),
      labels: mapped(labels),
      scores: mapped(scores),
      ...areas === undefined ? {} : { areas: map(areas) },
      settings: { ...settings, weight: mapped(settings.weight), out: { loss: null, grad: null } },
    });
  }

  onWasm(backend: WasmBackend): ReturnType<typeof runLoss> {
    return runLoss(backend, this.checked);
  }

  inTurns(backend: WasmBackend): ReturnType<typeof runLoss> {
    return this.onWasm(backend);
  }

  division(): Division {
    return divisionOf(this.checked);
  }

  finish(result: unknown): unknown {
    return result;
  }
}

/** The record of a loss as far as it is data that the command reads. */
export interface LossRecord<P extends Params = Params> {
  readonly kind: LossKind;
  /** Short name in the command. */
  readonly alias?: string;
  /** True where labels may stand in the place of dense targets. */
  readonly labels?: boolean;
  /** The ends of the range of targets: numbers, or names of parameters; none where they are no probabilities or the like. */
  readonly targetRange?: readonly [number | string, number | string];
  readonly params: P;
}

/** A loss as the command knows it. */
export interface LossFacts extends Omit<LossRecord, "kind"> {
  readonly kind: LossKind | "routine";
  /** What the arguments before the options are, by name and in order, where they are not `pred` and `target` of the kind. */
  readonly operands?: Readonly<Record<string, string>>;
}

interface LossSpec<P extends Params> extends OperationFacts<P>, LossRecord<P> {
  /** The loss's own fields of the parameter block. */
  readonly fields: OwnFields;
  check(pred: TensorLike, target: ClassTarget, options?: object): CheckedLoss;
}

/** A row of the registry that runs wherever its checked call can. */
export function lossOperation<P extends Params>(spec: LossSpec<P>) {
  const check = (pred: TensorLike, target: ClassTarget, options?: object) => {
    return new LossCall(apart(spec.check(pred, target, options)));
  };
  return {
    ...spec,
    name: nameOf(spec.stem),
    kernels: [spec.stem],
    divides: "any memory" as const,
    check,
    run: (backend: WasmBackend, pred: TensorLike, target: ClassTarget, options?: object) =>
      check(pred, target, options).onWasm(backend),
  };
}
