/**
 * Raw outputs of five real networks on two photographs, and what the networks' own post-processing made of them. The data
 * stay where they are; without them the tests are skipped.
 */
import { createEngine, type DetectOptions, heads, type HeadSpec, type HostTensor } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, throws } from "../compare.ts";
import { skip } from "../suite/skip.ts";
import { cases, missing, readJson, readNpy, undecoded } from "../realdata.ts";

const test = suite("real networks");
const { sync } = await createEngine();
type Anchors = "half" | "half_minus" | "zero";

interface Meta {
  model_key: "nanodet" | "nanodetplus" | "picodet_s" | "picodet_xs";
  input_size: [number, number];
  strides: number[];
  num_anchors: number;
  anchor_rule: Anchors;
  level_hw: [number, number][];
  bins: number;
}

interface Reference {
  params: {
    score_thr: number;
    iou_thr: number;
    anchor_rule: Anchors;
    class_aware: boolean;
    clip?: boolean;
    max_num?: number;
    candidate_size?: number;
    keep_top_k?: number;
    score_cmp?: string;
  };
  dets: { cls: number; score: number; box: number[] }[];
}

const PRESETS = {
  nanodet: "nanodet",
  nanodetplus: "nanodetPlus",
  picodet_s: "picodet",
  picodet_xs: "picodet",
} as const;
const OFFSETS = { half: 0.5, half_minus: 0.5, zero: 0 };

interface Outputs {
  classes: (HostTensor & { data: Float32Array })[];
  boxes: (HostTensor & { data: Float32Array })[];
  objectness?: (HostTensor & { data: Float32Array })[];
}

async function readOutputs(name: string, meta: Meta): Promise<Outputs> {
  const levels = (role: string) =>
    Promise.all(meta.strides.map((stride) => readNpy(name, `${role}_logits_s${stride}.npy`)));
  const outputs = { classes: await levels("cls"), boxes: await levels("dist") };
  return meta.model_key === "picodet_xs" ? { ...outputs, objectness: await levels("obj") } : outputs;
}

function headOf(meta: Meta, rule: Anchors): HeadSpec {
  return heads[PRESETS[meta.model_key]]({
    scores: "logits",
    channelOrder: "separate",
    anchorOffset: OFFSETS[rule],
    objectness: meta.model_key === "picodet_xs" ? "sqrt-multiply" : "none",
  });
}

function optionsOf(name: string, meta: Meta, { params }: Reference): DetectOptions {
  const shared = {
    head: headOf(meta, params.anchor_rule),
    imageSize: meta.input_size,
    scoreThreshold: params.score_thr,
    iouThreshold: params.iou_thr,
    classAgnostic: !params.class_aware,
    // Peers that take each anchor's best class say so; the others list every class over the threshold.
    multiLabel: !/hpc203|ncnn/.test(name),
    maxDetections: params.max_num ?? 100000,
  };
  // Points at x·s + (s − 1)/2 are those at (x + 1/2)·s, half a pixel to the left and up.
  const shift = { scaleX: 1, scaleY: 1, padX: 0.5, padY: 0.5, clip: meta.input_size };
  if (params.anchor_rule === "half_minus") return { ...shared, transform: shift };
  if (/paddle/.test(name)) return { ...shared, transform: { ...shift, padX: 0, padY: 0, clip: [1e6, 1e6] } };
  return { ...shared, clip: params.clip ?? false };
}

type Found = { classId: number; score: number; box: number[] };

/** The list that a reference describes; one that limits each class gets each class by itself. */
function detectAs(name: string, meta: Meta, reference: Reference, outputs: Outputs): Found[] {
  const options = optionsOf(name, meta, reference);
  const { candidate_size, keep_top_k } = reference.params;
  if (candidate_size === undefined) return [...sync.detect(outputs, options)[0]];
  const head = { ...options.head, numClasses: 1 };
  const limits = { preNmsTopK: candidate_size, maxDetections: keep_top_k };
  return Array.from({ length: 80 }, (_, classId) => {
    const classes = outputs.classes.map(({ data, dims }) => ({
      data: Float32Array.from({ length: dims[0] }, (_, i) => data[i * 80 + classId]),
      dims: [dims[0], 1],
    }));
    return [...sync.detect({ ...outputs, classes }, { ...options, ...limits, head })[0]].map((d) => ({
      ...d,
      classId,
    }));
  }).flat();
}

