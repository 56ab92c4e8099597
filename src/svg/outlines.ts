/**
 * The outlines of a mask, along the edges of its pixels: filled by the rule "evenodd" they are the mask, holes left out.
 */

/** Part of a bitmap: (height · width) row by row, what is not 0 belongs to the mask. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** East, south, west, north, as steps; and for each the pixels ahead to the left and to the right of a corner. */
const STEPS = [[1, 0], [0, 1], [-1, 0], [0, -1]] as const;
const LEFT = [[0, -1], [0, 0], [-1, 0], [-1, -1]] as const;
const RIGHT = [[0, 0], [-1, 0], [-1, -1], [0, -1]] as const;

/** The outlines as a path. Pixels that touch at a corner are joined there. */
export function outlinePath({ x: left, y: top, width, height, data }: Window): string {
  const inside = (x: number, y: number) => x >= 0 && x < width && y >= 0 && y < height && data[y * width + x] !== 0;
  // Every outline has an upper edge of a pixel, which it passes eastwards.
  const passed = new Uint8Array(width * height);
  let path = "";
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!inside(x, y) || inside(x, y - 1) || passed[y * width + x] !== 0) continue;
      path += `M${left + x} ${top + y}${outlineFrom(x, y)}`;
    }
  }
  return path;

  function outlineFrom(startX: number, startY: number): string {
    let [x, y, direction, length] = [startX, startY, 0, 0];
    let text = "";
    do {
      if (direction === 0) passed[y * width + x] = 1;
      x += STEPS[direction][0];
      y += STEPS[direction][1];
      length++;
      const turn = turnAt(x, y, direction);
      if (turn === 0) continue;
      text += side(direction, length);
      length = 0;
      direction = (direction + turn) & 3;
    } while (x !== startX || y !== startY || direction !== 0);
    // The last side leads back to the start, as z does.
    return `${text.slice(0, text.lastIndexOf("v"))}z`;
  }

  /** −1 to the left, 1 to the right: the mask stays on the right hand. */
  function turnAt(x: number, y: number, direction: number): number {
    const [[leftX, leftY], [rightX, rightY]] = [LEFT[direction], RIGHT[direction]];
    if (inside(x + leftX, y + leftY)) return -1;
    return inside(x + rightX, y + rightY) ? 0 : 1;
  }
}

function side(direction: number, length: number): string {
  return `${direction % 2 === 0 ? "h" : "v"}${direction < 2 ? length : -length}`;
}
