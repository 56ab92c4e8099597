/**
 * What the VarifocalNet criterion does around its losses, positive by positive and once for each map of boxes.
 */
import type { VfnetCall } from "../criteria/criterion_call.ts";
import { boxGeometry } from "./box_geometry.ts";
import type { CriterionRun, Plan } from "./criterion.ts";
import type { RowMap } from "./positive_rows.ts";

/** Item i: the box of positive i, weighted by its IoU with its object; the map that comes last leaves its IoUs as scores. */
export const vfnetCriterion = /* wgsl */ `
@group(0) @binding(1) var<storage, read> positives: array<Positive>;
@group(0) @binding(2) var<storage, read> sides: array<vec4f>;  // (P)
@group(0) @binding(3) var<storage, read_write> pred: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;
@group(0) @binding(5) var<storage, read_write> scores: array<f32>;  // of all anchors

fn item(i: u32) {
  let positive = positives[i];
  let own = vec4f(-sides[i].xy, sides[i].zw);
  let iou = iou_of(own, positive.box);
  let weight = select(max(iou, params.least_iou), iou, is_nan(iou));
  pred[i] = own;
  weights[i] = weight;
  scores[positive.row] = weight;
}
`;

/** Item i: the gradient to the corners of positive i becomes that to its sides. */
const vfnetSlopes = /* wgsl */ `
@group(0) @binding(1) var<storage, read> total: array<f32>;
@group(0) @binding(2) var<storage, read_write> grad: array<vec4f>;

fn item(i: u32) {
  let factor = params.factor / divisor_of(total[0]);
  grad[i] = vec4f(-grad[i].xy, grad[i].zw) * factor;
}
`;

export function vfnetPlan(run: CriterionRun, call: VfnetCall): Plan {
  const { lambdaBox, lambdaRefine } = call.settings;
  const initial = vfnetBoxes(run, call, { argument: "input.distances", source: call.distances, columns: 4 }, lambdaBox);
  const refined = vfnetBoxes(run, call, { argument: "input.refined", source: call.refined, columns: 4 }, lambdaRefine);
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

function vfnetBoxes(run: CriterionRun, call: VfnetCall, map: RowMap, lambda: number) {
  const { count, positives, scores } = run;
  const [sides, pred, weights] = [run.buffer(count * 4), run.buffer(count * 4), run.buffer(count)];
  const [box, total] = [run.buffer(1), run.buffer(1)];
  const rows = call.settings.grad ? run.buffer(count * 4) : null;
  const counts = { items: count };
  return {
    box,
    total,
    grad: rows && { map, rows },
    steps: () => [
      run.rows.gather(map, sides),
      run.each(boxGeometry + vfnetCriterion, { counts, parameters: { least_iou: call.leastIou } }, [
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
