/**
 * From surviving anchors to ranked candidates: every class of an anchor, objectness, the best k.
 */
import type { HeadSpec } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { joinScore, probability, type Survivors, type Thresholds } from "./candidates.ts";
import { fieldRows, type Part } from "../heads/outputs.ts";

type Allocate = (bytes: number) => number;

/** Pointers to anchor, class, raw class value and rank of each candidate, in order of anchor and class. */
export interface Candidates {
  readonly anchors: number;
  readonly labels: number;
  readonly values: number;
  /** What candidates are sorted by: the raw value itself, or the joined score where there is objectness. */
  readonly ranks: number;
  readonly count: number;
}

/** Survivors of one call of the kernel that lists every class. */
const GROUP = 256;

/**
 * Every class over the threshold, of the surviving anchors. Where more than `preNmsTopK` collect, the best of them are kept
 * along the way, which leaves the same in the end: so memory stays bounded by it.
 */
export function expandClasses(
  backend: WasmBackend,
  op: string,
  allocate: Allocate,
  parts: readonly Part[],
  image: number,
  survivors: Survivors,
  thresholds: Thresholds,
  limits: { readonly head: HeadSpec; readonly preNmsTopK: number },
): Survivors {
  const classes = parts[0].classes.channels;
  const group = Math.max(1, Math.min(GROUP, Math.floor(backend.chunk / classes)));
  const most = survivors.count * classes;
  const capacity = Math.min(most, Math.max(2 * Math.min(limits.preNmsTopK, most), 2 * group * classes));
  const list: Survivors = {
    anchors: allocate(capacity * 4),
    labels: allocate(capacity * 4),
    values: allocate(capacity * 4),
    count: 0,
  };
  backend.memory.frame(op, (scoped) => {
    const room = scoped(backend.room(group * classes));
    const limit = scoped(group * 4);
    forEachGroup(backend, parts, survivors, group, (part, at, count) => {
      if (list.count + count * classes > capacity) compact(backend, op, limits, list, thresholds);
      const found = expandGroup(backend, part, image, survivors.anchors + at * 4, count, room, limit, thresholds, list);
      list.count += found;
    });
  });
  return list;
}

/** Calls back for runs of survivors that belong to one part. */
export function forEachGroup(
  backend: WasmBackend,
  parts: readonly Part[],
  survivors: { readonly anchors: number; readonly count: number },
  group: number,
  body: (part: Part, at: number, count: number) => void,
): void {
  let at = 0;
  for (const part of parts) {
    const end = lowerBound(backend, survivors, part.firstAnchor + part.anchors);
    for (; at < end; at += Math.min(group, end - at)) body(part, at, Math.min(group, end - at));
  }
}

/** How many survivors lie before the anchor. */
function lowerBound(
  backend: WasmBackend,
  survivors: { readonly anchors: number; readonly count: number },
  anchor: number,
): number {
  const { ints } = backend.memory;
  let low = 0;
  let high = survivors.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ints[(survivors.anchors >> 2) + middle] < anchor) low = middle + 1;
    else high = middle;
  }
  return low;
}

function expandGroup(
  backend: WasmBackend,
  part: Part,
  image: number,
  anchors: number,
  count: number,
  room: number,
  limit: number,
  thresholds: Thresholds,
  list: Survivors,
): number {
  const { classes } = part;
  const rows = fieldRows(classes, image);
  const [anchorStride, classStride] = classes.channelsFirst ? [4, count * 4] : [classes.channels * 4, 4];
  if (classes.channelsFirst) backend.gatherColumns(classes.source, rows, anchors, count, part.firstAnchor, room);
  else backend.gatherRows(classes.source, rows, anchors, count, part.firstAnchor, room);
  const { ints, floats } = backend.memory;
  for (let i = 0; i < count; i++) {
    const anchor = ints[(anchors >> 2) + i];
    floats[(limit >> 2) + i] = floats[(thresholds.pointer + anchor * thresholds.stride) >> 2];
  }
  const at = list.count * 4;
  const indices = list.anchors + at;
  const found = backend.kernels.score_filter_every(
    room,
    count,
    classes.channels,
    anchorStride,
    classStride,
    limit,
    4,
    0,
    indices,
    list.labels + at,
    list.values + at,
  );
  for (let i = 0; i < found; i++) ints[(indices >> 2) + i] = ints[(anchors >> 2) + ints[(indices >> 2) + i]];
  return found;
}

/** Moves the best `preNmsTopK` of the list to its front. */
export function compact(
  backend: WasmBackend,
  op: string,
  limits: { readonly head: HeadSpec; readonly preNmsTopK: number },
  list: Survivors,
  thresholds: Thresholds,
): void {
  backend.memory.frame(op, (scoped) => {
    const ranked = withObjectness(backend, scoped, limits.head, list, thresholds);
    const best = keepBest(backend, scoped, ranked, limits.preNmsTopK);
    const { ints } = backend.memory;
    for (const name of ["anchors", "labels", "values"] as const) {
      ints.copyWithin(list[name] >> 2, best[name] >> 2, (best[name] >> 2) + best.count);
    }
    list.count = best.count;
  });
}

/** Ranks the candidates by the raw value, or by the score joined with objectness. */
export function withObjectness(
  backend: WasmBackend,
  allocate: Allocate,
  head: HeadSpec,
  list: Survivors,
  thresholds: Thresholds,
): Candidates {
  const { anchors, labels, values, count } = list;
  if (thresholds.objectness === 0) return { anchors, labels, values, ranks: values, count };
  const ranks = allocate(count * 4);
  const { ints, floats } = backend.memory;
  for (let i = 0; i < count; i++) {
    const objectness = probability(head, floats[(thresholds.objectness >> 2) + ints[(anchors >> 2) + i]]);
    floats[(ranks >> 2) + i] = joinScore(head, probability(head, floats[(values >> 2) + i]), objectness);
  }
  return { anchors, labels, values, ranks, count };
}

/** The best k candidates, still in their order. */
export function keepBest(backend: WasmBackend, allocate: Allocate, all: Candidates, k: number): Candidates {
  if (all.count <= k) return all;
  const chosen = allocate(all.count * 4);
  const count = backend.kernels.top_k(all.ranks, all.count, k, chosen);
  const pick = (from: number) => {
    const to = allocate(count * 4);
    backend.kernels.gather_rows(from, 4, 1, chosen, count, to);
    return to;
  };
  const ranks = pick(all.ranks);
  const values = all.values === all.ranks ? ranks : pick(all.values);
  return { anchors: pick(all.anchors), labels: pick(all.labels), values, ranks, count };
}
