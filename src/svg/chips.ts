/**
 * Labels on the colours of their classes.
 */
import { cells, escapeXml } from "../text.ts";
import { textColour } from "./colours.ts";
import type { Drawn } from "./drawn.ts";
import { FONT, type Frame, LETTER, MONOSPACE, rect, short } from "./frame.ts";
import type { Rect } from "./geometry.ts";
import { placeLabels } from "./labels.ts";

const HEIGHT = 18;
/** Units between a chip's end and its letters, and between its lower side and their line. */
const [BESIDE, BELOW] = [5, 5];

/** The best last, on top. */
export function chips(drawn: readonly Drawn[], frame: Frame): string[] {
  const { unit } = frame;
  const labelled = drawn.filter(({ label }) => label !== "");
  const sizes = labelled.map(({ label }) => ({
    width: (cells(label) * LETTER * FONT + 2 * BESIDE) * unit,
    height: HEIGHT * unit,
  }));
  const places = placeLabels(labelled.map(({ place }) => place), sizes, frame);
  return labelled.map((item, i) => chip(item, places[i], frame)).reverse();
}

function chip({ label, colour }: Drawn, place: Rect, { unit }: Frame): string {
  const baseline = place.y + (HEIGHT - BELOW) * unit;
  return [
    `<rect ${rect(place)} rx="${short(3 * unit)}" fill="${colour}"/>`,
    `<text x="${short(place.x + BESIDE * unit)}" y="${short(baseline)}"`,
    ` textLength="${short(place.width - 2 * BESIDE * unit)}" lengthAdjust="spacingAndGlyphs"`,
    ` font-family="${MONOSPACE}" font-size="${short(FONT * unit)}" fill="${textColour(colour)}">`,
    `${escapeXml(label)}</text>`,
  ].join("");
}
