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
    "rotated_nms",
    "rotated_nms_scratch",
    "scale_rotated",
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
    "pack_prototypes",
    "mask_axis",
    "mask_logits",
    "mask_pixels",
    "mask_runs",
  ],
  shapes: doc`raw head tensors → boxes, scores, classes, anchors`,
  tensors: doc`outputs as in {@link Outputs}; result (B), each with boxes (K, 4), scores (K) and classes (K)`,
  summary: doc`from raw head tensors to detections`,
  params: DETECT_PARAMS,
  throws: [
    doc`TypeError if the tensors do not fit the head and the image size`,
    doc`TypeError if a transform's scaleX and scaleY differ in size where boxes have an angle, by more than the whole pixels to which an image of \`clip\` is resized`,
    doc`RangeError if imageSize has 2³¹ anchors or more`,
    doc`RangeError if a head of probabilities has scores outside [0, 1]`,
    doc`RangeError if \`classes\` has a number that is no class, or a class twice`,
    doc`RangeError if a row of selected detections has no class of the head`,
    doc`RangeError if an image's share of a tensor is larger than a binding of the WebGPU device`,
  ],
  // WASM decides: bounds are of WebGPU's difference from it.
  bounds: { side: bound(0, 5e-6), value: bound(0, 2e-7), saturation: bound(0, 5e-6) },
  errorBound:
    doc`WebGPU finds the same detections as WASM, with the same scores. Boxes, deviations and excesses, in pixels of the network input, differ by ≤ {side.webgpu} of stride · bins, because a side is a mean over bins that are a stride apart, and by ≤ {value.webgpu} of the value, to which both are rounded. Saturation differs by ≤ {saturation.webgpu} · bins`,
  source: doc`the decode of each head family's own code, with \`dflDecode\` and \`nms\``,
  staysOnHost: {
    because: "uploading maps costs more than filtering them here; those that are GPU tensors are filtered there",
    unlessThreshold: false,
  },
  divides: "shared memory" as const,
  check,
  run: (backend: WasmBackend, outputs: Outputs, options: DetectOptions): Detections[] =>
    check(outputs, options).onWasm(backend),
});

function check(outputs: Outputs, options: DetectOptions): DetectCall {
  const checked = checkDetect(outputs, options);
  checked.signal?.throwIfAborted();
  return new DetectCall(checked);
}
