/**
 * How uncertain the sides of a box are: at the middle of each a tick outwards, as long as the side spreads to either side.
 */
import { type Frame, short } from "./frame.ts";
import type { Four } from "./objects.ts";

/** Half the length of the bar that ends a tick. */
const BAR = 4;
const [EDGE, LINE] = [3, 1.5];

/** A tick from a point into a direction, by x and y. */
export interface Tick {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly reach: number;
}

/** The ticks of a box; none of a side whose spread is not finite. */
export function ticksOf([x1, y1, x2, y2]: Four, [left, top, right, bottom]: Four): Tick[] {
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const ticks: Tick[] = [
    { from: [x1, y], to: [-1, 0], reach: left },
    { from: [x, y1], to: [0, -1], reach: top },
    { from: [x2, y], to: [1, 0], reach: right },
    { from: [x, y2], to: [0, 1], reach: bottom },
  ];
  return ticks.filter(({ reach }) => reach >= 0 && reach < Infinity);
}

/** All of a box in one path; no line of it, its edge included, is inside of the box. */
export function drawTicks(ticks: readonly Tick[], colour: string, { unit }: Frame): string {
  if (ticks.length === 0) return "";
  const path = ticks.map((tick) => pathOf(tick, unit)).join("");
  return `<path d="${path}" stroke="#000" stroke-opacity="0.6" stroke-width="${short(EDGE * unit)}"/>` +
    `<path d="${path}" stroke="${colour}" stroke-width="${short(LINE * unit)}"/>`;
}

function pathOf({ from: [x, y], to: [dx, dy], reach }: Tick, unit: number): string {
  const length = Math.max(reach, EDGE / 2 * unit);
  const [endX, endY] = [x + dx * length, y + dy * length];
  const [barX, barY] = [-dy * BAR * unit, dx * BAR * unit];
  return `M${short(x)} ${short(y)}L${short(endX)} ${short(endY)}` +
    `M${short(endX - barX)} ${short(endY - barY)}L${short(endX + barX)} ${short(endY + barY)}`;
}
