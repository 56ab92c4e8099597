/**
 * Boxes, upright and turned, and points.
 */

/** x1, y1, x2, y2; or numbers of the left, top, right and bottom side. */
export type Four = readonly [number, number, number, number];
/** Centre x, y, width, height, angle. */
export type Turned = readonly [number, number, number, number, number];
/** x, y, visibility. */
export type Point = readonly [number, number, number];
export type Vector = readonly [number, number];

/** A rectangle by its corner. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The rectangle between the corners. */
export function rectOf([x1, y1, x2, y2]: Four): Rect {
  return { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
}

/** An upright box as a turned one. */
export function uprightOf([x1, y1, x2, y2]: Four): Turned {
  return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 0];
}

/** Directions of the width and of the height, of length 1. */
export function directions([, , , , angle]: Turned): readonly [Vector, Vector] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [[cos, sin], [-sin, cos]];
}

/** The point that is so many half widths and half heights from the centre. */
function pointAt(turned: Turned, widths: number, heights: number): Vector {
  const [x, y, width, height] = turned;
  const [[wx, wy], [hx, hy]] = directions(turned);
  const [w, h] = [widths * width / 2, heights * height / 2];
  return [x + w * wx + h * hx, y + w * wy + h * hy];
}

/** The corners, clockwise on a screen. */
export function cornersOf(turned: Turned): readonly Vector[] {
  return ([[-1, -1], [1, -1], [1, 1], [-1, 1]] as const).map(([w, h]) => pointAt(turned, w, h));
}

/** The middles of the left, top, right and bottom side, as they are before it is turned; its angle points to the right one. */
export function middlesOf(turned: Turned): readonly Vector[] {
  return ([[-1, 0], [0, -1], [1, 0], [0, 1]] as const).map(([w, h]) => pointAt(turned, w, h));
}

/** The smallest upright box around it. */
export function around(turned: Turned): Four {
  const corners = cornersOf(turned);
  const [xs, ys] = [0, 1].map((axis) => corners.map((corner) => corner[axis]));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
