/**
 * A picture of the detections: boxes, labels, and at the middle of each side a tick as long as the side is uncertain.
 */
import { Buffer } from "node:buffer";
import type { Detection } from "../../types.ts";
import type { BANDS } from "../detect_options.ts";
import type { ImageFile } from "../readers/image.ts";
import { classLabel, type ImageResult, spreads } from "../result.ts";
import { classColour, textColour } from "./colours.ts";
import { placeLabels, type Rect } from "./labels.ts";
import { cells, escapeXml } from "./text.ts";

/** The picture is drawn as if its longer side had so many pixels, so that lines and letters keep their proportions. */
const SHOWN = 640;
const FONT = 13;
const LETTER = 0.61;
const CHIP_HEIGHT = 18;
const LINE = 20;
const MONOSPACE = "ui-monospace, Menlo, Consolas, monospace";

/** One detection with what is drawn of it. */
interface Drawn extends Rect {
  readonly label: string;
  readonly title: string;
  readonly colour: string;
  readonly sides: readonly number[] | undefined;
}

/** The picture, in the pixels of the image or, without one, of the network's input; a legend is below it. */
export function svgText(result: ImageResult, bands: typeof BANDS[number]): string {
  const [height, width] = result.frame;
  const unit = Math.max(width, height) / SHOWN;
  const drawn = [...result.detections].map((found, i) => toDrawn(result, found, i)).filter(isDrawable);
  const sizes = drawn.map(({ label }) => ({
    width: (cells(label) * LETTER * FONT + 10) * unit,
    height: CHIP_HEIGHT * unit,
  }));
  const places = placeLabels(drawn, sizes, result.frame);
  const truth = truthOf(result);
  const hasTicks = bands !== "none" && drawn.some(({ sides }) => sides !== undefined);
  const entries = [...(hasTicks ? [TICK_ENTRY] : []), ...(truth.length > 0 ? [TRUTH_ENTRY] : [])];
  const full = height + entries.length * LINE * unit;
  const [shownWidth, shownHeight] = [width, full].map((side) => Math.round(side / Math.min(unit, 1)));
  // The best are drawn last, on top.
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${short(full)}"` +
    ` width="${shownWidth}" height="${shownHeight}">`,
    `<title>${escapeXml(result.name)}</title>`,
    background(width, height, full, result.image.picture, unit),
    ...drawn.map((item) => box(item, unit)).reverse(),
    ...truth.map((item) => dashed(item, unit)),
    ...(hasTicks ? drawn.map((item) => ticks(item, unit)).reverse() : []),
    ...drawn.map((item, i) => chip(item, places[i], unit)).reverse(),
    ...entries.map((entry, i) => legend(entry, width, height + i * LINE * unit, unit)),
    "</svg>",
    "",
  ].join("\n");
}

function toDrawn(result: ImageResult, { box: [x1, y1, x2, y2], score, classId }: Detection, index: number): Drawn {
  const label = `${classLabel(result, classId)} ${score.toFixed(2)}`;
  const sides = spreads(result.detections, index);
  const spread = sides === undefined ? "" : `, ± ${sides.map((px) => px.toFixed(1)).join(", ")} px (l, t, r, b)`;
  const title = `${label}${spread}`;
  return { x: x1, y: y1, width: x2 - x1, height: y2 - y1, label, title, colour: classColour(classId), sides };
}

/** Damaged outputs can make boxes that no picture has a place for. */
function isDrawable({ x, y, width, height }: Drawn): boolean {
  return [x, y, width, height].every(Number.isFinite) && width >= 0 && height >= 0;
}

function truthOf({ image: { truth } }: ImageResult): Rect[] {
  return truth === undefined
    ? []
    : truth.boxes.map(([x1, y1, x2, y2]) => ({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 }));
}

/** The image, on a ground of its own so that the viewer's does not matter. */
function background(width: number, height: number, full: number, image: ImageFile | undefined, unit: number): string {
  const ground = `<rect width="${width}" height="${short(full)}" fill="#23272e"/>`;
  if (image === undefined) return ground;
  const href = `data:${image.mime};base64,${Buffer.from(image.bytes).toString("base64")}`;
  // Few pixels stay pixels where they are enlarged; photographs are turned as their EXIF orientation says.
  const style = `image-orientation:from-image${unit <= 0.5 ? ";image-rendering:pixelated" : ""}`;
  return `${ground}\n<image width="${width}" height="${height}" preserveAspectRatio="none" style="${style}" href="${href}"/>`;
}

