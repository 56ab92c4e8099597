// The kept boxes in a tree that is as balanced whatever the boxes are. All that may yet be kept is known beforehand: it is
// ordered by halving it again and again along where it differs most (class, width, height or place), so that any four
// neighbours, and any four of these fours, are alike. Four boxes are a block, as in the grid; four blocks are described by
// a block above them, and so on up to one. A block above holds for each of its four what bounds the kept boxes there: their
// hull, greatest width and height, least area, least and greatest class. The IoU with any of them is at most that of a box
// of the least area that overlaps as much as hull, width and height allow.

import { AREA, areaIn, BLOCK_END, blockSuppresses, centre, certain, CLASS, clearBlock, isProper, minSide,
  putBox, side, sieve, X2, Y1, Y2 } from "./nms_block";

// Behind the four boxes. `CLASS` is the least class here.
const MAX_CLASS: usize = BLOCK_END;
const WIDTH: usize = BLOCK_END + 16;
const HEIGHT: usize = BLOCK_END + 32;
const BLOCK_BYTES: usize = BLOCK_END + 48;

/** Where each level's blocks begin; level 0 holds the boxes. Four to the power of 16 are all there can be. */
const LEVELS = memory.data(16 * 4, 16);
/** Blocks to look at, each as its number on its level, and the level in the last four bits. */
const STACK = memory.data(64 * 4, 16);

let top: i32 = 0;
/** Of each candidate, by its place in the order: where it belongs in the tree. */
let places: usize = 0;

export function treeScratch(count: i32): usize {
  return <usize> count * 4 + (<usize> count / 3 + 34) * BLOCK_BYTES;
}

// While the boxes are ordered: for each its centre, width and height, its place in the order, its class, and a key; beside
// them room for half of the first three. Together they take less room than the blocks that follow in their place.
let shapes: usize = 0;
let items: usize = 0;
let labels: usize = 0;
let keys: usize = 0;
let otherShapes: usize = 0;
let otherItems: usize = 0;
let otherLabels: usize = 0;

/** A tree with the kept boxes, and with places for the candidates from `next` on. */
export function growTree(
  boxes: usize,
  classes: usize,
  order: usize,
  count: i32,
  next: i32,
  keep: usize,
  kept: i32,
  scratch: usize,
): void {
  places = scratch;
  const room = (scratch + (<usize> count << 2) + 15) & ~15;
  layRecords(room, count);
  let length = 0;
  let known = 0;
  for (let i = 0; i < count; i++) {
    const index = load<i32>(order + (<usize> i << 2));
    if (i < next) {
      if (known == kept || load<i32>(keep + (<usize> known << 2)) != index) continue;
      known++;
    }
    const box = boxes + (<usize> index << 4);
    if (!isProper(box)) continue;
    const at = <usize> length << 2;
    v128.store(shapes + (at << 2), f32x4(centre(box), centre(box + 4), side(box), side(box + 4)));
    store<i32>(items + at, i);
    store<i32>(labels + at, classes != 0 ? load<i32>(classes + (<usize> index << 2)) : 0);
    length++;
  }
  arrange(length);
  for (let place = 0; place < length; place++) {
    store<i32>(places + (<usize> load<i32>(items + (<usize> place << 2)) << 2), place);
  }
  layLevels(room, length);
  known = 0;
  for (let i = 0; i < next && known < kept; i++) {
    const index = load<i32>(order + (<usize> i << 2));
    if (load<i32>(keep + (<usize> known << 2)) != index) continue;
    known++;
    const box = boxes + (<usize> index << 4);
    if (isProper(box)) treeInsert(i, box, classes != 0 ? load<i32>(classes + (<usize> index << 2)) : 0);
  }
}

function layRecords(room: usize, count: i32): void {
  const words = <usize> ((count + 3) & ~3) << 2;
  const half = words >> 1;
  shapes = room;
  otherShapes = shapes + (words << 2);
  items = otherShapes + (half << 2);
  labels = items + words;
  keys = labels + words;
  otherItems = keys + words;
  otherLabels = otherItems + half;
}

function layLevels(blocks: usize, length: i32): void {
  top = -1;
  do {
    length = (length + 3) >> 2;
    top++;
    store<usize>(LEVELS + (<usize> top << 2), blocks);
    for (let i = 0; i < length; i++) {
      clearBlock(blocks);
      v128.store(blocks, i32x4.splat(i32.MAX_VALUE), CLASS);
      v128.store(blocks, i32x4.splat(i32.MIN_VALUE), MAX_CLASS);
      v128.store(blocks, f32x4.splat(0), WIDTH);
      v128.store(blocks, f32x4.splat(0), HEIGHT);
      v128.store(blocks, f32x4.splat(Infinity), AREA);
      blocks += BLOCK_BYTES;
    }
  } while (length > 1);
}

