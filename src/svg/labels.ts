/**
 * Where labels go so that they stay in the picture and off each other.
 */
import type { Frame } from "./frame.ts";
import type { Rect } from "./geometry.ts";

/** Places for labels of the given sizes: above their box if there is room, else below it or inside it. */
export function placeLabels(
  boxes: readonly Rect[],
  sizes: readonly { readonly width: number; readonly height: number }[],
  frame: Frame,
): Rect[] {
  const placed = new PlacedLabels();
  return boxes.map((box, i) => {
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
      x: within(x, frame.width - width),
      y: within(y, frame.height - height),
      width,
      height,
    });
    const candidates = corners.map(inFrame);
    const free = candidates.find((rect, c) => rect.y === corners[c][1] && placed.leave(rect));
    return placed.add(free ?? candidates[0]);
  });
}

/** Labels in rows of their height, so that thousands do not have to be looked through for each. */
class PlacedLabels {
  readonly #rows = new Map<number, Rect[]>();

  /** Is there room? */
  leave(rect: Rect): boolean {
    return rowsOf(rect).every((row) => !this.#rows.get(row)?.some((other) => overlap(rect, other)));
  }

  add(rect: Rect): Rect {
    for (const row of rowsOf(rect)) {
      const others = this.#rows.get(row);
      if (others === undefined) this.#rows.set(row, [rect]);
      else others.push(rect);
    }
    return rect;
  }
}

function rowsOf({ y, height }: Rect): number[] {
  return [Math.floor(y / height), Math.floor(y / height) + 1];
}

function within(value: number, high: number): number {
  return Math.max(0, Math.min(value, high));
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
