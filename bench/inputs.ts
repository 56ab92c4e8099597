/** The inputs of every family, from fixed seeds. */
import { between, integerBelow, normal, type Random, seeded } from "./random.ts";
import { type AnchorGrid, anchorGrid, ANCHORS, BINS, BOX_CHANNELS, CHANNELS, CLASSES, IMAGE } from "./yolov8.ts";

export interface Scene {
  /** Raw output of the head, (1, 144, 8400). */
  readonly logits: Float32Array;
  /** Anchors over the threshold. */
  readonly survivors: number;
}

/** An object as corners, the stride of the level that finds it, and its class. */
interface Thing {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly stride: number;
  readonly classId: number;
}

/** A head's output as a trained network gives it: each object lights up the anchors around its centre. */
export function headScene(
  objects: number,
  anchorsEach: number,
  seed: number,
): Scene {
  const random = seeded(seed);
  const grid = anchorGrid();
  const logits = background(random);
  const taken = new Set<number>();
  for (let i = 0; i < objects; i++) {
    const thing = randomThing(random);
    for (
      const [rank, anchor] of nearestAnchors(grid, thing, taken, anchorsEach)
        .entries()
    ) {
      taken.add(anchor);
      lightUp(logits, random, grid, anchor, thing, rank / anchorsEach);
    }
  }
  return { logits, survivors: taken.size };
}

/** Class logits of −6 ± 1.5, cut at three deviations so that none reaches −1.1, and shapeless box distributions. */
function background(random: Random): Float32Array {
  return Float32Array.from({ length: CHANNELS * ANCHORS }, (_, i) => {
    return i < BOX_CHANNELS * ANCHORS ? normal(random, 0, 1.5) : normal(random, -6, 1.5);
  });
}

function randomThing(random: Random): Thing {
  const draw = random();
  const stride = draw < 0.5 ? 8 : draw < 0.85 ? 16 : 32;
  const width = stride * between(random, 4, 10);
  const height = stride * between(random, 4, 10);
  const x1 = between(random, 0, IMAGE - width);
  const y1 = between(random, 0, IMAGE - height);
  return {
    x1,
    y1,
    x2: x1 + width,
    y2: y1 + height,
    stride,
    classId: integerBelow(random, CLASSES),
  };
}

/** The free anchors of the object's level inside it, nearest to its centre first. */
function nearestAnchors(
  grid: AnchorGrid,
  thing: Thing,
  taken: Set<number>,
  count: number,
): number[] {
  const { x1, y1, x2, y2, stride } = thing;
  const inside: { anchor: number; distance: number }[] = [];
  for (let anchor = 0; anchor < ANCHORS; anchor++) {
    const x = grid.x[anchor];
    const y = grid.y[anchor];
    if (grid.stride[anchor] !== stride || taken.has(anchor)) continue;
    if (x <= x1 || x >= x2 || y <= y1 || y >= y2) continue;
    inside.push({
      anchor,
      distance: Math.hypot(x - (x1 + x2) / 2, y - (y1 + y2) / 2),
    });
  }
  return inside.sort((a, b) => a.distance - b.distance).slice(0, count).map((
    { anchor },
  ) => anchor);
}

/** Writes the object's class and box at an anchor; the score falls from the centre (0) outwards (1). */
function lightUp(
  logits: Float32Array,
  random: Random,
  grid: AnchorGrid,
  anchor: number,
  thing: Thing,
  outwards: number,
): void {
  const x = grid.x[anchor];
  const y = grid.y[anchor];
  logits[(BOX_CHANNELS + thing.classId) * ANCHORS + anchor] = normal(
    random,
    2.5 - 2.8 * outwards,
    0.2,
  );
  const sides = [x - thing.x1, y - thing.y1, thing.x2 - x, thing.y2 - y];
  for (const [side, distance] of sides.entries()) {
    const bin = distance / thing.stride + normal(random, 0, 0.15);
    for (let i = 0; i < BINS; i++) {
      logits[(side * BINS + i) * ANCHORS + anchor] = Math.max(4 - 1.2 * (i - bin) ** 2, -5) + normal(random, 0, 0.3);
    }
  }
}

export interface ScoredBoxes {
  readonly count: number;
  /** (count, 4) xyxy. */
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
}

const FRAME = 1280;
const BOXES_PER_OBJECT = 4;

/** Boxes of 10 to 120 pixels that crowd around a quarter as many objects; about half of them overlap a better one. */
export function crowdedBoxes(count: number, seed: number): ScoredBoxes {
  const random = seeded(seed);
  const objects = Array.from(
    { length: Math.ceil(count / BOXES_PER_OBJECT) },
    () => ({
      x: between(random, 60, FRAME - 60),
      y: between(random, 60, FRAME - 60),
      width: between(random, 12.5, 100),
      height: between(random, 12.5, 100),
    }),
  );
  const boxes = new Float32Array(count * 4);
  for (let i = 0; i < count; i++) {
    const { x, y, width, height } = objects[integerBelow(random, objects.length)];
    const centre = [
      normal(random, x, 0.08 * width),
      normal(random, y, 0.08 * height),
    ];
    const half = [width, height].map((length) => Math.max(10, length * between(random, 0.8, 1.2)) / 2);
    boxes.set([
      centre[0] - half[0],
      centre[1] - half[1],
      centre[0] + half[0],
      centre[1] + half[1],
    ], i * 4);
  }
  return { count, boxes, scores: Float32Array.from({ length: count }, random) };
}

/** Rotated boxes (count, 5) around so many objects, as a detector gives them. */
export function clusteredBoxes(count: number, objects: number, seed: number): Float32Array {
  const random = seeded(seed);
  const things = Array.from({ length: objects }, () => rotatedThing(random, FRAME));
  const boxes = new Float32Array(count * 5);
  for (let i = 0; i < count; i++) {
    const [x, y, width, height, angle] = things[integerBelow(random, objects)];
    const centre = [normal(random, x, 0.08 * width), normal(random, y, 0.08 * height)];
    const sides = [width, height].map((length) => length * between(random, 0.8, 1.2));
    boxes.set([...centre, ...sides, normal(random, angle, 0.1)], i * 5);
  }
  return boxes;
}

/** Rotated boxes (count, 5) anywhere on a square image. */
export function spreadBoxes(count: number, extent: number, seed: number): Float32Array {
  const random = seeded(seed);
  return Float32Array.from(Array.from({ length: count }, () => rotatedThing(random, extent)).flat());
}

function rotatedThing(random: Random, extent: number): number[] {
  const sides = [between(random, 12.5, 100), between(random, 12.5, 100)];
  return [between(random, 0, extent), between(random, 0, extent), ...sides, between(random, 0, Math.PI)];
}

/** Logits of box sides, each with one clear peak, as (anchors, 4 · bins) rows or (4 · bins, anchors) channels. */
export function sideLogits(
  anchors: number,
  bins: number,
  layout: "rows" | "channels-first",
  seed: number,
): Float32Array {
  const random = seeded(seed);
  const logits = new Float32Array(anchors * 4 * bins);
  for (let anchor = 0; anchor < anchors; anchor++) {
    for (let side = 0; side < 4; side++) {
      const peak = between(random, 0, bins - 1);
      for (let i = 0; i < bins; i++) {
        const channel = side * bins + i;
        const at = layout === "rows" ? anchor * 4 * bins + channel : channel * anchors + anchor;
        logits[at] = Math.max(4 - 0.8 * (i - peak) ** 2, -5) +
          normal(random, 0, 0.5);
      }
    }
  }
  return logits;
}
