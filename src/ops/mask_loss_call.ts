/** `maskLoss` as a call: its checked arguments, over tensors that may lie anywhere. */
import type { HostArray } from "../arrays.ts";
import { type Call, NO_OUT, type SourceMap } from "../call.ts";
import type { MaskLossResult, Placement, Reduction } from "../types.ts";
import { type AnySource, elementsOf, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { LossSettings } from "./checked_loss.ts";

export interface CheckedMaskLoss {
  readonly op: string;
  /** (N, channels). */
  readonly coefficients: AnySource;
  /** (channels, height, width). */
  readonly prototypes: AnySource;
  /** (N, height, width), bytes. */
  readonly masks: HostArray<Uint8Array>;
  /** (N, 4). */
  readonly boxes: AnySource;
  readonly settings: LossSettings;
  /** The error for a box without area; `corners` are null where they are not known. */
  wrongBox(row: number, corners: readonly number[] | null): RangeError;
  /** The error for a byte of the masks. */
  wrongByte(at: number, byte: number): RangeError;
}

type Result = MaskLossResult<Reduction, boolean, Placement>;

export class MaskLossCall implements Call {
  readonly kind = "mask loss";
  readonly out = NO_OUT;
  readonly checked: CheckedMaskLoss;
  readonly #run: (backend: WasmBackend, checked: CheckedMaskLoss) => Result;

  /** `run` is for WASM. */
  constructor(checked: CheckedMaskLoss, run: (backend: WasmBackend, checked: CheckedMaskLoss) => Result) {
    this.checked = checked;
    this.#run = run;
  }

  get op(): string {
    return this.checked.op;
  }

  get elements(): number {
    return elementsOf(this.checked.prototypes.dims);
  }

  get placement(): Placement {
    return this.checked.settings.placement;
  }

  sources(): [string, AnySource][] {
    const { coefficients, prototypes, boxes, settings: { weight } } = this.checked;
    const found: [string, AnySource][] = [["coefficients", coefficients], ["prototypes", prototypes], ["boxes", boxes]];
    return weight === null ? found : [...found, ["options.weight", weight]];
  }

  withSources(map: SourceMap): MaskLossCall {
    const { coefficients, prototypes, masks, boxes, settings } = this.checked;
    const weight = settings.weight && map(settings.weight);
    const mapped = {
      coefficients: map(coefficients),
      prototypes: map(prototypes),
      masks: map(masks),
      boxes: map(boxes),
      settings: { ...settings, weight },
    };
    return new MaskLossCall({ ...this.checked, ...mapped }, this.#run);
  }

  onWasm(backend: WasmBackend): Result {
    const { op, placement } = this;
    if (placement !== "host") {
      const place = { op, argument: "options.placement" };
      throw typeError(place, `"${placement}"`, `"host": results stay on the device only with WebGPU`);
    }
    return this.#run(backend, this.checked);
  }

  inTurns(backend: WasmBackend): Result {
    return this.onWasm(backend);
  }

  division(): null {
    return null;
  }

  finish(result: unknown): unknown {
    return result;
  }
}