function box({ title, colour, ...place }: Drawn, unit: number): string {
  return [
    `<g fill="none"><title>${escapeXml(title)}</title>`,
    `<rect ${rect(place)} stroke="#000" stroke-opacity="0.35" stroke-width="${short(4.5 * unit)}"/>`,
    `<rect ${rect(place)} stroke="${colour}" stroke-width="${short(2.5 * unit)}"/></g>`,
  ].join("");
}

/** An object of the truth: white and black dashes in turn, which show on any ground. */
function dashed(place: Rect, unit: number): string {
  const dash = short(4 * unit);
  return `<g fill="none" stroke-width="${short(1.5 * unit)}"><rect ${rect(place)} stroke="#000"/>` +
    `<rect ${rect(place)} stroke="#fff" stroke-dasharray="${dash}"/></g>`;
}

/** At the middle of each side, as far to either side as it is uncertain. */
function ticks({ x, y, width, height, sides, colour }: Drawn, unit: number): string {
  if (sides === undefined) return "";
  const [left, top, right, bottom] = sides;
  const [middleX, middleY] = [x + width / 2, y + height / 2];
  const path = [
    acrossX(x, middleY, left, unit),
    acrossY(middleX, y, top, unit),
    acrossX(x + width, middleY, right, unit),
    acrossY(middleX, y + height, bottom, unit),
  ].join("");
  return strokes(path, colour, unit);
}

function strokes(path: string, colour: string, unit: number): string {
  return `<g fill="none"><path d="${path}" stroke="#000" stroke-opacity="0.6" stroke-width="${short(3.5 * unit)}"/>` +
    `<path d="${path}" stroke="${colour}" stroke-width="${short(1.5 * unit)}"/></g>`;
}

/** Half the length of the bars that end a tick. */
const BAR = 4;

function acrossX(x: number, y: number, reach: number, unit: number): string {
  const [from, to] = [x - reach, x + reach].map(short);
  const bar = `v${short(2 * BAR * unit)}`;
  const start = short(y - BAR * unit);
  return `M${from} ${short(y)}H${to}M${from} ${start}${bar}M${to} ${start}${bar}`;
}

function acrossY(x: number, y: number, reach: number, unit: number): string {
  const [from, to] = [y - reach, y + reach].map(short);
  const bar = `h${short(2 * BAR * unit)}`;
  const start = short(x - BAR * unit);
  return `M${short(x)} ${from}V${to}M${start} ${from}${bar}M${start} ${to}${bar}`;
}

function chip({ label, colour }: Drawn, place: Rect, unit: number): string {
  const baseline = place.y + (CHIP_HEIGHT - 5) * unit;
  return [
    `<rect ${rect(place)} rx="${short(3 * unit)}" fill="${colour}"/>`,
    `<text x="${short(place.x + 5 * unit)}" y="${short(baseline)}" textLength="${short(place.width - 10 * unit)}"`,
    ` lengthAdjust="spacingAndGlyphs" font-family="${MONOSPACE}"`,
    ` font-size="${short(FONT * unit)}" fill="${textColour(colour)}">${escapeXml(label)}</text>`,
  ].join("");
}

/** A sign and what it means. */
interface Entry {
  readonly sign: (x: number, y: number, unit: number) => string;
  readonly text: string;
}

const TICK_ENTRY: Entry = {
  sign: (x, y, unit) => strokes(acrossX(x, y, 12 * unit, unit), "#fff", unit),
  text: "± how far a side spreads beyond interpolation",
};

const TRUTH_ENTRY: Entry = {
  sign: (x, y, unit) => dashed({ x: x - 12 * unit, y: y - 5 * unit, width: 24 * unit, height: 10 * unit }, unit),
  text: "truth",
};

/** A line below the picture; narrow pictures have smaller letters. */
function legend({ sign, text }: Entry, width: number, top: number, unit: number): string {
  const middle = top + LINE / 2 * unit;
  const font = Math.max(unit, Math.min(FONT * unit, (width - 46 * unit) / (text.length * LETTER)));
  return `${sign(20 * unit, middle, unit)}<text x="${short(40 * unit)}" y="${short(middle + font / 3)}"` +
    ` font-family="${MONOSPACE}" font-size="${short(font)}" fill="#fff">${text}</text>`;
}

function rect({ x, y, width, height }: Rect): string {
  return `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
}

/** Digits enough for a picture. */
function short(value: number): string {
  return String(Number(value.toFixed(3)));
}
