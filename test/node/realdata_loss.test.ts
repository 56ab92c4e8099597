/** The training losses of real networks on real outputs, against the float64 values of the networks' own code. */
import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { skip } from "../suite/skip.ts";
import { cases, concatenated, missing, readJson, readNpy } from "../realdata.ts";

const test = suite("real losses");
const { sync } = await createEngine();

interface Meta {
  strides: number[];
  level_hw: [number, number][];
  bins: number;
}

interface Recorded {
  qfl_avg_factor: number;
  bbox_avg_factor: number;
  dfl_avg_factor: number;
  vfl_avg_factor: number;
  weights: { qfl: number; bbox: number; dfl: number };
  giou_space: string;
  float64: { loss_qfl: number; loss_bbox: number; loss_dfl: number };
  vfl_float64: number;
}

function relative(got: number, wanted: number, what: string): void {
  assert.ok(Math.abs(got / wanted - 1) <= 1e-6, `${what} is ${got}; wanted ${wanted}`);
}

if (cases.length === 0) test("real losses", () => skip(missing));

for (const name of cases) {
  const meta = readJson<Meta>(name, "meta.json");
  const recorded = readJson<Recorded>(name, "loss", "loss.json");
  const { data: labels } = await readNpy<Int32Array<ArrayBuffer>>(name, "loss", "labels.npy");
  const { data: scores } = await readNpy(name, "loss", "quality.npy");
  const { data: positives } = await readNpy<Int32Array<ArrayBuffer>>(name, "loss", "pos_idx.npy");
  const { data: posWeight } = await readNpy(name, "loss", "pos_weight.npy");
  const logits = await concatenated(name, "cls", meta.strides);
  const cls = { data: logits, dims: [labels.length, 80] };

  test(`${name}: quality focal loss and its gradient`, async () => {
    const { data: weight } = await readNpy(name, "loss", "label_weights.npy");
    const { data: wanted } = await readNpy(name, "loss", "grad_cls_qfl.npy");
    const options = { weight, avgFactor: recorded.qfl_avg_factor, grad: true } as const;
    const { loss, grad } = sync.qualityFocalLoss(cls, { labels, scores }, options);
    relative(loss, recorded.float64.loss_qfl, "loss");
    wanted.forEach((v, i) => {
      // At a label y − σ may cancel: it is off by at most 2e-7, before the division by the factor.
      const cancels = i % 80 === labels[Math.floor(i / 80)] ? 4e-7 / recorded.qfl_avg_factor : 0;
      // The recorded gradients are rounded to float32.
      const tolerance = 1e-6 * Math.abs(v) + cancels + 1e-37;
      assert.ok(Math.abs(grad[i] - v) <= tolerance, `gradient ${i} is ${grad[i]}; wanted ${v}`);
    });
  });

  test(`${name}: varifocal loss`, () => {
    const { loss } = sync.varifocalLoss(cls, { labels, scores }, { avgFactor: recorded.vfl_avg_factor });
    relative(loss, recorded.vfl_float64, "loss");
  });

  test(`${name}: distribution focal loss`, async () => {
    const { bins } = meta;
    const dist = await concatenated(name, "dist", meta.strides);
    const { data: target } = await readNpy(name, "loss", "pos_dist_targets.npy");
    const rows = Float32Array.from(
      [...positives].flatMap((anchor) => [...dist.subarray(anchor * 4 * bins, (anchor + 1) * 4 * bins)]),
    );
    const weight = Float32Array.from(target, (_, i) => posWeight[i >> 2]);
    const options = { weight, avgFactor: recorded.dfl_avg_factor, lossWeight: recorded.weights.dfl };
    const { loss } = sync.distributionFocalLoss({ data: rows, dims: [target.length, bins] }, target, options);
    relative(loss, recorded.float64.loss_dfl, "loss");
  });

  test(`${name}: generalized IoU loss`, async () => {
    const { data: pred } = await readNpy(name, "loss", "pos_pred_box_px.npy");
    const { data: target } = await readNpy(name, "loss", "pos_bbox_targets_px.npy");
    const { data: each } = await readNpy(name, "loss", "pos_giou_loss.npy");
    const none = sync.giouLoss(pred, target, { reduction: "none" }).loss;
    each.forEach((v, i) => assert.ok(Math.abs(none[i] - v) <= 2e-6, `loss ${i} is ${none[i]}; wanted ${v}`));
    const options = { weight: posWeight, avgFactor: recorded.bbox_avg_factor, lossWeight: recorded.weights.bbox };
    relative(sync.giouLoss(pred, target, options).loss, recorded.float64.loss_bbox, "loss");
  });
}

test.run();
