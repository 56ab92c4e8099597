/** The raw head that `heads` is measured on: YOLOv5 at 640 × 640, three maps (1, 3 · 85, h, w), 25 200 anchors in all. */
import { between, integerBelow, normal, type Random, seeded } from "./random.ts";

export const IMAGE = 640;
export const STRIDES = [8, 16, 32] as const;
export const CLASSES = 80;
export const CHANNELS = 5 + CLASSES;
export const PER_CELL = 3;
export const ANCHOR_SIZES = [
  [10, 13, 16, 30, 33, 23],
  [30, 61, 62, 45, 59, 119],
  [116, 90, 156, 198, 373, 326],
] as const;

/** Each object lights up a block of cells of one level, with boxes that agree; all else is sure of nothing. */
export function rawMaps(objects: number, seed: number): Float32Array[] {
  const random = seeded(seed);
  const maps = STRIDES.map((stride) => {
    const cells = (IMAGE / stride) ** 2;
    return Float32Array.from({ length: PER_CELL * CHANNELS * cells }, (_, i) => {
      const channel = Math.floor(i / cells) % CHANNELS;
      if (channel < 4) return normal(random, 0, 1);
      return normal(random, channel === 4 ? -8 : -5, 1);
    });
  });
  for (let i = 0; i < objects; i++) lightUp(random, maps);
  return maps;
}

/** Rows and columns of cells that find an object. */
const BLOCK = 3;

function lightUp(random: Random, maps: readonly Float32Array[]): void {
  const draw = random();
  const level = draw < 0.5 ? 0 : draw < 0.85 ? 1 : 2;
  const side = IMAGE / STRIDES[level];
  const cells = side * side;
  const map = maps[level];
  const [column, row] = [integerBelow(random, side - BLOCK + 1), integerBelow(random, side - BLOCK + 1)];
  const classId = integerBelow(random, CLASSES);
  const first = integerBelow(random, PER_CELL) * CHANNELS * cells;
  const [width, height] = [between(random, -0.5, 1), between(random, -0.5, 1)];
  for (let y = 0; y < BLOCK; y++) {
    for (let x = 0; x < BLOCK; x++) {
      const cell = first + (row + y) * side + column + x;
      // Logits of 0.25, 0.5 and 0.75 put the centre of all three cells into the middle one, nearly.
      const towards = (from: number) => [1.1, 0, -1.1][from] + normal(random, 0, 0.1);
      const values = [towards(x), towards(y), width + normal(random, 0, 0.1), height + normal(random, 0, 0.1)];
      values.forEach((value, channel) => map[cell + channel * cells] = value);
      map[cell + 4 * cells] = normal(random, x === 1 && y === 1 ? 3 : 1, 0.3);
      map[cell + (5 + classId) * cells] = normal(random, 2, 0.3);
    }
  }
}

/** Rows (300, 6) of detections, best first: so many of them over the threshold of 0.25. */
export function selectedRows(over: number, seed: number): Float32Array {
  const random = seeded(seed);
  const scores = Array.from({ length: 300 }, (_, i) => i < over ? between(random, 0.3, 0.95) : between(random, 0, 0.2));
  const rows = scores.sort((a, b) => b - a).map((score) => {
    const [x, y] = [between(random, 0, 500), between(random, 0, 500)];
    return [x, y, x + between(random, 10, 140), y + between(random, 10, 140), score, integerBelow(random, CLASSES)];
  });
  return Float32Array.from(rows.flat());
}
