/**
 * Candidates that another device finds: what it is asked, what it answers, and how that enters linear memory.
 */
import { hasObjectness } from "../heads/channels.ts";
import { anchorsIn, type Level, levelOf } from "../heads/levels.ts";
import { type Field, fieldsOf, type Part } from "../heads/outputs.ts";
import { LEAST_PROBABILITY, MOST_PROBABILITY } from "../heads/values.ts";
import type { AnySource } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { clipBoxes, emptyShape, placeBoxes, type ShapeStatistics } from "./boxes.ts";
import {
  productThreshold,
  rawThreshold,
  type Survivors,
  thresholdByObjectness,
  type Thresholds,
} from "./candidates.ts";
import { type Candidates, compact } from "./classes.ts";
import { type CheckedDetect, op, type Settings } from "./checked_detect.ts";
import { scoreError } from "./probabilities.ts";

type Allocate = (bytes: number) => number;

/** What is to be found in each image. */
export interface CandidateSearch {
  readonly op: string;
  readonly images: number;
  readonly parts: readonly Part<AnySource>[];
  /** Those of all parts. */
  readonly fields: readonly Field<AnySource>[];
  /** Are class values and objectness logits? */
  readonly logits: boolean;
  /** What probabilities are within, and the error for one that is not. */
  readonly range: readonly [number, number];
  readonly scoreError: (argument: string, value: number) => RangeError;
  /** Bins of a side; 0 where the box channels are four values. */
  readonly bins: number;
  readonly numClasses: number;
  /** Every class, or the best of each anchor. */
  readonly multiLabel: boolean;
  readonly uncertainty: boolean;
  /**
   * Class values must be over it. With objectness, so must its product with the class score, as far as float32 can tell:
   * who gives back more than that is right too.
   */
  readonly threshold: number;
}

/** The candidates of an image, by anchor and class. */
export interface FoundCandidates {
  readonly anchors: Int32Array;
  readonly labels: Int32Array;
  /** Class values as they came. */
  readonly values: Float32Array;
  /** Objectness as it came; not read without objectness. */
  readonly objectness: Float32Array;
  /** (N, 4): expectations in bins, or the values of the box channels. */
  readonly sides: Float32Array;
  /** (N, 4) each, in bins and as shares of 1; with `uncertainty`. */
  readonly std: Float32Array;
  readonly saturation: Float32Array;
  readonly excess: Float32Array;
}

/** An image in which too many were found to list them: its own outputs, on the host. */
export interface CrowdedImage {
  readonly parts: readonly Part[];
}

export type FoundImage = FoundCandidates | CrowdedImage;

/** Candidates of an image in linear memory, and what is made of those that stay. */
export interface ImageCandidates {
  readonly list: Survivors;
  readonly thresholds: Thresholds;
  /** Pointer to the boxes (count, 4), in network input pixels. */
  readonly boxesOf: (candidates: Candidates) => number;
  /** For detections in any order. */
  readonly shapeOf: (anchors: Int32Array) => ShapeStatistics;
}

export function searchOf({ images, parts, settings }: CheckedDetect): CandidateSearch {
  const { head, scoreThreshold, multiLabel, uncertainty } = settings;
  const makeThreshold = hasObjectness(head) ? productThreshold : rawThreshold;
  return {
    op,
    images,
    parts,
    fields: parts.flatMap(fieldsOf),
    logits: head.scores === "logits",
    range: [LEAST_PROBABILITY, MOST_PROBABILITY],
    scoreError: (argument, value) => scoreError({ op, argument }, head, value),
    bins: head.bins,
    numClasses: head.numClasses,
    multiLabel,
    uncertainty,
    threshold: makeThreshold(head, scoreThreshold),
  };
}

