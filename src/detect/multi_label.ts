/**
 * Every class over the threshold of the anchors that passed the filter, instead of the best one of each; or the best one of
 * those that compete, where classes do not compete alike.
 */
import { type CandidateList, emptyList } from "./candidates.ts";
import { type ClassRules, passesOf } from "./class_rules.ts";
import { type AnchorGroup, forEachGroup, gather } from "./groups.ts";
import { type ImageRun, scoped } from "./image_run.ts";
import { compact } from "./rank.ts";
import type { Thresholds } from "./thresholds.ts";

/** Anchors of one call of the kernel that lists every class. */
const GROUP = 256;

/** Pointers to a group's class values and to the threshold of each of its anchors. */
interface Scratch {
  readonly staging: number;
  readonly limits: number;
}

/**
 * The candidates of all classes. If more than `preNmsTopK` collect, the best of them are kept along the way, which leaves
 * the same in the end: so memory stays bounded by it.
 */
export function expandClasses(run: ImageRun, passed: CandidateList, thresholds: Thresholds): CandidateList {
  const { backend, parts, settings } = run;
  const classes = parts[0].classes.channels;
  const size = Math.max(1, Math.min(GROUP, Math.floor(backend.chunk / classes)));
  const most = passed.count * classes;
  const capacity = Math.min(most, Math.max(2 * Math.min(settings.preNmsTopK, most), 2 * size * classes));
  const list = emptyList(run.allocate, capacity);
  scoped(run, (own) => {
    const scratch = { staging: own.allocate(backend.stagingBytes(size * classes)), limits: own.allocate(size * 4) };
    forEachGroup(own, passed, size, (group) => {
      if (list.count + group.count * classes > capacity) compact(own, list, thresholds);
      expandGroup(own, group, thresholds, scratch, list);
    });
  });
  return list;
}

function expandGroup(
  run: ImageRun,
  group: AnchorGroup,
  thresholds: Thresholds,
  { staging, limits }: Scratch,
  list: CandidateList,
): void {
  const { part: { classes }, anchors, count } = group;
  const strides = gather(run, classes, group, staging);
  const { kernels, memory: { ints, floats } } = run.backend;
  for (let i = 0; i < count; i++) {
    const anchor = ints[(anchors >> 2) + i];
    floats[(limits >> 2) + i] = floats[(thresholds.pointer + anchor * thresholds.stride) >> 2];
  }
  const at = list.count * 4;
  const indices = list.anchors + at;
  const ends = [indices, list.labels + at, list.values + at] as const;
  const values = [staging, count, classes.channels, strides.anchor, strides.channel] as const;
  const passed = kernels.score_filter_every(...values, limits, 4, 0, ...ends);
  for (let i = 0; i < passed; i++) ints[(indices >> 2) + i] = ints[(anchors >> 2) + ints[(indices >> 2) + i]];
  list.count += passed;
  const { classRules } = run.settings;
  if (classRules !== null) keepByRules(run, classRules, thresholds, list, list.count - passed);
}

/** Of the candidates from `from` on, keeps those over their own class's threshold, and of an anchor's only the best. */
function keepByRules(
  { backend, settings: { head, multiLabel } }: ImageRun,
  rules: ClassRules,
  { objectness }: Thresholds,
  list: CandidateList,
  from: number,
): void {
  const { ints, floats } = backend.memory;
  const [anchors, labels, values] = [list.anchors >> 2, list.labels >> 2, list.values >> 2];
  const passes = passesOf(head, rules, objectness !== 0);
  let end = from;
  for (let i = from; i < list.count; i++) {
    const [anchor, label, value] = [ints[anchors + i], ints[labels + i], floats[values + i]];
    if (!passes(label, value, objectness === 0 ? NaN : floats[(objectness >> 2) + anchor])) continue;
    const isRival = !multiLabel && end > from && ints[anchors + end - 1] === anchor;
    if (isRival && value <= floats[values + end - 1]) continue;
    const to = isRival ? end - 1 : end++;
    ints[anchors + to] = anchor;
    ints[labels + to] = label;
    floats[values + to] = value;
  }
  list.count = end;
}
