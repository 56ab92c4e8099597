/** Scenes for the criteria: objects, an assignment, and maps that are nearly right at the positives. */
import type { CriterionResult, GroundTruth, HeadSpec } from "densehead";
import * as assert from "uvu/assert";
import { floats, type Random } from "./random.ts";
import type { Criterion } from "./reference/criterion.ts";
import { points } from "./reference/detect.ts";

export interface CriterionScene {
  head: HeadSpec;
  imageSize: readonly [number, number];
  gt: GroundTruth[];
  gtIndex: Int32Array[];
  cls: Float32Array<ArrayBuffer>;
}

/** `objects` boxes in each image, some reaching out of it; half of the anchors in a box learn it, some are ignored. */
export function criterionScene(
  r: Random,
  head: HeadSpec,
  imageSize: readonly [number, number],
  objects: readonly number[],
): CriterionScene {
  const grid = points(head, imageSize);
  const gt = objects.map((count) => groundTruth(r, head, imageSize, count));
  const gtIndex = gt.map(({ boxes, labels }) =>
    Int32Array.from(grid, ({ x, y }) => {
      const inside = Array.from(labels, (_, i) => i).filter((i) =>
        x > boxes[4 * i] && y > boxes[4 * i + 1] && x < boxes[4 * i + 2] && y < boxes[4 * i + 3]
      );
      if (r.uniform() < 0.05) return -2;
      return inside.length > 0 && r.uniform() < 0.5 ? inside[r.integer(inside.length)] : -1;
    })
  );
  const rows = objects.length * grid.length;
  const cls = floats(rows * head.numClasses, () => r.normal() * 2 - 2);
  return { head, imageSize, gt, gtIndex, cls };
}

export function groundTruth(
  r: Random,
  head: HeadSpec,
  [height, width]: readonly [number, number],
  count: number,
): GroundTruth {
  const boxes = floats(count * 4, () => 0);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const [w, h] = [r.uniform(10, width / 2), r.uniform(10, height / 2)];
    const [x, y] = [r.uniform(-w / 4, width - w / 2), r.uniform(-h / 4, height - h / 2)];
    boxes.set([x, y, x + w, y + h], 4 * i);
    labels[i] = r.integer(head.numClasses);
  }
  return { boxes, labels };
}

/** (rows, 4): distances to the sides of each positive's object, off by `spread` of themselves; elsewhere anything. */
export function distancesFor(r: Random, scene: CriterionScene, spread: number): Float32Array<ArrayBuffer> {
  const grid = points(scene.head, scene.imageSize);
  return Float32Array.from(scene.gtIndex.flatMap((indices, image) =>
    grid.flatMap(({ x, y }, anchor) => {
      const index = indices[anchor];
      if (index < 0) return [0, 0, 0, 0].map(() => r.uniform(0, 100));
      const [x1, y1, x2, y2] = scene.gt[image].boxes.subarray(4 * index, 4 * index + 4);
      return [x - x1, y - y1, x2 - x, y2 - y].map((side) => side * (1 + spread * r.normal()));
    })
  ));
}

/** (rows, 4·bins): logits whose distributions lie around the distances. */
export function distributionsFor(r: Random, scene: CriterionScene, spread: number): Float32Array<ArrayBuffer> {
  const { bins, numClasses } = scene.head;
  const strides = points(scene.head, scene.imageSize).map(({ stride }) => stride);
  const distances = distancesFor(r, scene, spread);
  return floats(scene.cls.length / numClasses * 4 * bins, (i) => {
    const side = Math.floor(i / bins);
    const centre = distances[side] / strides[Math.floor(side / 4) % strides.length];
    return 4 - 0.7 * (i % bins - centre) ** 2 + r.normal();
  });
}

/** Parts within 1e-6 (distributions: 4e-6, their targets being float32), each member of a gradient within 1e-6 of itself. */
export function agrees(got: CriterionResult, wanted: Criterion, what: string): void {
  const parts: Record<string, number | undefined> = got.parts;
  assert.is(got.numPos, wanted.numPos, what);
  for (const [name, value] of Object.entries(wanted.parts)) {
    near(parts[name] as number, value, name === "dfl" ? 4e-6 : 1e-6, 1e-7, `${what}: ${name}`);
  }
  near(got.total, wanted.total, 2e-6, 1e-7, `${what}: total`);
  assert.equal(Object.keys(got.grad ?? {}), Object.keys(wanted.grad));
  for (const [name, values] of Object.entries(wanted.grad)) {
    const grad = got.grad?.[name] as Float32Array;
    assert.is(grad.length, values.length);
    values.forEach((value, i) =>
      near(grad[i], value, 1e-6, 4e-7 / Math.max(got.numPos, 1), `${what}: d/d ${name} ${i}`)
    );
  }
}

function near(got: number, wanted: number, relative: number, absolute: number, what: string): void {
  const tolerance = relative * Math.abs(wanted) + absolute;
  if (!(Math.abs(got - wanted) <= tolerance)) assert.unreachable(`${what} is ${got}; wanted ${wanted}`);
}
