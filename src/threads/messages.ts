/**
 * What the caller's thread and a worker tell each other.
 */
import type { Share } from "../call.ts";

/** The first message to a worker: its kernels, and how much memory they may take. */
export interface Start {
  readonly module: WebAssembly.Module;
  readonly maxMemory: number;
  /** A flag for each slot, in shared memory: 1 where its share is done. */
  readonly flags: Int32Array;
}

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
