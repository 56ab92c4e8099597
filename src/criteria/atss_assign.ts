/** Adaptive training sample selection: which ground truth each anchor of a grid learns. */
import { doc } from "../doc.ts";
import { checkStrides } from "../heads/check.ts";
import { anchorsIn, type Level, levelsOf } from "../heads/levels.ts";
import { nameOf, routine } from "../operation.ts";
import { integerParam, numberParam, type Param, paramReader, requiredParam, requiredSize } from "../params.ts";
import type { Assignment, AtssOptions, GroundTruth } from "../types.ts";
import { type Place, rangeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import {
  type Box,
  boxAt,
  type CheckedGroundTruth,
  checkGroundTruth,
  IGNORED,
  isInside,
  NEGATIVE,
} from "./ground_truth.ts";

const stem = "atss_assign";
const op = nameOf(stem);

const PARAMS = {
  imageSize: requiredSize(
    doc`network input, [height, width] in pixels. A level has ceil(height/stride) × ceil(width/stride) anchors`,
  ),
  strides: requiredParam<AtssOptions["strides"]>(doc`strides of the levels, in the order in which their anchors stand`),
  anchorOffset: numberParam(doc`offset of the anchors' centres: anchor i is at (i + anchorOffset) · stride`, 0, {
    min: -1e6,
    max: 1e6,
    unit: "strides",
  }),
  anchorScale: numberParam(doc`side of the square anchors`, 8, { min: 1e-6, max: 1e6, unit: "strides" }),
  topk: integerParam(doc`number of an object's candidates on each level`, 9, { min: 1 }),
} as const satisfies Record<keyof AtssOptions, Param>;

const readOptions = paramReader(op, PARAMS);

export interface AtssSettings {
  /** Centre of cell i: (i + anchorOffset) · stride. */
  readonly anchorOffset: number;
  /** Side of the square anchors, in strides. */
  readonly anchorScale: number;
  /** Candidates of a ground truth on each level. */
  readonly topk: number;
}

export const ATSS_DEFAULTS: AtssSettings = {
  anchorOffset: PARAMS.anchorOffset.default,
  anchorScale: PARAMS.anchorScale.default,
  topk: PARAMS.topk.default,
};

export const atssAssign = routine({
  stem,
  kernels: [],
  shapes: doc`gt (K, 4) → (N), (N)`,
  tensors: doc`gt.boxes (K, 4) in \`xyxy\`, pixels, and gt.labels (K), which are not read; results (N) and (N)`,
  throws: [
    doc`RangeError if a box is inverted or not finite`,
    doc`RangeError if there are more than 64 strides or 2²⁶ anchors`,
  ],
  summary: doc`ATSS: ground truth of each anchor`,
  params: PARAMS,
  bounds: {},
  errorBound: doc`\`gtIndex\` is exact; \`iou\` is rounded once`,
  source:
    doc`Zhang et al. 2020 (ATSS), algorithm 1, with the deviation, the margin and the rule for conflicts of mmdet`,
  run(_backend: WasmBackend, options: AtssOptions, gt: GroundTruth): Assignment {
    const settings = readOptions(options);
    const { imageSize } = settings;
    const strides = checkStrides({ op, argument: "options.strides" }, settings.strides);
    const levels = levelsOf({ strides }, imageSize);
    checkAnchors({ op, argument: "options.imageSize" }, imageSize, levels);
    return assignAtss(levels, checkGroundTruth({ op, argument: "gt" }, gt), settings);
  },
});

/** Of one image: an assignment takes 16 bytes of the host's memory for each. */
const MAX_ANCHORS = 2 ** 26;

/** Before anything is made for each anchor. */
export function checkAnchors(place: Place, imageSize: readonly number[], levels: readonly Level[]): void {
  const anchors = anchorsIn(levels);
  if (anchors <= MAX_ANCHORS) return;
  const got = `[${imageSize.join(", ")}], ${anchors} anchors at strides ${
    levels.map(({ stride }) => stride).join(", ")
  }`;
  throw rangeError(place, got, `at most ${MAX_ANCHORS} anchors`);
}

/** A negative is ignored when more than this share of its anchor lies in one crowd region. */
const IGNORED_SHARE = 0.5;

/** All in float64; time and memory are those of the anchors and of the candidates, never of all pairs. */
export function assignAtss(levels: readonly Level[], gt: CheckedGroundTruth, settings: AtssSettings): Assignment {
  const anchors = anchorsIn(levels);
  const gtIndex = new Int32Array(anchors).fill(NEGATIVE);
  const iou = new Float64Array(anchors);
  const candidates = new Candidates(levels, settings);
  for (let index = 0; index < gt.count; index++) {
    candidates.collect(boxAt(gt.boxes, index));
    const threshold = candidates.threshold();
    for (let i = 0; i < candidates.count; i++) {
      const anchor = candidates.anchors[i];
      if (!(candidates.ious[i] >= threshold) || candidates.inside[i] === 0) continue;
      if (gtIndex[anchor] !== NEGATIVE && candidates.ious[i] <= iou[anchor]) continue;
      gtIndex[anchor] = index;
      iou[anchor] = candidates.ious[i];
    }
  }
  for (let region = 0; region < gt.ignore.length / 4; region++) {
    for (const level of levels) ignoreCrowd(level, boxAt(gt.ignore, region), settings, gtIndex);
  }
  return { gtIndex, iou: new Float32Array(iou) };
}

/** The anchors nearest to one box, at most `topk` of each level. */
class Candidates {
  count = 0;
  readonly anchors: Int32Array;
  readonly ious: Float64Array;
  /** 1 where the anchor's centre is inside the box. */
  readonly inside: Uint8Array;
  readonly #levels: readonly Level[];
  readonly #settings: AtssSettings;
  readonly #distances: Float64Array;

  constructor(levels: readonly Level[], settings: AtssSettings) {
    const most = levels.map((level) => Math.min(settings.topk, level.anchors));
    const capacity = most.reduce((sum, count) => sum + count, 0);
    this.anchors = new Int32Array(capacity);
    this.ious = new Float64Array(capacity);
    this.inside = new Uint8Array(capacity);
    this.#levels = levels;
    this.#settings = settings;
    this.#distances = new Float64Array(Math.max(...most));
  }

  collect(box: Box): void {
    this.count = 0;
    for (const level of this.#levels) {
      const candidates = this.#nearest(level, box);
      for (let i = 0; i < candidates; i++) this.#measure(level, box, this.count++);
    }
  }

  /**
   * Mean and unbiased standard deviation, added; NaN for one candidate. Taken from the first IoU on, so that IoUs that are
   * all equal meet their threshold exactly.
   */
  threshold(): number {
    const { ious, count } = this;
    const first = ious[0];
    let mean = 0;
    for (let i = 0; i < count; i++) mean += (ious[i] - first) / count;
    let squares = 0;
    for (let i = 0; i < count; i++) squares += (ious[i] - first - mean) ** 2;
    return first + (mean + Math.sqrt(squares / (count - 1)));
  }

  /**
   * Puts the level's nearest cells after the candidates so far, ties to the lower anchor, and returns how many. A cell that
   * is not among the nearest columns (rows) has at least `topk` nearer ones in its own row (column).
   */
  #nearest(level: Level, { x1, y1, x2, y2 }: Box): number {
    const { anchorOffset, topk } = this.#settings;
    const { stride } = level;
    const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
    const k = Math.min(topk, level.anchors);
    const [left, right] = nearestCells(x / stride - anchorOffset, topk, level.width);
    const [top, bottom] = nearestCells(y / stride - anchorOffset, topk, level.height);
    let count = 0;
    for (let row = top; row < bottom; row++) {
      const dy = (row + anchorOffset) * stride - y;
      for (let column = left; column < right; column++) {
        const dx = (column + anchorOffset) * stride - x;
        const distance = dx * dx + dy * dy;
        if (count === k && distance >= this.#distances[k - 1]) continue;
        if (count < k) count++;
        this.#insert(count, distance, level.firstAnchor + row * level.width + column);
      }
    }
    return count;
  }

  /** Inserts an anchor among the `count` nearest of its level, in the order of distance, over the last of them. */
  #insert(count: number, distance: number, anchor: number): void {
    let index = count - 1;
    for (; index > 0 && distance < this.#distances[index - 1]; index--) {
      this.#distances[index] = this.#distances[index - 1];
      this.anchors[this.count + index] = this.anchors[this.count + index - 1];
    }
    this.#distances[index] = distance;
    this.anchors[this.count + index] = anchor;
  }

  #measure(level: Level, box: Box, candidate: number): void {
    const { anchorOffset, anchorScale } = this.#settings;
    const cell = this.anchors[candidate] - level.firstAnchor;
    const x = (cell % level.width + anchorOffset) * level.stride;
    const y = (Math.floor(cell / level.width) + anchorOffset) * level.stride;
    const side = anchorScale * level.stride;
    const shared = overlap(x, side, box.x1, box.x2) * overlap(y, side, box.y1, box.y2);
    this.ious[candidate] = shared / (side * side + (box.x2 - box.x1) * (box.y2 - box.y1) - shared);
    this.inside[candidate] = isInside(x, y, box) ? 1 : 0;
  }
}

