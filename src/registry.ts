/**
 * The registry: every operation of an engine. The engine's faces, the command, the documentation and the tests walk it.
 */
import type { Call } from "./call.ts";
import { operations as generated } from "./generated/operations.ts";
import type { OperationFacts, OperationKind, StaysOnHost } from "./operation.ts";
import type {
  CriterionInput,
  GroundTruth,
  InputSpec,
  LabelTarget,
  Outputs,
  Pixels,
  SyncOps,
  TensorLike,
} from "./types.ts";
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
  /** Whether threads divide its large calls, and where the arrays must be for that. */
  readonly divides?: "any memory" | "shared memory";
  /** Checks the arguments and runs on WASM. */
  run(backend: WasmBackend, ...args: never[]): unknown;
}

/** By their names on the engine. */
export const operations: Readonly<Record<string, Operation>> = generated;

/** Arguments of operations that are no options. */
type Data =
  | TensorLike
  | LabelTarget
  | Int32Array
  | Uint8Array
  | Outputs
  | GroundTruth
  | CriterionInput
  | Pixels
  | readonly Pixels[]
  | InputSpec
  | undefined;

/** Names of the options of a method. */
type OptionNames<F> = F extends (...args: infer A) => unknown ? MembersOf<Exclude<A[number], Data>> : never;
type MembersOf<T> = [T] extends [never] ? never : keyof T;

/** Operations with a parameter that their method does not have, or the other way round. */
type Unlike = {
  [Name in keyof SyncOps]: [OptionNames<SyncOps[Name]>, keyof typeof generated[Name]["params"]] extends
    [infer Options, infer Params] ? [Options, Params] extends [Params, Options] ? never : Name : never;
}[keyof SyncOps];

/** The compiler names an operation whose parameters are not the options of its method in types.ts. */
export type ParamsAreOptions = AllAlike<Unlike>;
type AllAlike<T extends never> = T;
