/** Scenes for `yoloCriterion`: maps of which many anchors nearly have an object's box. */
import type { GroundTruth, HeadSpec } from "densehead";
import { criterionScene, distancesFor, distributionsFor } from "./criterion_scene.ts";
import { floats, random } from "./random.ts";
import { points } from "./reference/detect.ts";

export interface YoloExample {
  head: HeadSpec;
  imageSize: readonly [number, number];
  gt: GroundTruth[];
  cls: Float32Array<ArrayBuffer>;
  dist: Float32Array<ArrayBuffer>;
}

/** A batch of images with that many objects each. */
export function yoloExample(
  seed: number,
  head: HeadSpec,
  imageSize: readonly [number, number],
  objects: readonly number[],
  spread = 0.1,
): YoloExample {
  const r = random(seed);
  const { gtIndex, gt, cls, ...rest } = criterionScene(r, head, imageSize, objects);
  const scene = { ...rest, gtIndex, gt, cls };
  const dist = head.bins > 0
    ? distributionsFor(r, scene, spread)
    : distancesIn(head, imageSize, distancesFor(r, scene, spread));
  return { ...rest, gt, cls, dist };
}

/** Distances in pixels, in the head's unit. */
function distancesIn(
  head: HeadSpec,
  [height, width]: readonly [number, number],
  pixels: Float32Array,
): Float32Array<ArrayBuffer> {
  const grid = points(head, [height, width]);
  return floats(pixels.length, (i) => {
    const { stride } = grid[Math.floor(i / 4) % grid.length];
    const unit = { pixel: 1, stride, image: i % 2 === 0 ? width : height }[head.boxUnit ?? "pixel"];
    return pixels[i] / unit;
  });
}
