/**
 * A picture of detections, as the text of an SVG.
 */
import { escapeXml } from "../text.ts";
import type { SvgObjects, SvgOptions } from "../types.ts";
import { chips } from "./chips.ts";
import { classColour } from "./colours.ts";
import { type Drawn, drawnOf } from "./drawn.ts";
import { dashed, type Frame, frameOf, outlined, type Rect, rect, short } from "./frame.ts";
import { type Entry, legend } from "./legend.ts";
import { isDrawable, placeOf, readObjects } from "./objects.ts";
import { GROUND, readOptions, type Settings } from "./options.ts";
import { picture } from "./picture.ts";
import { drawTicks } from "./ticks.ts";

/**
 * Draws detections as an SVG: boxes with their labels in a colour for each class, the truth dashed, and how uncertain sides
 * are. The result is the whole text of a picture, for a file or for `innerHTML`. All texts in it are escaped, and nothing in
 * it runs.
 *
 * The best detections are on top. Labels stay in the picture and, where there is room, off each other. Ticks stand outside of
 * their box, at the middle of its sides, and are as long as a side is uncertain. Objects whose box is not finite or is
 * inverted are left out, and the legend says how many.
 *
 * - Shapes: boxes (N, 4) `xyxy`, scores (N), classes (N), std and excess (N, 4), all in pixels of the frame.
 * - Throws: TypeError if an array has another kind or length than its boxes call for, a name is no string, or
 *   `uncertainty` asks for what the detections do not have. RangeError if the size is not positive, or the image is
 *   none.
 *
 * @example
 * ```ts
 * import { toSvg } from "densehead";
 *
 * const found = { boxes: [52, 35, 107, 88], scores: [0.94], classes: [1] }; // or what `detect` returns
 * const svg = toSvg(found, { size: [160, 160], names: ["circle", "square"] });
 * console.log(svg.includes(">square 0.94</text>")); // → true
 * ```
 */
export function toSvg(detections: SvgObjects, options: SvgOptions): string {
  const found = readObjects("detections", detections);
  const settings = readOptions(options);
  const frame = frameOf(settings.size);
  const drawn = drawnOf(found, settings);
  const truth = settings.truth.filter(isDrawable).map(({ box }) => placeOf(box));
  const lost = found.length + settings.truth.length - drawn.length - truth.length;
  const entries = settings.legend ? legendOf(drawn, truth.length > 0, lost, settings, frame) : [];
  const below = legend(entries, frame);
  // The best are drawn last, on top.
  return [
    head(frame, below.height),
    ...(settings.title === undefined ? [] : [`<title>${escapeXml(settings.title)}</title>`]),
    ...(settings.background === "none" ? [] : [ground(settings.background, frame, frame.height, 0)]),
    ...(settings.href === undefined ? [] : [picture(settings.href, frame)]),
    `<svg width="${short(frame.width)}" height="${short(frame.height)}" fill="none">`,
    ...drawn.map((item) => boxOf(item, frame)).reverse(),
    ...truth.map((place) => truthOf(place, frame)),
    ...drawn.map(({ ticks, colour }) => drawTicks(ticks, colour, frame)).filter((text) => text !== "").reverse(),
    ...(settings.labels ? chips(drawn, frame) : []),
    "</svg>",
    ...(entries.length === 0 ? [] : [ground(GROUND, frame, below.height, frame.height), below.svg]),
    "</svg>",
    "",
  ].join("\n");
}

/** Few pixels are shown enlarged. */
function head({ width, height, unit }: Frame, below: number): string {
  const full = height + below;
  const [shownWidth, shownHeight] = [width, full].map((side) => Math.round(side / Math.min(unit, 1)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${short(width)} ${short(full)}"` +
    ` width="${shownWidth}" height="${shownHeight}">`;
}

function ground(colour: string, { width }: Frame, height: number, y: number): string {
  return `<rect ${rect({ x: 0, y, width, height })} fill="${escapeXml(colour)}"/>`;
}

const TICKS = {
  excess: "± how far a side spreads beyond interpolation",
  std: "± standard deviation of a side",
} as const;

function legendOf(
  drawn: readonly Drawn[],
  hasTruth: boolean,
  lost: number,
  settings: Settings,
  frame: Frame,
): Entry[] {
  const { unit } = frame;
  const spread = settings.uncertainty ?? "excess";
  const hasTicks = spread !== "none" && drawn.some(({ ticks }) => ticks.length > 0);
  const tick = (x: number, y: number) => {
    return drawTicks([{ from: [x - 8 * unit, y], to: [1, 0], reach: 16 * unit }], "#fff", frame);
  };
  const truth = (x: number, y: number) => {
    return truthOf({ x: x - 12 * unit, y: y - 5 * unit, width: 24 * unit, height: 10 * unit }, frame);
  };
  return [
    ...(settings.labels ? [] : classEntries(drawn, settings, frame)),
    ...(hasTicks ? [{ sign: tick, text: TICKS[spread] }] : []),
    ...(hasTruth ? [{ sign: truth, text: "truth" }] : []),
    ...(lost === 0 ? [] : [{ sign: undefined, text: `left out: ${lost} without a place` }]),
  ];
}

/** Without labels the legend tells the classes by their colours. */
function classEntries(drawn: readonly Drawn[], { nameOf }: Settings, { unit }: Frame): Entry[] {
  const ids = [...new Set(drawn.flatMap(({ classId }) => classId ?? []))].sort((a, b) => a - b);
  return ids.map((id) => ({
    sign: (x, y) => {
      const place = rect({ x: x - 6 * unit, y: y - 6 * unit, width: 12 * unit, height: 12 * unit });
      return `<rect ${place} rx="${short(3 * unit)}" fill="${classColour(id)}"/>`;
    },
    text: nameOf(id),
  }));
}

function boxOf({ title, colour, place }: Drawn, frame: Frame): string {
  const shape = (attributes: string) => `<rect ${rect(place)} ${attributes}/>`;
  return `<g>${title === "" ? "" : `<title>${escapeXml(title)}</title>`}${outlined(shape, colour, frame)}</g>`;
}

function truthOf(place: Rect, frame: Frame): string {
  return `<g fill="none">${dashed((attributes) => `<rect ${rect(place)} ${attributes}/>`, frame)}</g>`;
}
