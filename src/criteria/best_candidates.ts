/** The anchors that suit an object best, as task-aligned assignment ranks them. */

export interface Candidate {
  readonly anchor: number;
  /** s^alpha · overlap^beta of the anchor and the object. */
  readonly alignment: number;
  readonly iou: number;
}

/** Whether a candidate is worse than another; of equal alignments it is the one that came later. */
export function isWorse(a: Candidate, b: Candidate): boolean {
  return a.alignment < b.alignment || (a.alignment === b.alignment && a.anchor > b.anchor);
}

/** Keeps the best `topk`, as a heap whose first is the worst of them. */
export function keep(best: Candidate[], candidate: Candidate, topk: number): void {
  if (best.length < topk) {
    let place = best.length;
    for (let above = (place - 1) >> 1; place > 0 && isWorse(candidate, best[above]); above = (place - 1) >> 1) {
      best[place] = best[above];
      place = above;
    }
    best[place] = candidate;
  } else if (isWorse(best[0], candidate)) {
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below + 1 < topk && isWorse(best[below + 1], best[below])) below++;
      if (below >= topk || !isWorse(best[below], candidate)) break;
      best[place] = best[below];
      place = below;
    }
    best[place] = candidate;
  }
}
