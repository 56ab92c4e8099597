/**
 * The operations whose rows stand alone: the checked call, which runs on any device, and the operation made of its check.
 */
import { type AnySource, onHost } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { RowInput } from "./rows.ts";

/** Stems of the operations, which have a shader each. */
export type RowStem =
  | "dfl_decode"
  | "dfl_statistics"
  | "distance2bbox"
  | "bbox2distance"
  | "star_points"
  | "star_deform_offsets"
  | "refine_distances"
  | "box_iou"
  | "generalized_box_iou";

/** A tensor that may lie anywhere. The shader reads it under the argument's name. */
export interface CallInput {
  readonly argument: string;
  readonly source: AnySource;
  /** Elements of one row. */
  readonly columns: number;
  /** Do all rows read the whole of it? */
  readonly shared?: boolean;
}

export interface RowCall<R = unknown> {
  readonly op: string;
  readonly stem: RowStem;
  readonly rows: number;
  readonly inputs: readonly CallInput[];
  /** How many arrays come out, and how many values of a row in each. */
  readonly outputs: number;
  readonly columns: number;
  /** What the shader finds in `params`, under these names: whole numbers and floats. */
  readonly counts: Readonly<Record<string, number>>;
  readonly parameters: Readonly<Record<string, number>>;
  /** The arrays by the kernels, of the inputs on the host. */
  onWasm(backend: WasmBackend, inputs: readonly RowInput[]): Float32Array[];
  resultOf(arrays: readonly Float32Array[]): R;
}

interface RowSpec<A extends unknown[], R> {
  readonly name: string;
  readonly stem: RowStem;
  readonly kernels: readonly string[];
  readonly shapes: string;
  readonly summary: string;
  check(...args: A): RowCall<R>;
}

/** A row of the registry that runs wherever its checked call can. */
export function rowOperation<A extends unknown[], R>(spec: RowSpec<A, R>) {
  return {
    ...spec,
    light: true,
    run: (backend: WasmBackend, ...args: A): R => runRows(backend, spec.check(...args)),
  };
}

export function runRows<R>(backend: WasmBackend, call: RowCall<R>): R {
  const inputs = call.inputs.map(({ argument, source, columns }) => {
    return { source: onHost({ op: call.op, argument }, source), columns };
  });
  return call.resultOf(call.onWasm(backend, inputs));
}
