/**
 * COCO's results format.
 */
import type { ImageResult } from "../result.ts";

/** All detections of all images, one row per line. */
export function cocoText(results: readonly ImageResult[]): string {
  const rows = results.flatMap(({ id, detections }) => detections.toCoco(id));
  return `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n")}\n]\n`;
}
