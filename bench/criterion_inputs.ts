/** An image's objects and a head's logits, from fixed seeds. */
import type { GroundTruth, HeadSpec } from "densehead";
import { between, integerBelow, normal, seeded } from "./random.ts";

export interface CriterionInput {
  readonly gt: GroundTruth;
  readonly anchors: number;
  /** (anchors, classes). */
  readonly cls: Float32Array;
  /** (anchors, 4 · bins). */
  readonly dist: Float32Array;
}

/** Objects of a few to a few hundred pixels inside the image; most classes are unlikely everywhere. */
export function criterionInput(
  [height, width]: readonly [number, number],
  { strides, numClasses, bins }: HeadSpec,
  objects: number,
  seed: number,
): CriterionInput {
  const random = seeded(seed);
  const boxes = new Float32Array(4 * objects);
  for (let i = 0; i < objects; i++) {
    const [w, h] = [12 * 2 ** between(random, 0, 5), 12 * 2 ** between(random, 0, 5)];
    const [x, y] = [between(random, 0, width - w), between(random, 0, height - h)];
    boxes.set([x, y, x + w, y + h], 4 * i);
  }
  const labels = Int32Array.from({ length: objects }, () => integerBelow(random, numClasses));
  const cells = strides.map((stride) => Math.ceil(height / stride) * Math.ceil(width / stride));
  const anchors = cells.reduce((sum, count) => sum + count, 0);
  return {
    gt: { boxes, labels },
    anchors,
    cls: Float32Array.from({ length: anchors * numClasses }, () => normal(random, -4, 1.5)),
    dist: Float32Array.from({ length: anchors * 4 * bins }, () => normal(random, 0, 1.5)),
  };
}
