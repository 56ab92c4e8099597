/**
 * `heads`: the well-known layouts of raw outputs.
 */
import type { HeadOptions, HeadSpec, InferHints, Outputs } from "../types.ts";
import { inference } from "./inference.ts";
import { preset } from "./presets.ts";

/** Presets of the well-known heads; each takes changes to its members. */
export interface Heads {
  /** GFL (mmdet): classes (B, C, H, W) and 4 · 17 bins per level, strides 8 to 128, points on cell corners. */
  gfl(options?: HeadOptions): HeadSpec;
  /** VarifocalNet (mmdet): classes and (refined) distances in pixels per level, strides 8 to 128. */
  vfnet(options?: HeadOptions): HeadSpec;
  /** NanoDet (first version): rows of classes and of 4 · 8 bins per level, strides 8 to 32, points on cell centres. */
  nanodet(options?: HeadOptions): HeadSpec;
  /** NanoDet-Plus: (B, A, C + 4 · 8), classes first, strides 8 to 64, points on cell corners. */
  nanodetPlus(options?: HeadOptions): HeadSpec;
  /** PicoDet: rows of probabilities and of 4 · 8 bins per level, strides 8 to 64. */
  picodet(options?: HeadOptions): HeadSpec;
  /** PP-YOLOE: probabilities (B, C, A) and bins (B, 4 · 17, A), strides 32, 16, 8 in that order. */
  ppyoloe(options?: HeadOptions): HeadSpec;
  /** YOLOv6 export: (B, A, 5 + C) of xywh, objectness and probabilities. */
  yolov6(options?: HeadOptions): HeadSpec;
  /** YOLOv8 raw: (B, 4 · 16 + C, A), boxes first, strides 8, 16, 32, points on cell centres. */
  yolov8(options?: HeadOptions): HeadSpec;
  /** YOLO11 raw: as YOLOv8. */
  yolo11(options?: HeadOptions): HeadSpec;
  /** YOLOv8 or YOLO11 exported with the decode in the graph: (B, 4 + C, A) of xywh and probabilities. */
  yolov8Decoded(options?: HeadOptions): HeadSpec;
  /**
   * The head that made the outputs: its preset, with numbers of classes, bins and levels as the shapes have them. Values
   * help: scores outside [0, 1] are logits, those inside are probabilities, a box with a negative side is none.
   *
   * TypeError where more than one reading fits, with a list of them; where none does, with what each preset misses; where
   * some tensors would have to be left out, with their names. YOLO11's layout is YOLOv8's and is named so. Channels behind
   * the classes (masks, keypoints, an angle) look like classes: `hints.numClasses` tells them apart. A bundle that leaves
   * `createEngine` out has no code to read tensors with: an Error says so there.
   */
  infer(outputs: Outputs, hints?: InferHints): HeadSpec;
}

export const heads: Heads = {
  gfl: (options) => preset("gfl", options),
  vfnet: (options) => preset("vfnet", options),
  nanodet: (options) => preset("nanodet", options),
  nanodetPlus: (options) => preset("nanodetPlus", options),
  picodet: (options) => preset("picodet", options),
  ppyoloe: (options) => preset("ppyoloe", options),
  yolov6: (options) => preset("yolov6", options),
  yolov8: (options) => preset("yolov8", options),
  yolo11: (options) => preset("yolo11", options),
  yolov8Decoded: (options) => preset("yolov8Decoded", options),
  infer: (outputs, hints) => inference()(outputs, hints),
};
