/** What operations on every pair of two sets of boxes share. */
import { nameOf } from "../operation.ts";
import type { TensorLike } from "../types.ts";
import { matrixAnywhere, type Source } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { CheckedRows } from "./row_call.ts";

/** The kernel of every pair of so many rows. */
type PairKernel = (a: number, countA: number, b: number, countB: number, dst: number) => void;
/** Such a kernel, with what it needs in linear memory besides. */
type KernelOf = (backend: WasmBackend, allocate: (bytes: number) => number) => PairKernel;

/** The call of every pair of a (N, columns) and b (M, columns). */
export function pairwise(
  stem: string,
  a: TensorLike,
  b: TensorLike,
  columns: number,
  kernelOf: KernelOf,
): CheckedRows<Float32Array> {
  const op = nameOf(stem);
  const first = matrixAnywhere({ op, argument: "a" }, a, columns);
  const second = matrixAnywhere({ op, argument: "b" }, b, columns);
  return {
    op,
    stem,
    rows: first.dims[0],
    inputs: [
      { argument: "a", source: first, columns },
      { argument: "b", source: second, columns, shared: true },
    ],
    outputs: 1,
    columns: second.dims[0],
    counts: { boxes: second.dims[0] },
    parameters: {},
    onWasm: (backend, [{ source: rows }, { source: others }]) => [pairsOf(op, backend, rows, others, kernelOf)],
    resultOf: ([values]) => values,
  };
}

/** In bands of rows of a, so that the result needs little linear memory. */
export function pairsOf(op: string, backend: WasmBackend, a: Source, b: Source, kernelOf: KernelOf): Float32Array {
  const [countA, width] = a.dims;
  const countB = b.dims[0];
  const result = new Float32Array(countA * countB);
  if (result.length === 0) return result;
  const columns = Math.min(countB, Math.floor(backend.chunk / width));
  const rows = Math.min(countA, Math.max(1, Math.floor(backend.chunk / Math.max(columns, width))));
  backend.memory.frame(op, (allocate) => {
    const stagingA = allocate(backend.stagingBytes(rows * width));
    const stagingB = allocate(backend.stagingBytes(columns * width));
    const target = allocate(rows * columns * 4);
    const kernel = kernelOf(backend, allocate);
    for (let row = 0; row < countA; row += rows) {
      const height = Math.min(rows, countA - row);
      const pointerA = backend.stage(a, row * width, height * width, stagingA);
      for (let column = 0; column < countB; column += columns) {
        const across = Math.min(columns, countB - column);
        const pointerB = backend.stage(b, column * width, across * width, stagingB);
        kernel(pointerA, height, pointerB, across, target);
        copyBlock(backend.memory.floats, target >> 2, result, row * countB + column, countB, height, across);
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
