/**
 * What the caller's thread and a worker tell each other.
 */
import type { Share } from "../call.ts";

/** The first message to a worker: its kernels, and how much memory they may take. */
export interface Start {
  readonly module: WebAssembly.Module;
  readonly maxMemory: number;
  /** What is with the share in each slot; in shared memory. */
  readonly flags: Int32Array;
}

/** A share in a slot waits; the worker is at it; the worker no longer reads it; or the caller's thread has taken it back. */
export const WAITS = 0;
export const AT_WORK = 1;
export const DONE = 2;
export const TAKEN_BACK = 3;

/** A share to run. */
export interface Order {
  readonly id: number;
  readonly slot: number;
  readonly share: Share;
}

/** What became of it; an error is what the share threw. Id -1: the worker has started, or says why not. */
export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: unknown };

export const STARTED = -1;