export function stageFound(
  backend: WasmBackend,
  allocate: Allocate,
  found: FoundCandidates,
  settings: Settings,
): ImageCandidates {
  const joined = hasObjectness(settings.head);
  const objectness = joined ? stageObjectness(backend, allocate, found, settings) : 0;
  const thresholds = { pointer: 0, stride: 0, objectness };
  return {
    list: stageList(backend, allocate, found, joined ? passing(found, settings) : null, thresholds, settings),
    thresholds,
    boxesOf: (candidates) => boxesOf(backend, allocate, found, candidates, settings),
    shapeOf: (anchors) => shapeOf(found, anchors, settings.levels),
  };
}

/** Which candidates are over the thresholds that objectness makes, in float64. */
function passing({ values, objectness }: FoundCandidates, { head, scoreThreshold }: Settings): (i: number) => boolean {
  const thresholdOf = thresholdByObjectness(head, scoreThreshold);
  return (i) => values[i] > thresholdOf(objectness[i]);
}

/** Candidates that the list has room for at least, if there are so many. */
const LEAST_CAPACITY = 4096;

/** Where more than `preNmsTopK` collect, the best of them are kept along the way, as `expandClasses` does. */
function stageList(
  backend: WasmBackend,
  allocate: Allocate,
  { anchors, labels, values }: FoundCandidates,
  passes: ((i: number) => boolean) | null,
  thresholds: Thresholds,
  settings: Settings,
): Survivors {
  const capacity = Math.min(anchors.length, Math.max(2 * settings.preNmsTopK, LEAST_CAPACITY));
  const bytes = capacity * 4;
  const list: Survivors = { anchors: allocate(bytes), labels: allocate(bytes), values: allocate(bytes), count: 0 };
  let { ints, floats } = backend.memory;
  for (let i = 0; i < anchors.length; i++) {
    if (passes !== null && !passes(i)) continue;
    if (list.count === capacity) {
      compact(backend, op, settings, list, thresholds);
      ({ ints, floats } = backend.memory);
    }
    ints[(list.anchors >> 2) + list.count] = anchors[i];
    ints[(list.labels >> 2) + list.count] = labels[i];
    floats[(list.values >> 2) + list.count] = values[i];
    list.count++;
  }
  return list;
}

/** Objectness where its anchor says; the anchors without a candidate are not read. */
function stageObjectness(
  { memory }: WasmBackend,
  allocate: Allocate,
  { anchors, objectness }: FoundCandidates,
  { levels }: Settings,
): number {
  const pointer = allocate(anchorsIn(levels) * 4);
  const { floats } = memory;
  anchors.forEach((anchor, i) => floats[(pointer >> 2) + anchor] = objectness[i]);
  return pointer;
}

function boxesOf(
  backend: WasmBackend,
  allocate: Allocate,
  { anchors, sides }: FoundCandidates,
  candidates: Candidates,
  settings: Settings,
): number {
  const { count } = candidates;
  const boxes = allocate(count * 16);
  const points = allocate(count * 8);
  const { ints, floats } = backend.memory;
  let from = 0;
  for (let i = 0; i < count; i++) {
    while (anchors[from] !== ints[(candidates.anchors >> 2) + i]) from++;
    for (let side = 0; side < 4; side++) floats[(boxes >> 2) + 4 * i + side] = sides[4 * from + side];
  }
  placeBoxes(backend, candidates.anchors, count, settings, points, boxes);
  clipBoxes(backend, boxes, count, settings);
  return boxes;
}

function shapeOf(found: FoundCandidates, kept: Int32Array, levels: readonly Level[]): ShapeStatistics {
  const shape = emptyShape(kept.length);
  kept.forEach((anchor, i) => {
    const from = 4 * firstOf(found.anchors, anchor);
    const { stride } = levelOf(levels, anchor);
    for (let side = 0; side < 4; side++) {
      shape.std[4 * i + side] = found.std[from + side] * stride;
      shape.saturation[4 * i + side] = found.saturation[from + side];
      shape.excess[4 * i + side] = found.excess[from + side] * stride;
    }
  });
  return shape;
}

/** Where a value stands first among ascending ones that have it. */
function firstOf(ascending: Int32Array, value: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
