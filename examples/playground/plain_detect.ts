/**
 * The whole of `detect` in plain JavaScript, to compare with: the threshold as a logit, so that only what passes it is
 * decoded, and a greedy NMS within each class.
 */

/** A level's maps, channels first: (classes, size, size) and (4 · bins, size, size). */
export interface Level {
  readonly classes: Float32Array;
  readonly boxes: Float32Array;
  readonly stride: number;
  /** Cells along a side. */
  readonly size: number;
}

export interface PlainOptions {
  readonly numClasses: number;
  readonly bins: number;
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
}

export interface PlainDetection {
  /** x1, y1, x2, y2. */
  readonly box: number[];
  readonly score: number;
  readonly classId: number;
  /** What the deviations of left, top, right and bottom have beyond those of sure sides, in pixels. */
  readonly excess: number[];
}

interface Candidate extends PlainDetection {
  readonly logit: number;
}

export function plainDetect(levels: readonly Level[], options: PlainOptions): PlainDetection[] {
  const candidates = levels.flatMap((level) => candidatesOf(level, options));
  // Stable: of equal scores the first anchor comes first.
  candidates.sort((a, b) => b.logit - a.logit);
  return suppress(candidates, options.iouThreshold);
}

function candidatesOf(level: Level, { numClasses, bins, scoreThreshold }: PlainOptions): Candidate[] {
  const { classes, boxes, stride, size } = level;
  const cells = size * size;
  const least = Math.log(scoreThreshold / (1 - scoreThreshold));
  const candidates: Candidate[] = [];
  for (let cell = 0; cell < cells; cell++) {
    let classId = 0;
    for (let c = 1; c < numClasses; c++) {
      if (classes[c * cells + cell] > classes[classId * cells + cell]) classId = c;
    }
    const logit = classes[classId * cells + cell];
    if (logit <= least) continue;
    const sides = [0, 1, 2, 3].map((side) => decodeSide(boxes, side * bins * cells + cell, cells, bins));
    const [left, top, right, bottom] = sides.map(({ mean }) => mean * stride);
    const x = (cell % size) * stride;
    const y = Math.floor(cell / size) * stride;
    candidates.push({
      box: [x - left, y - top, x + right, y + bottom],
      score: 1 / (1 + Math.exp(-logit)),
      classId,
      excess: sides.map(({ excess }) => excess * stride),
      logit,
    });
  }
  return candidates;
}

/** Expectation of the softmax over bins that stand `step` apart, and its excess, in bins. */
function decodeSide(logits: Float32Array, first: number, step: number, bins: number): { mean: number; excess: number } {
  let top = -Infinity;
  for (let i = 0; i < bins; i++) top = Math.max(top, logits[first + i * step]);
  let sum = 0;
  let linear = 0;
  for (let i = 0; i < bins; i++) {
    const weight = Math.exp(logits[first + i * step] - top);
    sum += weight;
    linear += weight * i;
  }
  const mean = linear / sum;
  const bin = Math.floor(mean);
  let more = 0;
  for (let i = 0; i < bins; i++) {
    more += Math.exp(logits[first + i * step] - top) * (i - bin) * (i - bin - 1);
  }
  return { mean, excess: Math.sqrt(more / sum) };
}

function suppress(candidates: readonly Candidate[], iouThreshold: number): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    const covers = (other: Candidate) =>
      other.classId === candidate.classId && iou(other.box, candidate.box) > iouThreshold;
    if (!kept.some(covers)) kept.push(candidate);
  }
  return kept;
}

function iou(a: readonly number[], b: readonly number[]): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const overlap = width * height;
  return overlap / (area(a) + area(b) - overlap);
}

function area([x1, y1, x2, y2]: readonly number[]): number {
  return (x2 - x1) * (y2 - y1);
}
