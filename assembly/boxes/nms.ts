// Greedy non-maximum suppression, exact, without comparing all pairs.
//
// Kept boxes lie in cells of a grid by their centre (and by class), four to a block with corners apart, so that one vector
// instruction compares a candidate with four boxes. A box whose IoU with another exceeds t has its centre within
// (1 - t) / 2t of the other's width and height, because the IoU of the projections on an axis is at least the IoU: only
// those cells are looked at. The comparison in float32 decides what is clear by a margin; the rest is decided in float64,
// where the areas of float32 boxes are exact, so no decision depends on rounding or on fused arithmetic.

const BLOCK_BYTES: usize = 112;
// Offsets within a block: corners, area, class of four boxes each, then the next block and the fill.
const X2: usize = 32;
const Y1: usize = 16;
const Y2: usize = 48;
const AREA: usize = 64;
const CLASS: usize = 80;
const NEXT: usize = 96;
const FILL: usize = 100;

/** Class buckets; classes are compared exactly within a bucket. */
const BUCKETS: i32 = 128;
const MAX_SIDE: i32 = 64;

/** Bytes of scratch that `nms` needs for that many boxes. */
export function nms_scratch(count: i32): usize {
  const cells = maxCells(count);
  return (<usize> cells << 2) + <usize> (count / 4 + cells + 1) * BLOCK_BYTES + 16;
}

// @ts-ignore: decorator
@inline
function maxCells(count: i32): i32 {
  return max(BUCKETS, count / 4);
}

/** The grid of one call; the module is single-threaded and calls do not nest. */
let originX: f32 = 0;
let originY: f32 = 0;
let cellsPerX: f32 = 0;
let cellsPerY: f32 = 0;
let columns: i32 = 1;
let rows: i32 = 1;
let heads: usize = 0;
let nextBlock: usize = 0;
let threshold64: f64 = 0;

/**
 * keep = kept indices in the given order, at most `limit`; returns how many. `classes` may be 0: then all boxes compete. A
 * candidate goes when its IoU with a kept box of its class is over the threshold. Empty, inverted and non-finite boxes
 * neither go nor suppress.
 */
export function nms(
  boxes: usize,
  classes: usize,
  order: usize,
  count: i32,
  iouThreshold: f64,
  limit: i32,
  scratch: usize,
  keep: usize,
): i32 {
  threshold64 = iouThreshold;
  const reach = <f32> ((1 - iouThreshold) / (2 * iouThreshold) * 1.0001);
  layGrid(boxes, order, count, reach, classes != 0, scratch);
  let kept = 0;
  for (let i = 0; i < count && kept < limit; i++) {
    const index = load<i32>(order + (<usize> i << 2));
    const box = boxes + (<usize> index << 4);
    if (isProper(box)) {
      const label = classes != 0 ? load<i32>(classes + (<usize> index << 2)) : 0;
      if (isSuppressed(box, label, reach)) continue;
      insert(box, label);
    }
    store<i32>(keep + (<usize> kept << 2), index);
    kept++;
  }
  return kept;
}

/** Finite corners, and some width and height. */
// @ts-ignore: decorator
@inline
function isProper(box: usize): bool {
  const corners = v128.load(box);
  const finite = v128.all_true<i32>(f32x4.lt(f32x4.abs(corners), f32x4.splat(f32.MAX_VALUE)));
  return finite && load<f32>(box, 8) > load<f32>(box) && load<f32>(box, 12) > load<f32>(box, 4);
}

/** Chooses the cells and empties them. Few boxes in many classes need no grid. */
function layGrid(boxes: usize, order: usize, count: i32, reach: f32, classed: bool, scratch: usize): void {
  const buckets = classed ? BUCKETS : 1;
  const sideLimit = min(<f64> MAX_SIDE, sqrt(<f64> (maxCells(count) / buckets)));
  heads = scratch;
  columns = 1;
  rows = 1;
  if (sideLimit >= 2) fitGrid(boxes, order, count, reach, sideLimit);
  const bytes = <usize> (columns * rows * buckets) << 2;
  memory.fill(heads, 0, bytes);
  nextBlock = (heads + bytes + 15) & ~15;
}

