/**
 * Where labels go so that they stay in the picture and off each other.
 */

/** A rectangle by its corner. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Places for labels of the given sizes: above their box if there is room, else below it or inside it. */
export function placeLabels(
  boxes: readonly Rect[],
  sizes: readonly { readonly width: number; readonly height: number }[],
  [frameHeight, frameWidth]: readonly [number, number],
): Rect[] {
  const placed: Rect[] = [];
  boxes.forEach((box, i) => {
    const { width, height } = sizes[i];
    const right = box.x + box.width - width;
    const bottom = box.y + box.height;
    const corners = [
      [box.x, box.y - height],
      [right, box.y - height],
      [box.x, bottom],
      [right, bottom],
      [box.x, box.y],
      [box.x, bottom - height],
    ];
    const inFrame = ([x, y]: number[]) => ({
      x: within(x, frameWidth - width),
      y: within(y, frameHeight - height),
      width,
      height,
    });
    const candidates = corners.map(inFrame);
    const free = candidates.find((rect, c) =>
      rect.y === corners[c][1] && !placed.some((other) => overlap(rect, other))
    );
    placed.push(free ?? candidates[0]);
  });
  return placed;
}

function within(value: number, high: number): number {
  return Math.max(0, Math.min(value, high));
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
