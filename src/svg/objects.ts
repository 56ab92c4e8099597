/**
 * What is to be drawn, in any of the forms that it may come in: columns, as detections are, or a list of objects.
 */
import type { SvgColumns, SvgObject } from "../types.ts";
import { describe, integer, known, listOf, namesOf, numbers, type Place, typeError } from "../validate.ts";
import type { Rect } from "./frame.ts";

export type Four = readonly [number, number, number, number];

/** An object, read. */
export interface Item {
  readonly box: Four;
  readonly score: number | undefined;
  readonly classId: number | undefined;
  readonly std: Four | undefined;
  readonly excess: Four | undefined;
}

const op = "toSvg";
const COLUMNS = namesOf<SvgColumns & { length: true; anchors: true; saturation: true; ignore: true }>({
  boxes: true,
  scores: true,
  classes: true,
  labels: true,
  std: true,
  excess: true,
  // Of detections and ground truth, not drawn.
  length: true,
  anchors: true,
  saturation: true,
  ignore: true,
});
const MEMBERS = namesOf<SvgObject & { anchor: true; saturation: true }>({
  box: true,
  score: true,
  classId: true,
  std: true,
  excess: true,
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
  const { box, score, classId, std, excess } = value as Partial<SvgObject>;
  const at = (member: string): Place => ({ op, argument: `${argument}.${member}` });
  const four = (member: string, given: unknown) => {
    return given === undefined ? undefined : numbers(at(member), given, 4) as unknown as Four;
  };
  return {
    box: numbers(at("box"), box, 4) as unknown as Four,
    score: score === undefined ? undefined : numbers(at("score"), [score], 1)[0],
    classId: classId === undefined ? undefined : readClass(at("classId"), classId),
    std: four("std", std),
    excess: four("excess", excess),
  };
}

function readColumns(argument: string, value: object): Item[] {
  known(op, argument, value, COLUMNS);
  const { boxes, scores, classes, labels, std, excess } = value as Partial<SvgColumns>;
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
  }));
}

function readClass(place: Place, value: unknown): number {
  return integer(place, value, 0, 2 ** 31 - 1);
}

/** Whether a picture has a place for it: damaged outputs make boxes that are not finite. */
export function isDrawable({ box: [x1, y1, x2, y2] }: Item): boolean {
  return [x1, y1, x2, y2].every(Number.isFinite) && x1 <= x2 && y1 <= y2;
}

/** The rectangle between the corners. */
export function placeOf([x1, y1, x2, y2]: Four): Rect {
  return { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
}
