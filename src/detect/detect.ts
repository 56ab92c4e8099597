/** From raw head tensors to detections. */
import type { Operation } from "../ops/operation.ts";
import type { Detections, DetectOptions, Outputs } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { checkDetect, op } from "./checked_detect.ts";
import { DetectCall } from "./detect_call.ts";

export const detect = {
  name: op,
  stem: "detect",
  kernels: [
    "score_filter_channels",
    "score_filter_channels_probabilities",
    "score_filter_compact",
    "score_filter_rows",
    "score_filter_rows_probabilities",
    "score_filter_every",
    "top_k",
    "gather_channels",
    "gather_rows",
    "anchor_points",
    "clip_boxes",
    "xywh2xyxy",
  ],
  shapes: "raw head tensors → boxes, scores, classes, anchors",
  summary: "from raw head tensors to detections",
  staysOnHost: {
    because: "uploading maps costs more than filtering them here; those that are GPU tensors are filtered there",
    unlessThreshold: false,
  },
  check,
  run: (backend: WasmBackend, outputs: Outputs, options: DetectOptions): Detections[] =>
    check(outputs, options).onWasm(backend),
} satisfies Operation;

function check(outputs: Outputs, options: DetectOptions): DetectCall {
  const checked = checkDetect(outputs, options);
  checked.signal?.throwIfAborted();
  return new DetectCall(checked);
}
