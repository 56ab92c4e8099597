/**
 * Masks as sets of pixels: what is in either, and in both.
 */
import type { Runs } from "../run_lengths.ts";

/** Pixels of either. */
export function union(a: Runs, b: Runs): Runs {
  const counts: number[] = [];
  let run = 0;
  let inside = false;
  walk(a, b, (length, inA, inB) => {
    if ((inA || inB) !== inside) {
      counts.push(run);
      run = 0;
      inside = !inside;
    }
    run += length;
  });
  counts.push(run);
  return { ...a, counts };
}

/** How many pixels are in both. */
export function intersection(a: Runs, b: Runs): number {
  let both = 0;
  walk(a, b, (length, inA, inB) => {
    if (inA && inB) both += length;
  });
  return both;
}

/** Stretches in which neither changes. */
function walk(a: Runs, b: Runs, tell: (length: number, inA: boolean, inB: boolean) => void): void {
  let [i, j] = [0, 0];
  let [restA, restB] = [a.counts[0], b.counts[0]];
  for (;;) {
    // Runs of nothing change sides all the same.
    while (restA === 0 && i < a.counts.length - 1) restA = a.counts[++i];
    while (restB === 0 && j < b.counts.length - 1) restB = b.counts[++j];
    const length = Math.min(restA, restB);
    if (length === 0) return;
    tell(length, i % 2 === 1, j % 2 === 1);
    restA -= length;
    restB -= length;
  }
}
