/**
 * What `detect` returns for an image, and the way there and back from plain data.
 */
import type { MaskList } from "../masks/mask_list.ts";
import type { CocoResult, Detection, Detections, DetectionsFactory, DetectionsJson } from "../types.ts";
import { cornersOf } from "./rotated.ts";
import { describe, integer, known, type Place, rangeError, typeError } from "../validate.ts";
import { masksFrom } from "./masks_from.ts";

type Four = [number, number, number, number];

/** What belongs to the masks of detections beside the prototypes. */
export interface MaskArrays {
  /** (N, channels), as the network gave them. */
  readonly coefficients: Float32Array;
  /** (N, 4) in the masks' frame. */
  readonly boxes: Float32Array;
}

export interface DetectionArrays {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  readonly anchors: Int32Array;
  /** (N, 5): centre, size, angle. */
  readonly rotated?: Float32Array;
  /** (N, count, 3): x, y, visibility. */
  readonly keypoints?: Float32Array;
  readonly masks?: MaskArrays;
  readonly std?: Float32Array;
  readonly saturation?: Float32Array;
  readonly excess?: Float32Array;
}

/** Statistics of each side, with `uncertainty`. */
const SIDES = ["std", "saturation", "excess"] as const;

/** Struct of arrays with the views that callers ask for. */
export class DetectionList implements Detections {
  readonly length: number;
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  readonly anchors: Int32Array;
  readonly rotated?: Float32Array;
  readonly keypoints?: Float32Array;
  readonly std?: Float32Array;
  readonly saturation?: Float32Array;
  readonly excess?: Float32Array;
  readonly masks?: MaskList;

  constructor(arrays: DetectionArrays, masks: MaskList | null) {
    this.length = arrays.scores.length;
    this.boxes = arrays.boxes;
    this.scores = arrays.scores;
    this.classes = arrays.classes;
    this.anchors = arrays.anchors;
    if (arrays.rotated !== undefined) this.rotated = arrays.rotated;
    if (arrays.keypoints !== undefined) this.keypoints = arrays.keypoints;
    for (const name of SIDES) if (arrays[name] !== undefined) this[name] = arrays[name];
    if (masks !== null) this.masks = masks;
  }

  /** A method where boxes are rotated. On the prototype, because functions cannot be posted. */
  get corners(): (() => Float32Array) | undefined {
    const { rotated } = this;
    return rotated && (() => cornersOf(rotated));
  }

  *[Symbol.iterator](): IterableIterator<Detection> {
    const sides = SIDES.filter((name) => this[name] !== undefined);
    const { keypoints, rotated } = this;
    for (let i = 0; i < this.length; i++) {
      const four = (values: Float32Array) => Array.from(values.subarray(4 * i, 4 * i + 4)) as Four;
      yield {
        box: four(this.boxes),
        score: this.scores[i],
        classId: this.classes[i],
        anchor: this.anchors[i],
        ...rotated && { rotated: Array.from(rotated.subarray(5 * i, 5 * i + 5)) as Detection["rotated"] },
        ...keypoints && { keypoints: pointsOf(keypoints, i, this.length) },
        ...Object.fromEntries(sides.map((name) => [name, four(this[name] as Float32Array)])),
      };
    }
  }

  toCoco(imageId: number | string, categoryIds?: readonly number[]): CocoResult[] {
    if (typeof imageId !== "number" && typeof imageId !== "string") {
      throw typeError({ op: "toCoco", argument: "imageId" }, describe(imageId), "a number or a string");
    }
    const { masks } = this;
    return Array.from(this, ({ box: [x1, y1, x2, y2], score, classId, rotated, keypoints }, i) => ({
      image_id: imageId,
      category_id: categoryIds === undefined ? classId : categoryOf(classId, categoryIds),
      bbox: [x1, y1, x2 - x1, y2 - y1],
      score,
      ...rotated && { rotated },
      ...keypoints && { keypoints: keypoints.flat() },
      ...masks && { segmentation: masks.rle(i) },
    }));
  }

