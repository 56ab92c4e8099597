/**
 * What the GFL criterion does around its losses, positive by positive: the box that the distributions make, its quality and
 * its weight; and the way of the gradients back to the distributions.
 */
import type { GflCall } from "../criteria/criterion_call.ts";
import { matrix } from "../validate.ts";
import { boxGeometry } from "./box_geometry.ts";
import { type CriterionRun, onDevice, type Plan } from "./criterion.ts";
import { distribution } from "./distribution.ts";

/** Item i: the box of positive i, the highest probability of its classes, and the IoU with its object. */
export const gflCriterion = /* wgsl */ `
@group(0) @binding(1) var<storage, read> positives: array<Positive>;
@group(0) @binding(2) var<storage, read> cls: array<f32>;   // (P, classes)
@group(0) @binding(3) var<storage, read> dist: array<f32>;  // (P, 4, bins)
@group(0) @binding(4) var<storage, read_write> pred: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> confidences: array<f32>;
@group(0) @binding(6) var<storage, read_write> side_weights: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> scores: array<f32>;  // of all anchors

fn dist_at(k: u32) -> f32 { return dist[k]; }

fn expected_side(i: u32) -> f32 {
  let start = start_of(i);
  let peak = peak_of(start);
  return select(expectation_of(peak, start).mean, params.nan, peak.nan);
}

fn confidence_of(i: u32) -> f32 {
  var top = cls[i * params.classes];
  var nan = is_nan(top);
  for (var k = 1u; k < params.classes; k++) {
    let x = cls[i * params.classes + k];
    top = max(top, x);
    nan = nan || is_nan(x);
  }
  let e = exp_of_minus(abs(top));
  return select(select(1.0, e, top < 0.0) / (1.0 + e), params.nan, nan);
}

fn item(i: u32) {
  let positive = positives[i];
  let sides = vec4f(expected_side(4u * i), expected_side(4u * i + 1u), expected_side(4u * i + 2u), expected_side(4u * i + 3u));
  let own = vec4f(-sides.xy, sides.zw) * positive.stride;
  let confidence = confidence_of(i);
  pred[i] = own;
  confidences[i] = confidence;
  side_weights[i] = vec4f(confidence);
  scores[positive.row] = iou_of(own, positive.box);
}
`;

/** Item i: side i of the positives, whose gradient takes what comes through its box, S_b (b - E) times the slope. */
const gflSlopes = /* wgsl */ `
@group(0) @binding(1) var<storage, read> positives: array<Positive>;
@group(0) @binding(2) var<storage, read> dist: array<f32>;      // (P, 4, bins)
@group(0) @binding(3) var<storage, read> box_grad: array<f32>;  // (P, 4), to the corners
@group(0) @binding(4) var<storage, read> total: array<f32>;
@group(0) @binding(5) var<storage, read_write> grad: array<f32>;  // of DFL, becomes that of both

fn dist_at(k: u32) -> f32 { return dist[k]; }

fn item(i: u32) {
  let start = start_of(i);
  let peak = peak_of(start);
  let expectation = expectation_of(peak, start);
  let divisor = divisor_of(total[0]);
  let outwards = select(1.0, -1.0, i % 4u < 2u);
  let slope = outwards * box_grad[i] * positives[i / 4u].stride * params.box_factor / divisor;
  for (var bin = 0u; bin < params.bins; bin++) {
    let share = exp_of_minus(gap_of(peak, start, bin)) / expectation.sum;
    let through = slope * share * (f32(bin) - expectation.mean);
    let at = start + bin;
    grad[at] = grad[at] * (params.dfl_factor / divisor) + select(through, params.nan, peak.nan);
  }
}
`;

export function gflPlan(run: CriterionRun, call: GflCall): Plan {
  const { count, positives, scores } = run;
  const { settings: { grad, lambdaBox, lambdaDfl, normalizer }, scene: { head: { bins, numClasses } } } = call;
  const classes = run.buffer(count * numClasses);
  const logits = run.buffer(count * 4 * bins);
  const confidences = run.buffer(count);
  const sideWeights = run.buffer(count * 4);
  const [box, dfl, total] = [run.buffer(1), run.buffer(1), run.buffer(1)];
  const pred = run.buffer(count * 4);
  const boxGrad = grad ? run.buffer(count * 4) : null;
  const dflGrad = grad ? run.buffer(count * 4 * bins) : null;
  const clsMap = { argument: "input.cls", source: call.cls.pred, columns: numClasses };
  const distMap = { argument: "input.dist", source: call.dist, columns: 4 * bins };
  // mmdet's is the mean over the four sides.
  const lambdaSide = normalizer === "paper" ? lambdaDfl : lambdaDfl / 4;
  const counts = { classes: numClasses, bins, anchors: 1 };
  const factors = { box_factor: lambdaBox, dfl_factor: lambdaSide };
  const distributions = {
    kernel: "distribution_focal_loss",
    parameters: { scale: 0 },
    pred: onDevice(logits, 4 * count, bins),
    columns: bins,
    rows: 4 * count,
    target: matrix({ op: call.op, argument: "targets" }, call.targets, 1),
    targetColumns: 1,
  } as const;
  return {
    steps: () => [
      run.rows.gather(clsMap, classes),
      run.rows.gather(distMap, logits),
      run.each(distribution + boxGeometry + gflCriterion, { counts: { items: count, ...counts }, parameters: {} }, [
        positives,
        classes,
        logits,
        pred,
        confidences,
        sideWeights,
        scores,
      ]),
      run.boxLoss(pred, confidences, box, boxGrad),
      run.loss(distributions, sideWeights, dfl, dflGrad),
      run.sum(confidences, total),
      ...(boxGrad === null || dflGrad === null ? [] : [
        run.each(distribution + gflSlopes, { counts: { items: 4 * count, ...counts }, parameters: factors }, [
          positives,
          logits,
          boxGrad,
          total,
          dflGrad,
        ]),
      ]),
    ],
    sums: { box, dfl, total },
    grads: dflGrad === null ? {} : { dist: { map: distMap, rows: dflGrad } },
    parts: (sums) => {
      const divisor = run.divisorOf(sums.total);
      return { box: lambdaBox * sums.box / divisor, dfl: lambdaSide * sums.dfl / divisor };
    },
  };
}
