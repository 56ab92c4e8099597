/**
 * The ways in which the outputs of each family come, which `heads.infer` tries in this order.
 */
import type { HeadOptions, HeadSpec } from "../types.ts";
import type { PresetName } from "./presets.ts";

export interface FamilyExport {
  readonly preset: PresetName;
  /** What is not as the preset has it. */
  readonly changes?: HeadOptions;
  /** Made by cutting a graph, or the preset of a relative: tried where no usual export fits. */
  readonly unusual?: boolean;
  /** Kinds of scores that the export has; the first where values tell nothing. Default: the preset's. */
  readonly scores?: readonly HeadSpec["scores"][];
  /** The graph has the decode in it, and so the sigmoid. */
  readonly decoded?: boolean;
  /** Other levels that the family's configurations have, beside the preset's. */
  readonly strides?: readonly (readonly number[])[];
  /** Levels are free where each has its own tensors, bins too where `bins` says so. */
  readonly freeLevels?: boolean;
  readonly freeBins?: boolean;
  /** Channels of other heads (an angle, masks, keypoints) may stand behind the classes. */
  readonly extended?: boolean;
}

const BOTH = ["probabilities", "logits"] as const;

export const familyExports: readonly FamilyExport[] = [
  { preset: "gfl", freeLevels: true, freeBins: true },
  { preset: "vfnet", freeLevels: true },
  { preset: "nanodet" },
  { preset: "nanodet", changes: { channelOrder: "class-first" }, scores: BOTH },
  { preset: "nanodetPlus", scores: BOTH, strides: [[8, 16, 32]] },
  { preset: "nanodetPlus", changes: { channelOrder: "separate" }, unusual: true },
  { preset: "picodet" },
  { preset: "ppyoloe" },
  {
    preset: "ppyoloe",
    changes: { bins: 0, boxes: "xyxy", layout: "rows", channelOrder: "box-first" },
    decoded: true,
  },
  { preset: "yolov6", decoded: true },
  { preset: "yolov8" },
  { preset: "yolov8", changes: { channelOrder: "separate" }, freeLevels: true },
  {
    preset: "yolov8",
    changes: { bins: 0, boxes: "distances", boxUnit: "stride", channelOrder: "separate" },
    unusual: true,
    freeLevels: true,
  },
  { preset: "yolov8Decoded", decoded: true, extended: true },
  { preset: "yolov8Decoded", changes: { channelOrder: "separate" }, decoded: true, unusual: true },
];
