/**
 * COCO's results format.
 */
import { printableJson } from "../../text.ts";
import { UsageError } from "../errors.ts";
import { cocoRows, type ImageResult } from "../result.ts";

/** All detections of all images, one row per line; JSON has no words for boxes that are not finite. `remedy` is for ids that are not apart. */
export function cocoText(results: readonly ImageResult[], remedy: string): string {
  const ids = results.map(({ imageId }) => imageId);
  const twice = ids.find((id, i) => ids.indexOf(id) < i);
  if (twice !== undefined) {
    throw new UsageError(`--json: two images have the image_id ${twice}; ${remedy}`);
  }
  const rows = results.flatMap(cocoRows)
    .filter(({ bbox }) => bbox.every(Number.isFinite));
  return `[\n${rows.map((row) => `  ${printableJson(row)}`).join(",\n")}\n]\n`;
}
