/**
 * From raw head tensors to detections. For each image: filter scores, expand classes, keep the best candidates, decode their
 * boxes, suppress, and only for what is left compute scores in float64.
 */
import { checkHead } from "../heads/presets.ts";
import type { Operation } from "../ops/operation.ts";
import type { Detections, DetectOptions, HeadSpec, ImageTransform, Outputs } from "../types.ts";
import {
  boolean,
  describe,
  integer,
  number,
  options as checkOptions,
  rangeError,
  size,
  typeError,
} from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { decodeBoxes, shapeStatistics } from "./boxes.ts";
import { filterAnchors, joinScore, makeThresholds, probability, type Thresholds } from "./candidates.ts";
import { type Candidates, expandClasses, keepBest, withObjectness } from "./classes.ts";
import { DetectionList } from "./detections.ts";
import { anchorsIn, type Level, levelsOf } from "../heads/levels.ts";
import { type Part, resolveOutputs } from "../heads/outputs.ts";

const op = "detect";

/** Checked options with their defaults. */
interface Settings {
  readonly head: HeadSpec;
  readonly imageSize: readonly [number, number];
  readonly levels: readonly Level[];
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  readonly maxDetections: number;
  readonly preNmsTopK: number;
  readonly multiLabel: boolean;
  readonly classAgnostic: boolean;
  readonly transform: ImageTransform | null;
  readonly clip: boolean;
  readonly uncertainty: boolean;
}

export const detect = {
  name: op,
  stem: "detect",
  kernels: [
    "score_filter_channels",
    "score_filter_compact",
    "score_filter_rows",
    "score_filter_every",
    "top_k",
    "gather_channels",
    "gather_rows",
    "anchor_points",
    "clip_boxes",
    "xywh2xyxy",
  ],
  shapes: "raw head tensors → boxes, scores, classes, anchors",
  summary: "from raw head tensors to detections",
  run(backend: WasmBackend, outputs: Outputs, options: DetectOptions): Detections[] {
    return [...detectImages(backend, outputs, options)];
  },
} satisfies Operation;

/** One image's detections at each step; stops before an image once the signal is aborted. */
export function* detectImages(
  backend: WasmBackend,
  outputs: Outputs,
  options: DetectOptions,
): Generator<Detections, void, void> {
  const settings = readSettings(checkOptions(op, options, true));
  const { images, parts } = resolveOutputs(op, outputs, settings.head, settings.levels);
  for (let image = 0; image < images; image++) {
    options.signal?.throwIfAborted();
    yield detectImage(backend, parts, image, settings);
  }
}

function readSettings(given: Partial<DetectOptions>): Settings {
  const place = (member: string) => ({ op, argument: `options.${member}` });
  const head = checkHead(op, "options.head", given.head as HeadSpec);
  const imageSize = size(place("imageSize"), given.imageSize);
  const uncertainty = boolean(place("uncertainty"), given.uncertainty ?? false);
  if (uncertainty && head.boxes !== "distribution") {
    throw typeError(
      place("uncertainty"),
      `true for head ${head.name} with boxes "${head.boxes}"`,
      "a head with a distribution",
    );
  }
  return {
    head,
    imageSize,
    levels: levelsOf(head, imageSize),
    scoreThreshold: number(place("scoreThreshold"), given.scoreThreshold ?? 0.25),
    iouThreshold: number(place("iouThreshold"), given.iouThreshold ?? 0.6, 0, 1),
    maxDetections: integer(place("maxDetections"), given.maxDetections ?? 300, 0),
    preNmsTopK: integer(place("preNmsTopK"), given.preNmsTopK ?? 30000, 0),
    multiLabel: boolean(place("multiLabel"), given.multiLabel ?? false),
    classAgnostic: boolean(place("classAgnostic"), given.classAgnostic ?? false),
    transform: given.transform === undefined ? null : readTransform(given.transform),
    clip: boolean(place("clip"), given.clip ?? false),
    uncertainty,
  };
}

function readTransform(given: ImageTransform): ImageTransform {
  const place = (member: string) => ({ op, argument: `options.transform${member}` });
  if (typeof given !== "object" || given === null) {
    throw typeError(place(""), describe(given), "an object with scaleX, scaleY, padX and padY");
  }
  for (const member of ["scaleX", "scaleY", "padX", "padY"] as const) {
    const value = number(place(`.${member}`), given[member]);
    if (!Number.isFinite(value)) throw rangeError(place(`.${member}`), value, "a finite number");
    if (member.startsWith("scale") && value === 0) {
      throw rangeError(place(`.${member}`), value, "a number other than 0");
    }
  }
  if (given.clip !== undefined) size(place(".clip"), given.clip);
  return given;
}

