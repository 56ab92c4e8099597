/**
 * The buffers of a loss's shader, and the WGSL functions that reach them: value by value, or four values at a time, so
 * that neighbouring lanes read and write neighbouring 16 bytes.
 */

import { half } from "./shaders/half.ts";
import { elementOf, type Storage, wordType } from "./storage.ts";

/** Properties of a call for which its shader is compiled. */
export interface Variant {
  readonly pred: Storage;
  readonly target: Storage | "labels" | "qualities";
  readonly weight: "none" | "item" | "row";
  readonly weightStorage: Storage;
  readonly gradient: boolean;
  /** Values for each item, or sums. */
  readonly each: boolean;
  /** Whether the exponent is 2. */
  readonly squared: boolean;
  /** Of a number for each row beside its target; none: there is none. */
  readonly areas: Storage | "none";
  /** Whether the rows share a table. */
  readonly table: boolean;
  /** Whether the loss reports a row whose target is outside. */
  readonly outside: boolean;
  /** Whether four elements in a line are always of one row. */
  readonly evenRows: boolean;
  /** Whether sums go through subgroups. */
  readonly subgroups: boolean;
  /** Whether the adapter is a software one. */
  readonly software: boolean;
}

/** Buffers that a family reaches four values at a time. */
export type Quads = readonly string[];

/** Names of the buffers of a variant in the order of their bindings, behind the parameters at 0. */
export function bindingsOf(variant: Variant): string[] {
  return [
    "pred",
    ...(variant.target === "labels" || variant.target === "qualities" ? ["labels"] : ["target"]),
    ...(variant.target === "qualities" ? ["scores"] : []),
    ...(variant.areas === "none" ? [] : ["areas"]),
    ...(variant.table ? ["table"] : []),
    ...(variant.weight === "none" ? [] : ["weight"]),
    "values",
    ...(variant.gradient ? ["grad"] : []),
    ...(variant.outside ? ["outside"] : []),
  ];
}

/** The declarations of the bindings, with `pred_at`, `target_at`, `weight_at`, `table_at` and `store_grad`. */
export function access(variant: Variant, quads: Quads): string {
  const { pred, target, gradient } = variant;
  const slope = shape(quads.includes("grad"));
  return [
    ...bindingsOf(variant).map((name, i) => `@group(0) @binding(${i + 1}) ${declaration(name, variant, quads)}`),
    half,
    reader("pred", pred, quads.includes("pred")),
    target === "labels" || target === "qualities"
      ? labelReader(target, quads.includes("target"), variant.evenRows)
      : [reader("target", target, quads.includes("target")), nobodysOwn(quads.includes("target"))].join("\n"),
    variant.areas === "none" ? "" : reader("areas", variant.areas, false),
    `const HAS_TABLE = ${variant.table};`,
    `fn table_at(i: u32) -> f32 { return ${variant.table ? "table_buffer[i]" : "0.0"}; }`,
    weightReader(variant, quads.includes("weight")),
    `fn store_grad(i: u32, v: ${slope}) {${gradient ? " grad[i] = v; " : ""}}`,
  ].join("\n");
}

function shape(quad: boolean): "f32" | "vec4f" {
  return quad ? "vec4f" : "f32";
}

function declaration(name: string, variant: Variant, quads: Quads): string {
  switch (name) {
    case "pred":
      return inputDeclaration(name, variant.pred, quads.includes(name));
    case "target":
      return inputDeclaration(name, variant.target as Storage, quads.includes(name));
    case "areas":
      return inputDeclaration(name, variant.areas as Storage, false);
    case "weight":
      return inputDeclaration(name, variant.weightStorage, variant.weight === "item" && quads.includes(name));
    case "labels":
      return "var<storage, read> labels: array<i32>;";
    case "values":
      return `var<storage, read_write> values: array<${shape(variant.each && quads.includes(name))}>;`;
    case "grad":
      return `var<storage, read_write> grad: array<${shape(quads.includes(name))}>;`;
    case "outside":
      return "var<storage, read_write> outside: atomic<u32>;";
    default:
      return inputDeclaration(name, "float32", false);
  }
}

function inputDeclaration(name: string, storage: Storage, quad: boolean): string {
  const words = !quad ? wordType(storage) : storage === "float16" ? "vec2u" : "vec4f";
  return `var<storage, read> ${name}_buffer: array<${words}>;`;
}

function reader(name: string, storage: Storage, quad: boolean): string {
  return returning(name, quad, valueOf(`${name}_buffer`, storage, quad));
}

function valueOf(buffer: string, storage: Storage, quad: boolean): string {
  return quad && storage === "float16" ? `halves_of(${buffer}[i])` : elementOf(buffer, storage, "i");
}

function returning(name: string, quad: boolean, value: string): string {
  return `fn ${name}_at(i: u32) -> ${shape(quad)} { return ${value}; }`;
}

/** Weights by row are read value by value. */
function weightReader({ weight, weightStorage, evenRows }: Variant, quad: boolean): string {
  if (weight === "none") return returning("weight", quad, `${shape(quad)}(1.0)`);
  if (weight === "item") return reader("weight", weightStorage, quad);
  const ofRow = returning("row_weight", false, valueOf("weight_buffer", weightStorage, false));
  if (!quad) return [ofRow, returning("weight", quad, "row_weight_at(i / params.columns)")].join("\n");
  const values = evenRows
    ? "row_weight_at(4u * i / params.columns)"
    : four((k) => `row_weight_at(${k} / params.columns)`);
  return [ofRow, returning("weight", quad, `vec4f(${values})`)].join("\n");
}

/** Without labels no element is a label's own. */
function nobodysOwn(quad: boolean): string {
  return quad
    ? "fn own_at(i: u32) -> vec4<bool> { return vec4<bool>(false); }"
    : "fn own_at(i: u32) -> bool { return false; }";
}

/** One target of labels is 1, or the row's score, at the label's column, and 0 elsewhere. */
function labelReader(target: "labels" | "qualities", quad: boolean, evenRows: boolean): string {
  const score = target === "qualities" ? "scores_buffer[row]" : "1.0";
  if (quad && evenRows) return quadLabelReader(score);
  return /* wgsl */ `
fn is_own(i: u32) -> bool {
  let row = i / params.columns;
  return i32(i - row * params.columns) == labels[row];
}
fn own_target(i: u32) -> f32 {
  let row = i / params.columns;
  return select(0.0, ${score}, is_own(i));
}
fn own_at(i: u32) -> ${quad ? "vec4<bool>" : "bool"} { return ${
    quad ? `vec4<bool>(${four((k) => `is_own(${k})`)})` : "is_own(i)"
  }; }
${returning("target", quad, quad ? `vec4f(${four((k) => `own_target(${k})`)})` : "own_target(i)")}`;
}

const quadLabelReader = (score: string) => /* wgsl */ `
fn own_at(i: u32) -> vec4<bool> {
  let row = 4u * i / params.columns;
  let column = i32(4u * i - row * params.columns);
  return vec4i(labels[row]) == vec4i(column, column + 1, column + 2, column + 3);
}
fn target_at(i: u32) -> vec4f {
  let row = 4u * i / params.columns;
  return select(vec4f(0.0), vec4f(${score}), own_at(i));
}`;

/** The four elements of item i. */
function four(value: (element: string) => string): string {
  return [0, 1, 2, 3].map((k) => value(`(4u * i + ${k}u)`)).join(", ");
}
