/** Pairwise IoU. */
import type { TensorLike } from "../types.ts";
import { matrix } from "../validate.ts";
import type { Kernels, WasmBackend } from "../wasm/backend.ts";
import type { Operation } from "./operation.ts";

export const boxIou = {
  name: "boxIou",
  stem: "box_iou",
  kernels: ["box_iou"],
  shapes: "(N, 4), (M, 4) → (N·M)",
  summary: "pairwise IoU",
  run: (backend: WasmBackend, a: TensorLike, b: TensorLike): Float32Array =>
    pairwise(backend, "boxIou", backend.kernels.box_iou, a, b),
} satisfies Operation;

/** Every pair of a (N, 4) and b (M, 4), in bands of rows of a so that the result needs little linear memory. */
export function pairwise(
  backend: WasmBackend,
  op: string,
  kernel: Kernels["box_iou"],
  a: TensorLike,
  b: TensorLike,
): Float32Array {
  const first = matrix({ op, argument: "a" }, a, 4);
  const second = matrix({ op, argument: "b" }, b, 4);
  const result = new Float32Array(first.rows * second.rows);
  if (result.length === 0) return result;
  const columns = Math.min(second.rows, backend.chunk >> 2);
  const rows = Math.min(first.rows, Math.max(1, Math.floor(backend.chunk / columns)));
  backend.memory.frame(op, (allocate) => {
    const roomA = allocate(backend.room(rows * 4));
    const roomB = allocate(backend.room(columns * 4));
    const target = allocate(rows * columns * 4);
    for (let row = 0; row < first.rows; row += rows) {
      const height = Math.min(rows, first.rows - row);
      const pointerA = backend.stage(first, row * 4, height * 4, roomA);
      for (let column = 0; column < second.rows; column += columns) {
        const width = Math.min(columns, second.rows - column);
        const pointerB = backend.stage(second, column * 4, width * 4, roomB);
        kernel(pointerA, height, pointerB, width, target);
        copyBlock(backend.memory.floats, target >> 2, result, row * second.rows + column, second.rows, height, width);
      }
    }
  });
  return result;
}

function copyBlock(
  from: Float32Array,
  start: number,
  to: Float32Array,
  at: number,
  pitch: number,
  rows: number,
  columns: number,
): void {
  for (let row = 0; row < rows; row++) {
    const line = start + row * columns;
    to.set(from.subarray(line, line + columns), at + row * pitch);
  }
}
