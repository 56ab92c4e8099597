/**
 * A loss as a call, and the operation made of its check.
 */
import type { HostArray } from "../arrays.ts";
import type { Call, SourceMap } from "../call.ts";
import type { Placement } from "../types.ts";
import { type AnySource, elementsOf, type GpuSource } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { apart, type CheckedLoss, type LossKernel, type LossSettings } from "./checked_loss.ts";
import { runLoss } from "./loss.ts";

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
    const { pred, target, settings: { weight } } = this.checked;
    const found: [string, AnySource][] = [["pred", pred]];
    if (target !== null) found.push(["target", target]);
    if (weight !== null) found.push(["options.weight", weight]);
    return found;
  }

  withSources(map: SourceMap): LossCall {
    const mapped = <S extends HostArray | GpuSource>(source: S | null) => source === null ? null : map(source);
    const { pred, target, labels, scores, settings } = this.checked;
    return new LossCall({
      ...this.checked,
      pred: map(pred),
      target: mapped(target),
      labels: mapped(labels),
      scores: mapped(scores),
      settings: { ...settings, weight: mapped(settings.weight), out: { loss: null, grad: null } },
    });
  }

  onWasm(backend: WasmBackend): ReturnType<typeof runLoss> {
    return runLoss(backend, this.checked);
  }

  inTurns(backend: WasmBackend): ReturnType<typeof runLoss> {
    return this.onWasm(backend);
  }

  finish(result: unknown): unknown {
    return result;
  }
}

interface LossSpec<A extends unknown[]> {
  readonly name: string;
  readonly stem: LossKernel;
  readonly shapes: string;
  readonly summary: string;
  check(...args: A): CheckedLoss;
}

/** A row of the registry that runs wherever its checked call can. */
export function lossOperation<A extends unknown[]>(spec: LossSpec<A>) {
  const check = (...args: A) => new LossCall(apart(spec.check(...args)));
  return {
    ...spec,
    check,
    kernels: [spec.stem],
    run: (backend: WasmBackend, ...args: A) => check(...args).onWasm(backend),
  };
}
