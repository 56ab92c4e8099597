/**
 * Heads that are sound: those of users, and presets with changes.
 */
import type { HeadOptions, HeadSpec, KeypointSpec } from "../types.ts";
import {
  boolean,
  describe,
  integer,
  known,
  listOf,
  namesOf,
  number,
  oneOf,
  type Place,
  rangeError,
  rising,
  typeError,
} from "../validate.ts";
import { isListed } from "./listed_rows.ts";
import { KEYPOINT_CODINGS, KEYPOINT_DIMS, type Member, members, MOST_ANCHORS, MOST_ATTACHED } from "./members.ts";
import { type Preset, type PresetName, presets } from "./presets.ts";

const NAMES = Object.keys(members) as (keyof HeadSpec)[];
const MEMBERS = NAMES.map((name) => ({ name, member: members[name] as Member }));

/** A preset with changes, checked. */
export function makeHead(name: PresetName, changes: HeadOptions = {}): HeadSpec {
  const op = `heads.${name}`;
  if (typeof changes !== "object" || changes === null) {
    throw typeError({ op, argument: "options" }, describe(changes), "an object");
  }
  known(op, "options", changes, NAMES);
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const { head, rotated }: Preset = presets[name];
  const turned = given.angle === undefined || given.angle === "none" ? {} : rotated;
  return checkHead(op, "options", { name, ...head, ...turned, ...given });
}

/** A copy of a head whose every member is sound, and whose members fit together. */
export function checkHead(op: string, argument: string, given: HeadSpec): HeadSpec {
  if (typeof given !== "object" || given === null) {
    throw typeError({ op, argument }, describe(given), "a HeadSpec, for example heads.yolov8()");
  }
  known(op, argument, given, NAMES);
  const place = (name: string) => ({ op, argument: `${argument}.${name}` });
  const checked: Record<string, unknown> = {};
  for (const { name, member } of MEMBERS) {
    const value = given[name];
    if (value !== undefined || !member.optional) checked[name] = checkMember(place(name), value, member);
  }
  const head = checked as unknown as HeadSpec;
  checkBoxes(place, head);
  checkSizes(place, head);
  checkSelection(place, head);
  checkAttachments(place, head);
  return head;
}

function checkMember(place: Place, value: unknown, member: Member): unknown {
  switch (member.kind) {
    case "string":
      if (typeof value !== "string") throw typeError(place, describe(value), "a string");
      return value;
    case "boolean":
      return boolean(place, value);
    case "strides":
      return checkStrides(place, value);
    case "numbers":
      return rising(place, value);
    case "anchors":
      return checkAnchors(place, value);
    case "keypoints":
      return checkKeypoints(place, value);
    case "integer":
      return integer(place, value, member.low, member.high);
    case "number":
      return number(place, value, member.low, member.high);
    case "choice":
      return oneOf(place, value, member.choices);
  }
}

function checkBoxes(place: (member: string) => Place, { boxes, bins, boxUnit, binValues }: HeadSpec): void {
  if (boxes !== "distribution") {
    if (bins !== 0) throw rangeError(place("bins"), bins, `0 for boxes "${boxes}"`);
    if (binValues !== undefined) throw typeError(place("binValues"), `given for boxes "${boxes}"`, "none");
    if (boxUnit !== undefined && !UNITED.includes(boxes)) {
      throw typeError(place("boxUnit"), `"${boxUnit}" for boxes "${boxes}"`, "none: their unit is part of the coding");
    }
    return;
  }
  if (bins < 2) {
    const plain = `bins: 0 with boxes: "distances", in strides where boxUnit says so`;
    throw rangeError(place("bins"), bins, `2 to 64 for a distribution, or ${plain}`);
  }
  if (binValues !== undefined && binValues.length !== bins) {
    throw rangeError(place("binValues"), `${binValues.length} values`, `${bins}, one for each of the bins`);
  }
  if (boxUnit !== undefined && boxUnit !== "stride") {
    throw typeError(place("boxUnit"), `"${boxUnit}" for a distribution`, "none: bins are in units of the stride");
  }
}

/** Codings that `boxUnit` is the unit of. */
const UNITED: readonly HeadSpec["boxes"][] = ["distances", "xywh", "xyxy"];

