/**
 * The score filter of heads with objectness, where it leaves few anchors to compete: only the classes of these are read.
 */
import { paddedColumns } from "../wasm/backend.ts";
import { type CandidateList, emptyList } from "./candidates.ts";
import { type AnchorGroup, type AnchorList, forEachGroup, gather } from "./groups.ts";
import { type ImageRun, scoped } from "./image_run.ts";
import { passChannels, passRows } from "./pass.ts";
import type { Thresholds } from "./thresholds.ts";

/** Anchors whose classes are gathered at a time. */
const GROUP = 256;

/** Those of the competing anchors whose best class is over their threshold, each with that class. */
export function filterCompeting(run: ImageRun, competing: AnchorList, thresholds: Thresholds): CandidateList {
  const { backend, parts } = run;
  const list = emptyList(run.allocate, competing.count);
  const { channels } = parts[0].classes;
  const size = Math.max(1, Math.min(GROUP, competing.count, Math.floor(backend.chunk / channels)));
  const padded = paddedColumns(size);
  scoped(run, (own) => {
    const staging = own.allocate(backend.stagingBytes(padded * channels));
    const limits = own.allocate(padded * 4);
    const labels = own.allocate(padded * 4);
    forEachGroup(own, competing, size, (group) => {
      stageLimits(own, group, thresholds, limits);
      filterGroup(own, group, { staging, limits, labels }, list);
    });
  });
  return list;
}

/** The thresholds of a group side by side, beyond reach in the padding. */
function stageLimits(
  { backend: { memory } }: ImageRun,
  { anchors, count }: AnchorGroup,
  { pointer }: Thresholds,
  limits: number,
): void {
  const { floats, ints } = memory;
  for (let i = 0; i < count; i++) floats[(limits >> 2) + i] = floats[(pointer >> 2) + ints[(anchors >> 2) + i]];
  floats.fill(Infinity, (limits >> 2) + count, (limits >> 2) + paddedColumns(count));
}

/** Pointers to the classes, thresholds and best classes of a group. */
interface Scratch {
  readonly staging: number;
  readonly limits: number;
  readonly labels: number;
}

function filterGroup(
  run: ImageRun,
  group: AnchorGroup,
  { staging, limits, labels }: Scratch,
  list: CandidateList,
): void {
  const { part: { classes }, anchors, count } = group;
  const { kernels, memory: { ints } } = run.backend;
  const { argument, channels, channelsFirst } = classes;
  gather(run, classes, group, staging);
  const at = list.count * 4;
  const listed = list.anchors + at;
  const ends = [listed, list.labels + at, list.values + at] as const;
  let passed = 0;
  if (channelsFirst) {
    ints.fill(-1, labels >> 2, (labels >> 2) + paddedColumns(count));
    const values = { pointer: staging, stride: count * 4, rows: channels, columns: count };
    passChannels(run, argument, values, 0, limits, labels);
    passed = kernels.score_filter_compact(limits, labels, count, 0, ...ends);
  } else {
    const values = { pointer: staging, stride: channels * 4, rows: count, columns: channels };
    passed = passRows(run, argument, values, [limits, 4], 0, ends);
  }
  for (let i = 0; i < passed; i++) ints[(listed >> 2) + i] = ints[(anchors >> 2) + ints[(listed >> 2) + i]];
  list.count += passed;
}
