/**
 * The signs that a picture has, for its legend.
 */
import { classColour } from "./colours.ts";
import type { Drawn } from "./drawn.ts";
import type { Figure } from "./figure.ts";
import { dashed, type Frame, LINE, rect, short, WIDE } from "./frame.ts";
import type { Entry } from "./legend.ts";
import type { Settings } from "./options.ts";
import { drawPoint } from "./skeleton.ts";
import { drawTicks } from "./ticks.ts";

/** What is in the picture, and how many objects are not. */
export interface Content {
  readonly drawn: readonly Drawn[];
  readonly truth: readonly Figure[];
  readonly lost: number;
}

const TICKS = {
  excess: "± how far a side spreads beyond interpolation",
  std: "± standard deviation of a side",
} as const;

export function signsOf({ drawn, truth, lost }: Content, settings: Settings, frame: Frame): Entry[] {
  const { uncertainty = "excess", minVisibility } = settings;
  const signs: Entry[] = settings.labels ? [] : classSigns(drawn, settings, frame);
  const add = (text: string, sign?: Entry["sign"]) => signs.push({ text, sign });
  if (uncertainty !== "none" && drawn.some(({ ticks }) => ticks.length > 0)) {
    add(TICKS[uncertainty], (x, y) => tick(x, y, frame));
  }
  if (drawn.some(({ front }) => front !== undefined)) {
    add("angle points to the wide side", (x, y) => turned(x, y, frame));
  }
  if (drawn.some(({ points }) => points.some(([, , visibility]) => visibility < minVisibility))) {
    add(`visibility under ${short(minVisibility)}`, (x, y) => drawPoint([x, y, 0], 1, "#fff", frame));
  }
  if (truth.length > 0) add("truth", (x, y) => dashes(x, y, frame));
  if (lost > 0) add(`left out: ${lost} without a place`);
  return signs;
}

/** Without labels the legend tells the classes by their colours. */
function classSigns(drawn: readonly Drawn[], { nameOf }: Settings, { unit }: Frame): Entry[] {
  const ids = [...new Set(drawn.flatMap(({ classId }) => classId ?? []))].sort((a, b) => a - b);
  return ids.map((id) => ({
    sign: (x, y) => {
      const place = rect({ x: x - 6 * unit, y: y - 6 * unit, width: 12 * unit, height: 12 * unit });
      return `<rect ${place} rx="${short(3 * unit)}" fill="${classColour(id)}"/>`;
    },
    text: nameOf(id),
  }));
}

function tick(x: number, y: number, frame: Frame): string {
  return drawTicks([{ from: [x - 8 * frame.unit, y], to: [1, 0], reach: 16 * frame.unit }], "#fff", frame);
}

function turned(x: number, y: number, { unit }: Frame): string {
  const [left, right, top, bottom] = [x - 8 * unit, x + 8 * unit, y - 5 * unit, y + 5 * unit].map(short);
  return `<path d="M${right} ${top}H${left}V${bottom}H${right}" stroke="#fff" stroke-width="${short(LINE * unit)}"/>` +
    `<path d="M${right} ${top}V${bottom}" stroke="#fff" stroke-width="${short(WIDE * unit)}"/>`;
}

function dashes(x: number, y: number, frame: Frame): string {
  const { unit } = frame;
  const place = rect({ x: x - 12 * unit, y: y - 5 * unit, width: 24 * unit, height: 10 * unit });
  return dashed((attributes) => `<rect ${place} ${attributes}/>`, frame);
}
