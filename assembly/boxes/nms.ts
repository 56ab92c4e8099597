// Non-maximum suppression, greedy or fast, exact, without comparing all pairs.
//
// Kept boxes, or with fast suppression all so far, lie in a grid (nms_grid.ts), which is the fastest where boxes are of like sizes. Where many are much larger
// than others, or so alike that a high threshold does not part them, more and more is compared for each candidate; then the
// boxes move to a tree (nms_tree.ts), to which this does not matter. Both find the same.

import { isProper, survey, takeUpright } from "./nms_block";
import { gridInsert, gridScratch, gridSuppresses, gridWork, layGrid } from "./nms_grid";
import { growTree, treeInsert, treeScratch, treeSuppresses } from "./nms_tree";

/** Where more blocks than this are compared for each box, the tree is faster; usual boxes need 5 to 20. */
const MAX_BLOCKS: i64 = 64;

/** So many boxes are compared as fast as a tree of them is searched. */
const FEW: i32 = 512;

/** Bytes of scratch that `nms` needs for that many boxes: at most 65 for each, and 17 KB. */
export function nms_scratch(count: i32): usize {
  return max(gridScratch(count), treeScratch(count));
}

/**
 * keep = kept indices in the given order, at most `limit`; returns how many. `classes` may be 0: then all boxes compete. A
 * candidate goes when its IoU with a kept box of its class is over the threshold. Empty, inverted and non-finite boxes
 * neither go nor suppress. With `fast` boxes that went suppress others, too.
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
  fast: bool,
): i32 {
  takeUpright();
  return suppress(boxes, classes, order, count, iouThreshold, limit, scratch, keep, fast);
}

/** The same for boxes that were taken as upright or rotated (nms_block.ts), over their overlap. */
export function suppress(
  boxes: usize,
  classes: usize,
  order: usize,
  count: i32,
  threshold: f64,
  limit: i32,
  scratch: usize,
  keep: usize,
  fast: bool,
): i32 {
  // No overlap is over a threshold of 1.
  const competing = threshold < 1;
  survey(boxes, order, count, threshold);
  layGrid(count, classes != 0, scratch);
  const maxWork = fast || limit > FEW ? MAX_BLOCKS * count : i64.MAX_VALUE;
  let inTree = false;
  let kept = 0;
  for (let i = 0; i < count && kept < limit; i++) {
    const index = load<i32>(order + (<usize> i << 2));
    const box = boxes + (<usize> index << 4);
    if (competing && isProper(box)) {
      const label = classes != 0 ? load<i32>(classes + (<usize> index << 2)) : 0;
      if (!inTree && gridWork > maxWork) {
        growTree(boxes, classes, order, count, i, fast ? order : keep, fast ? i : kept, scratch);
        inTree = true;
      }
      const goes = inTree ? treeSuppresses(box, label) : gridSuppresses(box, label);
      if (!goes || fast) {
        if (inTree) treeInsert(i, box, label);
        else gridInsert(box, label);
      }
      if (goes) continue;
    }
    store<i32>(keep + (<usize> kept << 2), index);
    kept++;
  }
  return kept;
}