/** Anchors are there where the coding multiplies by them, a list for each level. */
function checkSizes(place: (member: string) => Place, head: HeadSpec): void {
  const { boxes, anchors, anchorsPerCell, strides } = head;
  if (boxes !== "anchor-sigmoid" && boxes !== "anchor-exp") {
    if (anchors !== undefined) throw typeError(place("anchors"), `given for boxes "${boxes}"`, "none");
    return;
  }
  if (anchors === undefined) {
    throw typeError(place("anchors"), "undefined", `widths and heights for each level, for boxes "${boxes}"`);
  }
  if (anchors.length !== strides.length) {
    const wanted = `${strides.length}, a list for each of the strides ${strides.join(", ")}`;
    throw rangeError(place("anchors"), `${anchors.length} lists`, wanted);
  }
  const counts = anchors.map(({ length }) => length / 2);
  if (anchorsPerCell !== undefined && counts.some((count) => count !== anchorsPerCell)) {
    throw rangeError(place("anchorsPerCell"), anchorsPerCell, `${counts.join(", ")}, as the anchors are, or none`);
  }
}

/** Rows that are no anchors have boxes of their own; a detection has one score. */
function checkSelection(place: (member: string) => Place, head: HeadSpec): void {
  const { selection = "dense", boxes, boxUnit, scores, objectness = "none", channelOrder } = head;
  if (scores === "softmax" && objectness !== "none") {
    throw typeError(
      place("objectness"),
      `"${objectness}" for scores "softmax"`,
      `"none": the background stands for it`,
    );
  }
  if (selection === "dense") return;
  const rows = `for selection "${selection}"`;
  if (boxes !== "xywh" && boxes !== "xyxy") throw typeError(place("boxes"), `"${boxes}" ${rows}`, `"xywh" or "xyxy"`);
  if (boxUnit === "stride") throw typeError(place("boxUnit"), `"stride" ${rows}`, `"pixel" or "image"`);
  if (selection === "queries") return;
  if (scores === "softmax") throw typeError(place("scores"), `"softmax" ${rows}`, `"probabilities" or "logits"`);
  if (objectness !== "none") throw typeError(place("objectness"), `"${objectness}" ${rows}`, `"none"`);
  if (channelOrder !== "box-first") throw typeError(place("channelOrder"), `"${channelOrder}" ${rows}`, `"box-first"`);
}

/** Rows without a cell have no coding of it, and a box that is turned is not told by two corners. */
function checkAttachments(place: (member: string) => Place, head: HeadSpec): void {
  const { keypoints, angle = "none", boxes, selection } = head;
  if (keypoints !== undefined && keypoints.coding !== "pixel" && isListed(head)) {
    throw typeError(
      place("keypoints.coding"),
      `"${keypoints.coding}" for selection "${selection}"`,
      `"pixel": rows that are no anchors have no cell`,
    );
  }
  if (angle !== "none" && boxes === "xyxy") {
    throw typeError(
      place("angle"),
      `"${angle}" for boxes "xyxy"`,
      `"none", or boxes of centre and size or of distances`,
    );
  }
}

const KEYPOINTS = namesOf<KeypointSpec>({ count: true, dims: true, coding: true });

/** A copy. */
function checkKeypoints({ op, argument }: Place, value: unknown): KeypointSpec {
  if (typeof value !== "object" || value === null) {
    throw typeError({ op, argument }, describe(value), "an object with count, dims and coding");
  }
  known(op, argument, value, KEYPOINTS);
  const place = (member: string) => ({ op, argument: `${argument}.${member}` });
  const { count, dims, coding } = value as KeypointSpec;
  const checked = {
    count: integer(place("count"), count, 1, MOST_ATTACHED),
    dims: integer(place("dims"), dims, KEYPOINT_DIMS[0], KEYPOINT_DIMS[1]) as KeypointSpec["dims"],
    coding: oneOf(place("coding"), coding, KEYPOINT_CODINGS),
  };
  return checked;
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

/** A copy of one or more lists of widths and heights. */
function checkAnchors({ op, argument }: Place, anchors: unknown): readonly (readonly number[])[] {
  const levels = listOf(anchors);
  if (levels === null || levels.length === 0) {
    throw typeError({ op, argument }, describe(anchors), "an array of widths and heights for each level");
  }
  return levels.map((level, i) => checkLevelAnchors({ op, argument: `${argument}[${i}]` }, level));
}

function checkLevelAnchors({ op, argument }: Place, level: unknown): readonly number[] {
  const values = listOf(level);
  if (values === null || values.length === 0 || values.length % 2 !== 0 || values.length > 2 * MOST_ANCHORS) {
    const wanted = `an array of width, height, width, height …, of 1 to ${MOST_ANCHORS} anchors`;
    throw typeError({ op, argument }, describe(level), wanted);
  }
  return values.map((value, i) => {
    const place = { op, argument: `${argument}[${i}]` };
    const side = number(place, value);
    if (!(side > 0 && side < Infinity)) throw rangeError(place, side, "a positive number");
    return side;
  });
}
