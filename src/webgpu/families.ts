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

export interface Family {
  /** WGSL with `item(i)`: stores the gradients of an item and returns its weighted value, or its four values. */
  readonly text: string;
  /** Whether an item is a row. */
  readonly byRow: boolean;
  /** Values of an item. */
  readonly width: 1 | 4;
  readonly quads: Quads;
  readonly itemsPerGroup: number;
  /** The family of the values that make no whole item. */
  readonly rest?: Family;
}

const element = mirror + /* wgsl */ `
// The weighted value and its gradient.
fn element(x: f32, y: f32, own: bool, weight: f32) -> vec2f {
  let nan = is_nan(x) || is_nan(y);
  let m = mirror(x, y, own);
  var slope = 0.0;
  if (GRADIENT) {
    slope = gradient(m);
    slope = select(select(-slope, slope, x <= 0.0), params.nan, nan) * params.factor * weight;
  }
  let finite = value(m);
  let loss = select(finite, params.infinity, is_infinite(x) && finite != 0.0);
  return vec2f(weighed(select(loss, params.nan, nan), weight), slope);
}
`;

const singleElements: Family = {
  byRow: false,
  width: 1,
  quads: [],
  itemsPerGroup: LANES,
  text: element + /* wgsl */ `
fn item(i: u32) -> f32 {
  let term = element(pred_at(i), target_at(i), own_at(i), weight_at(i));
  store_grad(i, term.y);
  return term.x;
}
`,
};

/** Losses over logits and targets in [0, 1]: an item is four elements; of what is left, each is one. */
export const elementwise: Family = {
  byRow: false,
  width: 4,
  quads: ["pred", "target", "weight", "values", "grad"],
  // 4 items a lane, so that few sums are left and yet enough lanes to fill a device.
  itemsPerGroup: 4 * LANES,
  rest: singleElements,
  text: element + /* wgsl */ `
fn item(i: u32) -> vec4f {
  let x = pred_at(i);
  let y = target_at(i);
  let own = own_at(i);
  let weight = weight_at(i);
  let a = element(x.x, y.x, own.x, weight.x);
  let b = element(x.y, y.y, own.y, weight.y);
  let c = element(x.z, y.z, own.z, weight.z);
  let d = element(x.w, y.w, own.w, weight.w);
  store_grad(i, vec4f(a.y, b.y, c.y, d.y));
  return vec4f(a.x, b.x, c.x, d.x);
}
`,
};

/** Losses over rows of logits: an item is a row, and the loss's text has its `item`. */
export const rowwise: Family = { byRow: true, width: 1, quads: [], itemsPerGroup: LANES, text: "" };

/** Losses over pairs of boxes: an item is a pair. */
export const boxwise: Family = {
  byRow: true,
  width: 1,
  quads: ["pred", "target", "grad"],
  itemsPerGroup: LANES,
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
  let nothing = (weight == 0.0 || params.factor == 0.0) && !is_nan(loss);
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
    entry(family, variant.each ? storing : addingUp(family, variant.subgroups)),
  ].join("\n");
}

/** Statements of an entry point about the values of items. */
interface Tail {
  readonly before: string;
  readonly each: string;
  readonly after: string;
}

const storing: Tail = { before: "", each: "values[i] = item(i) * params.factor;", after: "" };

const addingUp = ({ width, itemsPerGroup }: Family, subgroups: boolean): Tail => {
  const sum = width === 4 ? "(own.x + own.y) + (own.z + own.w)" : "own";
  const store = subgroups
    ? `let sum = workgroup_sum(at, ${sum});
  if (at.lane == 0u && first < params.end) { values[params.first_sum + group] = sum; }`
    : `if (first < params.end) { values[params.first_sum + group * ${LANES}u + at.lane] = ${sum}; }`;
  return {
    before: `var own = ${width === 4 ? "vec4f(0.0)" : "0.0"};`,
    each: "own += item(i);",
    after: `let first = params.first_item + group * ${itemsPerGroup}u;\n  ${store}`,
  };
};

const entry = ({ itemsPerGroup }: Family, { before, each, after }: Tail) => /* wgsl */ `
@compute @workgroup_size(${LANES})
fn main(at: Invocation) {
  let group = group_index(at);
  ${before}
  for (var k = at.lane; k < ${itemsPerGroup}u; k += ${LANES}u) {
    let i = params.first_item + group * ${itemsPerGroup}u + k;
    if (i < params.end) { ${each} }
  }
  ${after}
}`;

/** Workgroups that take so many items. */
export function groupsOf(family: Family, items: number): number {
  return Math.ceil(items / family.itemsPerGroup);
}
