/**
 * A picture of the detections: boxes, labels, and a faint band on each side as wide as the side is uncertain.
 */
import { Buffer } from "node:buffer";
import type { Detection } from "../../types.ts";
import type { ImageFile } from "../readers/image.ts";
import { classLabel, deviations, type ImageResult } from "../result.ts";
import { classColour, textColour } from "./colours.ts";
import { placeLabels, type Rect } from "./labels.ts";
import { escapeXml } from "./text.ts";

/** The picture is drawn as if its longer side had so many pixels, so that lines and letters keep their proportions. */
const SHOWN = 640;
const FONT = 13;
const LETTER = 0.61 * FONT;
const CHIP_HEIGHT = 18;

/** One detection with what is drawn of it. */
interface Drawn extends Rect {
  readonly label: string;
  readonly title: string;
  readonly colour: string;
  readonly sides: readonly number[] | undefined;
}

/** The picture, in the pixels of the image or, without one, of the network's input. */
export function svgText(result: ImageResult, image: ImageFile | undefined): string {
  const [height, width] = result.frame;
  const unit = Math.max(width, height) / SHOWN;
  const drawn = [...result.detections].map((found, i) => toDrawn(result, found, i)).filter(isDrawable);
  const sizes = drawn.map(({ label }) => ({ width: (label.length * LETTER + 10) * unit, height: CHIP_HEIGHT * unit }));
  const places = placeLabels(drawn, sizes, result.frame);
  const shownWidth = Math.round(width / Math.min(unit, 1));
  const shownHeight = Math.round(height / Math.min(unit, 1));
  // The best are drawn last, on top.
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"` +
    ` width="${shownWidth}" height="${shownHeight}">`,
    `<title>${escapeXml(result.id)}</title>`,
    background(width, height, image),
    ...drawn.map((item) => box(item, unit)).reverse(),
    ...drawn.map((item, i) => chip(item, places[i], unit)).reverse(),
    "</svg>",
    "",
  ].join("\n");
}

function toDrawn(result: ImageResult, { box: [x1, y1, x2, y2], score, classId }: Detection, index: number): Drawn {
  const label = `${classLabel(result, classId)} ${score.toFixed(2)}`;
  const sides = deviations(result.detections, index);
  const spread = sides === undefined ? "" : `, ± ${sides.map((px) => px.toFixed(1)).join(", ")} px (l, t, r, b)`;
  const title = `${label}${spread}`;
  return { x: x1, y: y1, width: x2 - x1, height: y2 - y1, label, title, colour: classColour(classId), sides };
}

/** Damaged outputs can make boxes that no picture has a place for. */
function isDrawable({ x, y, width, height }: Drawn): boolean {
  return [x, y, width, height].every(Number.isFinite) && width >= 0 && height >= 0;
}

/** The image, on a ground of its own so that the viewer's does not matter. */
function background(width: number, height: number, image: ImageFile | undefined): string {
  const ground = `<rect width="${width}" height="${height}" fill="#23272e"/>`;
  if (image === undefined) return ground;
  const href = `data:${image.mime};base64,${Buffer.from(image.bytes).toString("base64")}`;
  return `${ground}\n<image width="${width}" height="${height}" preserveAspectRatio="none" href="${href}"/>`;
}

function box({ x, y, width, height, title, colour, sides }: Drawn, unit: number): string {
  const outline = rect({ x, y, width, height });
  const bands = (sides === undefined ? [] : bandsOf({ x, y, width, height }, sides)).map((band) =>
    `<rect ${rect(band)}/>`
  );
  return [
    `<g><title>${escapeXml(title)}</title>`,
    `<g fill="${colour}" fill-opacity="0.2">${bands.join("")}</g>`,
    `<rect ${outline} fill="none" stroke="#000" stroke-opacity="0.35" stroke-width="${short(4.5 * unit)}"/>`,
    `<rect ${outline} fill="none" stroke="${colour}" stroke-width="${short(2.5 * unit)}"/></g>`,
  ].join("");
}

/** Left, top, right and bottom: one standard deviation to either side. */
function bandsOf({ x, y, width, height }: Rect, [left, top, right, bottom]: readonly number[]): Rect[] {
  return [
    { x: x - left, y, width: 2 * left, height },
    { x, y: y - top, width, height: 2 * top },
    { x: x + width - right, y, width: 2 * right, height },
    { x, y: y + height - bottom, width, height: 2 * bottom },
  ];
}

function chip({ label, colour }: Drawn, place: Rect, unit: number): string {
  const baseline = place.y + (CHIP_HEIGHT - 5) * unit;
  return [
    `<rect ${rect(place)} rx="${short(3 * unit)}" fill="${colour}"/>`,
    `<text x="${short(place.x + 5 * unit)}" y="${short(baseline)}" textLength="${short(place.width - 10 * unit)}"`,
    ` lengthAdjust="spacingAndGlyphs" font-family="ui-monospace, Menlo, Consolas, monospace"`,
    ` font-size="${short(FONT * unit)}" fill="${textColour(colour)}">${escapeXml(label)}</text>`,
  ].join("");
}

function rect({ x, y, width, height }: Rect): string {
  return `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
}

/** Digits enough for a picture. */
function short(value: number): string {
  return String(Number(value.toFixed(3)));
}
