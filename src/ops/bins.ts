/**
 * The values of a distribution's bins: even ones by the first and the step, or a table of any that rise.
 */
import { doc } from "../doc.ts";
import { isGiven, numberParam, optionalRising, type Values } from "../params.ts";
import { rangeError, tensor, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { CallInput } from "./row_call.ts";

export const BIN_PARAMS = {
  firstBin: numberParam(doc`value of the first bin`, 0),
  binStep: numberParam(doc`difference of neighbouring bins`, 1),
  binValues: optionalRising(
    doc`values of all bins, rising, in place of the two, as float32 numbers (D-FINE). TypeError: with one of the two. RangeError: not as many as bins`,
  ),
} as const;

/** Checked values of bins. Of uneven ones first and step are 0 and 1. */
export interface Bins {
  /** Of even ones without the first, which no difference of values has. */
  readonly values: Float32Array<ArrayBuffer>;
  readonly uneven: boolean;
  readonly first: number;
  readonly step: number;
}

/** Of values as the reader of an operation's options made them: a copy says that all of them were given. */
export function binsOf(op: string, bins: number, options: Values<typeof BIN_PARAMS>): Bins {
  const { firstBin: first, binStep: step, binValues } = options;
  if (binValues === undefined) {
    const values = Float32Array.from({ length: bins }, (_, bin) => step * bin);
    return { values, uneven: false, first, step };
  }
  const place = { op, argument: "options.binValues" };
  for (const name of ["firstBin", "binStep"] as const) {
    if (!isGiven(options, name)) continue;
    throw typeError(place, `given with ${name} ${options[name]}`, `no ${name}: the values say it`);
  }
  if (binValues.length !== bins) {
    throw rangeError(place, `${binValues.length} values`, `${bins}, one for each of the bins`);
  }
  const values = Float32Array.from(binValues);
  values.forEach((value, i) => {
    const at = { op, argument: `options.binValues[${i}]` };
    if (!Number.isFinite(value)) throw rangeError(at, binValues[i], "a finite float32 number");
    if (value === values[i - 1]) throw rangeError(at, binValues[i], `over ${binValues[i - 1]} as float32 numbers`);
  });
  return { values, uneven: true, first: 0, step: 1 };
}

/** The values as an input that all rows read: for shaders. */
export function binsInput(op: string, { values }: Bins): CallInput {
  const place = { op, argument: "options.binValues" };
  const source = tensor(place, values, (length) => [length]);
  return { argument: "values", source, columns: values.length, shared: true };
}

/** Runs the body with the address of the values in linear memory. */
export function withValues<T>(op: string, backend: WasmBackend, { values }: Bins, body: (values: number) => T): T {
  return backend.memory.frame(op, (allocate) => {
    const pointer = allocate(values.length * 4);
    backend.memory.floats.set(values, pointer >> 2);
    return body(pointer);
  });
}
