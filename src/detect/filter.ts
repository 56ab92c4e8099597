/**
 * Which anchors compete: the score filter over every part of the outputs.
 */
import { anchorsIn } from "../heads/levels.ts";
import { fieldRows, type Part } from "../heads/outputs.ts";
import { LEAST_PROBABILITY, MOST_PROBABILITY } from "../heads/values.ts";
import { paddedColumns, type Rows, type StagedRows } from "../wasm/backend.ts";
import { type CandidateList, emptyList } from "./candidates.ts";
import { op } from "./checked_detect.ts";
import { filterCompeting } from "./competing.ts";
import { type ImageRun, scoped } from "./image_run.ts";
import { passChannels, passRows } from "./pass.ts";
import { scoreError } from "./probabilities.ts";
import type { Thresholds } from "./thresholds.ts";

/** Where fewer than one anchor in so many competes, only its classes are read: from one in twelve to one in eight both ways take as long. */
const RARELY = 8;

/** The anchors whose best class is over their threshold, each with that class. */
export function filterAnchors(run: ImageRun, thresholds: Thresholds): CandidateList {
  const anchors = anchorsIn(run.settings.levels);
  const { competing } = thresholds;
  if (competing !== null && competing.count * RARELY < anchors) return filterCompeting(run, competing, thresholds);
  const list = emptyList(run.allocate, anchors);
  for (const part of run.parts) {
    const filter = filterOf(run, part, thresholds);
    scoped(run, (own) => filter(own, part, thresholds, list));
  }
  return list;
}

type Filter = (run: ImageRun, part: Part, thresholds: Thresholds, list: CandidateList) => void;

function filterOf(run: ImageRun, part: Part, thresholds: Thresholds): Filter {
  if (part.classes.channelsFirst) return filterChannels;
  if (!isSparse(run, part)) return filterRows;
  const { source, channels } = part.classes;
  return channels === 1 && source.kind === "f32" && thresholds.stride === 0 ? scanRows : filterChannels;
}

/**
 * To pick a value takes as long as to copy so many: rows of few classes among many keypoints or coefficients are not copied
 * whole.
 */
const COPIES_PER_PICK = 10;

function isSparse({ backend }: ImageRun, { classes: { source, channels, allChannels } }: Part): boolean {
  return channels * COPIES_PER_PICK <= allChannels && backend.resident(source) === 0;
}

/** Floats of rows that are copied at a time: rows of 84 and of 135 take 3 to 5 % less than with twice as many. */
const ROWS_AT_ONCE = 32768;

/** One class among many channels, compared where it lies: where it was picked for the kernel, the call took a third longer. */
function scanRows(
  { backend, settings: { head }, image }: ImageRun,
  part: Part,
  thresholds: Thresholds,
  list: CandidateList,
): void {
  const { classes: { argument, source }, firstAnchor, anchors } = part;
  const { ints, floats } = backend.memory;
  const values = backend.values(source);
  const [least, most] = head.scores === "logits" ? [-Infinity, Infinity] : [LEAST_PROBABILITY, MOST_PROBABILITY];
  const threshold = floats[thresholds.pointer >> 2];
  const { start, pitch } = fieldRows(part.classes, image);
  for (let i = 0, at = start; i < anchors; i++, at += pitch) {
    const value = values[at];
    if (value >= least && value <= threshold) continue;
    if (value < least || value > most) throw scoreError({ op, argument }, head, value);
    if (Number.isNaN(value)) continue;
    ints[(list.anchors >> 2) + list.count] = firstAnchor + i;
    ints[(list.labels >> 2) + list.count] = 0;
    floats[(list.values >> 2) + list.count] = value;
    list.count++;
  }
}

