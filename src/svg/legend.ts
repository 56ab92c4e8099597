/**
 * What signs mean, in lines below the picture.
 */
import { cells, escapeXml } from "../text.ts";
import { FONT, type Frame, LETTER, MONOSPACE, short } from "./frame.ts";

/** A sign and what it means. */
export interface Entry {
  /** Drawn about a point, at most SIGN wide; none for a note. */
  readonly sign: ((x: number, y: number) => string) | undefined;
  readonly text: string;
}

const LINE = 20;
/** Units beside the lines and between their entries, and those of a sign with the space after it. */
const [MARGIN, GAP, SIGN] = [8, 18, 32];

interface Placed {
  readonly entry: Entry;
  readonly x: number;
  readonly line: number;
  readonly font: number;
}

/** The lines, from the picture's lower side on, and their height. */
export function legend(entries: readonly Entry[], frame: Frame): { svg: string; height: number } {
  if (entries.length === 0) return { svg: "", height: 0 };
  const placed = place(entries, frame.width / frame.unit);
  const lines = placed[placed.length - 1].line + 1;
  return { svg: placed.map((item) => drawEntry(item, frame)).join(""), height: lines * LINE * frame.unit };
}

/** One after the other, in a new line where there is no room; in narrow pictures long ones have smaller letters. */
function place(entries: readonly Entry[], width: number): Placed[] {
  let [x, line] = [MARGIN, 0];
  return entries.map((entry) => {
    const before = entry.sign === undefined ? 0 : SIGN;
    const letters = cells(entry.text) * LETTER;
    const font = Math.max(1, Math.min(FONT, (width - 2 * MARGIN - before) / letters));
    const needed = before + letters * font;
    if (x > MARGIN && x + needed > width - MARGIN) [x, line] = [MARGIN, line + 1];
    const placed = { entry, x, line, font };
    x += needed + GAP;
    return placed;
  });
}

function drawEntry({ entry: { sign, text }, x, line, font }: Placed, { unit, height }: Frame): string {
  const middle = height + (line + 0.5) * LINE * unit;
  const textX = x + (sign === undefined ? 0 : SIGN);
  return `${sign?.((x + 12) * unit, middle) ?? ""}<text x="${short(textX * unit)}" y="${
    short(middle + font / 3 * unit)
  }"` +
    ` font-family="${MONOSPACE}" font-size="${short(font * unit)}" fill="#fff">${escapeXml(text)}</text>`;
}
