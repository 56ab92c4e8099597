// Which anchors have a class over their threshold, and which class is best. Thresholds are in the unit of the input
// (logits or probabilities) and per anchor, so that objectness needs no kernel of its own. A NaN never passes: pmax keeps
// its first operand when the second is NaN.
//
// The kernels of probabilities compare bit patterns as unsigned numbers. From 0 up their order is that of the floats, and
// over the largest probability's are those of larger values, of negative ones and of NaN: so every value is checked at no
// cost. Where there is one the caller decides: to refuse it, or to filter by the other kernel.

/** 1, and what rounding may leave over it. */
const MAX_PROBABILITY: u32 = reinterpret<u32>(<f32> 1.001);

/**
 * Channels-first: `classes` rows of `count` anchors, `rowStride` bytes apart. `best` enters as the thresholds (or what
 * earlier rows left there) and leaves as the largest value; `label` gets the class where a value beat `best`. Equal values
 * keep the lower class. Works on 16 anchors at a time: all arrays are padded to a multiple of 16.
 */
export function score_filter_channels(
  src: usize,
  rowStride: usize,
  count: i32,
  classes: i32,
  firstClass: i32,
  best: usize,
  label: usize,
): void {
  filterChannels(src, rowStride, count, classes, firstClass, best, label, false);
}

/** Likewise of probabilities. False where a value may be none: what is done by then stays right. */
export function score_filter_channels_probabilities(
  src: usize,
  rowStride: usize,
  count: i32,
  classes: i32,
  firstClass: i32,
  best: usize,
  label: usize,
): bool {
  return filterChannels(src, rowStride, count, classes, firstClass, best, label, true);
}

// @ts-ignore: decorator
@inline
function filterChannels(
  src: usize,
  rowStride: usize,
  count: i32,
  classes: i32,
  firstClass: i32,
  best: usize,
  label: usize,
  probabilities: bool,
): bool {
  for (let i = 0; i < count; i += 16) {
    const b0 = v128.load(best);
    const b1 = v128.load(best, 16);
    const b2 = v128.load(best, 32);
    const b3 = v128.load(best, 48);
    let m0 = b0;
    let m1 = b1;
    let m2 = b2;
    let m3 = b3;
    let row = src;
    for (let c = 0; c < classes; c++) {
      m0 = larger(m0, v128.load(row), probabilities);
      m1 = larger(m1, v128.load(row, 16), probabilities);
      m2 = larger(m2, v128.load(row, 32), probabilities);
      m3 = larger(m3, v128.load(row, 48), probabilities);
      row += rowStride;
    }
    const low = v128.or(isMore(m0, b0, probabilities), isMore(m1, b1, probabilities));
    const high = v128.or(isMore(m2, b2, probabilities), isMore(m3, b3, probabilities));
    if (v128.any_true(v128.or(low, high))) {
      if (probabilities) {
        const left = count - i;
        const o0 = v128.or(isOver(m0, left), isOver(m1, left - 4));
        const o1 = v128.or(isOver(m2, left - 8), isOver(m3, left - 12));
        if (v128.any_true(v128.or(o0, o1))) return false;
      }
      v128.store(best, m0);
      v128.store(best, m1, 16);
      v128.store(best, m2, 32);
      v128.store(best, m3, 48);
      labelBest(src, rowStride, classes, firstClass, b0, m0, label);
      labelBest(src + 16, rowStride, classes, firstClass, b1, m1, label + 16);
      labelBest(src + 32, rowStride, classes, firstClass, b2, m2, label + 32);
      labelBest(src + 48, rowStride, classes, firstClass, b3, m3, label + 48);
    }
    src += 64;
    best += 64;
    label += 64;
  }
  return true;
}

// @ts-ignore: decorator
@inline
function larger(a: v128, b: v128, probabilities: bool): v128 {
  return probabilities ? i32x4.max_u(a, b) : f32x4.pmax(a, b);
}

/** Ones where `a`, the larger of b and others, is one of the others. */
// @ts-ignore: decorator
@inline
function isMore(a: v128, b: v128, probabilities: bool): v128 {
  return probabilities ? i32x4.ne(a, b) : f32x4.gt(a, b);
}

/** Ones in those of the first lanes that are over the largest probability; the other lanes are padding. */
// @ts-ignore: decorator
@inline
function isOver(values: v128, lanes: i32): v128 {
  const here = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(lanes));
  return v128.and(here, i32x4.gt_u(values, i32x4.splat(MAX_PROBABILITY)));
}

/** Sets the labels of the lanes where `now` beats `before` to the first class that has the value `now`. */
function labelBest(
  src: usize,
  rowStride: usize,
  classes: i32,
  firstClass: i32,
  before: v128,
  now: v128,
  label: usize,
): void {
  const better = f32x4.gt(now, before);
  if (!v128.any_true(better)) return;
  let labels = v128.load(label);
  let open = better;
  for (let c = 0; c < classes; c++) {
    const here = v128.and(open, f32x4.eq(v128.load(src), now));
    if (v128.any_true(here)) {
      labels = v128.bitselect(i32x4.splat(firstClass + c), labels, here);
      open = v128.andnot(open, here);
      if (!v128.any_true(open)) break;
    }
    src += rowStride;
  }
  v128.store(label, labels);
}

