/**
 * The shader around an operation's mathematics, `item(i)`: value i of the result, or as vector of each result. Inputs are
 * read by their arguments' names, as `points_at(i)`.
 */
import type { RowCall } from "../ops/row_call.ts";
import { half, type Storage } from "./bindings.ts";
import { LANES } from "./sums.ts";
import { storageOf } from "./loss.ts";
import { numbers } from "./numbers.ts";

/** What a shader finds in `params`, in this order: whole numbers, then floats. */
interface Fields {
  readonly counts: Readonly<Record<string, number>>;
  readonly parameters: Readonly<Record<string, number>>;
}

/** `starts` has the elements that lie before each input in its binding. */
function fieldsOf({ inputs, counts, parameters }: RowCall, items: number, starts: readonly number[]): Fields {
  const named = inputs.map(({ argument }, i) => [`${argument}_start`, starts[i]]);
  return {
    counts: { items, ...Object.fromEntries(named), ...counts },
    parameters: { nan: NaN, infinity: Infinity, ...parameters },
  };
}

export function rowParams(call: RowCall, items: number, starts: readonly number[]): ArrayBuffer {
  const { counts, parameters } = fieldsOf(call, items, starts);
  const [whole, real] = [Object.values(counts), Object.values(parameters)];
  const block = new ArrayBuffer(Math.ceil((whole.length + real.length) / 4) * 16);
  new Uint32Array(block).set(whole);
  new Float32Array(block).set(real, whole.length);
  return block;
}

/** Its bindings are `params`, the inputs and the results. */
export function rowShader(body: string, call: RowCall): string {
  const { counts, parameters } = fieldsOf(call, 0, []);
  const fields = [...Object.keys(counts).map(typed("u32")), ...Object.keys(parameters).map(typed("f32"))];
  const results = Array.from({ length: call.outputs }, (_, i) => `result_${i}`);
  const firstResult = call.inputs.length + 1;
  return [
    `struct Params { ${fields.join(", ")} }`,
    "@group(0) @binding(0) var<uniform> params: Params;",
    ...call.inputs.map(({ argument, source }, i) => reader(argument, storageOf(source), i + 1)),
    ...results.map((name, i) => `@group(0) @binding(${firstResult + i}) ${result(name)}`),
    numbers,
    half,
    body,
    tail(results),
  ].join("\n");
}

/** Workgroups that take all items. */
export function rowGroups(items: number): number {
  return Math.ceil(items / LANES);
}

const typed = (type: string) => (name: string) => `${name}: ${type}`;

const result = (name: string) => `var<storage, read_write> ${name}: array<f32>;`;

function reader(name: string, storage: Storage, binding: number): string {
  const halves = storage === "float16";
  const value = halves ? `half_of(${name}_buffer[k >> 1u], k & 1u)` : `${name}_buffer[k]`;
  return /* wgsl */ `
@group(0) @binding(${binding}) var<storage, read> ${name}_buffer: array<${halves ? "u32" : "f32"}>;
fn ${name}_at(i: u32) -> f32 { let k = params.${name}_start + i; return ${value}; }`;
}

function tail(results: readonly string[]): string {
  const stores = results.map((name, i) => `${name}[i] = found${results.length === 1 ? "" : `[${i}]`};`);
  return /* wgsl */ `
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * ${LANES}u + lane;
  if (i >= params.items) { return; }
  let found = item(i);
  ${stores.join("\n")}
}`;
}
