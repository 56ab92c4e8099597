/**
 * Writes one image of a batch: rows of the source through linear memory to the result.
 */
import type { OutArray } from "../arrays.ts";
import type { Allocate } from "../wasm/memory.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { bilinearTaps, clamped } from "./coefficients.ts";
import type { Placed } from "./geometry.ts";
import type { CheckedInput } from "./input.ts";
import type { CheckedPixels } from "./pixels.ts";
import { type Values, valueTable } from "./values.ts";

/** Kernels read whole vectors of pixels. */
const SLACK = 64;

export function writeImage(
  backend: WasmBackend,
  allocate: Allocate,
  spec: CheckedInput,
  image: CheckedPixels,
  placed: Placed,
  out: OutArray<Values>,
  index: number,
): void {
  const { kernels, memory } = backend;
  const [height, width] = spec.size;
  const table = valueTable(spec);
  const size = table.BYTES_PER_ELEMENT;
  const planes = spec.layout === "nchw";
  const [pixel, plane] = planes ? [size, placed.width * size] : [3 * size, size];

  const pitch = image.width * image.channels;
  const staging = allocate(pitch + SLACK);
  const slots = [0, 1].map(() => allocate(placed.width * 8 + SLACK));
  const bytes = allocate(placed.width * 4 + SLACK);
  const values = allocate(table.byteLength);
  const columns = allocate(placed.width * 8);
  const row = allocate(placed.width * 3 * size);

  const Table = table.constructor as new (buffer: ArrayBufferLike, start: number, length: number) => Values;
  memory.view(Table, values, table.length).set(table);
  const horizontal = clamped(bilinearTaps(image.width, placed.width), image.width);
  const words = memory.view(Int32Array, columns, placed.width * 2);
  for (let i = 0; i < placed.width; i++) {
    words[2 * i] = horizontal.first[i] * image.channels;
    words[2 * i + 1] = horizontal.coefficients[2 * i] | horizontal.coefficients[2 * i + 1] << 16;
  }

  const source = backend.values(image.bytes);
  const target = backend.values(out);
  const start = index * 3 * width * height;
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < width * height; i++) {
      const at = planes ? c * width * height + i : 3 * i + c;
      target[start + at] = table[256 * c + spec.padValue];
    }
  }

  const vertical = bilinearTaps(image.height, placed.height);
  const held = [-1, -1];
  const resized = (y: number): number => {
    const slot = y & 1;
    if (held[slot] !== y) {
      memory.view(Uint8Array, staging, pitch).set(source.subarray(y * pitch, (y + 1) * pitch));
      const swap = spec.order === "bgr" ? 1 : 0;
      kernels.bilinear_row(staging, image.channels, swap, columns, placed.width, slots[slot]);
      held[slot] = y;
    }
    return slots[slot];
  };
  for (let y = 0; y < placed.height; y++) {
    const [a, b] = [vertical.coefficients[2 * y], vertical.coefficients[2 * y + 1]];
    const clampRow = (at: number) => Math.min(Math.max(at, 0), image.height - 1);
    const first = resized(clampRow(vertical.first[y]));
    const second = b === 0 ? first : resized(clampRow(vertical.first[y] + 1));
    kernels.bilinear_blend(first, second, a, b, placed.width, bytes);
    kernels.pixel_values(bytes, values, size, placed.width, row, pixel, plane);
    const line = memory.view(Table, row, placed.width * 3);
    if (planes) {
      for (let c = 0; c < 3; c++) {
        const at = start + (c * height + placed.top + y) * width + placed.left;
        target.set(line.subarray(c * placed.width, (c + 1) * placed.width), at);
      }
    } else {
      target.set(line, start + 3 * ((placed.top + y) * width + placed.left));
    }
  }
}
