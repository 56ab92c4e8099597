/**
 * The well-known heads as plain data. Facts are those of each family's own code: reg_max is translated to a number of bins.
 */
import type { HeadOptions, HeadSpec } from "../types.ts";
import {
  describe,
  integer,
  known,
  listOf,
  namesOf,
  number,
  oneOf,
  type Place,
  rangeError,
  typeError,
} from "../validate.ts";

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
  known(op, "options", changes, MEMBERS);
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  return checkHead(op, "options", { ...presets[name], ...given });
}

const MEMBERS = namesOf<HeadSpec>({
  name: true,
  numClasses: true,
  bins: true,
  strides: true,
  anchorOffset: true,
  scores: true,
  objectness: true,
  boxes: true,
  boxUnit: true,
  layout: true,
  channelOrder: true,
});

/** Labels are 32-bit integers. */
const MOST_CLASSES = 2 ** 31 - 1;

/** A copy of a head whose every member is sound, and whose members fit together. */
export function checkHead(op: string, argument: string, given: HeadSpec): HeadSpec {
  if (typeof given !== "object" || given === null) {
    throw typeError({ op, argument }, describe(given), "a HeadSpec, for example heads.yolov8()");
  }
  known(op, argument, given, MEMBERS);
  const place = (member: string) => ({ op, argument: `${argument}.${member}` });
  const { name, objectness, boxUnit } = given;
  if (typeof name !== "string") throw typeError(place("name"), describe(name), "a string");
  const head: HeadSpec = {
    name,
    numClasses: integer(place("numClasses"), given.numClasses, 1, MOST_CLASSES),
    bins: integer(place("bins"), given.bins, 0, 64),
    strides: checkStrides(place("strides"), given.strides),
    anchorOffset: number(place("anchorOffset"), given.anchorOffset, -1e6, 1e6),
    scores: oneOf(place("scores"), given.scores, ["logits", "probabilities"]),
    ...optional("objectness", objectness, (value) => {
      return oneOf(place("objectness"), value, ["none", "multiply", "sqrt-multiply"] as const);
    }),
    boxes: oneOf(place("boxes"), given.boxes, ["distribution", "distances", "xywh", "xyxy"]),
    ...optional("boxUnit", boxUnit, (value) => oneOf(place("boxUnit"), value, ["pixel", "stride", "image"] as const)),
    layout: oneOf(place("layout"), given.layout, ["rows", "channels-first"]),
    channelOrder: oneOf(place("channelOrder"), given.channelOrder, ["box-first", "class-first", "separate"]),
  };
  checkBoxes(place, head);
  return head;
}

/** A checked member, if it is there. */
function optional<N extends string, T>(name: N, value: unknown, check: (value: unknown) => T): { [K in N]?: T } {
  return value === undefined ? {} : { [name]: check(value) } as { [K in N]?: T };
}

function checkBoxes(place: (member: string) => Place, { boxes, bins, boxUnit }: HeadSpec): void {
  if (boxes !== "distribution") {
    if (bins !== 0) throw rangeError(place("bins"), bins, `0 for boxes "${boxes}"`);
    return;
  }
  if (bins < 2) {
    const plain = `bins: 0 with boxes: "distances", in strides where boxUnit says so`;
    throw rangeError(place("bins"), bins, `2 to 64 for a distribution, or ${plain}`);
  }
  if (boxUnit !== undefined && boxUnit !== "stride") {
    throw typeError(place("boxUnit"), `"${boxUnit}" for a distribution`, "none: bins are in units of the stride");
  }
}

/** Networks have three to seven; an anchor's level is looked for among all. */
const MOST_LEVELS = 64;

/** A copy of at least one positive number. */
export function checkStrides({ op, argument }: Place, strides: unknown): readonly number[] {
  const copy = listOf(strides);
  if (copy === null || copy.length === 0) {
    throw typeError({ op, argument }, describe(strides), "an array of at least one number");
  }
  if (copy.length > MOST_LEVELS) {
    throw rangeError({ op, argument }, `${copy.length} strides`, `at most ${MOST_LEVELS}`);
  }
  copy.forEach((value, i) => {
    const place = { op, argument: `${argument}[${i}]` };
    const stride = number(place, value);
    if (!(stride > 0 && stride < Infinity)) throw rangeError(place, stride, "a positive number");
  });
  return copy as number[];
}

/** Does the family's export list boxes before classes, where they stand apart? Null where the name is no family's. */
export function listsBoxesFirst({ name }: HeadSpec): boolean | null {
  return Object.hasOwn(presets, name) ? presets[name as PresetName].channelOrder === "box-first" : null;
}

/** Channels of the box part. */
export function boxChannels(head: HeadSpec): number {
  return head.boxes === "distribution" ? 4 * head.bins : 4;
}

/** Does the head have a channel of objectness? */
export function hasObjectness(head: HeadSpec): boolean {
  return (head.objectness ?? "none") !== "none";
}
