/**
 * Boxes: x, y, width, height.
 */
import { ALL, type Given, type Kind, LARGE, MEDIUM, type Shape, SMALL } from "./kind.ts";
import { numbersOf, positiveSides, type Row } from "./rows.ts";

export const MEANING = "x, y, width, height";

export const boxes: Kind<readonly number[]> = {
  areas: [ALL, SMALL, MEDIUM, LARGE],
  maxDets: [1, 10, 100],
  truth: read,
  found: read,
  overlaps,
};

function read(row: Row, { bbox }: Given): Shape<readonly number[]> {
  const box = numbersOf(row, "bbox", bbox, 4, MEANING);
  positiveSides(row, box, MEANING);
  return { shape: box, area: box[2] * box[3] };
}

function overlaps(
  found: readonly (readonly number[])[],
  truths: readonly (readonly number[])[],
  crowd: readonly boolean[],
): Float64Array {
  const ious = new Float64Array(found.length * truths.length);
  let next = 0;
  for (const [x, y, width, height] of found) {
    for (let j = 0; j < truths.length; j++) {
      const other = truths[j];
      const w = Math.min(width + x, other[2] + other[0]) - Math.max(x, other[0]);
      const h = Math.min(height + y, other[3] + other[1]) - Math.max(y, other[1]);
      if (w > 0 && h > 0) {
        const both = w * h;
        const own = width * height;
        ious[next] = both / (crowd[j] ? own : own + other[2] * other[3] - both);
      }
      next++;
    }
  }
  return ious;
}