  toJSON(): DetectionsJson {
    const json: DetectionsJson = {
      length: this.length,
      boxes: Array.from(this.boxes),
      scores: Array.from(this.scores),
      classes: Array.from(this.classes),
      anchors: Array.from(this.anchors),
    };
    if (this.rotated !== undefined) json.rotated = Array.from(this.rotated);
    if (this.keypoints !== undefined) json.keypoints = Array.from(this.keypoints);
    for (const name of SIDES) if (this[name] !== undefined) json[name] = Array.from(this[name]);
    const { masks } = this;
    if (masks !== undefined) {
      json.masks = Array.from(this.scores, (_, i) => masks.rle(i));
      json.maskFrame = { size: [masks.height, masks.width], crops: masks.crops() };
    }
    return json;
  }
}

/** The keypoints of detection i of so many. */
function pointsOf(keypoints: Float32Array, i: number, length: number): [number, number, number][] {
  const each = keypoints.length / length;
  return Array.from({ length: each / 3 }, (_, k) => {
    const at = i * each + 3 * k;
    return [keypoints[at], keypoints[at + 1], keypoints[at + 2]];
  });
}

function categoryOf(classId: number, categoryIds: readonly number[]): number {
  if (typeof categoryIds !== "object" || categoryIds === null) {
    throw typeError({ op: "toCoco", argument: "categoryIds" }, describe(categoryIds), "an array of numbers");
  }
  const id = categoryIds[classId];
  if (Number.isFinite(id)) return id;
  const wanted = `a number, for class ${classId}`;
  throw rangeError({ op: "toCoco", argument: `categoryIds[${classId}]` }, describe(id), wanted);
}

// ── From plain data ─────────────────────────────────────────────────────────────

const op = "Detections.from";
const REQUIRED = ["boxes", "scores", "classes", "anchors"] as const;

export const detectionsFactory: DetectionsFactory = { from };

function from(json: unknown): Detections {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    const parsed = typeof json === "string" ? ", parsed" : "";
    throw typeError({ op, argument: "json" }, describe(json), `what toJSON of detections gives${parsed}`);
  }
  known(op, "json", json, ["length", ...REQUIRED, "rotated", "keypoints", ...SIDES, "masks", "maskFrame"]);
  const members = json as Record<string, unknown>;
  const place = (member: string) => ({ op, argument: `json.${member}` });
  const length = integer(place("length"), members.length, 0, 2 ** 31 - 1);
  const floats = (name: string, count: number) => {
    return Float32Array.from(
      valuesOf(place(name), members[name], count),
      (value, i) => floatOf(place(`${name}[${i}]`), value),
    );
  };
  const ids = (name: string) => {
    return Int32Array.from(valuesOf(place(name), members[name], length), (value, i) => {
      return integer(place(`${name}[${i}]`), value, 0, 2 ** 31 - 1);
    });
  };
  return new DetectionList({
    boxes: floats("boxes", 4 * length),
    scores: floats("scores", length),
    classes: ids("classes"),
    anchors: ids("anchors"),
    ...members.rotated !== undefined && { rotated: floats("rotated", 5 * length) },
    ...members.keypoints !== undefined && { keypoints: floats("keypoints", keypointValues(members.keypoints, length)) },
    ...Object.fromEntries(
      SIDES.filter((name) => members[name] !== undefined).map((name) => [name, floats(name, 4 * length)]),
    ),
  }, masksFrom(place, members, length));
}

/** As many as there are, where that is a number of keypoints for each detection; else the least that would be. */
function keypointValues(keypoints: unknown, length: number): number {
  const values = (keypoints as Partial<ArrayLike<unknown>> | null)?.length;
  return typeof values === "number" && length > 0 && values > 0 && values % (3 * length) === 0 ? values : 3 * length;
}

/** JSON has null for NaN. */
function floatOf(place: Place, value: unknown): number {
  if (typeof value === "number") return value;
  if (value === null) return NaN;
  throw typeError(place, describe(value), "a number");
}

/** The values of an array or a typed array. */
function valuesOf(place: Place, value: unknown, length: number): ArrayLike<unknown> {
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);
  const values = value as ArrayLike<unknown>;
  if (isList && values.length === length) return values;
  throw typeError(place, describe(value), `an array of ${length} numbers`);
}
