/**
 * What `heads.infer` runs. The engine brings it: to read tensors takes three quarters of the code, and a bundle of presets
 * alone is without.
 */
import type { HeadSpec, InferHints, Outputs } from "../types.ts";

type Infer = (outputs: Outputs, hints?: InferHints) => HeadSpec;

let provided: Infer | undefined;

export function provideInference(infer: Infer): void {
  provided = infer;
}

export function inference(): Infer {
  if (provided !== undefined) return provided;
  throw new Error(
    "heads.infer: this bundle has no code that reads tensors; wanted createEngine to be imported in it too",
  );
}
