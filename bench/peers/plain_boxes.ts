/** Detections as objects, which most programs have, and NMS over them. */
import type { Found } from "../agreement.ts";
import { KEEP } from "../yolov8.ts";

export interface Box {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  score: number;
  classId: number;
  anchor: number;
}

export function suppress(boxes: Box[]): Box[] {
  const kept: Box[] = [];
  for (const box of boxes.sort((a, b) => b.score - a.score)) {
    if (kept.length === KEEP.maxDetections) break;
    if (
      kept.every((other) => other.classId !== box.classId || iou(other, box) <= KEEP.iouThreshold)
    ) kept.push(box);
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

export function asFound(boxes: readonly Box[]): Found {
  return {
    length: boxes.length,
    boxes: boxes.flatMap(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2]),
    scores: boxes.map((box) => box.score),
    classes: boxes.map((box) => box.classId),
    anchors: boxes.map((box) => box.anchor),
  };
}
