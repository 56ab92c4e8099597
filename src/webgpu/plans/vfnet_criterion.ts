/**
 * The VarifocalNet criterion's losses over the positives, once for each map of boxes: which steps run, and what their sums
 * make.
 */
import type { CheckedVfnet } from "../../criteria/criterion_call.ts";
import type { CriterionRun, Plan } from "../criterion.ts";
import { KnownPositives } from "../known_positives.ts";
import type { RowMap } from "../positive_rows.ts";
import { boxGeometry } from "../shaders/box_geometry.ts";
import { vfnetCriterion as shader, vfnetSlopes } from "../shaders/vfnet_criterion.ts";

export function vfnetCriterion(run: CriterionRun, checked: CheckedVfnet): Plan {
  const { lambdaBox, lambdaRefine } = checked.settings;
  const positives = new KnownPositives(run, checked);
  const initial = vfnetBoxes(
    run,
    positives,
    checked,
    { argument: "input.distances", source: checked.maps.distances, columns: 4 },
    lambdaBox,
  );
  const refined = vfnetBoxes(
    run,
    positives,
    checked,
    { argument: "input.refined", source: checked.maps.refined, columns: 4 },
    lambdaRefine,
  );
  return {
    cls: positives.cls,
    positives,
    // The refined boxes' IoUs are the qualities, so they come last.
    steps: () => [...initial.steps(), ...refined.steps()],
    sums: { box: initial.box, total: initial.total, boxRefine: refined.box, totalRefine: refined.total },
    grads: { ...(initial.grad && { distances: initial.grad }), ...(refined.grad && { refined: refined.grad }) },
    parts: (sums) => ({
      box: lambdaBox * sums.box / positives.divisorOf(sums.total),
      boxRefine: lambdaRefine * sums.boxRefine / positives.divisorOf(sums.totalRefine),
    }),
  };
}

function vfnetBoxes(
  run: CriterionRun,
  positives: KnownPositives,
  checked: CheckedVfnet,
  map: RowMap,
  lambda: number,
) {
  const { count, block, scores } = positives;
  const [sides, pred, weights] = [run.buffer(count * 4), run.buffer(count * 4), run.buffer(count)];
  const [box, total] = [run.buffer(1), run.buffer(1)];
  const rows = checked.settings.grad ? run.buffer(count * 4) : null;
  const counts = { items: count };
  return {
    box,
    total,
    grad: rows && { map, rows },
    steps: () => [
      positives.rows.gather(map, sides),
      run.each(boxGeometry + shader, positives.fields({ counts, parameters: { min_iou: checked.minIou } }), [
        block,
        sides,
        pred,
        weights,
        scores,
      ]),
      positives.boxLoss(pred, weights, box, rows),
      run.sum(weights, count, total),
      ...(rows === null
        ? []
        : [run.each(vfnetSlopes, positives.fields({ counts, parameters: { factor: lambda } }), [total, rows])]),
    ],
  };
}
