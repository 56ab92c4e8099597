/** ATSS against what the training code of real networks assigned, on real ground truth. */
import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { same } from "../compare.ts";
import { skip } from "../suite/skip.ts";
import { cases, missing, readJson, readNpy } from "../realdata.ts";

const test = suite("real assignments");
const { sync } = await createEngine();

interface Meta {
  strides: number[];
  level_hw: [number, number][];
}

interface Recorded {
  assigner: string;
  anchor_rule: "half" | "zero";
}

interface Annotation {
  cls: number;
  iscrowd: 0 | 1;
  /** In pixels of the network's input. */
  box_input: number[];
}

const BACKGROUND = 80;
const assigned = cases.filter((name) => readJson<Recorded>(name, "loss", "loss.json").assigner.startsWith("ATSS"));
if (assigned.length === 0) test("real assignments", () => skip(missing));

for (const name of assigned) {
  const { strides, level_hw: [[height, width]] } = readJson<Meta>(name, "meta.json");
  const recorded = readJson<Recorded>(name, "loss", "loss.json");
  const [, topk, scale] = recorded.assigner.match(/topk (\d+), octave_base_scale (\d+)/) ?? [];
  const annotations = readJson<{ contiguous: Annotation[] }>(name, "gt.json").contiguous;
  const boxesOf = (list: Annotation[]) => Float32Array.from(list.flatMap(({ box_input }) => box_input));
  const objects = annotations.filter(({ iscrowd }) => iscrowd === 0);
  const gt = { boxes: boxesOf(objects), labels: Int32Array.from(objects, ({ cls }) => cls) };
  const ignore = boxesOf(annotations.filter(({ iscrowd }) => iscrowd === 1));
  const options = {
    imageSize: [height * strides[0], width * strides[0]] as const,
    strides,
    anchorOffset: recorded.anchor_rule === "half" ? 0.5 : 0,
    anchorScale: Number(scale),
    topk: Number(topk),
  };

  test(`${name}: the same positives, objects and labels`, async () => {
    const { data: positives } = await readNpy<Int32Array<ArrayBuffer>>(name, "loss", "pos_idx.npy");
    const { data: labels } = await readNpy<Int32Array<ArrayBuffer>>(name, "loss", "labels.npy");
    const { data: targets } = await readNpy(name, "loss", "pos_bbox_targets_px.npy");
    const { gtIndex } = sync.atssAssign(options, gt);
    same([...gtIndex.keys()].filter((anchor) => gtIndex[anchor] >= 0), positives, "positive");
    same(Int32Array.from(gtIndex, (index) => index < 0 ? BACKGROUND : gt.labels[index]), labels, "label");
    positives.forEach((anchor, i) => {
      const box = gt.boxes.subarray(gtIndex[anchor] * 4, gtIndex[anchor] * 4 + 4);
      // The recorded targets went through a division by the stride.
      box.forEach((side, j) => assert.ok(Math.abs(side - targets[4 * i + j]) <= 1e-4, `target ${i} is of another box`));
    });
  });

  test(`${name}: nothing was ignored in training; given the crowd, only negatives change`, async () => {
    const { data: weights } = await readNpy(name, "loss", "label_weights.npy");
    assert.ok(weights.every((weight) => weight === 1));
    const { gtIndex } = sync.atssAssign(options, gt);
    const crowded = sync.atssAssign(options, { ...gt, ignore }).gtIndex;
    assert.is(crowded.includes(-2), ignore.length > 0);
    same(crowded.map((index) => Math.max(index, -1)), gtIndex);
  });
}

test.run();
