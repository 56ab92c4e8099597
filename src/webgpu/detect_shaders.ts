/**
 * The two shaders of `detect`: one lists the classes over the threshold, in any order; the other decodes the box channels of
 * the listed anchors.
 */
import { eachItem } from "./grid.ts";
import { keyOf } from "./keys.ts";
import { moments, softmax } from "./shaders/distribution.ts";
import { half } from "./shaders/half.ts";
import { numbers } from "./shaders/numbers.ts";
import { readable, type Storage } from "./storage.ts";

/** Invocations of a workgroup: few, so that an image's anchors spread over more of a device's units. */
export const DETECT_LANES = 64;
/**
 * Words before the first candidate of a list: how many there are, how many values among probabilities are none, and of one
 * of those 2 · anchor, odd for objectness, and the value; and words of a candidate.
 */
export const LIST_HEAD = 4;
export const CANDIDATE_WORDS = 4;

/** Properties of a search for which a filter is compiled. */
export interface FilterVariant {
  readonly classes: Storage;
  /** Null where the head has none. */
  readonly objectness: Storage | null;
  readonly logits: boolean;
  /** Of probabilities. */
  readonly range: readonly [number, number];
  readonly multiLabel: boolean;
}

export interface SidesVariant {
  readonly boxes: Storage;
  readonly distribution: boolean;
  readonly uncertainty: boolean;
}

/** Words of a candidate's sides: of each a value and, with uncertainty, a deviation, a saturation and an excess. */
export function sideWords(uncertainty: boolean): number {
  return uncertainty ? 16 : 4;
}

const params = /* wgsl */ `
// Where a channel of an anchor stands in its buffer: base + anchor * by_anchor + channel * by_channel.
struct Layout { base: u32, by_anchor: u32, by_channel: u32 }

struct Params {
  first_anchor: u32,
  anchors: u32,
  channels: u32,     // classes, or bins
  capacity: u32,     // of the list, in candidates
  threshold: u32,    // as a key
  product: f32,
  nan: f32,
  @align(16) main: Layout,      // of the classes, or of the box channels
  @align(16) objectness: Layout,
}
@group(0) @binding(0) var<uniform> params: Params;

fn at(field: Layout, anchor: u32, channel: u32) -> u32 {
  return field.base + anchor * field.by_anchor + channel * field.by_channel;
}
`;

/** Lists the best class of each anchor of a part, or every class, that is over the threshold. */
export function filterShader({ classes, objectness, logits, range, multiLabel }: FilterVariant): string {
  return [
    `const LOGITS = ${logits};`,
    `const MIN_KEY = ${keyOf(range[0])}u;`,
    `const MAX_KEY = ${keyOf(range[1])}u;`,
    `const JOINED = ${objectness !== null};`,
    `const EVERY = ${multiLabel};`,
    params,
    "@group(0) @binding(1) var<storage, read_write> list: List;",
    numbers,
    half,
    readable(2, "classes", classes),
    objectness === null ? "fn objectness_at(k: u32) -> f32 { return 0.0; }" : readable(3, "objectness", objectness),
    filter,
  ].join("\n");
}

const filter = /* wgsl */ `
struct List { count: atomic<u32>, outside: atomic<u32>, address: u32, value: u32, candidates: array<vec4u> }

// Keys are in the order of the floats, with one for both zeros and 0 for NaN, which is less than any threshold's.
fn key_of(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let key = select(bits | 0x80000000u, ~bits, bits > 0x80000000u);
  return select(key, 0u, magnitude > 0x7f800000u);
}

// Probabilities are within the bounds of rounding; NaN is none, and no error.
fn check(anchor: u32, value: f32, role: u32) {
  let key = key_of(value);
  if (key == 0u || (key >= MIN_KEY && key <= MAX_KEY)) { return; }
  if (atomicAdd(&list.outside, 1u) == 0u) {
    list.address = 2u * (params.first_anchor + anchor) + role;
    list.value = bitcast<u32>(value);
  }
}

fn probability_of(x: f32) -> f32 {
  if (!LOGITS) { return x; }
  let e = exp_of_minus(abs(x));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}

fn passes(key: u32, value: f32, other: f32) -> bool {
  if (!JOINED) { return key > params.threshold; }
  let product = probability_of(value) * probability_of(other);
  return key != 0u && key_of(other) != 0u && (params.product <= 0.0 || product >= params.product);
}

fn append(anchor: u32, label: u32, value: f32, other: f32) {
  let slot = atomicAdd(&list.count, 1u);
  if (slot < params.capacity) {
    list.candidates[slot] = vec4u(params.first_anchor + anchor, label, bitcast<u32>(value), bitcast<u32>(other));
  }
}

fn search(anchor: u32) {
  var other = 0.0;
  if (JOINED) { other = objectness_at(at(params.objectness, anchor, 0u)); }
  if (JOINED && !LOGITS) { check(anchor, other, 1u); }
  var best = 0u;
  var best_value = 0.0;
  var best_label = 0u;
  for (var label = 0u; label < params.channels; label++) {
    let value = classes_at(at(params.main, anchor, label));
    if (!LOGITS) { check(anchor, value, 0u); }
    let key = key_of(value);
    if (EVERY) {
      if (passes(key, value, other)) { append(anchor, label, value, other); }
    } else if (key > best) {
      best = key;
      best_value = value;
      best_label = label;
    }
  }
  if (!EVERY && passes(best, best_value, other)) { append(anchor, best_label, best_value, other); }
}
${eachItem("search(i);", "params.anchors", DETECT_LANES)}
`;

