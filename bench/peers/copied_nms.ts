/** NMS as it is copied from project to project: sort objects, keep the first, filter the rest. */
import type { ScoredBoxes } from "../inputs.ts";

interface Box {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  score: number;
  index: number;
}

export function copiedNms(
  { count, boxes, scores }: ScoredBoxes,
  iouThreshold: number,
  limit: number,
): number[] {
  let rest: Box[] = [];
  for (let i = 0; i < count; i++) {
    rest.push({
      x1: boxes[4 * i],
      y1: boxes[4 * i + 1],
      x2: boxes[4 * i + 2],
      y2: boxes[4 * i + 3],
      score: scores[i],
      index: i,
    });
  }
  rest.sort((a, b) => b.score - a.score);
  const kept: number[] = [];
  while (rest.length > 0 && kept.length < limit) {
    const best = rest[0];
    kept.push(best.index);
    rest = rest.slice(1).filter((box) => iou(best, box) <= iouThreshold);
  }
  return kept;
}

function iou(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1));
  const height = Math.max(0, Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1));
  const overlap = width * height;
  const areaA = (a.x2 - a.x1) * (a.y2 - a.y1);
  const areaB = (b.x2 - b.x1) * (b.y2 - b.y1);
  return overlap / (areaA + areaB - overlap);
}
