/** Loss of keypoints by object keypoint similarity. */
import { doc } from "../doc.ts";
import { bound, nameOf, routine } from "../operation.ts";
import { otherParam, paramReader } from "../params.ts";
import type { LossOptions, OksLossOptions, TensorLike } from "../types.ts";
import {
  type AnySource,
  describe,
  describeTensor,
  listOf,
  rangeError,
  shapeOf,
  tensorAnywhere,
  typeError,
} from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { LOSS_PARAMS } from "./checked_loss.ts";
import { blockLayout, CALL_FIELDS } from "./loss_block.ts";
import type { LossCall } from "./loss_call.ts";
import { rowPairCall } from "./row_pairs.ts";

const stem = "oks_loss";
const op = nameOf(stem);
/** Rows of a block of the kernel. */
const BLOCK = 32;
/** Of COCO's keypoints: nose, then eyes, ears, shoulders, elbows, wrists, hips, knees and ankles, twice each. */
const COCO = [0.026, ...[0.025, 0.035, 0.079, 0.072, 0.062, 0.107, 0.087, 0.089].flatMap((sigma) => [sigma, sigma])];

const PARAMS = {
  ...LOSS_PARAMS,
  sigmas: otherParam<readonly number[]>(
    doc`constants of the keypoints, over 0, one for each. RangeError: not as many as keypoints, or one that is not over 0`,
    doc`COCO's for 17 keypoints, 1/K for K others`,
  ),
} as const;
const FIELDS = {
  table: ["i32", doc`1 / (8 σ²) of each keypoint, then -1 up to a multiple of 4.`],
  outside: ["i32", doc`Out: the first row with visible keypoints whose area is not over 0, counted from 1; 0: none.`],
} as const;

const readOptions = paramReader(op, PARAMS);
const layout = blockLayout(CALL_FIELDS, FIELDS);

function check(
  pred: TensorLike,
  target: TensorLike,
  areas: TensorLike,
  options?: LossOptions & OksLossOptions,
): LossCall {
  const values = readOptions(options);
  const sizes = tensorAnywhere({ op, argument: "areas" }, areas, (length) => [length]);
  if (sizes.dims.length !== 1) {
    throw typeError({ op, argument: "areas" }, describeTensor(areas, sizes), "shape (N), an area for each row");
  }
  const [rows] = sizes.dims;
  const points = pointsOf("pred", pred, rows, 2);
  const truth = pointsOf("target", target, rows, 3);
  const count = points.dims[1];
  if (truth.dims[1] !== count) {
    const wanted = `shape ${shapeOf([rows, count, 3])}, as many keypoints as pred`;
    throw typeError({ op, argument: "target" }, describeTensor(target, truth), wanted);
  }
  return rowPairCall({
    op,
    stem,
    layout,
    parameters: { table: 0, outside: 0 },
    pred: points,
    columns: 2 * count,
    target: truth,
    targetColumns: 3 * count,
    rows,
    blockRows: BLOCK,
    areas: sizes,
    table: tableOf(sigmasOf(values.sigmas, count)),
    outside: (row, area) => {
      const wanted = "an area over 0, because keypoints of the row are visible";
      return rangeError({ op, argument: `areas[${row}]` }, area ?? "not over 0", wanted);
    },
  }, values);
}

/** (N, K, columns) of as many rows; a plain array has as many keypoints as its length says. */
function pointsOf(argument: string, given: TensorLike, rows: number, columns: number): AnySource {
  const place = { op, argument };
  const keypoints = (length: number) => rows === 0 ? Number(length === 0) : length / rows / columns;
  const found = tensorAnywhere(place, given, (length) => [rows, keypoints(length), columns]);
  const { dims } = found;
  if (dims.length === 3 && dims[0] === rows && dims[2] === columns && dims[1] >= 1 && Number.isInteger(dims[1])) {
    return found;
  }
  throw typeError(place, describeTensor(given, found), `shape (${rows}, K, ${columns}), a row for each of the areas`);
}

function sigmasOf(given: unknown, count: number): readonly number[] {
  if (given === undefined) return count === COCO.length ? COCO : new Array<number>(count).fill(1 / count);
  const place = { op, argument: "options.sigmas" };
  const sigmas = listOf(given);
  if (sigmas === null) throw typeError(place, describe(given), "an array of numbers");
  if (sigmas.length !== count) {
    throw rangeError(place, `${sigmas.length} numbers`, `${count}, one for each keypoint`);
  }
  sigmas.forEach((sigma, i) => {
    const at = { op, argument: `options.sigmas[${i}]` };
    if (typeof sigma !== "number") throw typeError(at, describe(sigma), "a number");
    if (!(sigma > 0 && sigma < Infinity)) throw rangeError(at, sigma, "a number over 0");
  });
  return sigmas as number[];
}

/** What squared distances are multiplied by, over the area. */
function tableOf(sigmas: readonly number[]): Float32Array<ArrayBuffer> {
  const table = new Float32Array((sigmas.length + 3) & ~3).fill(-1);
  table.set(sigmas.map((sigma) => Math.min(0.125 / sigma ** 2, 1e30)));
  return table;
}

export const oksLoss = routine({
  stem,
  kernels: [stem],
  divides: "any memory" as const,
  fields: FIELDS,
  shapes: doc`(N, K, 2), (N, K, 3), (N) → (N)`,
  tensors:
    doc`pred (N, K, 2), keypoints x, y; target (N, K, 3), x, y and visibility, over 0 where a keypoint counts; areas (N), of the objects, in the square of the unit of the keypoints. Loss (N)`,
  operands: {
    pred: doc`keypoints (N, K, 2)`,
    target: doc`(N, K, 3), x, y and visibility`,
    areas: doc`areas of the objects, (N)`,
  },
  summary: doc`1 − object keypoint similarity of keypoints, with gradient`,
  params: PARAMS,
  throws: [
    doc`TypeError if pred and target have other numbers of rows or keypoints than each other, or other than areas`,
    doc`RangeError if the area of a row with visible keypoints is not over 0 (the error names its row), or sigmas are not as many as keypoints or one is not over 0`,
  ],
  bounds: { loss: bound(1e-6), gradient: bound(1e-6) },
  errorBound:
    doc`absolute, ≤ {loss}. For the gradient, ≤ {gradient} of 1 / (2σ_k·√area·visible), visible the keypoints of the row that count. Areas under 1e-30 count as that`,
  source:
    doc`object keypoint similarity as COCO's evaluation has it, over the visible keypoints; Maji et al. 2022 (YOLO-Pose) train with it`,
  check,
  run: (
    backend: WasmBackend,
    pred: TensorLike,
    target: TensorLike,
    areas: TensorLike,
    options?: LossOptions & OksLossOptions,
  ) => check(pred, target, areas, options).onWasm(backend),
});
