/** NMS as a careful author writes it in JavaScript: typed arrays in the order of scores, no objects, no division. */
import type { ScoredBoxes } from "../inputs.ts";

export function carefulNms(
  { count, boxes, scores }: ScoredBoxes,
  iouThreshold: number,
  limit: number,
): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
  const left = new Float32Array(count);
  const top = new Float32Array(count);
  const right = new Float32Array(count);
  const bottom = new Float32Array(count);
  const areas = new Float64Array(count);
  const kept = new Int32Array(Math.min(limit, count));
  let length = 0;
  for (let i = 0; i < count && length < kept.length; i++) {
    const at = 4 * order[i];
    const x1 = boxes[at];
    const y1 = boxes[at + 1];
    const x2 = boxes[at + 2];
    const y2 = boxes[at + 3];
    const area = (x2 - x1) * (y2 - y1);
    if (covered(x1, y1, x2, y2, area)) continue;
    left[length] = x1;
    top[length] = y1;
    right[length] = x2;
    bottom[length] = y2;
    areas[length] = area;
    kept[length++] = order[i];
  }
  return kept.slice(0, length);

  function covered(
    x1: number,
    y1: number,
    x2: number,
    y2: number,
    area: number,
  ): boolean {
    for (let k = 0; k < length; k++) {
      const width = Math.min(x2, right[k]) - Math.max(x1, left[k]);
      if (width <= 0) continue;
      const height = Math.min(y2, bottom[k]) - Math.max(y1, top[k]);
      if (height <= 0) continue;
      const overlap = width * height;
      if (overlap > iouThreshold * (area + areas[k] - overlap)) return true;
    }
    return false;
  }
}
