/**
 * Loss of prototype masks: windows of the boxes, then loss and slope of each of their pixels, then sums of the slopes for the two
 * gradients. A window's pixels are shared out: a lane takes those at a distance of `params.parts`.
 */

/** Pixels that a lane adds up before it adds them to the others: a sum of 64 has 16 roundings. */
const CHAIN = 8;

/** What all the shaders know of windows. */
const windows = /* wgsl */ `
struct Window {
  first: vec2u,
  end: vec2u,
  size: vec2f,   // of the whole box
  weight: f32,
}
fn over_area(value: f32, window: Window) -> f32 { return value / window.size.x / window.size.y; }
fn scale_of(window: Window) -> f32 { return over_area(params.factor * window.weight, window); }
`;

/** Item i: the window of box i. */
export const boxWindows = windows + /* wgsl */ `
@group(0) @binding(1) var<storage, read_write> windows: array<Window>;
@group(0) @binding(2) var<storage, read_write> wrong: array<atomic<u32>, 2>;

fn is_finite(x: f32) -> bool { return !is_nan(x) && !is_infinite(x); }

fn edges_of(corner: vec2f) -> vec2u {
  return vec2u(clamp(ceil(corner), vec2f(0.0), vec2f(f32(params.width), f32(params.height))));
}

fn item(i: u32) {
  let low = vec2f(boxes_at(4u * i), boxes_at(4u * i + 1u));
  let high = vec2f(boxes_at(4u * i + 2u), boxes_at(4u * i + 3u));
  let finite = is_finite(low.x) && is_finite(low.y) && is_finite(high.x) && is_finite(high.y);
  var window = Window(vec2u(0u), vec2u(0u), vec2f(1.0), weight_at(i));
  if (finite && all(high > low)) {
    window.end = edges_of(high);
    window.first = min(edges_of(low), window.end);
    window.size = high - low;
  } else {
    atomicMin(&wrong[0], i);
  }
  windows[i] = window;
}
`;

/** How a lane walks through a window: `value_at(of, pixel)` is what it adds up. */
const adding = /* wgsl */ `
fn sum_of(of_what: u32, window: Window, part: u32) -> f32 {
  let extent = window.end - window.first;
  let pixels = extent.x * extent.y;
  var total = 0.0;
  var k = part;
  while (k < pixels) {
    var chain = 0.0;
    for (var i = 0u; i < ${CHAIN}u && k < pixels; i++) {
      let y = k / extent.x;
      chain += value_at(of_what, (window.first.y + y) * params.width + window.first.x + k - y * extent.x);
      k += params.parts;
    }
    total += chain;
  }
  return total;
}
`;

/** Item i: a part of an object's loss, and with GRADIENT the slopes of its pixels by their logits. */
export const maskLoss = windows + adding + /* wgsl */ `
@group(0) @binding(1) var<storage, read> windows: array<Window>;
@group(0) @binding(2) var<storage, read> masks: array<u32>;
@group(0) @binding(3) var<storage, read_write> wrong: array<atomic<u32>, 2>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;

fn logit_of(object: u32, pixel: u32) -> f32 {
  var logit = 0.0;
  var place = pixel;
  for (var channel = 0u; channel < params.channels; channel++) {
    logit += coefficients_at(object * params.channels + channel) * prototypes_at(place);
    place += params.height * params.width;
  }
  return logit;
}

fn value_at(object: u32, pixel: u32) -> f32 {
  let at = object * params.height * params.width + pixel;
  let byte = (masks[at / 4u] >> (8u * (at % 4u))) & 0xffu;
  if (byte > 1u) { atomicMin(&wrong[1], at); }
  let logit = logit_of(object, pixel);
  let nan = is_nan(logit);
  // As if the target were 0.
  let x = select(logit, -logit, byte == 1u);
  let over = x > 0.0;
  let a = min(abs(x), 3.4e38);
  let e = exp_of_minus(a);
  let share = select(e, 1.0, over) / (1.0 + e);
  store_slope(at, select(select(share, -share, byte == 1u), params.nan, nan));
  let loss = select(select(0.0, a, over) + log1p_of(e), params.infinity, over && is_infinite(logit));
  return select(loss, params.nan, nan);
}

// A weight of 0, or a factor, leaves nothing of an infinite loss; NaN stays.
fn weighed(loss: f32, weight: f32) -> f32 {
  let nothing = (weight == 0.0 || params.factor == 0.0) && !is_nan(loss);
  return select(loss * weight, 0.0, nothing);
}

fn item(i: u32) {
  let object = i / params.parts;
  let window = windows[object];
  let loss = over_area(sum_of(object, window, i - object * params.parts), window);
  sums[i] = weighed(loss, window.weight) * params.value_factor;
}
`;

/** Item i: a part of the gradient of a coefficient. */
export const coefficientSlopes = windows + adding + /* wgsl */ `
@group(0) @binding(1) var<storage, read> windows: array<Window>;
@group(0) @binding(2) var<storage, read> slopes: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

fn value_at(row: u32, pixel: u32) -> f32 {
  let plane = params.height * params.width;
  let object = row / params.channels;
  let channel = row - object * params.channels;
  return slopes[object * plane + pixel] * prototypes_at(channel * plane + pixel);
}

fn item(i: u32) {
  let row = i / params.parts;
  let window = windows[row / params.channels];
  sums[i] = sum_of(row, window, i - row * params.parts) * scale_of(window);
}
`;

/** Item i: the gradients of a pixel of four prototypes, added up in the order of objects. */
export const prototypeSlopes = windows + /* wgsl */ `
@group(0) @binding(1) var<storage, read> windows: array<Window>;
@group(0) @binding(2) var<storage, read> slopes: array<f32>;
@group(0) @binding(3) var<storage, read_write> grad: array<f32>;

fn item(i: u32) {
  let plane = params.height * params.width;
  let channel = 4u * (i / plane);
  let pixel = i % plane;
  let at = vec2u(pixel % params.width, pixel / params.width);
  var sum = vec4f(0.0);
  for (var object = 0u; object < params.objects; object++) {
    let window = windows[object];
    if (!(all(at >= window.first) && all(at < window.end))) { continue; }
    let row = object * params.channels + channel;
    // Of a channel too many nothing is stored.
    let four = vec4f(coefficients_at(row), coefficients_at(row + 1u), coefficients_at(row + 2u), coefficients_at(row + 3u));
    sum += slopes[object * plane + pixel] * (four * scale_of(window));
  }
  for (var k = 0u; k < 4u && channel + k < params.channels; k++) { grad[(channel + k) * plane + pixel] = sum[k]; }
}
`;