/** Orders the records so that aligned runs of 4, 8, 16, … are alike. */
function arrange(length: i32): void {
  let half = 4;
  while (half * 2 < length) half *= 2;
  for (; half >= 4; half >>= 1) {
    for (let start = 0; start + half < length; start += 2 * half) {
      const end = min(start + 2 * half, length);
      if (writeKeys(start, end)) divide(start, end, half);
    }
  }
}

/**
 * keys = integers that ascend along where the records differ most: in classes, else in one of width, height and centre,
 * each measured by what it does to an IoU. False if they do not differ.
 */
function writeKeys(start: i32, end: i32): bool {
  const first = <usize> start << 2;
  const last = <usize> end << 2;
  let minClass = i32.MAX_VALUE;
  let maxClass = i32.MIN_VALUE;
  let low = f32x4.splat(Infinity);
  let high = f32x4.splat(-Infinity);
  for (let at = first; at < last; at += 4) {
    const label = load<i32>(labels + at);
    minClass = min(minClass, label);
    maxClass = max(maxClass, label);
    const shape = v128.load(shapes + (at << 2));
    low = f32x4.pmin(low, shape);
    high = f32x4.pmax(high, shape);
  }
  if (minClass < maxClass) {
    memory.copy(keys + first, labels + first, last - first);
    return true;
  }
  const axis = widestAxis(low, high);
  if (axis == NONE) return false;
  for (let at = first; at < last; at += 4) {
    store<i32>(keys + at, ascending(load<f32>(shapes + (at << 2) + (<usize> axis << 2))));
  }
  return true;
}

const NONE: i32 = 4;

/** Which number of a shape: a ratio of sides, less 1, weighs as much as a distance in sides. `NONE` if all are equal. */
function widestAxis(low: v128, high: v128): i32 {
  const width = <f64> f32x4.extract_lane(high, 2);
  const height = <f64> f32x4.extract_lane(high, 3);
  const x = (<f64> f32x4.extract_lane(high, 0) - <f64> f32x4.extract_lane(low, 0)) / width;
  const y = (<f64> f32x4.extract_lane(high, 1) - <f64> f32x4.extract_lane(low, 1)) / height;
  const wider = width / <f64> f32x4.extract_lane(low, 2) - 1;
  const higher = height / <f64> f32x4.extract_lane(low, 3) - 1;
  const most = max(max(x, y), max(wider, higher));
  if (!(most > 0)) return NONE;
  return wider == most ? 2 : higher == most ? 3 : x == most ? 0 : 1;
}

