/**
 * The two shaders of masks: logits of each window at the prototypes' resolution; and bits, 32 pixels of a row in a word.
 */
import { PIXEL_NUMBERS, WINDOW_NUMBERS } from "../masks/bit_plan.ts";
import { eachItem } from "./grid.ts";
import { paramsText } from "./params.ts";
import { half } from "./shaders/half.ts";
import { readable, type Storage } from "./storage.ts";

/** Whole numbers of `params`: of the windows of this run, and of the prototypes in their binding. */
export const MASK_COUNTS = {
  items: 0,
  first_window: 0,
  windows: 0,
  first_sample: 0,
  channels: 0,
  base: 0,
  by_channel: 0,
  by_row: 0,
  by_column: 0,
};

const windows = /* wgsl */ `
${paramsText({ counts: MASK_COUNTS, parameters: {} })}
@group(0) @binding(1) var<storage, read> table: array<u32>;

const FIRST_WORD = 9u;
const FIRST_SAMPLE = 10u;

fn number_of(window: u32, member: u32) -> u32 { return table[window * ${WINDOW_NUMBERS}u + member]; }

// The last window of the run whose first word or sample is not behind the item.
fn window_of(item: u32, member: u32) -> u32 {
  var low = params.first_window;
  var high = low + params.windows;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (number_of(middle, member) <= item) { low = middle; } else { high = middle; }
  }
  return low;
}
`;

/** Sums of coefficient · prototype; one of the even and one of the odd channels, as in assembly/masks/mask_logits.ts. */
export function maskLogitsShader(prototypes: Storage): string {
  return /* wgsl */ `${windows}
@group(0) @binding(2) var<storage, read> coefficients: array<f32>;
@group(0) @binding(3) var<storage, read_write> logits: array<f32>;
${half}
${readable(4, "prototypes", prototypes)}

fn logit(item: u32) -> f32 {
  let window = window_of(item, FIRST_SAMPLE);
  let at = item - number_of(window, FIRST_SAMPLE);
  let width = number_of(window, 6u);
  let row = number_of(window, 5u) + at / width;
  let column = number_of(window, 4u) + at % width;
  var place = params.base + row * params.by_row + column * params.by_column;
  let first = number_of(window, 11u) * params.channels;
  var sums = vec2f(0.0);
  for (var channel = 0u; channel < params.channels; channel++) {
    let product = coefficients[first + channel] * prototypes_at(place);
    if ((channel & 1u) == 0u) { sums.x += product; } else { sums.y += product; }
    place += params.by_channel;
  }
  return sums.x + sums.y;
}
${eachItem("logits[i] = logit(params.first_sample + i);")}`;
}

/** Bits of the pixels whose bilinear interpolation of the logits is over 0, as in assembly/masks/mask_pixels.ts. */
export const maskBitsShader = /* wgsl */ `${windows}
@group(0) @binding(2) var<storage, read> across: array<u32>;
@group(0) @binding(3) var<storage, read> down: array<u32>;
@group(0) @binding(4) var<storage, read> logits: array<f32>;
@group(0) @binding(5) var<storage, read_write> bits: array<u32>;

// NaN is not.
fn is_over_0(x: f32) -> bool { return bitcast<u32>(x) - 1u < 0x7f800000u; }

struct Corner { logit: f32, over: u32 }

fn corner_at(i: u32) -> Corner {
  let logit = logits[i];
  return Corner(logit, select(0u, 1u, is_over_0(logit)));
}

fn is_mask(window: u32, x: u32, y: u32) -> bool {
  let width = number_of(window, 6u);
  let first = number_of(window, FIRST_SAMPLE) - params.first_sample;
  let left = number_of(window, 4u);
  let top = number_of(window, 5u);
  let above = first + (down[${PIXEL_NUMBERS}u * y] - top) * width;
  let below = first + (down[${PIXEL_NUMBERS}u * y + 1u] - top) * width;
  let near = across[${PIXEL_NUMBERS}u * x] - left;
  let far = across[${PIXEL_NUMBERS}u * x + 1u] - left;
  let near_above = corner_at(above + near);
  let far_above = corner_at(above + far);
  let near_below = corner_at(below + near);
  let far_below = corner_at(below + far);
  let over = near_above.over + far_above.over + near_below.over + far_below.over;
  if (over == 0u || over == 4u) { return over == 4u; }
  let weights = vec2f(bitcast<f32>(across[${PIXEL_NUMBERS}u * x + 2u]), bitcast<f32>(across[${PIXEL_NUMBERS}u * x + 3u]));
  let heights = vec2f(bitcast<f32>(down[${PIXEL_NUMBERS}u * y + 2u]), bitcast<f32>(down[${PIXEL_NUMBERS}u * y + 3u]));
  let fixed = weights.x * heights.x * near_above.logit + weights.y * heights.y * far_below.logit;
  let changing = weights.y * heights.x * far_above.logit + weights.x * heights.y * near_below.logit;
  return is_over_0(fixed + changing);
}

fn word(item: u32) -> u32 {
  let window = window_of(item, FIRST_WORD);
  let at = item - number_of(window, FIRST_WORD);
  let words = number_of(window, 8u);
  let y = number_of(window, 1u) + at / words;
  let first = at % words * 32u;
  let width = number_of(window, 2u);
  var result = 0u;
  for (var k = 0u; k < 32u && first + k < width; k++) {
    if (is_mask(window, number_of(window, 0u) + first + k, y)) { result |= 1u << k; }
  }
  return result;
}

fn store_word(item: u32) { bits[item] = word(item); }
${eachItem("store_word(number_of(params.first_window, FIRST_WORD) + i);")}`;