/** Columns and rows of cells about as long as a typical box reaches, over the spread of the centres. */
function fitGrid(boxes: usize, order: usize, count: i32, reach: f32, sideLimit: f64): void {
  let lowX: f32 = f32.MAX_VALUE;
  let lowY: f32 = f32.MAX_VALUE;
  let highX: f32 = -f32.MAX_VALUE;
  let highY: f32 = -f32.MAX_VALUE;
  let width: f64 = 0;
  let height: f64 = 0;
  let proper = 0;
  for (let i = 0; i < count; i++) {
    const box = boxes + (<usize> load<i32>(order + (<usize> i << 2)) << 4);
    if (!isProper(box)) continue;
    const x = centre(box);
    const y = centre(box + 4);
    lowX = min(lowX, x);
    highX = max(highX, x);
    lowY = min(lowY, y);
    highY = max(highY, y);
    width += <f64> load<f32>(box, 8) - <f64> load<f32>(box);
    height += <f64> load<f32>(box, 12) - <f64> load<f32>(box, 4);
    proper++;
  }
  const mean = 2 * <f64> reach / <f64> proper;
  columns = cellsAlong(<f64> highX - <f64> lowX, width * mean, sideLimit);
  rows = cellsAlong(<f64> highY - <f64> lowY, height * mean, sideLimit);
  originX = lowX;
  originY = lowY;
  cellsPerX = <f32> (<f64> columns / (<f64> highX - <f64> lowX));
  cellsPerY = <f32> (<f64> rows / (<f64> highY - <f64> lowY));
}

/** How many cells about as long as `length` fit in `extent`; one where that is no sensible number. */
function cellsAlong(extent: f64, length: f64, limit: f64): i32 {
  const cells = min(extent / length, limit);
  return cells >= 2 ? <i32> cells : 1;
}

// @ts-ignore: decorator
@inline
function centre(low: usize): f32 {
  return load<f32>(low) * 0.5 + load<f32>(low, 8) * 0.5;
}

/** Cell of a coordinate; outside, infinite and undefined ones go to an end. */
// @ts-ignore: decorator
@inline
function cellOf(x: f32, origin: f32, perUnit: f32, cells: i32): i32 {
  const cell = (x - origin) * perUnit;
  return cell >= <f32> cells ? cells - 1 : cell > 0 ? <i32> cell : 0;
}

// @ts-ignore: decorator
@inline
function headAt(label: i32, column: i32, row: i32): usize {
  const bucket = label & (BUCKETS - 1);
  return heads + (<usize> ((bucket * rows + row) * columns + column) << 2);
}

function isSuppressed(box: usize, label: i32, reach: f32): bool {
  const x1 = v128.load32_splat(box);
  const y1 = v128.load32_splat(box, 4);
  const x2 = v128.load32_splat(box, 8);
  const y2 = v128.load32_splat(box, 12);
  const area = f32x4.mul(f32x4.sub(x2, x1), f32x4.sub(y2, y1));
  // Float32 is off by less than 1e-6 here; only what lies between these two needs float64.
  const sieve = f32x4.splat(<f32> threshold64 * 0.99999);
  const certain = f32x4.splat(<f32> threshold64 * 1.00001);
  const wanted = i32x4.splat(label);
  // A little more than the reach, for the rounding of the sums themselves.
  const halfX = (load<f32>(box, 8) - load<f32>(box)) * reach;
  const halfY = (load<f32>(box, 12) - load<f32>(box, 4)) * reach;
  const x = centre(box);
  const y = centre(box + 4);
  const slackX = abs(x) * 1e-6;
  const slackY = abs(y) * 1e-6;
  const left = cellOf(x - halfX - slackX, originX, cellsPerX, columns);
  const right = cellOf(x + halfX + slackX, originX, cellsPerX, columns);
  const above = cellOf(y - halfY - slackY, originY, cellsPerY, rows);
  const below = cellOf(y + halfY + slackY, originY, cellsPerY, rows);
  for (let row = above; row <= below; row++) {
    for (let column = left; column <= right; column++) {
      let block = load<usize>(headAt(label, column, row));
      while (block != 0) {
        const w = f32x4.sub(f32x4.min(x2, v128.load(block, X2)), f32x4.max(x1, v128.load(block)));
        const h = f32x4.sub(f32x4.min(y2, v128.load(block, Y2)), f32x4.max(y1, v128.load(block, Y1)));
        const zero = f32x4.splat(0);
        const overlap = f32x4.mul(f32x4.max(w, zero), f32x4.max(h, zero));
        const union = f32x4.sub(f32x4.add(area, v128.load(block, AREA)), overlap);
        // "Not at most" rather than "more": where areas overflow to infinity or NaN, float64 decides.
        const apart = f32x4.le(overlap, f32x4.mul(sieve, union));
        const rivals = v128.andnot(i32x4.eq(v128.load(block, CLASS), wanted), apart);
        if (v128.any_true(rivals)) {
          if (v128.any_true(v128.and(rivals, f32x4.gt(overlap, f32x4.mul(certain, union))))) return true;
          if (anyExceeds(box, block, i32x4.bitmask(rivals))) return true;
        }
        block = load<usize>(block, NEXT);
      }
    }
  }
  return false;
}

