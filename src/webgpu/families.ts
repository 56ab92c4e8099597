/**
 * The shaders around a loss's mathematics. A family turns an item (four elements, an element, a row or a pair of boxes)
 * into its value and its gradients; bindings and what becomes of the values (stored, or added up) are the
 * same for all.
 */
import { access, type Quads, type Variant } from "./bindings.ts";
import { LANES } from "./grid.ts";
import { type Fields, paramsText } from "./params.ts";
import { boxGeometry } from "./shaders/box_geometry.ts";
import { mirror } from "./shaders/mirror.ts";
import { numbers } from "./shaders/numbers.ts";
import { enabling, summing } from "./sums.ts";

/** Items that a lane takes, on hardware and on a software adapter. */
interface ItemsPerLane {
  readonly hardware: number;
  readonly software: number;
}

export interface Family {
  /** WGSL with `item(i)`: stores the gradients of an item and returns its weighted value, or its four values. */
  readonly text: string;
  /** Whether an item is a row. */
  readonly byRow: boolean;
  /** Values of an item. */
  readonly width: 1 | 4;
  readonly quads: Quads;
  readonly itemsPerLane: ItemsPerLane;
  /** Whether there is `near_item(i, &seen)` too, which is quicker, and right where `all_near(seen)`. */
  readonly near?: true;
  /** The family of the values that make no whole item. */
  readonly rest?: Family;
}

const ONE_ITEM: ItemsPerLane = { hardware: 1, software: 1 };

/**
 * The weighted value of an element and its gradient: of any numbers, and of near ones, which are neither NaN nor infinite
 * and let no value be so.
 */
const element = mirror + /* wgsl */ `
fn element(x: f32, y: f32, own: bool, weight: f32) -> vec2f {
  let nan = is_nan(x) | is_nan(y);
  let m = mirror(x, y, own);
  let finite = value(m);
  let loss = select(finite, params.infinity, is_infinite(x) & (finite != 0.0));
  return vec2f(weighed(select(loss, params.nan, nan), weight), select(slope_of(m, x, weight), params.nan, nan));
}
fn near_element(x: f32, y: f32, own: bool, weight: f32, seen: ptr<function, Seen>) -> vec2f {
  let m = near_mirror(x, y, own, seen);
  return vec2f(value(m) * weight, slope_of(m, x, weight));
}
fn slope_of(m: Mirror, x: f32, weight: f32) -> f32 {
  if (!GRADIENT) { return 0.0; }
  let slope = gradient(m);
  return select(-slope, slope, x <= 0.0) * params.factor * weight;
}
`;

const singleElements: Family = {
  byRow: false,
  width: 1,
  quads: [],
  itemsPerLane: ONE_ITEM,
  text: element + /* wgsl */ `
fn item(i: u32) -> f32 {
  let term = element(pred_at(i), target_at(i), own_at(i), weight_at(i));
  store_grad(i, term.y);
  return term.x;
}
`,
};

/** `item`, or `near_item`, of four elements. */
function quadItem(prefix: "" | "near_"): string {
  const [parameter, argument] = prefix === "" ? ["", ""] : [", seen: ptr<function, Seen>", ", seen"];
  const of = (k: string) => `${prefix}element(x.${k}, y.${k}, own.${k}, weight.${k}${argument})`;
  return /* wgsl */ `
fn ${prefix}item(i: u32${parameter}) -> vec4f {
  let x = pred_at(i);
  let y = target_at(i);
  let own = own_at(i);
  let weight = weight_at(i);
  let a = ${of("x")};
  let b = ${of("y")};
  let c = ${of("z")};
  let d = ${of("w")};
  store_grad(i, vec4f(a.y, b.y, c.y, d.y));
  return vec4f(a.x, b.x, c.x, d.x);
}`;
}

/** Losses over logits and targets in [0, 1]: an item is four elements; of what is left, each is one. */
export const elementwise: Family = {
  byRow: false,
  width: 4,
  quads: ["pred", "target", "weight", "values", "grad"],
  // So that few sums are left, and yet enough lanes to fill a device. Each lane costs a software adapter as much as an item.
  itemsPerLane: { hardware: 4, software: 16 },
  near: true,
  rest: singleElements,
  text: [element, quadItem(""), quadItem("near_")].join("\n"),
};

/** Losses over rows of logits: an item is a row, and the loss's text has its `item`. */
export const rowwise: Family = { byRow: true, width: 1, quads: [], itemsPerLane: ONE_ITEM, text: "" };

