/** From raw head tensors to detections. */
import { doc } from "../doc.ts";
import { bound, routine } from "../operation.ts";
import type { Detections, DetectOptions, Outputs } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { checkDetect, DETECT_PARAMS } from "./checked_detect.ts";
import { DetectCall } from "./detect_call.ts";

export const detect = routine({
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
  shapes: doc`raw head tensors → boxes, scores, classes, anchors`,
  summary: doc`from raw head tensors to detections`,
  params: DETECT_PARAMS,
  bounds: {
    side: bound(
      0,
      doc`of stride · bins for boxes, deviations and excesses in pixels of the network input: WASM decides`,
      5e-6,
    ),
    value: bound(0, doc`of the value, to which these are rounded`, 2e-7),
    saturation: bound(0, doc`of bins for the saturation`, 5e-6),
  },
  source: doc`the heads' own code: see the presets`,
  staysOnHost: {
    because: "uploading maps costs more than filtering them here; those that are GPU tensors are filtered there",
    unlessThreshold: false,
  },
  check,
  run: (backend: WasmBackend, outputs: Outputs, options: DetectOptions): Detections[] =>
    check(outputs, options).onWasm(backend),
});

function check(outputs: Outputs, options: DetectOptions): DetectCall {
  const checked = checkDetect(outputs, options);
  checked.signal?.throwIfAborted();
  return new DetectCall(checked);
}
