/**
 * What one row of the registry is: an operation's name, its layers' stem, and the function that runs it.
 */
import type { WasmBackend } from "../wasm/backend.ts";
import type { Call } from "../call.ts";

export interface Operation<A extends readonly never[] = readonly never[], R = unknown> {
  /** Name on the engine. */
  readonly name: string;
  /** The same in file names and kernel exports. */
  readonly stem: string;
  /** Exports of the module that do the work. */
  readonly kernels: readonly string[];
  /** Inputs → result, for the README's table. */
  readonly shapes: string;
  /** One line, for the README's table. */
  readonly summary: string;
  /** Checks the arguments for any device; an operation without it stays on WASM. */
  check?(...args: A): Call;
  /** Why device "auto" works on host data where they are, whatever their size. */
  readonly staysOnHost?: StaysOnHost;
  /** Checks the arguments and runs on WASM. */
  run(backend: WasmBackend, ...args: A): R;
}

export interface StaysOnHost {
  readonly because: string;
  /** Does an `offloadThreshold` overrule it? */
  readonly unlessThreshold: boolean;
}
