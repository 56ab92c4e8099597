/**
 * A call of `preprocess`: images on the host are resized there, textures on their device.
 */
import { type Call, NO_OUT } from "../call.ts";
import type { ImageTransform } from "../types.ts";
import { elementsOf } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { Placed } from "./geometry.ts";
import type { CheckedInput } from "./input.ts";

export interface CheckedPreprocess {
  readonly op: string;
  readonly input: CheckedInput;
  /** Where each image goes. */
  readonly places: readonly Placed[];
  readonly dims: readonly number[];
  /** One, or one for each image of a list. */
  readonly transform: ImageTransform | ImageTransform[];
  /** None: the images are on the host. */
  readonly textures: readonly GPUTexture[];
}

export class PreprocessCall implements Call {
  readonly kind = "preprocess";
  readonly out = NO_OUT;
  readonly checked: CheckedPreprocess;
  /** Resizes images on the host into their array; refuses textures. */
  readonly onWasm: (backend: WasmBackend) => unknown;

  constructor(checked: CheckedPreprocess, onWasm: (backend: WasmBackend) => unknown) {
    this.checked = checked;
    this.onWasm = onWasm;
  }

  get op(): string {
    return this.checked.op;
  }

  get elements(): number {
    return elementsOf(this.checked.dims);
  }

  get placement(): "host" | "gpu" {
    return this.checked.textures.length === 0 ? "host" : "gpu";
  }

  sources(): [] {
    return [];
  }

  withSources(): PreprocessCall {
    return this;
  }

  inTurns(backend: WasmBackend): unknown {
    return this.onWasm(backend);
  }

  division(): null {
    return null;
  }

  finish(gpuBuffer: unknown): unknown {
    const { dims, input: { dtype }, transform } = this.checked;
    return { tensor: { gpuBuffer, dims, dataType: dtype }, transform };
  }
}
