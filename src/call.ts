/**
 * A call whose arguments are checked, as the engine and the devices see it: it may run on WASM or WebGPU, now or later.
 */
import type { HostArray, OutArray } from "./arrays.ts";
import type { Placement } from "./types.ts";
import type { AnySource, GpuSource } from "./validate.ts";
import type { WasmBackend } from "./wasm/backend.ts";

/** WebGPU has a runner for each kind of call. */
export type CallKind = "loss" | "rows" | "gflCriterion" | "vfnetCriterion" | "detect";

/** Gives an array or a tensor for another: a copy, or the same. */
export type SourceMap = <S extends HostArray | GpuSource>(source: S) => S;

export interface Call {
  readonly op: string;
  readonly kind: CallKind;
  /** By which a device is chosen: those of the predictions, or of the largest tensor. */
  readonly elements: number;
  /** Where results are wanted: "gpu" ties the call to a device. */
  readonly placement: Placement;
  /** Arrays of the caller's for results, by the results' names. */
  readonly out: Readonly<Record<string, OutArray | null>>;
  /** The tensors that it reads, by argument. */
  sources(): readonly (readonly [argument: string, source: AnySource])[];
  /** The same call over other arrays and tensors, with results in arrays of its own: for a call that ends later. */
  withSources(map: SourceMap): Call;
  /** Runs at once. */
  onWasm(backend: WasmBackend): unknown;
  /** Runs for a caller who waits: others may have turns in between. */
  inTurns(backend: WasmBackend): unknown;
  /** The result, of what WebGPU gives. */
  finish(found: unknown, backend: WasmBackend): unknown;
}

/** Of a call that takes no arrays for its results. */
export const NO_OUT: Call["out"] = {};
