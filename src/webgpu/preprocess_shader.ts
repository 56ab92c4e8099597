/**
 * The shader of `preprocess`, in the whole numbers of the kernels, so that both make the same bytes.
 */
import type { Method } from "../pixels/coefficients.ts";
import type { CheckedInput } from "../pixels/input.ts";

/** Properties of an image and its input for which the shader is compiled. */
export interface PreprocessVariant {
  readonly method: Method;
  readonly dtype: CheckedInput["dtype"];
  readonly layout: CheckedInput["layout"];
  readonly order: CheckedInput["order"];
  /** Whether the values of an item fill whole words. */
  readonly evenWords: boolean;
}

/** Pixels of an item: its values of one channel fill a word. */
export const PIXELS_OF_ITEM = { float32: 1, float16: 2, uint8: 4 } as const;

/** Sums over neighbours with coefficients of 11 bits: (first, coefficients) of each column in `columns`, of each row in `rows`. */
const across = (taps: number) => /* wgsl */ `
fn across(x: u32, y: i32) -> vec3i {
  let entry = x * ${taps + 1}u;
  var sum = vec3i(0);
  for (var k = 0u; k < ${taps}u; k++) {
    sum += pixel(columns[entry] + i32(k), y) * columns[entry + 1u + k];
  }
  return sum;
}`;

/** Two rows, whose sums are rounded down twice before they meet. */
const linear = /* wgsl */ `${across(2)}
fn resized(x: u32, y: u32) -> vec3i {
  let entry = y * 3u;
  let upper = ((across(x, rows[entry]) >> vec3u(4u)) * rows[entry + 1u]) >> vec3u(16u);
  let lower = ((across(x, rows[entry] + 1) >> vec3u(4u)) * rows[entry + 2u]) >> vec3u(16u);
  return (upper + lower + 2) >> vec3u(2u);
}`;

/** Four rows, and one rounding of 22 bits. */
const cubic = /* wgsl */ `${across(4)}
fn resized(x: u32, y: u32) -> vec3i {
  let entry = y * 5u;
  var sum = vec3i(1 << 21u);
  for (var k = 0u; k < 4u; k++) {
    sum += across(x, rows[entry] + i32(k)) * rows[entry + 1u + k];
  }
  return clamp(sum >> vec3u(22u), vec3i(0), vec3i(255));
}`;

/** The mean over a cell: (first whole pixel, how many are whole, weights of the pixels before and after these). */
const area = /* wgsl */ `
fn row_sum(entry: u32, y: i32) -> vec3u {
  let first = columns[entry];
  let whole = columns[entry + 1u];
  var sum = pixel(first - 1, y) * columns[entry + 2u] + pixel(first + whole, y) * columns[entry + 3u];
  var inner = vec3i(0);
  for (var k = 0; k < whole; k++) { inner += pixel(first + k, y); }
  return vec3u(sum + (inner << vec3u(params.column_shift)));
}
fn resized(x: u32, y: u32) -> vec3i {
  let column = x * 4u;
  let row = y * 4u;
  let first = rows[row];
  let whole = rows[row + 1u];
  var sum = row_sum(column, first - 1) * u32(rows[row + 2u]) + row_sum(column, first + whole) * u32(rows[row + 3u]);
  for (var k = 0; k < whole; k++) { sum += row_sum(column, first + k) << vec3u(params.row_shift); }
  let width = (u32(columns[column + 1u]) << params.column_shift) + u32(columns[column + 2u] + columns[column + 3u]);
  let height = (u32(whole) << params.row_shift) + u32(rows[row + 2u] + rows[row + 3u]);
  let weight = vec3u(width * height);
  let mean = sum / weight;
  let twice = 2u * (sum - mean * weight);
  let up = (twice > weight) | ((twice == weight) & ((mean & vec3u(1u)) == vec3u(1u)));
  return vec3i(mean + select(vec3u(0u), vec3u(1u), up));
}`;

const RESIZED = { bilinear: linear, "bilinear-area": linear, bicubic: cubic, area };

/**
 * A texture to an image's values of the input: bytes as the kernels make them, then their values from the table `values`. An
 * item's invocation has as many pixels as fill a word with one channel.
 */
export function preprocessShader({ method, dtype, layout, order, evenWords }: PreprocessVariant): string {
  const pixels = PIXELS_OF_ITEM[dtype];
  const bits = 32 / pixels;
  const planes = layout === "nchw";
  const place = planes ? `c * ${pixels}u + k` : "3u * k + c";
  const word = planes ? "w * (params.area / PIXELS) + i" : "3u * i + w";
  const value = planes ? "c * params.area + p" : "3u * p + c";
  return /* wgsl */ `
const PIXELS = ${pixels}u;
const BITS = ${bits}u;
@group(0) @binding(1) var image: texture_2d<f32>;
@group(0) @binding(2) var<storage, read> columns: array<i32>;
@group(0) @binding(3) var<storage, read> rows: array<i32>;
@group(0) @binding(4) var<storage, read> values: array<u32>;
@group(0) @binding(5) var<storage, read_write> result: array<${evenWords ? "u32" : "atomic<u32>"}>;
fn pixel(x: i32, y: i32) -> vec3i {
  let last = vec2i(textureDimensions(image)) - 1;
  return vec3i(round(textureLoad(image, clamp(vec2i(x, y), vec2i(0), last), 0).rgb * 255.0));
}
${RESIZED[method]}
fn bytes_of(p: u32) -> vec3i {
  let x = p % params.width - params.left;
  let y = p / params.width - params.top;
  // What is left of or above the image wraps to large numbers.
  if (x >= params.placed_width || y >= params.placed_height) { return vec3i(i32(params.pad_value)); }
  return resized(x, y)${order === "bgr" ? ".zyx" : ""};
}
fn write(i: u32) {
  var found: array<u32, ${3 * pixels}>;
  for (var k = 0u; k < PIXELS; k++) {
    let bytes = bytes_of(i * PIXELS + k);
    for (var c = 0u; c < 3u; c++) { found[${place}] = values[256u * c + u32(bytes[c])]; }
  }
  ${evenWords ? wholeWords(word) : eachValue(place, value)}
}`;
}

const wholeWords = (word: string) =>
  /* wgsl */ `for (var w = 0u; w < 3u; w++) {
    var joined = 0u;
    for (var j = 0u; j < PIXELS; j++) { joined |= found[w * PIXELS + j] << (j * BITS); }
    result[params.before / PIXELS + ${word}] = joined;
  }`;

/** Words have values of more than one item: each is added to a buffer of zeros. */
const eachValue = (place: string, value: string) =>
  /* wgsl */ `for (var k = 0u; k < PIXELS; k++) {
    let p = i * PIXELS + k;
    if (p >= params.area) { break; }
    for (var c = 0u; c < 3u; c++) {
      let at = params.before + ${value};
      atomicOr(&result[at / PIXELS], found[${place}] << (at % PIXELS * BITS));
    }
  }`;
