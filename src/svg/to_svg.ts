/**
 * A picture of detections, as the text of an SVG.
 */
import { escapeXml } from "../text.ts";
import type { SvgObjects, SvgOptions } from "../types.ts";
import { chips } from "./chips.ts";
import { drawnOf } from "./drawn.ts";
import { figureOf } from "./figure.ts";
import { type Frame, frameOf, rect, short } from "./frame.ts";
import type { Point } from "./geometry.ts";
import * as layers from "./layers.ts";
import { legend } from "./legend.ts";
import { isDrawable, readObjects } from "./objects.ts";
import { GROUND, readOptions } from "./options.ts";
import { picture } from "./picture.ts";
import { signsOf } from "./signs.ts";
import { drawTicks } from "./ticks.ts";

/**
 * Draws detections as an SVG: boxes, turned boxes, masks and keypoints with their labels, in a colour for each class, the
 * truth dashed, and how uncertain sides are. The result is the whole text of a picture, for a file or for `innerHTML`. All
 * texts in it are escaped, and nothing in it runs.
 *
 * The best detections are on top. Labels stay in the picture and, where there is room, off each other. Masks are drawn along
 * the edges of their pixels, one at a time. Ticks stand outside of their box, at the middle of its sides, and are as long as
 * a side is uncertain. Objects whose box is not finite or is inverted are left out, and the legend says how many; of
 * keypoints, those that are not finite.
 *
 * - Shapes: boxes (N, 4) `xyxy`, scores (N), classes (N), std and excess (N, 4), rotated (N, 5), keypoints (N, K, 3), all
 *   in pixels of the frame, whose size masks have.
 * - Throws: TypeError if an array has another kind or length than its boxes call for, masks have another size, a name is
 *   no string, or `uncertainty` asks for what the detections do not have. RangeError if the size is not positive, the
 *   image is none, or the skeleton has more keypoints than there are.
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
  const truth = settings.truth.filter(isDrawable).map((item) => figureOf(item, settings, isKnown));
  const lost = found.length + settings.truth.length - drawn.length - truth.length;
  const entries = settings.legend ? signsOf({ drawn, truth, lost }, settings, frame) : [];
  const below = legend(entries, frame);
  // The best are drawn last, on top.
  const layer = (draw: layers.Layer) => {
    return drawn.map((item) => draw(item, frame, settings)).filter((text) => text !== "").reverse();
  };
  return [
    head(frame, below.height),
    ...(settings.title === undefined ? [] : [`<title>${escapeXml(settings.title)}</title>`]),
    ...(settings.background === "none" ? [] : [ground(settings.background, frame, frame.height, 0)]),
    ...(settings.href === undefined ? [] : [picture(settings.href, frame)]),
    `<svg width="${short(frame.width)}" height="${short(frame.height)}" fill="none">`,
    ...layer(layers.mask),
    ...layer(layers.box),
    ...truth.map((figure) => layers.truth(figure, frame)),
    ...layer(layers.keypoints),
    ...layer(({ ticks, colour }) => drawTicks(ticks, colour, frame)),
    ...(settings.labels ? chips(drawn, frame) : []),
    "</svg>",
    ...(entries.length === 0
      ? []
      : [ground(GROUND, frame, below.height, frame.height), `<g fill="none">${below.svg}</g>`]),
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

/** Annotations have points that nobody marked. */
function isKnown([, , visibility]: Point): boolean {
  return visibility > 0;
}
