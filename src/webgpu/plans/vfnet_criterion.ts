/**
 * The VarifocalNet criterion's losses over the positives, once for each map of boxes: which steps run, and what their sums
 * make.
 */
import type { CheckedVfnet } from "../../criteria/criterion_call.ts";
import type { CriterionRun, Plan } from "../criterion.ts";
import type { RowMap } from "../positive_rows.ts";
import { boxGeometry } from "../shaders/box_geometry.ts";
import { vfnetCriterion as shader, vfnetSlopes } from "../shaders/vfnet_criterion.ts";

export function vfnetCriterion(run: CriterionRun, checked: CheckedVfnet): Plan {
  const { lambdaBox, lambdaRefine } = checked.settings;
  const initial = vfnetBoxes(
    run,
    checked,
    { argument: "input.distances", source: checked.maps.distances, columns: 4 },
    lambdaBox,
  );
  const refined = vfnetBoxes(
    run,
    checked,
    { argument: "input.refined", source: checked.maps.refined, columns: 4 },
    lambdaRefine,
  );
  return {
    // The refined boxes' IoUs are the qualities, so they come last.
    steps: () => [...initial.steps(), ...refined.steps()],
    sums: { box: initial.box, total: initial.total, boxRefine: refined.box, totalRefine: refined.total },
    grads: { ...(initial.grad && { distances: initial.grad }), ...(refined.grad && { refined: refined.grad }) },
    parts: (sums) => ({
      box: lambdaBox * sums.box / run.divisorOf(sums.total),
      boxRefine: lambdaRefine * sums.boxRefine / run.divisorOf(sums.totalRefine),
    }),
  };
}

function vfnetBoxes(run: CriterionRun, checked: CheckedVfnet, map: RowMap, lambda: number) {
  const { count, positives, scores } = run;
  const [sides, pred, weights] = [run.buffer(count * 4), run.buffer(count * 4), run.buffer(count)];
  const [box, total] = [run.buffer(1), run.buffer(1)];
  const rows = checked.settings.grad ? run.buffer(count * 4) : null;
  const counts = { items: count };
  return {
    box,
    total,
    grad: rows && { map, rows },
    steps: () => [
      run.rows.gather(map, sides),
      run.each(boxGeometry + shader, { counts, parameters: { min_iou: checked.minIou } }, [
        positives,
        sides,
        pred,
        weights,
        scores,
      ]),
      run.boxLoss(pred, weights, box, rows),
      run.sum(weights, total),
      ...(rows === null ? [] : [run.each(vfnetSlopes, { counts, parameters: { factor: lambda } }, [total, rows])]),
    ],
  };
}