/** Each wanted detection is found once: same class, box within 0.01 px, score within 1e-4; and nothing else is. */
function sameSet(found: Found[], wanted: Reference["dets"]): void {
  const left = [...found];
  for (const { cls, score, box } of wanted) {
    const match = left.findIndex((d) =>
      d.classId === cls && Math.abs(d.score - score) < 1e-4 && d.box.every((v, i) => Math.abs(v - box[i]) < 0.01)
    );
    assert.ok(match >= 0, `class ${cls}, score ${score}, box ${box} is missing`);
    left.splice(match, 1);
  }
  assert.equal(left, [], "detections that the reference does not have");
}

/** Boxes by the operations themselves: dflDecode, then distance2bbox. */
function decode(meta: Meta, outputs: Outputs): number[] {
  return meta.strides.flatMap((stride, level) => {
    const [height, width] = meta.level_hw[level];
    const centre = { half: 0.5 * stride, half_minus: 0.5 * (stride - 1), zero: 0 }[meta.anchor_rule];
    const points = Float32Array.from({ length: height * width * 2 }, (_, i) => {
      const cell = i >> 1;
      return (i % 2 === 0 ? cell % width : Math.floor(cell / width)) * stride + centre;
    });
    const distances = sync.dflDecode(outputs.boxes[level], { bins: meta.bins, binStep: stride });
    return [...sync.distance2bbox(points, distances)];
  });
}

if (cases.length === 0) {
  test("real outputs", () => skip(missing));
} else {
  for (const name of cases) {
    const meta = readJson<Meta>(name, "meta.json");
    const outputs = await readOutputs(name, meta);
    for (const [peer, reference] of Object.entries(readJson<Record<string, Reference>>(name, "ref_dets.json"))) {
      test(`${name}: the detections of ${peer}`, () => {
        assert.ok(reference.dets.length > 0);
        sameSet(detectAs(peer, meta, reference, outputs), reference.dets);
      });
    }
    test(`${name}: dflDecode and distance2bbox give the peer's boxes`, async () => {
      const { data } = await readNpy(name, "peer_boxes.npy");
      close(decode(meta, outputs), data, 1e-3);
    });
  }
  for (const name of undecoded) {
    const { input_size: imageSize } = readJson<Pick<Meta, "input_size">>(name, "meta.json");
    const output: HostTensor = await readNpy(name, "output.npy");
    for (const [peer, { params, dets }] of Object.entries(readJson<Record<string, Reference>>(name, "ref_dets.json"))) {
      test(`${name}: the detections of ${peer}`, () => {
        const thresholds = { scoreThreshold: params.score_thr, iouThreshold: params.iou_thr };
        const [found] = sync.detect(output, { head: heads.yolox(), imageSize, ...thresholds });
        assert.ok(dets.length > 0);
        sameSet([...found], dets);
      });
    }
    test(`${name}: every box is the peer's`, async () => {
      const everything = { scoreThreshold: 0, iouThreshold: 1, maxDetections: 1e5 };
      const [found] = sync.detect(output, { head: heads.yolox(), imageSize, ...everything });
      const { data } = await readNpy<Float64Array>(name, "peer_boxes.npy");
      // Boxes of a cell's best class and a score over 0.
      assert.ok(found.length > 3000);
      const wanted = [...found.anchors].flatMap((anchor) => [...data.subarray(4 * anchor, 4 * anchor + 4)]);
      close(found.boxes, wanted, 1e-4);
    });
    test(`${name}: infer gives its head`, () => {
      assert.equal(heads.infer(output, { imageSize, numClasses: 80 }), heads.yolox());
      // Of 53 classes and 4 · 8 bins are as many channels. Its sizes rule out boxes that are decoded.
      throws(
        () => heads.infer(output, { imageSize }),
        TypeError,
        "fit nanodet with 53 classes",
        ", yolox with 80 classes;",
      );
    });
  }
}

for (const name of cases) {
  test(`${name}: infer gives its head, or an error that has it among those that fit`, async () => {
    const meta = readJson<Meta>(name, "meta.json");
    const { classes, boxes } = await readOutputs(name, meta);
    const preset = PRESETS[meta.model_key];
    const wanted = heads[preset]({ scores: "logits", channelOrder: "separate" });
    for (const outputs of [{ classes, boxes }, [...classes, ...boxes]]) {
      try {
        assert.equal(heads.infer(outputs, { imageSize: meta.input_size }), wanted);
      } catch (error) {
        assert.match((error as Error).message, new RegExp(` fit .*\\b${preset} with 80 classes.*; wanted`));
      }
    }
  });
}

test.run();
