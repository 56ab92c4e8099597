/**
 * A picture of an image's detections, in the pixels of the image or, without one, of the network's input.
 */
import { toSvg } from "../../entry/embedded.ts";
import type { Bands } from "../detect_options.ts";
import type { ImageResult } from "../result.ts";

export function svgText({ name, image, frame, classes, detections }: ImageResult, bands: Bands): string {
  return toSvg(detections, {
    size: frame,
    image: image.picture?.bytes,
    names: classes,
    truth: image.truth?.boxes.map((box, i) => ({ box, ...image.truth?.shapes[i] })),
    // Not every head has distributions.
    uncertainty: bands === "none" || detections[bands] !== undefined ? bands : undefined,
    title: name,
  });
}
