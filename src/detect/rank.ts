/**
 * Ranks of candidates, and the best k of them.
 */
import type { CandidateList, RankedCandidates } from "./candidates.ts";
import { type ImageRun, scoped } from "./image_run.ts";
import { joinScore, probability } from "./scores.ts";
import type { Thresholds } from "./thresholds.ts";

/** Ranks the candidates by the raw value, or by the score joined with objectness. */
export function rank(run: ImageRun, list: CandidateList, thresholds: Thresholds): RankedCandidates {
  const { anchors, labels, values, count } = list;
  if (thresholds.objectness === 0) return { anchors, labels, values, ranks: values, count };
  const { head } = run.settings;
  const ranks = run.allocate(count * 4);
  const { ints, floats } = run.backend.memory;
  for (let i = 0; i < count; i++) {
    const objectness = probability(head, floats[(thresholds.objectness >> 2) + ints[(anchors >> 2) + i]]);
    floats[(ranks >> 2) + i] = joinScore(head, probability(head, floats[(values >> 2) + i]), objectness);
  }
  return { anchors, labels, values, ranks, count };
}

/** The best `preNmsTopK` candidates, still in their order. */
export function keepBest({ backend, allocate, settings }: ImageRun, all: RankedCandidates): RankedCandidates {
  const { preNmsTopK } = settings;
  if (all.count <= preNmsTopK) return all;
  const chosen = allocate(all.count * 4);
  const count = backend.kernels.top_k(all.ranks, all.count, preNmsTopK, chosen);
  const pick = (from: number) => {
    const to = allocate(count * 4);
    backend.kernels.gather_rows(from, 4, 1, chosen, count, to);
    return to;
  };
  const ranks = pick(all.ranks);
  const values = all.values === all.ranks ? ranks : pick(all.values);
  return { anchors: pick(all.anchors), labels: pick(all.labels), values, ranks, count };
}

/** Moves the best `preNmsTopK` of the list to its front. */
export function compact(run: ImageRun, list: CandidateList, thresholds: Thresholds): void {
  scoped(run, (own) => {
    const best = keepBest(own, rank(own, list, thresholds));
    const { ints } = own.backend.memory;
    for (const name of ["anchors", "labels", "values"] as const) {
      ints.copyWithin(list[name] >> 2, best[name] >> 2, (best[name] >> 2) + best.count);
    }
    list.count = best.count;
  });
}
