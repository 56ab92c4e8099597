/**
 * From tensors to detections, and to what the response says of them.
 */
import type { CocoResult, Detections } from "densehead";
import { engine } from "./engine.ts";
import { checkBatch, type RawOutputs } from "./outputs.ts";
import type { Keep, Network } from "./params.ts";
import { badRequest, refusing } from "./problem.ts";

/** Detections of each image. */
export function detect(raw: RawOutputs, network: Network, keep: Keep["options"]): Detections[] {
  checkBatch(raw, network);
  return refusing(() => engine.sync.detect(raw.outputs, { ...keep, ...network }));
}

/** Rows of COCO's results format, of all images; an image's id is its place in the batch where none is given. */
export function cocoRows(images: readonly Detections[], { imageIds, categoryIds }: Keep): CocoResult[] {
  if (imageIds !== undefined && imageIds.length !== images.length) {
    throw badRequest("imageId", `imageId has ${imageIds.length} ids; the body has ${images.length} images`);
  }
  return images.flatMap((found, image) => found.toCoco(imageIds?.[image] ?? image, categoryIds));
}

/** One struct of arrays for each image. */
export function structsOfArrays(images: readonly Detections[]): object {
  return {
    images: images.map((found) => found.toJSON()),
  };
}
