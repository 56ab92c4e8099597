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
  const byte = (x: number, y: number, c: number) => {
    const pixel = clip(y, picture.height) * picture.width + clip(x, picture.width);
    return picture.data[channels * pixel + (channels === 1 ? 0 : c)];
  };
  if (resize !== "bilinear") throw new Error(`no reference of ${resize}`);
  const out: number[] = [];
  for (let v = 0; v < height; v++) {
    const row = neighbours(v, picture.height, height);
    for (let u = 0; u < width; u++) {
      const column = neighbours(u, picture.width, width);
      for (let c = 0; c < 3; c++) {
        const [upper, lower] = [0, 1].map((dy) => {
          const sum = [0, 1].reduce((s, dx) => s + column.weights[dx] * byte(column.at + dx, row.at + dy, c), 0);
          return Math.floor(Math.floor(sum / 16) * row.weights[dy] / 65536);
        });
        out.push(Math.floor((upper + lower + 2) / 4));
      }
    }
  }
  return out;
}

/** The pixel before the centre of output pixel i, and the weights of it and the next in 11 bits. */
function neighbours(i: number, from: number, to: number): { at: number; weights: number[] } {
  const centre = Math.fround((i + 0.5) * (1 / (to / from)) - 0.5);
  const at = Math.floor(centre);
  const share = Math.fround(centre - at);
  return { at, weights: [even(2048 * Math.fround(1 - share)), even(2048 * share)] };
}

/** Bits of the half float nearest to a number, by trying those around it; ties to even bits. */
export function halfOf(value: number): number {
  const valueOf = (bits: number) => {
    const exponent = bits >> 10 & 31;
    const fraction = bits & 1023;
    return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  };
  const sign = value < 0 ? 0x8000 : 0;
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
