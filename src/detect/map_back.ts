/**
 * From the network's input back to the image.
 */
import type { ImageTransform } from "../types.ts";
import type { DetectionArrays } from "./detections.ts";
import { moveRotated } from "./rotated.ts";

/**
 * Boxes and keypoints in place, in float64. Deviations scale with them, and under a negative scale sides change places. Rotated
 * boxes are not clipped.
 */
export function mapBack(transform: ImageTransform | null, arrays: DetectionArrays): DetectionArrays {
  if (transform === null) return arrays;
  const { scaleX, scaleY, padX, padY, clip } = transform;
  const { boxes, keypoints, rotated, std, saturation, excess } = arrays;
  for (let i = 0; i < boxes.length; i++) {
    const vertical = i % 2 === 1;
    const scale = vertical ? scaleY : scaleX;
    const value = (boxes[i] - (vertical ? padY : padX)) / scale;
    boxes[i] = clip === undefined ? value : Math.min(Math.max(value, 0), clip[vertical ? 0 : 1]);
    for (const deviations of [std, excess]) if (deviations !== undefined) deviations[i] /= Math.abs(scale);
  }
  if (rotated !== undefined) moveRotated(transform, rotated, [std, saturation, excess]);
  for (const sides of rotated === undefined ? [boxes, std, saturation, excess] : [boxes]) {
    if (sides === undefined) continue;
    if (scaleX < 0) swapSides(sides, 0);
    if (scaleY < 0) swapSides(sides, 1);
  }
  if (keypoints !== undefined) moveKeypoints(transform, keypoints);
  // The frame of masks is the image where its size is known.
  if (clip !== undefined) arrays.masks?.boxes.set(boxes);
  return arrays;
}

function moveKeypoints({ scaleX, scaleY, padX, padY, clip }: ImageTransform, keypoints: Float32Array): void {
  const [height, width] = clip ?? [Infinity, Infinity];
  const least = clip === undefined ? -Infinity : 0;
  for (let i = 0; i < keypoints.length; i += 3) {
    keypoints[i] = Math.min(Math.max((keypoints[i] - padX) / scaleX, least), width);
    keypoints[i + 1] = Math.min(Math.max((keypoints[i + 1] - padY) / scaleY, least), height);
  }
}

/** Left and right (0), or top and bottom (1), of every four. */
function swapSides(values: Float32Array, first: 0 | 1): void {
  for (let i = first; i < values.length; i += 4) [values[i], values[i + 2]] = [values[i + 2], values[i]];
}
