/**
 * The shaders around a loss's mathematics. A family turns an item (an element, or a row) into a value and its gradients;
 * bindings, weights and the tail (values, or sums of a workgroup) are the same for all. A second shader adds up.
 */
import { boxGeometry } from "./box_geometry.ts";
import { mirror } from "./mirror.ts";
import { numbers } from "./numbers.ts";

/** Invocations of a workgroup. */
const LANES = 256;
/** Values that a lane adds up. With the tree of the workgroup that is 16 roundings, 1e-6 of a sum at most. */
const PER_LANE = 8;
export const BLOCK = LANES * PER_LANE;

export interface Family {
  /** WGSL with `item(i)`: stores the gradients of an item and returns its weighted value. */
  readonly text: string;
  /** Is an item a row? */
  readonly byRow: boolean;
  readonly itemsPerLane: number;
}

/** Losses over logits and targets in [0, 1]: an item is an element. */
export const elementwise: Family = {
  byRow: false,
  itemsPerLane: PER_LANE,
  text: mirror + /* wgsl */ `
fn item(i: u32) -> f32 {
  let x = pred_at(i);
  let y = target_at(i);
  let nan = is_nan(x) || is_nan(y);
  let weight = weight_at(i);
  let m = mirror(x, y);
  if (GRADIENT) {
    let slope = gradient(m);
    store_grad(i, select(select(-slope, slope, x < 0.0), params.nan, nan) * params.grad_factor * weight);
  }
  let finite = value(m);
  return select(select(finite, params.infinity, is_infinite(x) && finite != 0.0), params.nan, nan) * weight;
}
`,
};

/** Losses over rows of logits: an item is a row, and the loss's text has its `item`. */
export const rowwise: Family = { byRow: true, itemsPerLane: 1, text: "" };

/** Losses over pairs of boxes: an item is a pair. */
export const boxwise: Family = {
  byRow: true,
  itemsPerLane: 1,
  text: boxGeometry + /* wgsl */ `
fn exponent_of(v: vec4f) -> u32 {
  let bits = bitcast<vec4u>(v) & vec4u(0x7fffffffu);
  return max(max(bits.x, bits.y), max(bits.z, bits.w)) >> 23u;
}

fn box_at(v: vec4f) -> vec4f { return clamp(v, vec4f(-3.4e38), vec4f(3.4e38)); }

fn item(i: u32) -> f32 {
  let p = vec4f(pred_at(4u * i), pred_at(4u * i + 1u), pred_at(4u * i + 2u), pred_at(4u * i + 3u));
  let t = vec4f(target_at(4u * i), target_at(4u * i + 1u), target_at(4u * i + 2u), target_at(4u * i + 3u));
  let nan = is_nan(p.x) || is_nan(p.y) || is_nan(p.z) || is_nan(p.w)
    || is_nan(t.x) || is_nan(t.y) || is_nan(t.z) || is_nan(t.w);
  // Coordinates over 2^59, whose products leave float32, are brought to 2^40. A loss has no unit: only eps and the
  // gradients change with the factor.
  let exponent = min(max(exponent_of(p), exponent_of(t)), 254u);
  let factor = select(1.0, bitcast<f32>((127u + 127u + 40u - exponent) << 23u), exponent > 127u + 59u);
  let eps = max(params.low * factor * factor, 1e-20);
  let found = cost(pair_of(box_at(p) * factor, box_at(t) * factor, eps));
  let weight = weight_at(i);
  if (GRADIENT) {
    let scale = select(factor, params.nan, nan) * params.grad_factor * weight;
    let gradient = found.gradient * scale;
    store_grad(4u * i, gradient.x);
    store_grad(4u * i + 1u, gradient.y);
    store_grad(4u * i + 2u, gradient.z);
    store_grad(4u * i + 3u, gradient.w);
  }
  return select(found.value, params.nan, nan) * weight;
}
`,
};

/** How an input lies in its buffer. */
export type Storage = "float32" | "float16";

/** What a call's shader is made for. */
export interface Variant {
  readonly pred: Storage;
  readonly target: Storage | "labels" | "qualities";
  readonly weight: "none" | "item" | "row";
  readonly weightStorage: Storage;
  readonly gradient: boolean;
  /** Values for each item, or their sums over workgroups. */
  readonly each: boolean;
  /** Is the exponent 2? */
  readonly squared: boolean;
  /** Does the loss tell rows whose target is outside? */
  readonly outside: boolean;
}

/** Names of the buffers of a variant in the order of their bindings, behind the parameters at 0. */
export function bindingsOf(variant: Variant): string[] {
  return [
    "pred",
    ...(variant.target === "labels" || variant.target === "qualities" ? ["labels"] : ["target"]),
    ...(variant.target === "qualities" ? ["scores"] : []),
    ...(variant.weight === "none" ? [] : ["weight"]),
    "values",
    ...(variant.gradient ? ["grad"] : []),
    ...(variant.outside ? ["outside"] : []),
  ];
}

const params = /* wgsl */ `
struct Params {
  count: u32,         // items
  columns: u32,       // elements of a row
  first_row: u32,
  first_block: u32,   // where this piece's sums go
  infinity: f32,
  nan: f32,
  value_factor: f32,
  grad_factor: f32,
  exponent: f32,
  exponent_high: f32, // its leading 12 bits, and the rest
  exponent_low: f32,
  alpha: f32,
  low: f32,
  inverse: f32,
  scale: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
`;

