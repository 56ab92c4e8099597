/**
 * A call is an operation with checked arguments. The engine, the dispatch and the devices see nothing else of it.
 */
import type { HostArray, OutArray } from "./arrays.ts";
import type { Placement } from "./types.ts";
import type { AnySource, GpuSource } from "./validate.ts";
import type { WasmBackend } from "./wasm/backend.ts";

/** WebGPU finds a call's runner by its kind. */
export type CallKind = "loss" | "mask loss" | "rows" | "criterion" | "detect" | "preprocess";

/** Returns an array or a tensor to read in the place of another: a copy, or the same one. */
export type SourceMap = <S extends HostArray | GpuSource>(source: S) => S;

export interface Call {
  readonly op: string;
  readonly kind: CallKind;
  /** Elements of the predictions, or of the largest tensor: the dispatch compares them with its threshold. */
  readonly elements: number;
  /** Where the caller wants results: "gpu" ties the call to a device. */
  readonly placement: Placement;
  /** The caller's arrays for results, by the results' names. */
  readonly out: Readonly<Record<string, OutArray | null>>;
  /** The tensors that the call reads, by argument. */
  sources(): readonly (readonly [argument: string, source: AnySource])[];
  /** The same call over other arrays and tensors, for a run that ends later: its results are arrays of its own. */
  withSources(map: SourceMap): Call;
  /** Runs on WASM at once. */
  onWasm(backend: WasmBackend): unknown;
  /** Runs on WASM for a caller who awaits the result: the event loop may turn in between. */
  inTurns(backend: WasmBackend): unknown;
  /** How threads divide the call; null where one of them does it all. */
  division(): Division | null;
  /** Makes the result from what WebGPU's runner returned. */
  finish(found: unknown, backend: WasmBackend): unknown;
}

/**
 * A call on WASM as sections that stand alone: the result is the same, bit for bit, whichever thread takes which of them, and
 * on one thread.
 */
export interface Division {
  readonly sections: number;
  /** Sections that a thread takes at a time, at most. */
  readonly most: number;
  /** Sections from the first up to the end. */
  share(first: number, end: number): Share;
  /** The result, from what became of all shares, in order. */
  join(results: readonly unknown[], backend: WasmBackend): unknown;
}

/** What a thread takes of a call: plain data, which a worker can be sent. */
export interface Share {
  readonly kind: CallKind;
  /** Over parts of what the whole call reads. */
  readonly call: object;
  /** The parts of the results' arrays that it fills. */
  readonly out: Readonly<Record<string, HostArray<Float32Array> | null>>;
}

/** `out` of a call without such arrays. */
export const NO_OUT: Call["out"] = {};
