/**
 * The shader around an operation's mathematics, `item(i)`: value i of the result, or an array with value i of each result.
 * Inputs are read by their arguments' names, as `points_at(i)`.
 */
import type { CheckedRows } from "../ops/row_call.ts";
import { eachItem } from "./grid.ts";
import { type Fields, paramsBlock, paramsText } from "./params.ts";
import { half } from "./shaders/half.ts";
import { numbers } from "./shaders/numbers.ts";
import { readable, type Storage, storageOf } from "./storage.ts";

/** `starts` has the elements that lie before each input in its binding. */
function fieldsOf({ inputs, counts, parameters }: CheckedRows, items: number, starts: readonly number[]): Fields {
  const named = inputs.map(({ argument }, i) => [`${argument}_start`, starts[i]]);
  return { counts: { items, ...Object.fromEntries(named), ...counts }, parameters };
}

export function rowParams(call: CheckedRows, items: number, starts: readonly number[]): ArrayBuffer {
  return paramsBlock(fieldsOf(call, items, starts));
}

/** Its bindings are `params`, the inputs and the results. */
export function rowShader(body: string, call: CheckedRows): string {
  const results = Array.from({ length: call.outputs }, (_, i) => `result_${i}`);
  const firstResult = call.inputs.length + 1;
  return [
    paramsText(fieldsOf(call, 0, [])),
    ...call.inputs.map(({ argument, source }, i) => reader(argument, storageOf(source), i + 1)),
    ...results.map((name, i) => `@group(0) @binding(${firstResult + i}) ${result(name)}`),
    numbers,
    half,
    body,
    tail(results),
  ].join("\n");
}

const result = (name: string) => `var<storage, read_write> ${name}: array<f32>;`;

function reader(name: string, storage: Storage, binding: number): string {
  return /* wgsl */ `${readable(binding, `${name}_buffer`, storage)}
fn ${name}_at(i: u32) -> f32 { return ${name}_buffer_at(params.${name}_start + i); }`;
}

function tail(results: readonly string[]): string {
  const stores = results.map((name, i) => `${name}[i] = value${results.length === 1 ? "" : `[${i}]`};`);
  return eachItem(`let value = item(i); ${stores.join(" ")}`);
}
