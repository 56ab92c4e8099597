/**
 * The members of a HeadSpec: what each may be. Checks, the error of an unknown name and the command's flags derive from it.
 */
import type { HeadSpec, KeypointSpec } from "../types.ts";

/** What values a member takes; `optional` where it may be left out. */
export type Member =
  & { readonly optional?: boolean }
  & (
    | { readonly kind: "string" | "boolean" | "strides" | "anchors" | "numbers" | "keypoints" }
    | { readonly kind: "integer" | "number"; readonly low: number; readonly high: number }
    | { readonly kind: "choice"; readonly choices: readonly string[] }
  );

/** Labels are 32-bit integers. */
const MOST_CLASSES = 2 ** 31 - 1;

export const MOST_BINS = 64;

/** Families have three; an anchor's size is looked for among all. */
export const MOST_ANCHORS = 64;

function choice<const T extends readonly string[]>(...choices: T): { readonly kind: "choice"; readonly choices: T } {
  return { kind: "choice", choices };
}

/** Channels of attachments: far more than networks have, and few enough to be counted. */
export const MOST_ATTACHED = 65536;

export const KEYPOINT_DIMS = [2, 3] as const;
export const KEYPOINT_CODINGS = ["pixel", "yolov8", "yolo26", "yolox"] as const;

/** In the order in which a checked head has them. */
export const members = {
  name: { kind: "string" },
  numClasses: { kind: "integer", low: 1, high: MOST_CLASSES },
  bins: { kind: "integer", low: 0, high: MOST_BINS },
  strides: { kind: "strides" },
  anchorOffset: { kind: "number", low: -1e6, high: 1e6 },
  scores: choice("logits", "probabilities", "softmax"),
  objectness: { ...choice("none", "multiply", "sqrt-multiply"), optional: true },
  boxes: choice("distribution", "distances", "xywh", "xyxy", "anchor-sigmoid", "anchor-exp", "log-size"),
  boxUnit: { ...choice("pixel", "stride", "image"), optional: true },
  anchors: { kind: "anchors", optional: true },
  anchorsPerCell: { kind: "integer", low: 1, high: MOST_ANCHORS, optional: true },
  selection: { ...choice("dense", "selected", "queries"), optional: true },
  binValues: { kind: "numbers", optional: true },
  unusedClasses: { kind: "integer", low: 0, high: MOST_CLASSES, optional: true },
  layout: choice("rows", "channels-first"),
  channelOrder: choice("class-first", "box-first", "separate"),
  maskCoefficients: { kind: "integer", low: 0, high: MOST_ATTACHED, optional: true },
  keypoints: { kind: "keypoints", optional: true },
  angle: { ...choice("none", "radians", "sigmoid"), optional: true },
  refined: { kind: "boolean", optional: true },
} as const satisfies { readonly [Name in keyof Required<HeadSpec>]: Member & KindOf<Required<HeadSpec>[Name]> };

/** The kind that takes values of a type; a choice has no strings that are none. */
type KindOf<T> = [T] extends [number] ? { kind: "integer" | "number" }
  : [T] extends [boolean] ? { kind: "boolean" }
  : [T] extends [string] ? string extends T ? { kind: "string" } : { kind: "choice"; choices: readonly T[] }
  : [T] extends [readonly number[]] ? { kind: "strides" | "numbers" }
  : [T] extends [KeypointSpec] ? { kind: "keypoints" }
  : { kind: "anchors" };