function detectImage(backend: WasmBackend, parts: readonly Part[], image: number, settings: Settings): DetectionList {
  const { head, levels, scoreThreshold } = settings;
  const anchors = anchorsIn(levels);
  return backend.memory.frame(op, (allocate) => {
    const thresholds = makeThresholds(backend, allocate, head, parts, image, anchors, scoreThreshold);
    const survivors = filterAnchors(backend, op, allocate, parts, image, anchors, thresholds);
    const expanded = settings.multiLabel
      ? expandClasses(backend, op, allocate, parts, image, survivors, thresholds, settings)
      : survivors;
    const ranked = withObjectness(backend, allocate, head, expanded, thresholds);
    const candidates = keepBest(backend, allocate, ranked, settings.preNmsTopK);
    const boxes = decodeBoxes(backend, op, allocate, parts, image, candidates, settings);
    const keep = suppress(backend, allocate, candidates, boxes, settings);
    return collect(backend, parts, image, settings, candidates, boxes, keep, thresholds);
  });
}

/** Positions of the kept candidates, best first. */
function suppress(
  backend: WasmBackend,
  allocate: (bytes: number) => number,
  candidates: Candidates,
  boxes: number,
  settings: Settings,
): Int32Array {
  const { kernels, memory } = backend;
  const { count } = candidates;
  const order = allocate(count * 4);
  const keep = allocate(count * 4);
  const scratch = allocate(Math.max(count * 12, kernels.nms_scratch(count)));
  const sorted = kernels.sort_scores(candidates.ranks, count, NaN, order, scratch);
  const labels = settings.classAgnostic ? 0 : candidates.labels;
  const limit = Math.min(settings.maxDetections, count);
  const kept = kernels.nms(boxes, labels, order, sorted, settings.iouThreshold, limit, scratch, keep);
  return memory.ints.slice(keep >> 2, (keep >> 2) + kept);
}

function collect(
  backend: WasmBackend,
  parts: readonly Part[],
  image: number,
  settings: Settings,
  candidates: Candidates,
  boxes: number,
  keep: Int32Array,
  thresholds: Thresholds,
): DetectionList {
  const { floats, ints } = backend.memory;
  const list = {
    boxes: new Float32Array(keep.length * 4),
    scores: new Float32Array(keep.length),
    classes: new Int32Array(keep.length),
    anchors: new Int32Array(keep.length),
  };
  for (let i = 0; i < keep.length; i++) {
    const from = keep[i];
    const anchor = ints[(candidates.anchors >> 2) + from];
    list.anchors[i] = anchor;
    list.classes[i] = ints[(candidates.labels >> 2) + from];
    list.scores[i] = scoreOf(settings.head, floats, (candidates.values >> 2) + from, thresholds, anchor);
    for (let side = 0; side < 4; side++) list.boxes[4 * i + side] = floats[(boxes >> 2) + 4 * from + side];
  }
  const shape = settings.uncertainty ? shapeStatistics(backend, op, parts, image, list.anchors, settings.levels) : {};
  if (settings.transform !== null) mapBack(settings.transform, list.boxes, shape.std);
  return new DetectionList({ ...list, ...shape });
}

function scoreOf(head: HeadSpec, floats: Float32Array, value: number, thresholds: Thresholds, anchor: number): number {
  const score = probability(head, floats[value]);
  if (thresholds.objectness === 0) return score;
  return joinScore(head, score, probability(head, floats[(thresholds.objectness >> 2) + anchor]));
}

/** Boxes from network input to image, in float64; the deviations scale with them. */
function mapBack(transform: ImageTransform, boxes: Float32Array, std: Float32Array | undefined): void {
  const { scaleX, scaleY, padX, padY, clip } = transform;
  for (let i = 0; i < boxes.length; i++) {
    const vertical = i % 2 === 1;
    const scale = vertical ? scaleY : scaleX;
    const value = (boxes[i] - (vertical ? padY : padX)) / scale;
    boxes[i] = clip === undefined ? value : Math.min(Math.max(value, 0), clip[vertical ? 0 : 1]);
    if (std !== undefined) std[i] /= Math.abs(scale);
  }
}
