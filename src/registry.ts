/**
 * The registry: every operation of an engine. The engine's faces, the command, the documentation and the tests walk it.
 */
import type { Call } from "./call.ts";
import { operations as generated } from "./generated/operations.ts";
import type { OperationFacts, OperationKind, StaysOnHost } from "./operation.ts";
import type { WasmBackend } from "./wasm/backend.ts";

export interface Operation extends OperationFacts {
  readonly kind: OperationKind;
  /** Name on the engine. */
  readonly name: string;
  /** Exports of the module that do the work. */
  readonly kernels: readonly string[];
  /** Checks the arguments for any device; an operation without it stays on WASM. */
  check?(...args: never[]): Call;
  readonly staysOnHost?: StaysOnHost;
  /** Checks the arguments and runs on WASM. */
  run(backend: WasmBackend, ...args: never[]): unknown;
}

/** By their names on the engine. */
export const operations: Readonly<Record<string, Operation>> = generated;
