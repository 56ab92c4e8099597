/** Rows of (1, 300, 6), box, score and class, as programs read them. */
import type { Box } from "./plain_boxes.ts";

const LEAST = 0.25;

/** As it is written most: ten lines, a view for each row. */
export function tenLines(rows: Float32Array): Box[] {
  const found: Box[] = [];
  for (let anchor = 0; anchor < rows.length / 6; anchor++) {
    const [x1, y1, x2, y2, score, classId] = rows.subarray(6 * anchor, 6 * anchor + 6);
    if (score > LEAST) found.push({ x1, y1, x2, y2, score, classId, anchor });
  }
  return found.sort((a, b) => b.score - a.score);
}

/** The least that it can take: by index, of rows that are sorted already, and nothing is checked. */
export function byIndex(rows: Float32Array): Box[] {
  const found: Box[] = [];
  for (let i = 0; i < rows.length; i += 6) {
    const score = rows[i + 4];
    if (score <= LEAST) continue;
    const [x1, y1, x2, y2, classId] = [rows[i], rows[i + 1], rows[i + 2], rows[i + 3], rows[i + 5]];
    found.push({ x1, y1, x2, y2, score, classId, anchor: i / 6 });
  }
  return found;
}
