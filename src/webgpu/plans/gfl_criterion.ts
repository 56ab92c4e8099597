/**
 * The GFL criterion's losses over the positives: which steps run, over which buffers, and what their sums make.
 */
import type { CheckedGfl } from "../../criteria/criterion_call.ts";
import { matrix } from "../../validate.ts";
import type { CriterionRun, Plan } from "../criterion.ts";
import { KnownPositives } from "../known_positives.ts";
import { boxGeometry } from "../shaders/box_geometry.ts";
import { distribution } from "../shaders/distribution.ts";
import { gflCriterion as shader, gflSlopes } from "../shaders/gfl_criterion.ts";
import { onDevice } from "../storage.ts";

export function gflCriterion(run: CriterionRun, checked: CheckedGfl): Plan {
  const positives = new KnownPositives(run, checked);
  const { count, block, rows, scores } = positives;
  const { settings: { grad, lambdaBox, lambdaDfl, normalizer }, scene: { head: { bins, numClasses } } } = checked;
  const classes = run.buffer(count * numClasses);
  const logits = run.buffer(count * 4 * bins);
  const confidences = run.buffer(count);
  const sideWeights = run.buffer(count * 4);
  const [box, dfl, total] = [run.buffer(1), run.buffer(1), run.buffer(1)];
  const pred = run.buffer(count * 4);
  const boxGrad = grad ? run.buffer(count * 4) : null;
  const dflGrad = grad ? run.buffer(count * 4 * bins) : null;
  const clsMap = { argument: "input.cls", source: checked.cls.pred, columns: numClasses };
  const distMap = { argument: "input.dist", source: checked.maps.dist, columns: 4 * bins };
  // mmdet's is the mean over the four sides.
  const lambdaSide = normalizer === "paper" ? lambdaDfl : lambdaDfl / 4;
  const counts = { classes: numClasses, bins, anchors: 1 };
  const factors = { box_factor: lambdaBox, dfl_factor: lambdaSide };
  const distributions = {
    stem: "distribution_focal_loss",
    kind: "row loss",
    parameters: { firstBin: 0, inverseStep: 1, slack: 0, outside: 0 },
    pred: onDevice(logits, 4 * count, bins),
    columns: bins,
    rows: 4 * count,
    target: matrix({ op: checked.op, argument: "targets" }, checked.targets, 1),
    targetColumns: 1,
  } as const;
  const boxes = positives.fields({ counts: { items: count, ...counts }, parameters: {} });
  const slopes = positives.fields({ counts: { items: 4 * count, ...counts }, parameters: factors });
  return {
    cls: positives.cls,
    positives,
    steps: () => [
      rows.gather(clsMap, classes),
      rows.gather(distMap, logits),
      run.each(distribution + boxGeometry + shader, boxes, [
        block,
        classes,
        logits,
        pred,
        confidences,
        sideWeights,
        scores,
      ]),
      positives.boxLoss(pred, confidences, box, boxGrad),
      run.loss(distributions, sideWeights, dfl, dflGrad),
      run.sum(confidences, count, total),
      ...(boxGrad === null || dflGrad === null ? [] : [
        run.each(distribution + gflSlopes, slopes, [block, logits, boxGrad, total, dflGrad]),
      ]),
    ],
    sums: { box, dfl, total },
    grads: dflGrad === null ? {} : { dist: { map: distMap, rows: dflGrad } },
    parts: (sums) => {
      const divisor = positives.divisorOf(sums.total);
      return { box: lambdaBox * sums.box / divisor, dfl: lambdaSide * sums.dfl / divisor };
    },
  };
}
