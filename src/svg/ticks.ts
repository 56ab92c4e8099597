/**
 * How uncertain the sides of a box are: at the middle of each a tick outwards, as long as the side spreads to either side.
 */
import { type Frame, short } from "./frame.ts";
import { directions, type Four, middlesOf, type Turned, type Vector } from "./geometry.ts";

/** Half the length of the bar that ends a tick. */
const BAR = 4;
const [EDGE, LINE] = [3, 1.5];

/** A tick from a point into a direction, by x and y. */
export interface Tick {
  readonly from: Vector;
  readonly to: Vector;
  readonly reach: number;
}

/** The ticks of a box; none of a side whose spread is not finite. */
export function ticksOf(box: Turned, spread: Four): Tick[] {
  const [[wx, wy], [hx, hy]] = directions(box);
  const outwards: Vector[] = [[-wx, -wy], [-hx, -hy], [wx, wy], [hx, hy]];
  return middlesOf(box).map((from, side) => ({ from, to: outwards[side], reach: spread[side] }))
    .filter(({ reach }) => reach >= 0 && reach < Infinity);
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
