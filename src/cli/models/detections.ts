/**
 * Detections in three tensors, as D-FINE, DEIM and RT-DETR's own exports and torchvision's have them: labels, boxes and scores.
 */
import type { OnnxTensor } from "./onnx_runtime.ts";

/**
 * The same as rows of box, score and class, (B, N, 6), beside what else there is; null where the tensors are no detections. The
 * graph's boxes are corners in pixels of the size that it was told.
 */
export function joinDetections(
  tensors: Readonly<Record<string, OnnxTensor>>,
): Readonly<Record<string, OnnxTensor>> | null {
  const { labels, boxes, scores, ...others } = tensors;
  if (labels === undefined || boxes === undefined || scores === undefined) return null;
  const rows = scores.dims.reduce((product, n) => product * n, 1);
  const isList = labels.dims.join() === scores.dims.join() && boxes.dims.join() === [...scores.dims, 4].join();
  if (!isList || boxes.type !== "float32" || scores.type !== "float32" || !/^u?int/.test(labels.type)) return null;
  const data = new Float32Array(rows * 6);
  const corners = boxes.data as Float32Array;
  for (let row = 0; row < rows; row++) {
    data.set(corners.subarray(4 * row, 4 * row + 4), 6 * row);
    data[6 * row + 4] = (scores.data as Float32Array)[row];
    data[6 * row + 5] = Number((labels.data as unknown as ArrayLike<number | bigint>)[row]);
  }
  const dims = scores.dims.length === 1 ? [1, rows, 6] : [...scores.dims, 6];
  return { "labels, boxes, scores": { data, dims, type: "float32" }, ...others };
}