function filterRows(run: ImageRun, part: Part, thresholds: Thresholds, list: CandidateList): void {
  const { backend, allocate, image } = run;
  const { argument, source, channels, firstChannel, allChannels } = part.classes;
  const chunk = Math.min(part.anchors, Math.max(1, Math.floor(Math.min(backend.chunk, ROWS_AT_ONCE) / allChannels)));
  const staging = backend.resident(source) === 0 ? allocate(backend.stagingBytes(chunk * allChannels)) : 0;
  for (let done = 0; done < part.anchors; done += chunk) {
    const rows = Math.min(chunk, part.anchors - done);
    // Whole rows in one copy, boxes included: cheaper than a copy for each row's classes.
    const { start } = fieldRows(part.classes, image, done, rows);
    const pointer = backend.stage(source, start - firstChannel, rows * allChannels, staging) + firstChannel * 4;
    const first = part.firstAnchor + done;
    const at = list.count * 4;
    const ends = [list.anchors + at, list.labels + at, list.values + at] as const;
    const limits = [thresholds.pointer + first * thresholds.stride, thresholds.stride] as const;
    const staged = { pointer, stride: allChannels * 4, rows, columns: channels };
    list.count += passRows(run, argument, staged, limits, first, ends);
  }
}

/** Anchors of a block; its best values and labels stay in the first- and second-level cache. */
const BLOCK_ANCHORS = 16384;
/** Classes of one pass over a tensor in linear memory: 80 streams at once take half as long again as 5 times 16. */
const RESIDENT_ROWS = 16;

/** Anchors whose classes are compared class by class: pointers to the best value and its class of each. */
interface Block {
  readonly first: number;
  readonly columns: number;
  readonly best: number;
  readonly labels: number;
}

function filterChannels(run: ImageRun, part: Part, thresholds: Thresholds, list: CandidateList): void {
  const { backend, allocate, image } = run;
  const { argument, source, channels } = part.classes;
  const blockAnchors = Math.min(part.anchors, BLOCK_ANCHORS, backend.chunk);
  const padded = paddedColumns(blockAnchors);
  const resident = backend.resident(source) !== 0;
  const rowsThatFit = resident ? RESIDENT_ROWS : Math.max(1, Math.floor(backend.chunk / padded));
  const rowsAtOnce = Math.min(channels, rowsThatFit);
  const staging = resident ? 0 : allocate(backend.stagingBytes(rowsAtOnce * padded));
  const best = allocate(padded * 4);
  const labels = allocate(padded * 4);
  for (let done = 0; done < part.anchors; done += blockAnchors) {
    const columns = Math.min(blockAnchors, part.anchors - done);
    const block = { first: part.firstAnchor + done, columns, best, labels };
    beginBlock(backend, thresholds, block);
    const { start, pitch } = fieldRows(part.classes, image, done, columns);
    for (let row = 0; row < channels; row += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, channels - row);
      const { pointer, stride } = stageClasses(backend, part.classes, { start, pitch, rows, columns }, row, staging);
      passChannels(run, argument, { pointer, stride, rows, columns }, row, best, labels);
    }
    endBlock(backend, block, list);
  }
}

/** Classes from the given one on, a row each: `start` is the first anchor's first class. */
function stageClasses(
  backend: ImageRun["backend"],
  { source, channelsFirst }: Part["classes"],
  { start, pitch, rows, columns }: Rows,
  first: number,
  staging: number,
): StagedRows {
  if (channelsFirst) return backend.stageRows(source, { start: start + first * pitch, pitch, rows, columns }, staging);
  const stride = paddedColumns(columns) * 4;
  for (let i = 0; i < rows; i++) backend.pick(source, start + first + i, pitch, columns, staging + i * stride);
  return { pointer: staging, stride };
}

/** `best` starts at the thresholds, beyond reach in the padding. */
function beginBlock(
  { memory }: ImageRun["backend"],
  thresholds: Thresholds,
  { first, columns, best, labels }: Block,
): void {
  const padded = paddedColumns(columns);
  const { floats, ints } = memory;
  const [from, to] = [best >> 2, (best >> 2) + columns];
  if (thresholds.stride === 0) floats.fill(floats[thresholds.pointer >> 2], from, to);
  else floats.copyWithin(from, (thresholds.pointer >> 2) + first, (thresholds.pointer >> 2) + first + columns);
  floats.fill(Infinity, to, from + padded);
  ints.fill(-1, labels >> 2, (labels >> 2) + padded);
}

/** Appends the anchors of which a class was over the threshold. */
function endBlock(
  { kernels }: ImageRun["backend"],
  { first, columns, best, labels }: Block,
  list: CandidateList,
): void {
  const at = list.count * 4;
  const ends = [list.anchors + at, list.labels + at, list.values + at] as const;
  list.count += kernels.score_filter_compact(best, labels, columns, first, ...ends);
}
