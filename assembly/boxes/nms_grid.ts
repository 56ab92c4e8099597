// The kept boxes in cells of a grid by their centre and class, as many cells as it takes; where a cell's boxes begin stands
// in a table, at its hash. On an axis, intervals of lengths a and b whose IoU is over t have their centres less than
// (a + b) / 2 · (1 - t) / (1 + t) apart, and b is at most a / t; the IoU of two boxes is at most that of their projections.
// Only the cells within that distance are looked at. Rotated boxes have a t of their own (rotated_exceeds.ts).

import {
  areaIn,
  BLOCK_END,
  blockSuppresses,
  certain,
  clearBlock,
  maxHeight,
  maxWidth,
  nearness,
  putBox,
  regular,
  sideShare,
  sieve,
  typicalHeight,
  typicalWidth,
} from "./nms_block";

// Behind the four boxes: the next block of the cell, and how many boxes this one has.
const NEXT: usize = BLOCK_END;
const FILL: usize = BLOCK_END + 4;
const BLOCK_BYTES: usize = BLOCK_END + 16;

/** Cells are numbered from minus this to this; boxes further out are in the outermost. */
const OUTERMOST: i32 = 1 << 30;
/** A cell's sides, in distances within which a typical box looks; boxes of one class are fewer in a place. */
const CELL: f32 = 3;
const CELL_OF_CLASS: f32 = 8;

/** Low ends are the reach before the centre. */
const SIGNS = memory.data<u32>([0x80000000, 0x80000000, 0, 0]);
/** Greatest sides, and cells per unit: of x, y, x and y. */
const MAX_SIDES = memory.data(16, 16);
const PER_UNIT = memory.data(16, 16);

/** The grid of one call; the module is single-threaded and calls do not nest. */
let heads: usize = 0;
let lastSlot: i32 = 0;
let firstBlock: usize = 0;
let endBlock: usize = 0;
let blocks: i32 = 0;
let inverseShare: f32 = 0;
let reachShare: f32 = 0;
/** Cells and blocks that were looked at since the grid was laid. */
export let gridWork: i64 = 0;

export function gridScratch(count: i32): usize {
  const slots = slotsFor(count);
  return (<usize> slots << 2) + <usize> (count / 4 + slots + 1) * BLOCK_BYTES + 16;
}

/** A power of two, about one for every four to eight boxes. */
function slotsFor(count: i32): i32 {
  return max(128, 0x20000000 >>> clz(count | 1));
}

export function layGrid(count: i32, classed: bool, scratch: usize): void {
  const slots = slotsFor(count);
  lastSlot = slots - 1;
  heads = scratch;
  const bytes = <usize> slots << 2;
  memory.fill(heads, 0, bytes);
  firstBlock = (heads + bytes + 15) & ~15;
  endBlock = firstBlock;
  blocks = 0;
  // A little more, for the rounding of the products themselves.
  inverseShare = <f32> (1.0001 / sideShare);
  reachShare = <f32> (1.0002 * nearness);
  v128.store(MAX_SIDES, f32x4(maxWidth, maxHeight, maxWidth, maxHeight));
  const typical = f32x4(typicalWidth, typicalHeight, typicalWidth, typicalHeight);
  const cell = f32x4.mul(reachOf(typical), f32x4.splat(classed ? CELL_OF_CLASS : CELL));
  v128.store(PER_UNIT, f32x4.div(f32x4.splat(1), cell));
  gridWork = 0;
}

/** Where a row of cells begins in the table; its cells follow each other, and after the last slot comes the first. */
// @ts-ignore: decorator
@inline
function slotOf(label: i32, row: i32, column: i32): i32 {
  const hash = ((label * 0x5bd1e995) ^ row) * 0x9e3779b1;
  return ((hash >> 12) + column) & lastSlot;
}