/** Lists the anchors of a channels-first filter that have a label, in order. Returns how many. */
export function score_filter_compact(
  best: usize,
  label: usize,
  count: i32,
  firstAnchor: i32,
  anchors: usize,
  labels: usize,
  scores: usize,
): i32 {
  let found = 0;
  for (let i = 0; i < count; i += 4) {
    const lanes = i32x4.bitmask(v128.load(label + (<usize> i << 2)));
    if (lanes == 15) continue; // every label is -1
    const end = min(i + 4, count);
    for (let j = i; j < end; j++) {
      const offset = <usize> j << 2;
      const c = load<i32>(label + offset);
      if (c < 0) continue;
      const to = <usize> found << 2;
      store<i32>(anchors + to, firstAnchor + j);
      store<i32>(labels + to, c);
      store<f32>(scores + to, load<f32>(best + offset));
      found++;
    }
  }
  return found;
}

/**
 * Rows of `classes` values, `rowStride` bytes apart; the thresholds of successive rows are `thresholdStride` bytes apart
 * (0: one for all). Lists the anchors over their threshold with their best class, in order. Returns how many.
 */
export function score_filter_rows(
  src: usize,
  rowStride: usize,
  count: i32,
  classes: i32,
  threshold: usize,
  thresholdStride: usize,
  firstAnchor: i32,
  anchors: usize,
  labels: usize,
  scores: usize,
): i32 {
  return filterRows(src, rowStride, count, classes, threshold, thresholdStride, firstAnchor, anchors, labels, scores, false);
}

/** Likewise of probabilities; −1 where a value may be none. */
export function score_filter_rows_probabilities(
  src: usize,
  rowStride: usize,
  count: i32,
  classes: i32,
  threshold: usize,
  thresholdStride: usize,
  firstAnchor: i32,
  anchors: usize,
  labels: usize,
  scores: usize,
): i32 {
  return filterRows(src, rowStride, count, classes, threshold, thresholdStride, firstAnchor, anchors, labels, scores, true);
}

// @ts-ignore: decorator
@inline
function filterRows(
  src: usize,
  rowStride: usize,
  count: i32,
  classes: i32,
  threshold: usize,
  thresholdStride: usize,
  firstAnchor: i32,
  anchors: usize,
  labels: usize,
  scores: usize,
  probabilities: bool,
): i32 {
  let found = 0;
  for (let i = 0; i < count; i++) {
    const limit = load<f32>(threshold);
    const more = rowHasMore(src, classes, limit, probabilities);
    if (probabilities && more == OVER) return -1;
    if (more != NONE) {
      let top = limit;
      let label = 0;
      for (let c = 0; c < classes; c++) {
        const x = load<f32>(src + (<usize> c << 2));
        if (x > top) {
          top = x;
          label = c;
        }
      }
      const to = <usize> found << 2;
      store<i32>(anchors + to, firstAnchor + i);
      store<i32>(labels + to, label);
      store<f32>(scores + to, top);
      found++;
    }
    src += rowStride;
    threshold += thresholdStride;
  }
  return found;
}

const NONE = 0;
const SOME = 1;
const OVER = 2;

/** SOME or OVER if a value of the row is over the limit, or over the largest probability; else NONE. */
// @ts-ignore: decorator
@inline
function rowHasMore(row: usize, classes: i32, limit: f32, probabilities: bool): i32 {
  const end = row + (<usize> classes << 2);
  const splat = f32x4.splat(limit);
  let m0 = splat;
  let m1 = splat;
  for (; row + 32 <= end; row += 32) {
    m0 = larger(m0, v128.load(row), probabilities);
    m1 = larger(m1, v128.load(row, 16), probabilities);
  }
  for (; row < end; row += 4) m0 = larger(m0, f32x4.splat(load<f32>(row)), probabilities);
  m0 = larger(m0, m1, probabilities);
  if (!v128.any_true(isMore(m0, splat, probabilities))) return NONE;
  return probabilities && v128.any_true(i32x4.gt_u(m0, i32x4.splat(MAX_PROBABILITY))) ? OVER : SOME;
}

/**
 * Every class over the threshold, for `count` listed anchors: value (i, c) stands at src + i * anchorStride + c *
 * classStride. Lists index of the anchor in this list plus `firstIndex`, class and value, by anchor and then class.
 */
export function score_filter_every(
  src: usize,
  count: i32,
  classes: i32,
  anchorStride: usize,
  classStride: usize,
  threshold: usize,
  thresholdStride: usize,
  firstIndex: i32,
  indices: usize,
  labels: usize,
  scores: usize,
): i32 {
  let found = 0;
  for (let i = 0; i < count; i++) {
    const limit = load<f32>(threshold);
    let from = src;
    for (let c = 0; c < classes; c++) {
      const x = load<f32>(from);
      if (x > limit) {
        const to = <usize> found << 2;
        store<i32>(indices + to, firstIndex + i);
        store<i32>(labels + to, c);
        store<f32>(scores + to, x);
        found++;
      }
      from += classStride;
    }
    src += anchorStride;
    threshold += thresholdStride;
  }
  return found;
}
