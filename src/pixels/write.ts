/**
 * Writes one image of a batch: rows of the source go through linear memory to the result.
 */
import type { OutArray } from "../arrays.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { Band } from "./band.ts";
import type { Placed } from "./geometry.ts";
import type { CheckedInput } from "./input.ts";
import type { CheckedPixels } from "./pixels.ts";
import { rowsOf } from "./rows.ts";
import type { Values } from "./values.ts";

export function writeImage(
  op: string,
  backend: WasmBackend,
  input: CheckedInput,
  image: CheckedPixels,
  placed: Placed,
  out: OutArray<Values>,
  index: number,
): void {
  backend.memory.frame(op, (allocate) => {
    const source = rowsOf(backend, allocate, input, image, placed);
    const band = new Band(backend, allocate, input, source, out, index);
    const [height, width] = input.size;
    const below = height - placed.top - placed.height;
    if (placed.top > 0 || placed.width < width) band.pad(placed.top);
    for (let row = 0; row < placed.height; row++) band.push(source.at(row), placed.width, placed.left);
    if (below > 0) band.pad(below);
    else band.flush();
  });
}