/** The shader of a loss: its mathematics within its family, for one variant. */
export function lossShader(body: string, family: Family, variant: Variant): string {
  const items = LANES * family.itemsPerLane;
  return [
    `const SQUARED = ${variant.squared};`,
    `const GRADIENT = ${variant.gradient};`,
    params,
    ...bindingsOf(variant).map((name, i) => `@group(0) @binding(${i + 1}) ${declaration(name, variant)}`),
    numbers,
    access(variant),
    body,
    family.text,
    variant.each ? eachTail(items) : sumTail(items),
  ].join("\n");
}

/** Workgroups that take all items. */
export function groupsOf(family: Family, count: number): number {
  return Math.ceil(count / (LANES * family.itemsPerLane));
}

function declaration(name: string, variant: Variant): string {
  const halves = {
    pred: variant.pred === "float16",
    target: variant.target === "float16",
    weight: variant.weightStorage === "float16",
  };
  switch (name) {
    case "values":
    case "grad":
      return `var<storage, read_write> ${name}: array<f32>;`;
    case "outside":
      return "var<storage, read_write> outside: atomic<u32>;";
    case "labels":
      return "var<storage, read> labels: array<i32>;";
    default:
      return `var<storage, read> ${name}_buffer: array<${halves[name as keyof typeof halves] ? "u32" : "f32"}>;`;
  }
}

/** The functions through which families reach the bindings. */
function access(variant: Variant): string {
  const { weight, target } = variant;
  const index = weight === "row" ? "i / params.columns" : "i";
  return [
    half,
    reader("pred", variant.pred, "i"),
    target === "labels" || target === "qualities" ? labelReader(target) : reader("target", target, "i"),
    weight === "none" ? "fn weight_at(i: u32) -> f32 { return 1.0; }" : reader("weight", variant.weightStorage, index),
    variant.gradient ? "fn store_grad(i: u32, v: f32) { grad[i] = v; }" : "fn store_grad(i: u32, v: f32) {}",
  ].join("\n");
}

function reader(name: string, storage: Storage, index: string): string {
  const value = storage === "float16" ? `half_of(${name}_buffer[k >> 1u], k & 1u)` : `${name}_buffer[k]`;
  return `fn ${name}_at(i: u32) -> f32 { let k = ${index}; return ${value}; }`;
}

function labelReader(target: "labels" | "qualities"): string {
  return /* wgsl */ `
fn target_at(i: u32) -> f32 {
  let row = i / params.columns;
  let own = i32(i - row * params.columns) == labels[row];
  return select(0.0, ${target === "qualities" ? "scores_buffer[row]" : "1.0"}, own);
}`;
}

/** WGSL leaves open what unpacking makes of NaN and infinity. */
export const half = /* wgsl */ `
fn half_of(word: u32, odd: u32) -> f32 {
  let bits = (word >> (16u * odd)) & 0xffffu;
  let special = bitcast<f32>(((bits & 0x8000u) << 16u) | 0x7f800000u | ((bits & 0x3ffu) << 13u));
  return select(unpack2x16float(bits).x, special, (bits & 0x7c00u) == 0x7c00u);
}`;

const eachTail = (items: number) => /* wgsl */ `
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * ${items}u + lane;
  for (var k = 0u; k < ${items}u; k += ${LANES}u) {
    if (first + k < params.count) { values[first + k] = item(first + k) * params.value_factor; }
  }
}`;

/** Adds up a value of each lane; all lanes get there. */
const workgroupSum = /* wgsl */ `
var<workgroup> sums: array<f32, ${LANES}>;
fn workgroup_sum(lane: u32, own: f32) -> f32 {
  sums[lane] = own;
  for (var width = ${LANES / 2}u; width > 0u; width >>= 1u) {
    workgroupBarrier();
    if (lane < width) { sums[lane] += sums[lane + width]; }
  }
  return sums[0];
}`;

const sumTail = (items: number) => /* wgsl */ `
${workgroupSum}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let block = group.y * groups.x + group.x;
  let first = block * ${items}u + lane;
  var own = 0.0;
  for (var k = 0u; k < ${items}u; k += ${LANES}u) {
    if (first + k < params.count) { own += item(first + k); }
  }
  let sum = workgroup_sum(lane, own);
  if (lane == 0u && block * ${items}u < params.count) { values[params.first_block + block] = sum; }
}`;

/** Adds up rows: (rows, columns) → (rows, blocks), each sum over at most BLOCK columns. */
export const sumShader = /* wgsl */ `
struct Params { rows: u32, columns: u32, blocks: u32, factor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> totals: array<f32>;
${workgroupSum}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let index = group.y * groups.x + group.x;
  let row = index / params.blocks;
  let first = (index - row * params.blocks) * ${BLOCK}u + lane;
  var own = 0.0;
  for (var k = 0u; k < ${BLOCK}u; k += ${LANES}u) {
    if (row < params.rows && first + k < params.columns) { own += values[row * params.columns + first + k]; }
  }
  let sum = workgroup_sum(lane, own);
  if (lane == 0u && row < params.rows) { totals[index] = sum * params.factor; }
}`;
