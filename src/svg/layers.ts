/**
 * The layers of a picture, each a text for each object.
 */
import { escapeXml } from "../text.ts";
import type { Drawn } from "./drawn.ts";
import type { Figure } from "./figure.ts";
import { dashed, FINE, type Frame, LINE, outlined, short, WIDE } from "./frame.ts";
import type { Settings } from "./options.ts";
import { drawPoint } from "./skeleton.ts";

/** What is nothing is left out. */
export type Layer = (item: Drawn, frame: Frame, settings: Settings) => string;

/** A mask: the ground of its object in the class's colour, and a line around it. */
export const mask: Layer = ({ mask, colour }, { unit }, { masks }) => {
  if (mask === undefined) return "";
  const fill = masks === "outline" ? "" : `fill="${colour}" fill-opacity="0.4"`;
  const line = masks === "fill"
    ? ""
    : `stroke="${colour}" stroke-width="${short(FINE * unit)}" stroke-linejoin="round"`;
  return mask([fill, line].filter((text) => text !== "").join(" "));
};

/** A box, with its label for who points at it; fine beside a mask. The side that the angle of a turned one points to is wide. */
export const box: Layer = ({ outline, front, mask, title, colour }, frame) => {
  const lines = outlined(outline, colour, frame, mask === undefined ? LINE : FINE);
  const wide = front === undefined ? "" : front(`stroke="${colour}" stroke-width="${short(WIDE * frame.unit)}"`);
  return `<g>${title === "" ? "" : `<title>${escapeXml(title)}</title>`}${lines}${wide}</g>`;
};

/** Lines between keypoints, and the points on them. */
export const keypoints: Layer = ({ lines, points, colour }, frame, { minVisibility }) => {
  if (points.length === 0) return "";
  const dots = points.map((point) => drawPoint(point, minVisibility, colour, frame));
  return `<g>${lines === undefined ? "" : outlined(lines, colour, frame)}${dots.join("")}</g>`;
};

/** An object of the truth: all of it dashed. */
export function truth({ outline, mask, lines, points }: Figure, frame: Frame): string {
  const dots = points.filter(([, , visibility]) => visibility > 0).map(([x, y]) => {
    const circle = `<circle cx="${short(x)}" cy="${short(y)}" r="${short(3 * frame.unit)}"`;
    return (attributes: string) => `${circle} ${attributes}/>`;
  });
  const shapes = [outline, ...(mask === undefined ? [] : [mask]), ...(lines === undefined ? [] : [lines]), ...dots];
  return `<g>${shapes.map((shape) => dashed(shape, frame)).join("")}</g>`;
}
