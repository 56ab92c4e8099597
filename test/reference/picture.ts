/** Geometry and interpolation of pictures, one output pixel at a time. */

export interface Picture {
  data: ArrayLike<number>;
  width: number;
  height: number;
}

export interface Input {
  size: readonly number[];
  fit: string;
  scaleUp?: boolean;
  rounding?: string;
  padValue?: number;
  resize?: string;
  order?: "rgb" | "bgr";
  layout?: string;
  scale?: number;
  mean?: readonly number[];
  std?: readonly number[];
  dtype?: string;
}

export const CHANNEL_ORDERS = { rgb: [0, 1, 2], bgr: [2, 1, 0] };

/** Nearest whole number, halves to the even one: the remainder decides. */
function even(value: number): number {
  const up = Math.ceil(value - 0.5);
  return value - 0.5 === up && up % 2 !== 0 ? up + 1 : up;
}

export function placeOf({ size: [H, W], fit, scaleUp = true, rounding = "round" }: Input, { width, height }: Picture) {
  const limit = scaleUp ? Infinity : 1;
  const ratio = Math.min(H / height, W / width, limit);
  const whole = (value: number) => Math.max(1, rounding === "floor" ? Math.trunc(value) : even(value));
  const w = fit === "stretch" ? W : whole(width * ratio);
  const h = fit === "stretch" ? H : whole(height * ratio);
  // As Ultralytics writes it.
  const before = (padding: number) => fit === "letterbox" ? Math.max(0, even(padding / 2 - 0.1)) : 0;
  const [left, top] = [before(W - w), before(H - h)];
  const transform = { scaleX: w / width, scaleY: h / height, padX: left, padY: top, clip: [height, width] };
  return { width: w, height: h, left, top, transform };
}

/** RGB bytes of a picture of another size. */
export function resized(picture: Picture, width: number, height: number, resize: string): number[] {
  const channels = picture.data.length / picture.width / picture.height;
  const clip = (at: number, length: number) => Math.min(length - 1, Math.max(0, at));
  const byteAt = (c: number) => (x: number, y: number) => {
    const pixel = clip(y, picture.height) * picture.width + clip(x, picture.width);
    return picture.data[channels * pixel + (channels === 1 ? 0 : c)];
  };
  const shrinks = picture.width >= width && picture.height >= height;
  const method = resize === "area" ? shrinks ? "area" : "area-bilinear" : resize;
  const columns = Array.from({ length: width }, (_, u) => shares[method](u, picture.width, width));
  const rows = Array.from({ length: height }, (_, v) => shares[method](v, picture.height, height));
  return rows.flatMap((row) =>
    columns.flatMap((column) => [0, 1, 2].map((c) => combine[method](row, column, byteAt(c))))
  );
}

/** What an output pixel takes of the source along one axis: pixels from `at` on, a weight each. */
interface Share {
  at: number;
  weights: number[];
}

type Combine = (row: Share, column: Share, byte: (x: number, y: number) => number) => number;

const shares: Record<string, (i: number, from: number, to: number) => Share> = {
  bilinear(i, from, to) {
    const centre = Math.fround((i + 0.5) * (1 / (to / from)) - 0.5);
    return neighbours(Math.floor(centre), Math.fround(centre - Math.floor(centre)));
  },
  "area-bilinear"(i, from, to) {
    const at = Math.floor(i * (1 / (to / from)));
    const share = Math.fround(Math.max(0, i + 1 - (at + 1) * (to / from)));
    return neighbours(at, Math.fround(share % 1));
  },
  bicubic(i, from, to) {
    const centre = Math.fround((i + 0.5) * (1 / (to / from)) - 0.5);
    const x = Math.fround(centre - Math.floor(centre));
    // In powers of x; the four are 1 together.
    const a = -0.75;
    const [x2, x3] = [x * x, x * x * x];
    const weights = [
      a * (x - 2 * x2 + x3),
      1 - (a + 3) * x2 + (a + 2) * x3,
      -a * x + (2 * a + 3) * x2 - (a + 2) * x3,
      a * (x2 - x3),
    ];
    return { at: Math.floor(centre) - 1, weights: weights.map((weight) => even(2048 * weight)) };
  },
  area(i, from, to) {
    const [start, end] = [i * from / to, (i + 1) * from / to];
    const at = Math.floor(start);
    const overlap = (pixel: number) => Math.max(0, Math.min(end, pixel + 1) - Math.max(start, pixel));
    return { at, weights: Array.from({ length: Math.ceil(end) - at }, (_, k) => overlap(at + k)) };
  },
};

/** Weights of a pixel and the next in 11 bits. */
function neighbours(at: number, share: number): Share {
  return { at, weights: [even(2048 * Math.fround(1 - share)), even(2048 * share)] };
}

function across({ at, weights }: Share, byte: (x: number) => number): number {
  return weights.reduce((sum, weight, k) => sum + weight * byte(at + k), 0);
}

const bilinear: Combine = (row, column, byte) => {
  const [upper, lower] = row.weights.map((weight, k) => {
    const sum = across(column, (x) => byte(x, row.at + k));
    return Math.floor(Math.floor(sum / 16) * weight / 65536);
  });
  return Math.floor((upper + lower + 2) / 4);
};

const combine: Record<string, Combine> = {
  bilinear,
  "area-bilinear": bilinear,
  bicubic(row, column, byte) {
    const sum = across(row, (y) => across(column, (x) => byte(x, y)));
    return Math.min(255, Math.max(0, Math.floor(sum / 2 ** 22 + 0.5)));
  },
  area(row, column, byte) {
    const area = across(row, () => across(column, () => 1));
    return even(across(row, (y) => across(column, (x) => byte(x, y))) / area);
  },
};

/** Bits of the half float nearest to a number, by trying those around it; ties to even bits. */
export function halfOf(value: number): number {
  const valueOf = (bits: number) => {
    const exponent = bits >> 10 & 31;
    const fraction = bits & 1023;
    return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  };
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  let low = 0;
  let high = 0x7c00;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (valueOf(middle) <= size) low = middle;
    else high = middle;
  }
  const [below, above] = [size - valueOf(low), valueOf(high) - size];
  const nearest = below < above || (below === above && low % 2 === 0) ? low : high;
  return sign | nearest;
}
