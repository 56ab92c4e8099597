/** The inputs of the losses, from fixed seeds. */
import { kindOf, type LossInput, type LossName, requiredOf } from "./loss_task.ts";
import { between, normal, type Random, seeded } from "./random.ts";
import { CLASSES } from "./yolov8.ts";

const POSITIVE_SHARE = 0.02;
const FRAME = 1280;
/** Of the predicted boxes, those that have nothing to do with their target. */
const STRAY_SHARE = 0.1;

/** How much of its kind a loss is computed on. */
export interface LossSizes {
  readonly anchors: number;
  readonly rows: number;
  readonly bins: number;
  readonly boxes: number;
}

/** An input for a loss of any kind. */
export function lossInput(loss: LossName, { anchors, rows, bins, boxes }: LossSizes): LossInput {
  switch (kindOf(loss)) {
    case "element loss":
      return classificationInput(loss, anchors, CLASSES, 1);
    case "row loss":
      return distributionInput(loss, rows, bins, 1);
    case "box loss":
      return boxInput(loss, boxes, 1);
  }
}

/** Logits of −3 ± 2; a few elements have a quality as their target, the others 0. */
export function classificationInput(
  loss: LossName,
  anchors: number,
  classes: number,
  seed: number,
): LossInput {
  const random = seeded(seed);
  const length = anchors * classes;
  const dims = [anchors, classes] as const;
  return {
    loss,
    pred: Float32Array.from({ length }, () => normal(random, -3, 2)),
    predDims: dims,
    target: Float32Array.from(
      { length },
      () => random() < POSITIVE_SHARE ? between(random, 0.01, 0.99) : 0,
    ),
    targetDims: dims,
  };
}

/** The same targets with other logits, all of the same magnitude and of both signs. */
export function withMagnitude(input: LossInput, magnitude: number): LossInput {
  const random = seeded(1);
  return {
    ...input,
    pred: input.pred.map(() => random() < 0.5 ? magnitude : -magnitude),
  };
}

/** Rows of logits with one peak each; the target is near it. */
export function distributionInput(
  loss: LossName,
  rows: number,
  bins: number,
  seed: number,
): LossInput {
  const random = seeded(seed);
  const pred = new Float32Array(rows * bins);
  const target = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const peak = between(random, 0, bins - 1);
    for (let i = 0; i < bins; i++) {
      pred[row * bins + i] = Math.max(4 - 0.8 * (i - peak) ** 2, -5) +
        normal(random, 0, 0.5);
    }
    target[row] = Math.min(
      Math.max(normal(random, peak, 0.5), 0),
      bins - 1.001,
    );
  }
  return {
    loss,
    pred,
    predDims: [rows, bins],
    target,
    targetDims: [rows],
  };
}

/** Boxes of 10 to 120 pixels near their targets, some of them far away. None shares an edge: its gradient is a convention. */
export function boxInput(loss: LossName, count: number, seed: number): LossInput {
  const random = seeded(seed);
  const pred = new Float32Array(count * 4);
  const target = new Float32Array(count * 4);
  for (let i = 0; i < count; i++) {
    const box = randomBox(random);
    target.set(corners(box), 4 * i);
    do pred.set(
      corners(random() < STRAY_SHARE ? randomBox(random) : nearby(random, box)),
      4 * i,
    ); while (shareAnEdge(pred, target, 4 * i));
  }
  return { loss, pred, predDims: [count, 4], target, targetDims: [count, 4], options: requiredOf(loss, FRAME) };
}

function shareAnEdge(a: Float32Array, b: Float32Array, at: number): boolean {
  return [0, 1, 2, 3].some((side) => a[at + side] === b[at + side]);
}

/** Centre and size. */
type Box = readonly [x: number, y: number, width: number, height: number];

function randomBox(random: Random): Box {
  const [x, y] = [
    between(random, 60, FRAME - 60),
    between(random, 60, FRAME - 60),
  ];
  return [x, y, between(random, 10, 120), between(random, 10, 120)];
}

function nearby(random: Random, [x, y, width, height]: Box): Box {
  return [
    normal(random, x, 0.15 * width),
    normal(random, y, 0.15 * height),
    width * between(random, 0.7, 1.4),
    height * between(random, 0.7, 1.4),
  ];
}

function corners([x, y, width, height]: Box): number[] {
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
}