/** How far apart the centres of sides of that length and of any others can be. */
// @ts-ignore: decorator
@inline
function reachOf(sides: v128): v128 {
  const others = f32x4.pmin(f32x4.mul(sides, f32x4.splat(inverseShare)), v128.load(MAX_SIDES));
  return f32x4.mul(f32x4.add(sides, others), f32x4.splat(reachShare));
}

/** x, y, x and y of the centre. */
// @ts-ignore: decorator
@inline
function centreOf(corners: v128, opposite: v128): v128 {
  const half = f32x4.splat(0.5);
  return f32x4.add(f32x4.mul(corners, half), f32x4.mul(opposite, half));
}

/** Columns and rows, rounded towards 0. */
// @ts-ignore: decorator
@inline
function cellsOf(places: v128): v128 {
  const cells = i32x4.trunc_sat_f32x4_s(f32x4.mul(places, v128.load(PER_UNIT)));
  return i32x4.min_s(i32x4.max_s(cells, i32x4.splat(-OUTERMOST)), i32x4.splat(OUTERMOST));
}

export function gridSuppresses(box: usize, label: i32): bool {
  const corners = v128.load(box);
  const opposite = v128.shuffle<i32>(corners, corners, 2, 3, 0, 1);
  const sides = f32x4.sub(opposite, corners);
  const centres = centreOf(corners, opposite);
  // Centres are rounded.
  const reach = f32x4.add(reachOf(f32x4.abs(sides)), f32x4.mul(f32x4.abs(centres), f32x4.splat(1e-6)));
  const window = cellsOf(f32x4.add(centres, v128.xor(reach, v128.load(SIGNS))));
  const left = i32x4.extract_lane(window, 0);
  const above = i32x4.extract_lane(window, 1);
  const right = i32x4.extract_lane(window, 2);
  const below = i32x4.extract_lane(window, 3);
  const cells = (<i64> right - left + 1) * (<i64> below - above + 1);
  const x1 = v128.load32_splat(box);
  const y1 = v128.load32_splat(box, 4);
  const x2 = v128.load32_splat(box, 8);
  const y2 = v128.load32_splat(box, 12);
  const area = f32x4.splat(areaIn(box));
  const low = f32x4.splat(sieve);
  const high = f32x4.splat(certain);
  const wanted = i32x4.splat(label);
  if (!regular || cells > blocks) {
    gridWork += blocks;
    for (let block = firstBlock; block < endBlock; block += BLOCK_BYTES) {
      if (blockSuppresses(block, box, x1, y1, x2, y2, area, wanted, low, high)) return true;
    }
    return false;
  }
  let scanned = cells;
  for (let row = above; row <= below; row++) {
    let slot = slotOf(label, row, left);
    for (let column = left; column <= right; column++) {
      for (let block = load<usize>(heads + (<usize> slot << 2)); block != 0; block = load<usize>(block, NEXT)) {
        scanned++;
        if (blockSuppresses(block, box, x1, y1, x2, y2, area, wanted, low, high)) {
          gridWork += scanned;
          return true;
        }
      }
      slot = (slot + 1) & lastSlot;
    }
  }
  gridWork += scanned;
  return false;
}

export function gridInsert(box: usize, label: i32): void {
  const corners = v128.load(box);
  const cells = cellsOf(centreOf(corners, v128.shuffle<i32>(corners, corners, 2, 3, 0, 1)));
  const slot = slotOf(label, i32x4.extract_lane(cells, 1), i32x4.extract_lane(cells, 0));
  const head = heads + (<usize> slot << 2);
  let block = load<usize>(head);
  if (block == 0 || load<i32>(block, FILL) == 4) {
    block = openBlock(block);
    store<usize>(head, block);
  }
  const fill = load<i32>(block, FILL);
  putBox(block, fill, box, label);
  store<i32>(block, fill + 1, FILL);
}

/** An empty block before `next` in its chain. */
function openBlock(next: usize): usize {
  const block = endBlock;
  endBlock += BLOCK_BYTES;
  blocks++;
  clearBlock(block);
  store<usize>(block, next, NEXT);
  store<i32>(block, 0, FILL);
  return block;
}
