/** Pairwise IoU. */
import { doc } from "../doc.ts";
import { bound } from "../operation.ts";
import type { TensorLike } from "../types.ts";
import { matrixAnywhere } from "../validate.ts";
import type { Kernels, WasmBackend } from "../wasm/backend.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import type { RowInput } from "./rows.ts";

export const boxIou = rowOperation({
  stem: "box_iou",
  kernels: ["box_iou"],
  shapes: doc`(N, 4), (M, 4) → (N·M)`,
  tensors: doc`a (N, 4) and b (M, 4), boxes in \`xyxy\`; result (N·M) in [0, 1], row-major`,
  summary: doc`pairwise IoU`,
  params: {},
  bounds: { result: bound(5e-7, 4e-6) },
  errorBound: doc`≤ {result}, on WebGPU ≤ {result.webgpu}, relative to the union`,
  source: doc`Jaccard 1901`,
  check: (a: TensorLike, b: TensorLike) => pairwise("boxIou", "box_iou", a, b),
});

type PairStem = "box_iou" | "generalized_box_iou";

/** The call of every pair of a (N, 4) and b (M, 4). */
export function pairwise(op: string, stem: PairStem, a: TensorLike, b: TensorLike): CheckedRows<Float32Array> {
  const first = matrixAnywhere({ op, argument: "a" }, a, 4);
  const second = matrixAnywhere({ op, argument: "b" }, b, 4);
  return {
    op,
    stem,
    rows: first.dims[0],
    inputs: [
      { argument: "a", source: first, columns: 4 },
      { argument: "b", source: second, columns: 4, shared: true },
    ],
    outputs: 1,
    columns: second.dims[0],
    counts: { boxes: second.dims[0] },
    parameters: {},
    onWasm: (backend, inputs) => [pairsOf(op, backend, backend.kernels[stem], inputs)],
    resultOf: ([ious]) => ious,
  };
}

/** In bands of rows of a, so that the result needs little linear memory. */
function pairsOf(
  op: string,
  backend: WasmBackend,
  kernel: Kernels[PairStem],
  inputs: readonly RowInput[],
): Float32Array {
  const [first, second] = inputs.map(({ source }) => source);
  const [countA, countB] = [first.dims[0], second.dims[0]];
  const result = new Float32Array(countA * countB);
  if (result.length === 0) return result;
  const columns = Math.min(countB, backend.chunk >> 2);
  const rows = Math.min(countA, Math.max(1, Math.floor(backend.chunk / columns)));
  backend.memory.frame(op, (allocate) => {
    const stagingA = allocate(backend.stagingBytes(rows * 4));
    const stagingB = allocate(backend.stagingBytes(columns * 4));
    const target = allocate(rows * columns * 4);
    for (let row = 0; row < countA; row += rows) {
      const height = Math.min(rows, countA - row);
      const pointerA = backend.stage(first, row * 4, height * 4, stagingA);
      for (let column = 0; column < countB; column += columns) {
        const width = Math.min(columns, countB - column);
        const pointerB = backend.stage(second, column * 4, width * 4, stagingB);
        kernel(pointerA, height, pointerB, width, target);
        copyBlock(backend.memory.floats, target >> 2, result, row * countB + column, countB, height, width);
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
