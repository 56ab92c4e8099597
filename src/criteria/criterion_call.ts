/**
 * A criterion as a call: its checked arguments, over maps that may lie anywhere, are what both backends start from.
 */
import { type Call, NO_OUT, type SourceMap } from "../call.ts";
import type { CheckedLoss } from "../ops/checked_loss.ts";
import type {
  CriterionResult,
  GflCriterionOptions,
  Placement,
  VfnetCriterionOptions,
  YoloCriterionOptions,
} from "../types.ts";
import { type AnySource, elementsOf, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { Grid, Scene } from "./criterion_input.ts";
import type { Positives } from "./positives.ts";
import type { YoloCandidates, YoloRules } from "./yolo_assign.ts";

/** A checked criterion, wherever its maps lie. */
export interface CheckedMaps {
  readonly op: string;
  /** The classification loss of all anchors, but for what the boxes give of it. */
  readonly cls: CheckedLoss;
  /** The maps beside that of the classes, by their names in `input`. */
  readonly maps: Readonly<Record<string, AnySource>>;
  readonly settings: { readonly grad: boolean; readonly placement: Placement };
  /** Pairs of an anchor and an object around it, where a device has to know them all. */
  pairs?(): number;
}

/** Of which the objects alone say who is positive: what the boxes give is the qualities of the positives. */
export interface CheckedCriterion extends CheckedMaps {
  readonly scene: Scene;
  readonly positives: Positives;
  /** `eps` of the generalized IoU loss. */
  readonly eps: number;
  /** (P, columns) in the rows of the positives, zeros elsewhere. */
  scatter(values: Float32Array, columns: number): Float32Array;
  readonly settings: CheckedMaps["settings"] & { readonly normalizer: "paper" | "mmdet" };
}

export interface CheckedGfl extends CheckedCriterion {
  readonly maps: { readonly dist: AnySource };
  /** (P·4), what the distributions of the positives learn, in bins. */
  readonly targets: Float32Array;
  readonly settings: Required<GflCriterionOptions<Placement>>;
}

export interface CheckedVfnet extends CheckedCriterion {
  readonly maps: { readonly distances: AnySource; readonly refined: AnySource };
  /** What the weight of a positive is at least. */
  readonly minIou: number;
  readonly settings: Required<VfnetCriterionOptions<Placement>>;
}

/** Of which the predictions say who is positive, so that the positives and all that is theirs come with the run. */
export interface CheckedYolo extends CheckedMaps {
  readonly grid: Grid;
  readonly maps: { readonly dist: AnySource };
  readonly rules: YoloRules;
  readonly gains: Required<Required<YoloCriterionOptions>["gains"]>;
  /** (N, 4): what a side of an anchor is to be multiplied by to be in pixels. */
  readonly units: Float64Array;
  /** What the targets of a distribution are at most, in bins. */
  readonly lastTarget: number;
  pairs(): number;
  candidates(): YoloCandidates;
}

export class CriterionCall<C extends CheckedMaps = CheckedMaps> implements Call {
  readonly kind = "criterion";
  readonly out = NO_OUT;
  readonly checked: C;
  readonly #run: (backend: WasmBackend, checked: C) => CriterionResult;

  /** `run` is for WASM. */
  constructor(checked: C, run: (backend: WasmBackend, checked: C) => CriterionResult) {
    this.checked = checked;
    this.#run = run;
  }

  get op(): string {
    return this.checked.op;
  }

  get elements(): number {
    return elementsOf(this.checked.cls.pred.dims);
  }

  get placement(): Placement {
    return this.checked.settings.placement;
  }

  sources(): [string, AnySource][] {
    const { cls, maps } = this.checked;
    const named = Object.entries(maps).map(([name, source]): [string, AnySource] => [`input.${name}`, source]);
    return [["input.cls", cls.pred], ...named];
  }

  withSources(map: SourceMap): CriterionCall<C> {
    const { cls, maps } = this.checked;
    const mapped = Object.fromEntries(Object.entries(maps).map(([name, source]) => [name, map(source)]));
    return new CriterionCall({ ...this.checked, cls: { ...cls, pred: map(cls.pred) }, maps: mapped }, this.#run);
  }

  onWasm(backend: WasmBackend): CriterionResult {
    const { op, placement } = this;
    if (placement !== "host") {
      const place = { op, argument: "options.placement" };
      throw typeError(place, `"${placement}"`, `"host": gradients stay on the device only with WebGPU`);
    }
    return backend.memory.frame(op, () => this.#run(backend, this.checked));
  }

  inTurns(backend: WasmBackend): CriterionResult {
    return this.onWasm(backend);
  }

  division(): null {
    return null;
  }

  finish(result: unknown): unknown {
    return result;
  }
}
