/**
 * Raw outputs of a file as criteria take them, image by image.
 */
import { anchorRows } from "../entry/embedded.ts";
import type { AnchorMap, HeadSpec } from "../types.ts";
import type { FileOutputs } from "./outputs.ts";

/** The maps of one image. */
export interface Maps {
  readonly classes: AnchorMap;
  readonly boxes: AnchorMap;
  /** The boxes before they were refined. */
  readonly initial: AnchorMap | undefined;
}

/** Maps of every image. */
export function mapsOf(
  { outputs, initial }: FileOutputs,
  head: HeadSpec,
  imageSize: readonly [number, number],
): Maps[] {
  const { classes, boxes } = anchorRows(outputs, { head, imageSize });
  const before = "classes" in outputs && initial !== undefined
    ? anchorRows({ ...outputs, boxes: initial }, { head, imageSize }).boxes
    : undefined;
  return Array.from({ length: classes.dims[0] }, (_, image) => ({
    classes: imageOf(classes, image),
    boxes: imageOf(boxes, image),
    initial: before && imageOf(before, image),
  }));
}

function imageOf({ data, dims: [, anchors, channels] }: AnchorMap, image: number): AnchorMap {
  const length = anchors * channels;
  return { data: data.subarray(image * length, (image + 1) * length), dims: [1, anchors, channels] };
}
