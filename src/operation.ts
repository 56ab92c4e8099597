/**
 * The record of an operation: all that documentation, checks, command, tests and benches say of it, told once.
 */
import type { Params } from "./params.ts";

/**
 * Element loss: a value for each logit. Row loss: a value for each row of logits. Box loss: a value for each pair of boxes.
 * Row operation: rows that stand alone. Routine: all else.
 */
export type OperationKind = "element loss" | "row loss" | "box loss" | "row operation" | "routine";

/** The largest error on each backend. */
export interface Bound {
  readonly wasm: number;
  readonly webgpu: number;
}

/** WebGPU has four times the error of WASM where nothing else is said. */
export function bound(wasm: number, webgpu = 4 * wasm): Bound {
  return { wasm, webgpu };
}

/** The facts of an operation. */
export interface OperationFacts<P extends Params = Params> {
  /** Name in file names, kernels and shaders; in camelCase it is the name on the engine. */
  readonly stem: string;
  /** One line. */
  readonly summary: string;
  /** Inputs → result. */
  readonly shapes: string;
  /** Inputs and results by their names, with shapes and units. */
  readonly tensors: string;
  readonly params: P;
  /** Errors beyond those of parameters outside their ranges: "TypeError if …" or "RangeError if …" each. */
  readonly throws?: readonly string[];
  /** Largest errors by the quantity that they are of; none where a result is exact. */
  readonly bounds: Readonly<Record<string, Bound>>;
  /** The bounds in words. {name} is the number of a bound on WASM, {name.webgpu} that on WebGPU. */
  readonly errorBound: string;
  /** Paper and equation, or whose code. */
  readonly source: string;
}

/** Why device "auto" works on host data where they are, whatever their size. */
export interface StaysOnHost {
  readonly because: string;
  /** True where an `offloadThreshold` overrules it. */
  readonly unlessThreshold: boolean;
  /** True where device "webgpu" does the same. */
  readonly always?: boolean;
}

/** dfl_decode → dflDecode. */
export function nameOf(stem: string): string {
  return stem.replaceAll(/_(\w)/g, (_, letter) => letter.toUpperCase());
}

/** A routine from its record. */
export function routine<P extends Params, S extends OperationFacts<P>>(spec: S) {
  return { ...spec, kind: "routine", name: nameOf(spec.stem) } as const;
}
