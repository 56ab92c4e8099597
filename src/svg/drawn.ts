/**
 * What a picture shows of each detection.
 */
import { typeError } from "../validate.ts";
import { classColour } from "./colours.ts";
import { type Figure, figureOf } from "./figure.ts";
import { type Rect, rectOf } from "./geometry.ts";
import { isDrawable, type Item } from "./objects.ts";
import type { Settings } from "./options.ts";
import { type Tick, ticksOf } from "./ticks.ts";

/** A detection with all that is drawn of it. */
export interface Drawn extends Figure {
  /** Around it, for its label. */
  readonly place: Rect;
  readonly classId: number | undefined;
  readonly colour: string;
  /** Empty where nothing is known but the box. */
  readonly label: string;
  /** The label, and how uncertain the sides are, for who points at the box. */
  readonly title: string;
  readonly ticks: readonly Tick[];
}

/** All that a picture has a place for, in their order. */
export function drawnOf(items: readonly Item[], settings: Settings): Drawn[] {
  const { uncertainty } = settings;
  if (uncertainty !== undefined && uncertainty !== "none" && items.some((item) => item[uncertainty] === undefined)) {
    const place = { op: "toSvg", argument: "options.uncertainty" };
    throw typeError(place, JSON.stringify(uncertainty), `"none", because not all detections have ${uncertainty}`);
  }
  return items.filter(isDrawable).map((item) => toDrawn(item, settings));
}

function toDrawn(item: Item, settings: Settings): Drawn {
  const { score, classId } = item;
  const { nameOf, uncertainty = "excess", minVisibility } = settings;
  const name = classId === undefined ? [] : [nameOf(classId)];
  const label = [...name, ...(score === undefined ? [] : [score.toFixed(2)])].join(" ");
  const spread = uncertainty === "none" ? undefined : item[uncertainty];
  const sides = spread === undefined ? [] : [`± ${spread.map((px) => px.toFixed(1)).join(", ")} px (l, t, r, b)`];
  const figure = figureOf(item, settings, ([, , visibility]) => visibility >= minVisibility);
  return {
    ...figure,
    place: rectOf(item.box),
    classId,
    colour: classColour(classId ?? 0),
    label,
    title: [...(label === "" ? [] : [label]), ...sides].join(", "),
    ticks: spread === undefined ? [] : ticksOf(figure.box, spread),
  };
}
