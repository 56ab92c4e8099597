/** How results of row operations are compared with the reference and with PyTorch. */
import * as assert from "uvu/assert";
import type { Operation } from "../src/registry.ts";
import { fixtureOf, type Options, type Reference, type RowOperationReference } from "./conformance.ts";

/** The arrays of a result by their names; that of a bare array is `result`. */
export function arraysOf(result: unknown): Record<string, ArrayLike<number>> {
  const isBare = ArrayBuffer.isView(result) || Array.isArray(result);
  return isBare ? { result: result as unknown as ArrayLike<number> } : result as Record<string, ArrayLike<number>>;
}

/** A call of a row operation: inputs, options, and what came out on which backend. */
export interface FoundRows {
  readonly inputs: readonly Float32Array<ArrayBuffer>[];
  readonly options: Options;
  readonly found: unknown;
  readonly on: "wasm" | "webgpu";
  /** The hard value among the inputs: the limits that it has where it is infinite are the operation's own. */
  readonly hard?: number;
}

interface Worst {
  /** Of the bound of the record. */
  readonly share: number;
  readonly text: string;
}

/** The value that takes most of the bound of the record. */
export function worstOfRows(c: RowOperationReference, { inputs, options, found, on, hard }: FoundRows): Worst {
  const { operation, reference, file } = c;
  const wanted = arraysOf(reference(...inputs, options));
  const got = arraysOf(found);
  assert.equal(Object.keys(got).sort(), Object.keys(wanted).sort());
  let worst: Worst = { share: 0, text: "no value" };
  for (const [member, values] of Object.entries(wanted)) {
    assert.is(got[member].length, values.length, member);
    for (let i = 0; i < values.length; i++) {
      const [value, result] = [values[i], got[member][i]];
      if (Object.is(result, Math.fround(value)) || (Number.isNaN(value) && Number.isNaN(result))) continue;
      if (hard !== undefined && !Number.isNaN(hard) && !Number.isFinite(Math.fround(value))) continue;
      // What is a share of more than the value is rounded to float32 besides.
      const unit = file.unit?.(value, options, inputs, i);
      const allowed = operation.bounds.result[on] * (unit ?? Math.abs(value)) +
        (unit === undefined ? 0 : Math.abs(value) * 2 ** -24);
      const taken = Math.abs(result - value) / allowed;
      const share = Number.isNaN(taken) ? Infinity : taken;
      if (share > worst.share) {
        worst = { share, text: `${member} ${i} is ${result}; wanted ${value} within ${allowed}` };
      }
    }
  }
  return worst;
}

/** Every value is within the bound of the record. */
export function checkRows(c: RowOperationReference, call: FoundRows, what: string): void {
  const { share, text } = worstOfRows(c, call);
  if (share > 1) assert.unreachable(`${what}, ${JSON.stringify(call.options)}: ${text}`);
}

/** A call that tools/fixtures.py recorded. */
interface RecordedCall {
  readonly inputs: readonly { readonly data: number[]; readonly dims: number[]; readonly dtype?: "int32" }[];
  readonly options: Options;
  readonly result: number[] | Record<string, number[]>;
}

/** Operation and reference give the recorded results; the reason is noted where PyTorch has no such operation. */
export function testPyTorch(
  operation: Operation,
  sync: unknown,
  { reference }: Pick<Reference<(...args: never[]) => unknown>, "reference">,
  note: (text: string) => void,
): void {
  const fixture = fixtureOf<RecordedCall[]>(operation);
  if ("none" in fixture) return note(`${operation.name}: no fixture, ${fixture.none}`);
  // Without a bound a result is exact, or float32 of a few roundings.
  const { result: bound = { wasm: 1e-6 } } = operation.bounds;
  for (const [i, { inputs, options, result }] of fixture.entries()) {
    const values = inputs.map(({ data, dtype }) => (dtype === "int32" ? Int32Array : Float32Array).from(data));
    const tensors = inputs.map(({ dims, dtype }, k) => dtype === "int32" ? values[k] : { data: values[k], dims });
    const rest = Object.keys(options).length === 0 ? [] : [options];
    const got = arraysOf(
      (sync as Record<string, (...args: unknown[]) => unknown>)[operation.name](...tensors, ...rest),
    );
    const own = arraysOf((reference as (...args: unknown[]) => unknown)(...values, options));
    for (const [member, wanted] of Object.entries(arraysOf(result))) {
      for (const [source, array, allowed] of [["kernel", got, 2 * bound.wasm], ["reference", own, 1e-12]] as const) {
        assert.is(array[member].length, wanted.length, `${source}, set ${i}: ${member}`);
        for (let at = 0; at < wanted.length; at++) {
          const error = Math.abs(array[member][at] - wanted[at]);
          const size = Math.max(1, Math.abs(wanted[at])) * (Number(options.bins ?? 2) - 1);
          assert.ok(
            error <= allowed * size,
            `${source}, set ${i}: ${member} ${at} is ${array[member][at]}; PyTorch has ${wanted[at]}`,
          );
        }
      }
    }
  }
}
