/**
 * Candidates that another device has listed, in linear memory.
 */
import { hasObjectness, isRotated } from "../heads/channels.ts";
import { anchorsIn, type Level, levelOf } from "../heads/levels.ts";
import { boxColumns, clipBoxes, JOINED, placeBoxes, placeRotated } from "./boxes.ts";
import { type CandidateList, emptyList, type ImageCandidates, type RankedCandidates } from "./candidates.ts";
import type { Settings } from "./checked_detect.ts";
import { passesOf } from "./class_rules.ts";
import type { ImageRun } from "./image_run.ts";
import { compact } from "./rank.ts";
import { thresholdByObjectness } from "./scores.ts";
import type { ListedCandidates } from "./search.ts";
import type { Thresholds } from "./thresholds.ts";
import { emptyStatistics, type SideStatistics } from "./uncertainty.ts";

/** The listed candidates in linear memory, with their boxes and statistics. */
export function stageListed(run: ImageRun, listed: ListedCandidates): ImageCandidates {
  const joined = hasObjectness(run.settings.head);
  const objectness = joined ? stageObjectness(run, listed) : 0;
  const thresholds = { pointer: 0, stride: 0, objectness, competing: null };
  return {
    list: stageList(run, listed, chosen(listed, run.settings, joined), thresholds),
    thresholds,
    boxesOf: (candidates) => boxesOf(run, listed, candidates),
    statisticsOf: (anchors) => statisticsOf(listed, anchors, run.settings.levels),
    anglesOf: (anchors) => Float32Array.from(anchors, (anchor) => listed.angles[firstOf(listed.anchors, anchor)]),
  };
}

/** Which candidates compete; null where all do. */
function chosen(listed: ListedCandidates, settings: Settings, joined: boolean): ((i: number) => boolean) | null {
  const { head, classRules, multiLabel } = settings;
  if (classRules === null) return joined ? passing(listed, settings) : null;
  const { anchors, labels, values, objectness } = listed;
  const passes = passesOf(head, classRules, joined);
  const flags = new Uint8Array(anchors.length);
  let last = -1;
  for (let i = 0; i < anchors.length; i++) {
    if (!passes(labels[i], values[i], objectness[i])) continue;
    const isRival = !multiLabel && last >= 0 && anchors[last] === anchors[i];
    if (isRival && values[i] <= values[last]) continue;
    if (isRival) flags[last] = 0;
    flags[i] = 1;
    last = i;
  }
  return (i) => flags[i] === 1;
}

/** Whether a candidate is over the threshold that its objectness makes, in float64. */
function passing({ values, objectness }: ListedCandidates, { head, scoreThreshold }: Settings): (i: number) => boolean {
  const thresholdOf = thresholdByObjectness(head, scoreThreshold);
  return (i) => values[i] > thresholdOf(objectness[i]);
}

/** Least capacity of a list in linear memory, if there are so many candidates. */
const MIN_CAPACITY = 4096;

/** If more than `preNmsTopK` collect, the best of them are kept along the way, as `expandClasses` does. */
function stageList(
  run: ImageRun,
  { anchors, labels, values }: ListedCandidates,
  passes: ((i: number) => boolean) | null,
  thresholds: Thresholds,
): CandidateList {
  const { backend: { memory }, allocate, settings: { preNmsTopK } } = run;
  const capacity = Math.min(anchors.length, Math.max(2 * preNmsTopK, MIN_CAPACITY));
  const list = emptyList(allocate, capacity);
  let { ints, floats } = memory;
  for (let i = 0; i < anchors.length; i++) {
    if (passes !== null && !passes(i)) continue;
    if (list.count === capacity) {
      compact(run, list, thresholds);
      ({ ints, floats } = memory);
    }
    ints[(list.anchors >> 2) + list.count] = anchors[i];
    ints[(list.labels >> 2) + list.count] = labels[i];
    floats[(list.values >> 2) + list.count] = values[i];
    list.count++;
  }
  return list;
}

/** Objectness at its anchor's index; the anchors without a candidate are not read. */
function stageObjectness(
  { backend: { memory }, allocate, settings: { levels } }: ImageRun,
  { anchors, objectness }: ListedCandidates,
): number {
  const pointer = allocate(anchorsIn(levels) * 4);
  const { floats } = memory;
  anchors.forEach((anchor, i) => floats[(pointer >> 2) + anchor] = objectness[i]);
  return pointer;
}

function boxesOf(run: ImageRun, listed: ListedCandidates, candidates: RankedCandidates): number {
  const { allocate } = run;
  const { count } = candidates;
  const boxes = allocate(count * boxColumns(run) * 4);
  if (isRotated(run.settings.head)) {
    const [sides, angles] = [allocate(count * 16), allocate(count * 4)];
    stageBoxes(run, listed, candidates, sides, angles);
    placeRotated(run, candidates, { sides, strides: JOINED, angles }, boxes);
    return boxes;
  }
  stageBoxes(run, listed, candidates, boxes, 0);
  placeBoxes(run, candidates, allocate(count * 8), boxes);
  clipBoxes(run, boxes, count);
  return boxes;
}

/** Box channels (count, 4) of the candidates and, of rotated boxes, their angles (count), at these pointers. */
function stageBoxes(
  { backend }: ImageRun,
  listed: ListedCandidates,
  candidates: RankedCandidates,
  sides: number,
  angles: number,
): void {
  const { ints, floats } = backend.memory;
  let from = 0;
  for (let i = 0; i < candidates.count; i++) {
    while (listed.anchors[from] !== ints[(candidates.anchors >> 2) + i]) from++;
    for (let side = 0; side < 4; side++) floats[(sides >> 2) + 4 * i + side] = listed.sides[4 * from + side];
    if (angles !== 0) floats[(angles >> 2) + i] = listed.angles[from];
  }
}

function statisticsOf(listed: ListedCandidates, kept: Int32Array, levels: readonly Level[]): SideStatistics {
  const statistics = emptyStatistics(kept.length);
  kept.forEach((anchor, i) => {
    const from = 4 * firstOf(listed.anchors, anchor);
    const { stride } = levelOf(levels, anchor);
    for (let side = 0; side < 4; side++) {
      statistics.std[4 * i + side] = listed.std[from + side] * stride;
      statistics.saturation[4 * i + side] = listed.saturation[from + side];
      statistics.excess[4 * i + side] = listed.excess[from + side] * stride;
    }
  });
  return statistics;
}

/** Index of the first among ascending values that equals `value`. */
function firstOf(ascending: Int32Array, value: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