/** Integers in the order of the numbers. */
// @ts-ignore: decorator
@inline
function ascending(value: f32): i32 {
  const bits = reinterpret<i32>(value);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

/** Puts the records with the `wanted` least keys first. */
function divide(start: i32, end: i32, wanted: i32): void {
  const first = <usize> start << 2;
  const last = <usize> end << 2;
  const key = keyAt(keys + first, end - start, wanted);
  let ties = wanted - countBelow(keys + first, end - start, key);
  let to = first;
  let rest: usize = 0;
  for (let at = first; at < last; at += 4) {
    const own = load<i32>(keys + at);
    const item = load<i32>(items + at);
    const label = load<i32>(labels + at);
    const shape = v128.load(shapes + (at << 2));
    if (own < key || (own == key && ties-- > 0)) {
      store<i32>(items + to, item);
      store<i32>(labels + to, label);
      v128.store(shapes + (to << 2), shape);
      to += 4;
    } else {
      store<i32>(otherItems + rest, item);
      store<i32>(otherLabels + rest, label);
      v128.store(otherShapes + (rest << 2), shape);
      rest += 4;
    }
  }
  memory.copy(items + to, otherItems, rest);
  memory.copy(labels + to, otherLabels, rest);
  memory.copy(shapes + (to << 2), otherShapes, rest << 2);
}

/** A key that at most `wanted` keys are below, and at least as many not over: bisection, at most 32 counts. */
function keyAt(keys: usize, count: i32, wanted: i32): i32 {
  let low = i32.MAX_VALUE;
  let high = i32.MIN_VALUE;
  for (let i: usize = 0; i < <usize> count << 2; i += 4) {
    low = min(low, load<i32>(keys + i));
    high = max(high, load<i32>(keys + i));
  }
  while (low < high) {
    const middle = low + <i32> (<u32> (high - low) >> 1);
    const found = countBelow(keys, count, middle + 1);
    if (found == wanted) return middle + 1;
    if (found < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function countBelow(keys: usize, count: i32, key: i32): i32 {
  const bound = i32x4.splat(key);
  let lanes = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) lanes = i32x4.sub(lanes, i32x4.lt_s(v128.load(keys + (<usize> i << 2)), bound));
  let found = i32x4.extract_lane(lanes, 0) + i32x4.extract_lane(lanes, 1) + i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3);
  for (; i < count; i++) found += i32(load<i32>(keys + (<usize> i << 2)) < key);
  return found;
}

/** Keeps the candidate with that place in the order. */
export function treeInsert(candidate: i32, box: usize, label: i32): void {
  let place = load<i32>(places + (<usize> candidate << 2));
  const leaf = load<usize>(LEVELS) + <usize> (place >> 2) * BLOCK_BYTES;
  putBox(leaf, place & 3, box, label);
  const area = areaIn(box);
  for (let level: usize = 1; level <= <usize> top; level++) {
    place >>= 2;
    const at = load<usize>(LEVELS + (level << 2)) + <usize> (place >> 2) * BLOCK_BYTES + (<usize> (place & 3) << 2);
    store<f32>(at, min(load<f32>(at), load<f32>(box)));
    store<f32>(at, min(load<f32>(at, Y1), load<f32>(box, 4)), Y1);
    store<f32>(at, max(load<f32>(at, X2), load<f32>(box, 8)), X2);
    store<f32>(at, max(load<f32>(at, Y2), load<f32>(box, 12)), Y2);
    store<f32>(at, min(load<f32>(at, AREA), area), AREA);
    store<i32>(at, min(load<i32>(at, CLASS), label), CLASS);
    store<i32>(at, max(load<i32>(at, MAX_CLASS), label), MAX_CLASS);
    store<f32>(at, max(load<f32>(at, WIDTH), side(box)), WIDTH);
    store<f32>(at, max(load<f32>(at, HEIGHT), side(box + 4)), HEIGHT);
  }
}

export function treeSuppresses(box: usize, label: i32): bool {
  const x1 = v128.load32_splat(box);
  const y1 = v128.load32_splat(box, 4);
  const x2 = v128.load32_splat(box, 8);
  const y2 = v128.load32_splat(box, 12);
  const area = f32x4.splat(areaIn(box));
  const low = f32x4.splat(sieve);
  const high = f32x4.splat(certain);
  const wanted = i32x4.splat(label);
  const minW = f32x4.splat(minSide(side(box)));
  const minH = f32x4.splat(minSide(side(box + 4)));
  store<i32>(STACK, top);
  let end = STACK + 4;
  while (end > STACK) {
    end -= 4;
    const entry = load<i32>(end);
    const level = entry & 15;
    const block = load<usize>(LEVELS + (<usize> level << 2)) + <usize> (entry >> 4) * BLOCK_BYTES;
    if (level == 0) {
      if (blockSuppresses(block, box, x1, y1, x2, y2, area, wanted, low, high)) return true;
      continue;
    }
    let w = f32x4.sub(f32x4.pmin(x2, v128.load(block, X2)), f32x4.pmax(x1, v128.load(block)));
    let h = f32x4.sub(f32x4.pmin(y2, v128.load(block, Y2)), f32x4.pmax(y1, v128.load(block, Y1)));
    w = f32x4.pmin(w, v128.load(block, WIDTH));
    h = f32x4.pmin(h, v128.load(block, HEIGHT));
    const overlap = f32x4.mul(w, h);
    const union = f32x4.sub(f32x4.add(area, v128.load(block, AREA)), overlap);
    let apart = v128.or(f32x4.le(f32x4.pmin(w, h), f32x4.splat(0)), f32x4.le(overlap, f32x4.mul(low, union)));
    // Sides differ by no more than the threshold: this holds where areas leave the range of float32, too.
    apart = v128.or(apart, v128.or(f32x4.le(v128.load(block, WIDTH), minW), f32x4.le(v128.load(block, HEIGHT), minH)));
    apart = v128.or(apart, i32x4.gt_s(v128.load(block, CLASS), wanted));
    apart = v128.or(apart, i32x4.lt_s(v128.load(block, MAX_CLASS), wanted));
    const child = (<i32> (entry & ~15) << 2) | (level - 1);
    for (let left = i32x4.bitmask(apart) ^ 15; left != 0; left &= left - 1) {
      store<i32>(end, child + (ctz(left) << 4));
      end += 4;
    }
  }
  return false;
}
