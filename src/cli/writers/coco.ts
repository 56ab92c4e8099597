/**
 * COCO's results format.
 */
import type { ImageResult } from "../result.ts";

/** All detections of all images, one row per line; JSON has no words for boxes that are not finite. */
export function cocoText(results: readonly ImageResult[]): string {
  const rows = results.flatMap(({ id, detections }) => detections.toCoco(id)).filter(({ bbox }) =>
    bbox.every(Number.isFinite)
  );
  return `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n")}\n]\n`;
}
