/**
 * The operations whose rows stand alone: their checked arguments, the call, and the operation made of its check.
 */
import { doc } from "../doc.ts";
import { type Call, NO_OUT, type SourceMap } from "../call.ts";
import { bound, nameOf, type OperationFacts } from "../operation.ts";
import type { Params } from "../params.ts";
import { type AnySource, elementsOf, onHost } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { RowInput } from "./rows.ts";

/** Of operations that compute nothing but a sum or a product for each value. */
export const ROUNDED_ONCE = {
  bounds: { result: bound(2 ** -24, 2 ** -24) },
  errorBound: doc`exact, but for one rounding, ≤ {result} of the value`,
};

/** A tensor that may lie anywhere. The shader reads it under the argument's name. */
export interface CallInput {
  readonly argument: string;
  readonly source: AnySource;
  /** Elements of one row. */
  readonly columns: number;
  /** True where all rows read the whole of it. */
  readonly shared?: boolean;
}

export interface CheckedRows<R = unknown> {
  readonly op: string;
  readonly stem: string;
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

export class RowCall<R = unknown> implements Call {
  readonly kind = "rows";
  readonly placement = "host";
  readonly out = NO_OUT;
  readonly checked: CheckedRows<R>;

  constructor(checked: CheckedRows<R>) {
    this.checked = checked;
  }

  get op(): string {
    return this.checked.op;
  }

  get elements(): number {
    const { rows, columns, inputs } = this.checked;
    return Math.max(rows * columns, ...inputs.map(({ source }) => elementsOf(source.dims)));
  }

  sources(): [string, AnySource][] {
    return this.checked.inputs.map(({ argument, source }) => [argument, source]);
  }

  withSources(map: SourceMap): RowCall<R> {
    const inputs = this.checked.inputs.map((each) => ({ ...each, source: map(each.source) }));
    return new RowCall({ ...this.checked, inputs });
  }

  onWasm(backend: WasmBackend): R {
    const { op, inputs } = this.checked;
    const hosted = inputs.map(({ argument, source, columns }) => {
      return { source: onHost({ op, argument }, source), columns };
    });
    return this.finish(this.checked.onWasm(backend, hosted));
  }

  inTurns(backend: WasmBackend): R {
    return this.onWasm(backend);
  }

  division(): null {
    return null;
  }

  finish(arrays: readonly Float32Array[]): R {
    return this.checked.resultOf(arrays);
  }
}

/** The record of a row operation. */
interface RowSpec<P extends Params, A extends unknown[], R> extends OperationFacts<P> {
  readonly kernels: readonly string[];
  check(...args: A): CheckedRows<R>;
}

/** A row of the registry that runs wherever its checked call can. */
export function rowOperation<P extends Params, A extends unknown[], R>(spec: RowSpec<P, A, R>) {
  const name = nameOf(spec.stem);
  const check = (...args: A) => new RowCall(spec.check(...args));
  return {
    ...spec,
    kind: "row operation",
    name,
    check,
    staysOnHost: {
      because: `${name} computes too little to move host data without an offloadThreshold`,
      unlessThreshold: true,
    },
    run: (backend: WasmBackend, ...args: A): R => check(...args).onWasm(backend),
  } as const;
}
