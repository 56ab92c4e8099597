/** Task-aligned assignment over every anchor and every object, in float64. */
import { boxes, CLASSES, N, tensor, truth } from "../argument_values.ts";
import { type Assigned, boxesOf, isInside } from "./atss_assign.ts";
import { iou } from "./box_iou.ts";

export interface TaskAlignedScene {
  /** (N, C). */
  scores: readonly ArrayLike<number>[];
  /** (N, 4). */
  boxes: ArrayLike<number>;
  /** (N, 2). */
  points: readonly (readonly [number, number])[];
  gtBoxes: ArrayLike<number>;
  labels: ArrayLike<number>;
  /** Crowd regions (K, 4). */
  ignore?: ArrayLike<number>;
  topk?: number;
  alpha?: number;
  beta?: number;
}

interface Claim {
  gt: number;
  anchor: number;
  iou: number;
  alignment: number;
}

/** `targetScores` is (N·C). */
export function taskAlignedAssign(scene: TaskAlignedScene): Assigned & { targetScores: number[] } {
  const { scores, points, labels, topk = 13, alpha = 1, beta = 6 } = scene;
  const predicted = boxesOf(scene.boxes);
  const claims = boxesOf(scene.gtBoxes).flatMap((box, gt) => {
    const all = points.map((point, anchor) => {
      const overlap = iou(predicted[anchor], box);
      const score = scores[anchor][labels[gt]];
      const known = isInside(...point, box) && !Number.isNaN(score) && !Number.isNaN(overlap);
      return { gt, anchor, iou: overlap, alignment: known ? score ** alpha * overlap ** beta : 0 };
    });
    return all.filter(({ alignment }) => alignment > 0).sort((a, b) => b.alignment - a.alignment).slice(0, topk);
  });
  const winners = points.map((_, anchor) => winner(claims.filter((claim) => claim.anchor === anchor)));
  const crowds = boxesOf(scene.ignore);
  const gtIndex = points.map(([x, y], anchor) => {
    const crowded = crowds.some((box) => x > box[0] && y > box[1] && x < box[2] && y < box[3]);
    return winners[anchor]?.gt ?? (crowded ? -2 : -1);
  });
  const targetScores = points.flatMap((_, anchor) => {
    const row = Array.from(scores[anchor], () => 0);
    const won = winners[anchor];
    if (won === undefined) return row;
    const own = winners.filter((each) => each?.gt === won.gt) as Claim[];
    const highest = Math.max(...own.map((each) => each.iou));
    const most = Math.max(...own.map((each) => each.alignment));
    row[labels[won.gt]] = won.alignment * highest / (most + 1e-7);
    return row;
  });
  return { gtIndex, iou: winners.map((won) => won?.iou ?? 0), targetScores };
}

/** Highest IoU, the first object where several have it. */
function winner(claims: readonly Claim[]): Claim | undefined {
  return claims.toSorted((a, b) => b.iou - a.iou || a.gt - b.gt)[0];
}

export const argumentCases = [() => [
  tensor([N, CLASSES], 1),
  boxes(2),
  tensor([N, 2], 3, 2, 30),
  truth(),
  { topk: 3 },
]];
