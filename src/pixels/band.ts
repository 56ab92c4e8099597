/**
 * Rows of a result in linear memory, before they go to the result's array: all columns, padding included.
 */
import type { OutArray } from "../arrays.ts";
import type { Allocate } from "../wasm/memory.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { CheckedInput } from "./input.ts";
import type { PixelRows } from "./rows.ts";
import { splitFactors, type Values, valueTable } from "./values.ts";

/** A quarter of a second-level cache: rows of the source stand there too. */
const BAND_BYTES = 64 * 1024;

/** Kernels write whole vectors. */
const SLACK = 64;

export class Band {
  readonly #backend: WasmBackend;
  readonly #input: CheckedInput;
  readonly #out: OutArray<Values>;
  /** The first value of the image in the result. */
  readonly #start: number;
  /** Rows that the band has room for. */
  readonly #rows: number;
  readonly #values: number;
  readonly #convert: Convert;
  /** Values in memory and in the result; made with the first row, because nothing is allocated from then on. */
  #views: { readonly band: Values; readonly target: Values } | null = null;
  /** Rows of the result before the band, and rows in it. */
  #done = 0;
  #held = 0;

  constructor(
    backend: WasmBackend,
    allocate: Allocate,
    input: CheckedInput,
    source: PixelRows,
    out: OutArray<Values>,
    index: number,
  ) {
    const { size: [height, width], dtype, layout } = input;
    const bytesOfRow = 3 * width * out.data.BYTES_PER_ELEMENT;
    this.#backend = backend;
    this.#input = input;
    this.#out = out;
    this.#start = 3 * index * width * height;
    const room = Math.min(BAND_BYTES, backend.memory.available / 4);
    this.#rows = Math.min(height, Math.max(1, Math.floor(room / bytesOfRow)));
    this.#values = allocate(bytesOfRow * this.#rows + SLACK);
    // Values from a channel of a pixel to the next.
    const apart = layout === "nchw" ? width * this.#rows : 1;
    this.#convert = dtype === "float32"
      ? byFormula(backend, allocate, input, source, apart)
      : byTable(backend, allocate, input, source, apart);
  }

  /** Padding in all columns, which stays where no later row is written, and that many rows of it. */
  pad(rows: number): void {
    this.flush();
    const { band } = this.#both();
    const values = this.#padding();
    if (this.#input.layout === "nchw") {
      const plane = band.length / 3;
      values.forEach((value, channel) => band.fill(value, channel * plane, (channel + 1) * plane));
    } else {
      for (let i = 0; i < band.length; i++) band[i] = values[i % 3];
    }
    for (let left = rows; left > 0; left -= this.#rows) {
      this.#held = Math.min(left, this.#rows);
      this.flush();
    }
  }

  /** Takes a row of pixels, which begins in column `left`. */
  push(pixels: number, count: number, left: number): void {
    const { size: [, width], layout } = this.#input;
    const column = this.#held * width + left;
    const at = this.#values + this.#out.data.BYTES_PER_ELEMENT * (layout === "nchw" ? column : 3 * column);
    this.#convert(pixels, count, at);
    this.#held++;
    if (this.#held === this.#rows) this.flush();
  }

  /** Copies what the band has to the result. */
  flush(): void {
    const { size: [height, width], layout } = this.#input;
    const { band, target } = this.#both();
    const [done, held] = [this.#done * width, this.#held * width];
    if (layout === "nhwc") {
      target.set(band.subarray(0, 3 * held), this.#start + 3 * done);
    } else {
      const [from, to] = [band.length / 3, height * width];
      for (let channel = 0; channel < 3; channel++) {
        target.set(band.subarray(channel * from, channel * from + held), this.#start + channel * to + done);
      }
    }
    this.#done += this.#held;
    this.#held = 0;
  }

  #both(): { readonly band: Values; readonly target: Values } {
    const { size: [, width] } = this.#input;
    return this.#views ??= {
      band: viewOf(this.#backend, this.#out.data, this.#values, 3 * width * this.#rows),
      target: this.#backend.values(this.#out),
    };
  }

  /** The three channels' values of a byte of padding. */
  #padding(): number[] {
    const table = valueTable(this.#input);
    return [0, 1, 2].map((channel) => table[256 * channel + this.#input.padValue]);
  }
}

/** A view of linear memory of an array's type. */
function viewOf(backend: WasmBackend, { constructor }: Values, pointer: number, length: number): Values {
  return backend.memory.view(
    constructor as new (buffer: ArrayBufferLike, start: number, length: number) => Values,
    pointer,
    length,
  );
}

/** Writes the values of a row of pixels. */
type Convert = (pixels: number, count: number, to: number) => void;

/** Bytes of a vector's constants: the bytes that it takes, then factors. */
const LANES = 96;

/** Four pixels make three vectors: of a channel each, or side by side. */
function byFormula(
  { kernels, memory }: WasmBackend,
  allocate: Allocate,
  input: CheckedInput,
  { step, channels }: PixelRows,
  apart: number,
): Convert {
  const lanes = allocate(3 * LANES);
  const split = splitFactors(input);
  for (let vector = 0; vector < 3; vector++) {
    const at = lanes + LANES * vector;
    const places = [0, 1, 2, 3].map((lane) => placeOf(vector, lane, input.layout === "nchw"));
    const picks = places.flatMap(({ pixel, channel }) => [4 * pixel + channels[channel], 255, 255, 255]);
    memory.view(Uint8Array, at, 16).set(picks);
    const ofLanes = (values: readonly number[]) => places.map(({ channel }) => values[channel]);
    if (split === null) {
      const { scale, mean, std } = input;
      const wide = [scale, scale, ...ofLanes(mean), ...ofLanes(std.map((each) => 1 / each))];
      memory.view(Float64Array, at + 16, 10).set(wide);
    } else {
      memory.view(Float32Array, at + 16, 8).set([...ofLanes(split.coarse), ...ofLanes(split.fine)]);
    }
  }
  const wide = split === null ? 1 : 0;
  const [next, advance] = input.layout === "nchw" ? [4 * apart, 16] : [16, 48];
  return (pixels, count, to) => kernels.pixel_floats(pixels, step, lanes, wide, count, to, next, advance);
}

/** Which of four pixels, and which of its channels, a lane of the three vectors has. */
function placeOf(vector: number, lane: number, planes: boolean): { pixel: number; channel: number } {
  if (planes) return { pixel: lane, channel: vector };
  const value = 4 * vector + lane;
  return { pixel: Math.floor(value / 3), channel: value % 3 };
}

function byTable(
  backend: WasmBackend,
  allocate: Allocate,
  input: CheckedInput,
  { step, channels }: PixelRows,
  apart: number,
): Convert {
  const values = valueTable(input);
  const each = values.BYTES_PER_ELEMENT;
  const table = allocate(values.byteLength);
  viewOf(backend, values, table, values.length).set(values);
  const [first, second, third] = channels;
  const places = first | second << 8 | third << 16;
  const pixel = input.layout === "nchw" ? each : 3 * each;
  return (pixels, count, to) => {
    backend.kernels.pixel_table(pixels, step, places, table, each, count, to, pixel, apart * each);
  };
}