/** Losses over pairs of boxes: an item is a pair. */
export const boxwise: Family = {
  byRow: true,
  width: 1,
  quads: ["pred", "target", "grad"],
  itemsPerLane: ONE_ITEM,
  text: boxGeometry + /* wgsl */ `
fn item(i: u32) -> f32 {
  let p = pred_at(i);
  let t = target_at(i);
  let nan = is_nan_box(p) || is_nan_box(t);
  let term = cost(pair_of(p, t, params.eps));
  let weight = weight_at(i);
  if (GRADIENT) {
    let scale = select(1.0, params.nan, nan) * params.factor * weight;
    store_grad(i, term.gradient * scale);
  }
  return select(term.value, params.nan, nan) * weight;
}
`,
};

/** A weight of 0, or a factor, leaves nothing of an infinite loss; NaN stays. */
const weighed = /* wgsl */ `
fn weighed(loss: f32, weight: f32) -> f32 {
  let nothing = ((weight == 0.0) | (params.factor == 0.0)) & !is_nan(loss);
  return select(loss * weight, 0.0, nothing);
}
`;

/** The shader of a loss: its mathematics within its family, for one variant; `fields` are those of its `params`. */
export function lossShader(body: string, family: Family, variant: Variant, fields: Fields): string {
  return [
    enabling(variant.subgroups),
    `const SQUARED = ${variant.squared};`,
    `const GRADIENT = ${variant.gradient};`,
    paramsText(fields),
    numbers,
    weighed,
    access(variant, family.quads),
    family.text,
    body,
    summing(variant.subgroups),
    entry(family, variant),
  ].join("\n");
}

/** Statements of an entry point about the values of items. */
interface Tail {
  readonly before: string;
  readonly each: (item: string) => string;
  readonly after: string;
}

const storing: Tail = { before: "", each: (item) => `values[i] = ${item} * params.factor;`, after: "" };

const addingUp = ({ width }: Family, subgroups: boolean): Tail => {
  const sum = width === 4 ? "(own.x + own.y) + (own.z + own.w)" : "own";
  const store = subgroups
    ? `let sum = workgroup_sum(at, ${sum});
  if (at.lane == 0u && first < params.end) { values[params.first_sum + group] = sum; }`
    : `if (first < params.end) { values[params.first_sum + group * ${LANES}u + at.lane] = ${sum}; }`;
  return {
    before: `own = ${width === 4 ? "vec4f(0.0)" : "0.0"};`,
    each: (item) => `own += ${item};`,
    after: store,
  };
};

function entry(family: Family, variant: Variant): string {
  const { before, each, after } = variant.each ? storing : addingUp(family, variant.subgroups);
  const items = itemsPerGroup(family, variant.software);
  const over = (item: string) => `${before}\n  ${loop(items, variant.software, each(item))}`;
  return /* wgsl */ `
@compute @workgroup_size(${LANES})
fn main(at: Invocation) {
  let group = group_index(at);
  let first = params.first_item + group * ${items}u;
  let end = min(first + ${items}u, params.end);
  var own: ${family.width === 4 ? "vec4f" : "f32"};
  ${family.near ? nearFirst(over) : over("item(i)")}
  ${after}
}`;
}

/** All items of a lane as if they were near, and all of them again where one was not. */
const nearFirst = (over: (item: string) => string) =>
  /* wgsl */ `var seen = Seen(0, 0);
  ${over("near_item(i, &seen)")}
  if (!all_near(seen) || params.factor == 0.0) {
    ${over("item(i)")}
  }`;

/** Over a lane's items i. Hardware unrolls a known number; a condition within a loop costs SwiftShader an eighth of its time. */
function loop(items: number, software: boolean, body: string): string {
  if (software) return `for (var i = first + at.lane; i < end; i += ${LANES}u) { ${body} }`;
  return /* wgsl */ `for (var k = at.lane; k < ${items}u; k += ${LANES}u) {
    let i = first + k;
    if (i < end) { ${body} }
  }`;
}

function itemsPerGroup({ itemsPerLane }: Family, software: boolean): number {
  return LANES * (software ? itemsPerLane.software : itemsPerLane.hardware);
}

/** Workgroups that take so many items. */
export function groupsOf(family: Family, items: number, software: boolean): number {
  return Math.ceil(items / itemsPerGroup(family, software));
}
