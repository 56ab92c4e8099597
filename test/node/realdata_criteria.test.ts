/** The whole training loss of real networks on real outputs, against the float64 values of the networks' own code. */
import { createEngine, heads } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { skip } from "../suite/skip.ts";
import { cases, concatenated, missing, readJson, readNpy } from "../realdata.ts";

const test = suite("real criteria");
const { sync } = await createEngine();

interface Meta {
  strides: number[];
  bins: number;
}

interface Recorded {
  anchor_rule: "half" | "zero";
  num_pos: number;
  float64: { loss_qfl: number; loss_bbox: number; loss_dfl: number };
}

type Ints = Int32Array<ArrayBuffer>;

function relative(got: number | undefined, wanted: number, what: string): void {
  assert.ok(Math.abs((got ?? NaN) / wanted - 1) <= 1e-6, `${what} is ${got}; wanted ${wanted}`);
}

/** One object for each positive: the assignment as it was recorded. */
async function assigned(name: string) {
  const { data: labels } = await readNpy<Ints>(name, "loss", "labels.npy");
  const { data: positives } = await readNpy<Ints>(name, "loss", "pos_idx.npy");
  const { data: boxes } = await readNpy(name, "loss", "pos_bbox_targets_px.npy");
  const gtIndex = new Int32Array(labels.length).fill(-1);
  positives.forEach((anchor, i) => gtIndex[anchor] = i);
  return { positives, gtIndex, gt: { boxes, labels: Int32Array.from(positives, (anchor) => labels[anchor]) } };
}

if (cases.length === 0) test("real criteria", () => skip(missing));

for (const name of cases) {
  test(`${name}: GFL's parts and gradients`, async () => {
    const { strides, bins } = readJson<Meta>(name, "meta.json");
    const recorded = readJson<Recorded>(name, "loss", "loss.json");
    const { positives, gtIndex, gt } = await assigned(name);
    const head = heads.nanodet({ strides, bins, anchorOffset: recorded.anchor_rule === "half" ? 0.5 : 0 });
    const cls = await concatenated(name, "cls", strides);
    const dist = await concatenated(name, "dist", strides);
    const input = { cls, dist, head, imageSize: [320, 320] as const, gt: [gt], gtIndex: [gtIndex] };
    const { total, parts, numPos, grad } = sync.gflCriterion(input, { normalizer: "mmdet", grad: true });
    const { loss_qfl, loss_bbox, loss_dfl } = recorded.float64;
    assert.is(numPos, recorded.num_pos);
    relative(parts.cls, loss_qfl, "quality focal loss");
    relative(parts.box, loss_bbox, "generalized IoU loss");
    relative(parts.dfl, loss_dfl, "distribution focal loss");
    relative(total, loss_qfl + loss_bbox + loss_dfl, "total");
    const { data: clsGrad } = await readNpy(name, "loss", "grad_cls_qfl.npy");
    const { data: posGrad } = await readNpy(name, "loss", "pos_grad_dist.npy");
    const near = (got: number | undefined, wanted: number, absolute: number, what: string) => {
      const tolerance = 1e-6 * Math.abs(wanted) + absolute / numPos;
      assert.ok(Math.abs((got ?? NaN) - wanted) <= tolerance, `${what} is ${got}; wanted ${wanted}`);
    };
    // The recorded qualities are float32 from coordinates on the image, up to 1.7e-6 from the boxes' IoU.
    const learned = new Set(positives.map((anchor, i) => anchor * 80 + gt.labels[i]));
    clsGrad.forEach((wanted, i) => near(grad?.cls[i], wanted, learned.has(i) ? 4e-6 : 1e-37, `d/d cls ${i}`));
    const columns = 4 * bins;
    posGrad.forEach((wanted, i) => {
      near(grad?.dist[positives[Math.floor(i / columns)] * columns + i % columns], wanted, 4e-7, `d/d dist ${i}`);
    });
  });
}

test.run();
