/**
 * A picture of an image's detections, in the pixels of the image or, without one, of the network's input.
 */
import { toSvg } from "../../entry/embedded.ts";
import type { Bands } from "../detect_options.ts";
import type { ImageResult } from "../result.ts";
import { skeletonOf } from "../skeleton.ts";

export function svgText(result: ImageResult, bands: Bands): string {
  const { name, image, frame, classes, categories, detections } = result;
  const fewest = fewestKeypoints(result);
  return toSvg(detections, {
    size: frame,
    image: image.picture?.bytes,
    names: classes,
    truth: image.truth?.boxes.map((box, i) => ({ box, ...image.truth?.shapes[i] })),
    // Not every head has distributions.
    uncertainty: bands === "none" || detections[bands] !== undefined ? bands : undefined,
    skeleton: fewest === Infinity ? undefined : skeletonOf(categories, fewest),
    title: name,
  });
}

/** Of an object that has any, in the detections and in the truth; Infinity where none has. */
function fewestKeypoints({ image, detections }: ImageResult): number {
  const inDetections = detections.keypoints === undefined ? [] : [detections.keypoints.length / detections.length];
  const inTruth = image.truth?.shapes.flatMap(({ keypoints = [] }) => keypoints.length / 3) ?? [];
  return Math.min(...[...inDetections, ...inTruth].filter((count) => count > 0));
}
