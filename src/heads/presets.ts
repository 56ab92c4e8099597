/**
 * The well-known heads as plain data. Facts are those of each family's own code: reg_max is translated to a number of bins.
 */
import type { HeadOptions, HeadSpec } from "../types.ts";
import { describe, integer, number, oneOf, type Place, rangeError, typeError } from "../validate.ts";

const COCO_CLASSES = 80;

const GFL: HeadSpec = {
  name: "gfl",
  numClasses: COCO_CLASSES,
  bins: 17,
  strides: [8, 16, 32, 64, 128],
  anchorOffset: 0,
  scores: "logits",
  boxes: "distribution",
  layout: "channels-first",
  channelOrder: "separate",
};

const YOLOV8: HeadSpec = {
  name: "yolov8",
  numClasses: COCO_CLASSES,
  bins: 16,
  strides: [8, 16, 32],
  anchorOffset: 0.5,
  scores: "logits",
  boxes: "distribution",
  layout: "channels-first",
  channelOrder: "box-first",
};

const NANODET: HeadSpec = {
  name: "nanodet",
  numClasses: COCO_CLASSES,
  bins: 8,
  strides: [8, 16, 32],
  anchorOffset: 0.5,
  scores: "logits",
  boxes: "distribution",
  layout: "rows",
  channelOrder: "separate",
};

/** Every preset, by its name on `heads`. */
export const presets = {
  gfl: GFL,
  vfnet: { ...GFL, name: "vfnet", bins: 0, boxes: "distances" },
  nanodet: NANODET,
  nanodetPlus: {
    ...NANODET,
    name: "nanodetPlus",
    strides: [8, 16, 32, 64],
    anchorOffset: 0,
    channelOrder: "class-first",
  },
  picodet: { ...NANODET, name: "picodet", strides: [8, 16, 32, 64], scores: "probabilities" },
  ppyoloe: { ...GFL, name: "ppyoloe", strides: [32, 16, 8], anchorOffset: 0.5, scores: "probabilities" },
  yolov6: {
    ...YOLOV8,
    name: "yolov6",
    bins: 0,
    scores: "probabilities",
    objectness: "multiply",
    boxes: "xywh",
    layout: "rows",
  },
  yolov8: YOLOV8,
  yolo11: { ...YOLOV8, name: "yolo11" },
  yolov8Decoded: { ...YOLOV8, name: "yolov8Decoded", bins: 0, scores: "probabilities", boxes: "xywh" },
} as const satisfies Record<string, HeadSpec>;

export type PresetName = keyof typeof presets;

/** A preset with changes, checked. */
export function preset(name: PresetName, changes: HeadOptions = {}): HeadSpec {
  const op = `heads.${name}`;
  if (typeof changes !== "object" || changes === null) {
    throw typeError({ op, argument: "options" }, describe(changes), "an object");
  }
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  return checkHead(op, "options", { ...presets[name], ...given });
}

/** A head whose every member is sound, and whose members fit together. */
export function checkHead(op: string, argument: string, head: HeadSpec): HeadSpec {
  if (typeof head !== "object" || head === null) {
    throw typeError({ op, argument }, describe(head), "a HeadSpec, for example heads.yolov8()");
  }
  const place = (member: string) => ({ op, argument: `${argument}.${member}` });
  integer(place("numClasses"), head.numClasses, 1);
  integer(place("bins"), head.bins, 0, 64);
  number(place("anchorOffset"), head.anchorOffset, -1e6, 1e6);
  oneOf(place("scores"), head.scores, ["logits", "probabilities"]);
  oneOf(place("objectness"), head.objectness ?? "none", ["none", "multiply", "sqrt-multiply"]);
  oneOf(place("boxes"), head.boxes, ["distribution", "distances", "xywh", "xyxy"]);
  oneOf(place("layout"), head.layout, ["rows", "channels-first"]);
  oneOf(place("channelOrder"), head.channelOrder, ["box-first", "class-first", "separate"]);
  checkStrides(place("strides"), head.strides);
  const distributed = head.boxes === "distribution";
  if (distributed && head.bins < 2) throw rangeError(place("bins"), head.bins, "2 to 64 for a distribution");
  if (!distributed && head.bins !== 0) throw rangeError(place("bins"), head.bins, `0 for boxes "${head.boxes}"`);
  return head;
}

/** At least one positive number. */
export function checkStrides({ op, argument }: Place, strides: unknown): readonly number[] {
  if (!Array.isArray(strides) || strides.length === 0) {
    throw typeError({ op, argument }, describe(strides), "an array of at least one number");
  }
  strides.forEach((stride, i) => {
    const place = { op, argument: `${argument}[${i}]` };
    if (!(number(place, stride) > 0 && stride < Infinity)) throw rangeError(place, stride, "a positive number");
  });
  return strides;
}

/** Channels of the box part. */
export function boxChannels(head: HeadSpec): number {
  return head.boxes === "distribution" ? 4 * head.bins : 4;
}

/** Does the head have a channel of objectness? */
export function hasObjectness(head: HeadSpec): boolean {
  return (head.objectness ?? "none") !== "none";
}
