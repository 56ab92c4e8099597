/**
 * Outer outlines of a mask's parts, by border following (Suzuki and Abe, 1985), in the order and with the corners that OpenCV
 * gives for RETR_EXTERNAL and CHAIN_APPROX_SIMPLE.
 */
import type { MaskWindow } from "./mask_pixels.ts";

/** Counterclockwise on a screen whose y points down, from the right. */
const DIRECTIONS = [[1, 0], [1, -1], [0, -1], [-1, -1], [-1, 0], [-1, 1], [0, 1], [1, 1]] as const;
const [RIGHT, LEFT] = [0, 4];

/** States of a pixel: 0 is none of the mask, 1 one that no outline has passed. */
const PASSED = 2;
/** An outline has passed it, and had the outside to its right. */
const LAST = 3;

/** The largest first; x, y, x, y … of each in the frame. */
export function outlinesOf({ x, y, width, height }: MaskWindow, data: Uint8Array): number[][] {
  // With a margin, so that every pixel has eight neighbours.
  const pitch = width + 2;
  const states = new Uint8Array(pitch * (height + 2));
  for (let row = 0; row < height; row++) {
    states.set(data.subarray(row * width, (row + 1) * width), (row + 1) * pitch + 1);
  }
  const found: { readonly area: number; readonly points: number[] }[] = [];
  for (let row = 1; row <= height; row++) {
    // Inside of an outline that was passed: what lies there is a hole, or in one.
    let isInside = false;
    for (let at = row * pitch + 1; at < row * pitch + 1 + width; at++) {
      if (states[at] === 1 && states[at - 1] === 0 && !isInside) {
        const points = follow(states, pitch, at, x - 1, y - 1);
        found.push({ area: areaOf(points), points });
      }
      if (states[at] > 1) isInside = states[at] === PASSED;
    }
  }
  return found.sort((a, b) => b.area - a.area).map(({ points }) => points);
}

/** Passes the outline that begins at its highest pixel, of these the leftmost, and returns its corners. */
function follow(states: Uint8Array, pitch: number, start: number, left: number, top: number): number[] {
  const steps = DIRECTIONS.map(([dx, dy]) => dy * pitch + dx);
  const points: number[] = [];
  const corner = (at: number) => points.push(at % pitch + left, Math.floor(at / pitch) + top);
  // The last pixel of the outline: the first neighbour clockwise from the outside at the left.
  let last = LEFT;
  do last = (last + 7) % 8; while (states[start + steps[last]] === 0 && last !== LEFT);
  if (states[start + steps[last]] === 0) {
    states[start] = LAST;
    corner(start);
    return points;
  }
  const end = start + steps[last];
  let at = start;
  let back = last;
  let before = -1;
  for (;;) {
    // The next neighbour counterclockwise from the one before.
    let next = back;
    let sawRight = false;
    do {
      next = (next + 1) % 8;
      if (next === RIGHT && states[at + steps[next]] === 0) sawRight = true;
    } while (states[at + steps[next]] === 0);
    if (sawRight) states[at] = LAST;
    else if (states[at] === 1) states[at] = PASSED;
    if (next !== before) corner(at);
    const to = at + steps[next];
    if (to === start && at === end) return points;
    before = next;
    back = (next + 4) % 8;
    at = to;
  }
}

/** Inside of the corners. */
function areaOf(points: readonly number[]): number {
  let twice = 0;
  for (let i = 0; i < points.length; i += 2) {
    const j = (i + 2) % points.length;
    twice += points[i] * points[j + 1] - points[j] * points[i + 1];
  }
  return Math.abs(twice) / 2;
}
