/**
 * What is to be drawn, in any of the forms that it may come in: columns, as detections are, or a list of objects.
 */
import type { SvgColumns, SvgObject } from "../types.ts";
import { describe, integer, known, listOf, namesOf, numbers, type Place, typeError } from "../validate.ts";
import { around, type Four, type Point, type Turned } from "./geometry.ts";
import { type Mask, readMasks, readSegmentation } from "./masks.ts";

/** An object, read. */
export interface Item {
  readonly box: Four;
  readonly score: number | undefined;
  readonly classId: number | undefined;
  readonly std: Four | undefined;
  readonly excess: Four | undefined;
  /** The box is around it, and not drawn. */
  readonly rotated: Turned | undefined;
  readonly keypoints: readonly Point[] | undefined;
  readonly mask: Mask | undefined;
}

const op = "toSvg";
const COLUMNS = namesOf<
  SvgColumns & { length: true; anchors: true; saturation: true; maskFrame: true; ignore: true }
>({
  boxes: true,
  scores: true,
  classes: true,
  labels: true,
  std: true,
  excess: true,
  rotated: true,
  keypoints: true,
  masks: true,
  // Of detections and ground truth, not drawn.
  length: true,
  anchors: true,
  saturation: true,
  maskFrame: true,
  ignore: true,
});
const MEMBERS = namesOf<SvgObject & { anchor: true; saturation: true }>({
  box: true,
  score: true,
  classId: true,
  std: true,
  excess: true,
  rotated: true,
  keypoints: true,
  segmentation: true,
  // Of detections, not drawn.
  anchor: true,
  saturation: true,
});

/** The objects of an argument; the error of a wrong one names it. */
export function readObjects(argument: string, value: unknown): Item[] {
  const list = listOf(value);
  if (list !== null) return list.map((object, i) => readObject(`${argument}[${i}]`, object));
  if (typeof value === "object" && value !== null && "boxes" in value) return readColumns(argument, value);
  throw typeError(
    { op, argument },
    describe(value),
    "detections, an object with boxes, or a list of objects with a box",
  );
}

function readObject(argument: string, value: unknown): Item {
  if (typeof value !== "object" || value === null) throw typeError({ op, argument }, describe(value), "an object");
  known(op, argument, value, MEMBERS);
  const { box, score, classId, std, excess, rotated, keypoints, segmentation } = value as Partial<SvgObject>;
  const at = (member: string): Place => ({ op, argument: `${argument}.${member}` });
  const four = (member: string, given: unknown) => {
    return given === undefined ? undefined : numbers(at(member), given, 4) as unknown as Four;
  };
  const turned = rotated === undefined ? undefined : numbers(at("rotated"), rotated, 5) as unknown as Turned;
  return {
    box: box === undefined && turned !== undefined ? around(turned) : numbers(at("box"), box, 4) as unknown as Four,
    score: score === undefined ? undefined : numbers(at("score"), [score], 1)[0],
    classId: classId === undefined ? undefined : readClass(at("classId"), classId),
    std: four("std", std),
    excess: four("excess", excess),
    rotated: turned,
    keypoints: keypoints === undefined ? undefined : pointsOf(at("keypoints"), keypoints, 1)[0],
    mask: segmentation === undefined ? undefined : readSegmentation(at("segmentation"), segmentation),
  };
}

function readColumns(argument: string, value: object): Item[] {
  known(op, argument, value, COLUMNS);
  const { boxes, scores, classes, labels, std, excess, rotated, keypoints, masks } = value as Partial<SvgColumns>;
  const at = (member: string): Place => ({ op, argument: `${argument}.${member}` });
  const corners = numbers(at("boxes"), boxes);
  if (corners.length % 4 !== 0) throw typeError(at("boxes"), describe(boxes), "an array of four numbers for each box");
  const count = corners.length / 4;
  const column = (member: string, given: unknown, width: number) => {
    return given === undefined ? undefined : numbers(at(member), given, width * count);
  };
  const [name, kinds] = classes === undefined ? ["labels", labels] : ["classes", classes];
  const columns = {
    scores: column("scores", scores, 1),
    kinds: column(name, kinds, 1)?.map((id, i) => readClass(at(`${name}[${i}]`), id)),
    std: column("std", std, 4),
    excess: column("excess", excess, 4),
    rotated: column("rotated", rotated, 5),
    keypoints: keypoints === undefined ? undefined : pointsOf(at("keypoints"), keypoints, count),
    masks: masks === undefined ? undefined : readMasks(at("masks"), masks, count),
  };
  const four = (values: readonly number[] | undefined, i: number) => {
    return values?.slice(4 * i, 4 * i + 4) as unknown as Four | undefined;
  };
  return Array.from({ length: count }, (_, i) => ({
    box: four(corners, i) as Four,
    score: columns.scores?.[i],
    classId: columns.kinds?.[i],
    std: four(columns.std, i),
    excess: four(columns.excess, i),
    rotated: columns.rotated?.slice(5 * i, 5 * i + 5) as unknown as Turned | undefined,
    keypoints: columns.keypoints?.[i],
    mask: columns.masks?.[i],
  }));
}

/** As many keypoints for each object: x, y, visibility of one after the other, or in lists. */
function pointsOf(place: Place, value: unknown, objects: number): Point[][] {
  const lists = listOf(value);
  const nested = objects === 1 && lists?.every(Array.isArray);
  const values = nested
    ? lists.flatMap((point, k) => numbers({ op, argument: `${place.argument}[${k}]` }, point, 3))
    : numbers(place, value);
  const count = objects === 0 ? 0 : values.length / (3 * objects);
  if (!Number.isInteger(count) || (objects === 0 && values.length > 0)) {
    throw typeError(place, describe(value), `x, y and visibility of as many keypoints for each of ${objects} objects`);
  }
  return Array.from({ length: objects }, (_, i) => {
    return Array.from({ length: count }, (_, k) => {
      const first = 3 * (i * count + k);
      return [values[first], values[first + 1], values[first + 2]] as const;
    });
  });
}

function readClass(place: Place, value: unknown): number {
  return integer(place, value, 0, 2 ** 31 - 1);
}

/** Whether a picture has a place for it: damaged outputs make boxes that are not finite. */
export function isDrawable({ box: [x1, y1, x2, y2], rotated = [0, 0, 0, 0, 0] }: Item): boolean {
  const [, , width, height] = rotated;
  return [x1, y1, x2, y2, ...rotated].every(Number.isFinite) && x1 <= x2 && y1 <= y2 && width >= 0 && height >= 0;
}