/** Does the IoU of the box with one of the block's marked boxes exceed the threshold? In float64. */
function anyExceeds(box: usize, block: usize, marked: i32): bool {
  for (let i: usize = 0; i < 4; i++) {
    if (((marked >> <i32> i) & 1) == 0) continue;
    const at = block + (i << 2);
    const x1 = <f64> load<f32>(at);
    const y1 = <f64> load<f32>(at, Y1);
    const x2 = <f64> load<f32>(at, X2);
    const y2 = <f64> load<f32>(at, Y2);
    const bx1 = <f64> load<f32>(box);
    const by1 = <f64> load<f32>(box, 4);
    const bx2 = <f64> load<f32>(box, 8);
    const by2 = <f64> load<f32>(box, 12);
    const w = min(x2, bx2) - max(x1, bx1);
    const h = min(y2, by2) - max(y1, by1);
    if (w <= 0 || h <= 0) continue;
    const overlap = w * h;
    const union = (x2 - x1) * (y2 - y1) + (bx2 - bx1) * (by2 - by1) - overlap;
    if (overlap / union > threshold64) return true;
  }
  return false;
}

function insert(box: usize, label: i32): void {
  const head = headAt(
    label,
    cellOf(centre(box), originX, cellsPerX, columns),
    cellOf(centre(box + 4), originY, cellsPerY, rows),
  );
  let block = load<usize>(head);
  if (block == 0 || load<i32>(block, FILL) == 4) {
    block = openBlock(block);
    store<usize>(head, block);
  }
  const fill = load<i32>(block, FILL);
  const at = block + (<usize> fill << 2);
  const x1 = load<f32>(box);
  const y1 = load<f32>(box, 4);
  const x2 = load<f32>(box, 8);
  const y2 = load<f32>(box, 12);
  store<f32>(at, x1);
  store<f32>(at, y1, Y1);
  store<f32>(at, x2, X2);
  store<f32>(at, y2, Y2);
  store<f32>(at, (x2 - x1) * (y2 - y1), AREA);
  store<i32>(at, label, CLASS);
  store<i32>(block, fill + 1, FILL);
}

/** A block of four boxes that overlap nothing, before `next` in its chain. */
function openBlock(next: usize): usize {
  const block = nextBlock;
  nextBlock += BLOCK_BYTES;
  v128.store(block, f32x4.splat(Infinity));
  v128.store(block, f32x4.splat(Infinity), Y1);
  v128.store(block, f32x4.splat(-Infinity), X2);
  v128.store(block, f32x4.splat(-Infinity), Y2);
  v128.store(block, f32x4.splat(0), AREA);
  store<usize>(block, next, NEXT);
  store<i32>(block, 0, FILL);
  return block;
}