/** First and end of a run of cells that holds the `count` nearest to a point on the axis; one more for rounding. */
function nearestCells(point: number, count: number, cells: number): readonly [number, number] {
  const first = Math.min(Math.max(Math.ceil(point - count / 2) - 1, 0), Math.max(cells - count - 2, 0));
  return [first, Math.min(first + count + 2, cells)];
}

/** Length that the interval of that centre and width shares with another. */
function overlap(centre: number, width: number, low: number, high: number): number {
  return Math.max(Math.min(centre + width / 2, high) - Math.max(centre - width / 2, low), 0);
}

/** More than half of an anchor lies in the region only if its centre does. */
function ignoreCrowd(level: Level, { x1, y1, x2, y2 }: Box, settings: AtssSettings, gtIndex: Int32Array): void {
  const { anchorOffset } = settings;
  const { stride, width, height, firstAnchor } = level;
  const side = settings.anchorScale * stride;
  const [left, right] = cellsBetween(x1 / stride - anchorOffset, x2 / stride - anchorOffset, width);
  const [top, bottom] = cellsBetween(y1 / stride - anchorOffset, y2 / stride - anchorOffset, height);
  const across = Float64Array.from({ length: Math.max(right - left, 0) }, (_, i) => {
    return overlap((left + i + anchorOffset) * stride, side, x1, x2);
  });
  for (let row = top; row < bottom; row++) {
    const shared = overlap((row + anchorOffset) * stride, side, y1, y2);
    const first = firstAnchor + row * width + left;
    for (let i = 0; i < across.length; i++) {
      if (gtIndex[first + i] !== NEGATIVE) continue;
      if (shared * across[i] / (side * side) > IGNORED_SHARE) gtIndex[first + i] = IGNORED;
    }
  }
}

/** First and end of the cells between two places on the axis, rounded outwards. */
export function cellsBetween(low: number, high: number, cells: number): readonly [number, number] {
  return [Math.max(Math.floor(low), 0), Math.min(Math.ceil(high) + 1, cells)];
}