/** The sides of the listed candidates of a part: values as they are, or the expectations of distributions. */
export function sidesShader({ boxes, distribution, uncertainty }: SidesVariant): string {
  return [
    `const UNCERTAINTY = ${uncertainty};`,
    params,
    "struct List { count: u32, candidates: array<vec4u> }",
    "@group(0) @binding(1) var<storage, read> list: List;",
    "@group(0) @binding(2) var<storage, read_write> sides: array<f32>;",
    numbers,
    half,
    readable(3, "boxes", boxes),
    distribution ? ofDistribution : ofValues,
    sidesMain(sideWords(uncertainty)),
  ].join("\n");
}

const ofValues = /* wgsl */ `
fn store_side(anchor: u32, side: u32, to: u32) { sides[to] = boxes_at(at(params.main, anchor, side)); }
`;

const ofDistribution = softmax + moments + /* wgsl */ `
fn bin_count() -> u32 { return params.channels; }
fn raw_logit(start: u32, bin: u32) -> f32 { return boxes_at(start + bin * params.main.by_channel); }

fn store_side(anchor: u32, side: u32, to: u32) {
  let start = at(params.main, anchor, side * params.channels);
  let peak = peak_of(start);
  let expectation = expectation_of(peak, start);
  sides[to] = select(expectation.mean, params.nan, peak.nan);
  if (UNCERTAINTY) {
    let spread = spread_of(peak, start, expectation);
    let last = exp_of_minus(gap_of(peak, start, params.channels - 1u)) / expectation.sum;
    sides[to + 4u] = select(spread.deviation, params.nan, peak.nan);
    sides[to + 8u] = select(last, params.nan, peak.nan);
    sides[to + 12u] = select(spread.excess, params.nan, peak.nan);
  }
}
`;

/** Four items are the sides of a candidate. */
const sidesMain = (words: number) => /* wgsl */ `
fn gather_side(candidate: u32, side: u32) {
  let anchor = list.candidates[candidate].x - params.first_anchor;
  // One of another part: what is before this one wraps around.
  if (anchor >= params.anchors) { return; }
  store_side(anchor, side, candidate * ${words}u + side);
}
${eachItem("gather_side(i / 4u, i % 4u);", "4u * min(list.count, params.capacity)", DETECT_LANES)}
`;

export interface ChannelsVariant {
  readonly values: Storage;
  /** Of the candidates of a list; else of anchors, which are known. */
  readonly listed: boolean;
}

/** Channels as they are, of the anchors of a part: those of a candidate or an anchor side by side. */
export function channelsShader({ values, listed }: ChannelsVariant): string {
  return [
    params,
    listed ? ofCandidates : ofAnchors,
    "@group(0) @binding(2) var<storage, read_write> channels: array<f32>;",
    half,
    readable(3, "values", values),
    channelsMain,
  ].join("\n");
}

const ofCandidates = /* wgsl */ `
struct List { count: u32, candidates: array<vec4u> }
@group(0) @binding(1) var<storage, read> list: List;
fn count() -> u32 { return min(list.count, params.capacity); }
fn anchor_of(i: u32) -> u32 { return list.candidates[i].x; }
`;

const ofAnchors = /* wgsl */ `
@group(0) @binding(1) var<storage, read> anchors: array<u32>;
fn count() -> u32 { return params.capacity; }
fn anchor_of(i: u32) -> u32 { return anchors[i]; }
`;

const channelsMain = /* wgsl */ `
fn gather_channel(i: u32, channel: u32) {
  let anchor = anchor_of(i) - params.first_anchor;
  // One of another part: what is before this one wraps around.
  if (anchor >= params.anchors) { return; }
  channels[i * params.channels + channel] = values_at(at(params.main, anchor, channel));
}
${eachItem("gather_channel(i / params.channels, i % params.channels);", "count() * params.channels", DETECT_LANES)}
`;
