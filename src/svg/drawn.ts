/**
 * What a picture shows of each detection.
 */
import { typeError } from "../validate.ts";
import { classColour } from "./colours.ts";
import type { Rect } from "./frame.ts";
import { isDrawable, type Item, placeOf } from "./objects.ts";
import type { Settings } from "./options.ts";
import { type Tick, ticksOf } from "./ticks.ts";

/** A detection with all that is drawn of it. */
export interface Drawn {
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
  const shown = items.filter(isDrawable);
  if (uncertainty !== undefined && uncertainty !== "none" && items.some((item) => item[uncertainty] === undefined)) {
    const place = { op: "toSvg", argument: "options.uncertainty" };
    throw typeError(place, JSON.stringify(uncertainty), `"none", because not all detections have ${uncertainty}`);
  }
  return shown.map((item) => toDrawn(item, settings));
}

function toDrawn(item: Item, { nameOf, uncertainty = "excess" }: Settings): Drawn {
  const { box, score, classId } = item;
  const name = classId === undefined ? [] : [nameOf(classId)];
  const label = [...name, ...(score === undefined ? [] : [score.toFixed(2)])].join(" ");
  const spread = uncertainty === "none" ? undefined : item[uncertainty];
  const sides = spread === undefined ? [] : [`± ${spread.map((px) => px.toFixed(1)).join(", ")} px (l, t, r, b)`];
  return {
    place: placeOf(box),
    classId,
    colour: classColour(classId ?? 0),
    label,
    title: [...(label === "" ? [] : [label]), ...sides].join(", "),
    ticks: spread === undefined ? [] : ticksOf(box, spread),
  };
}
