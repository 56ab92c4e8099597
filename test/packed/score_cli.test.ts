import { createEngine, type GroundTruth, heads, type YoloCriterionOptions } from "densehead";
import { readSafetensors } from "densehead/files";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { dump } from "npyjs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { rankCorrelation } from "../../src/eval/rank_correlation.ts";
import { PRESETS, typed } from "../presets.ts";
import { points } from "../reference/detect.ts";
import { yoloConstants, type YoloScene, type YoloSettings } from "../reference/yolo_criterion.ts";
import { skip } from "../suite/skip.ts";
import { cases, folder as realdata, missing, readJson } from "../realdata.ts";
import { yoloExample } from "../yolo_scene.ts";
import { cli, runIn } from "./in_process.ts";

const test = suite("densehead score");
const { sync } = await createEngine();
const root = process.env.DENSEHEAD_ROOT ?? process.cwd();
const shapes = (name: string) => join(root, "examples/shapes", name);
const folder = mkdtempSync(join(tmpdir(), "densehead-score-"));
const at = (...name: string[]) => join(folder, ...name);
test.after(() => rmSync(folder, { recursive: true, force: true }));

// ── Running ─────────────────────────────────────────────────────────────────────

function score(...args: string[]) {
  return runIn(folder, "score", ...args);
}

/** What a run that succeeds prints. */
function prints(...args: string[]): string {
  const { status, stdout, stderr } = score(...args);
  assert.is(stderr, "");
  assert.is(status, 0);
  return stdout;
}

/** A run that fails has one line, which begins with the command, nothing on stdout, and exit code 2. */
function fails(args: string[], line: string | RegExp): void {
  const { status, stdout, stderr } = score(...args);
  assert.is(status, 2, stderr);
  assert.is(stdout, "");
  assert.match(stderr, /^densehead: score: [^\n]+\n$/);
  assert.match(stderr, line);
}

interface Line {
  image_id?: number | string;
  file_name?: string;
  file?: string;
  images?: number;
  total: number;
  parts: Record<string, number>;
  numPos: number;
  quality: number | null;
  detections: number;
  rankCorrelation: number | null;
}

function linesOf(...args: string[]): Line[] {
  return prints(...args, "--json", "-").trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** The same but for which image and file it says it is of. */
function measures({ image_id: _, file_name: __, file: ___, ...rest }: Line) {
  return rest;
}

// ── Files ───────────────────────────────────────────────────────────────────────

interface Annotation {
  image_id: number | string;
  category_id: number;
  bbox: number[];
  iscrowd?: number;
}

interface Coco {
  images: { id: number | string; file_name?: string; width?: number; height?: number }[];
  annotations: Annotation[];
  categories: { id: number; name?: string }[];
}

const scenes: Coco = JSON.parse(readFileSync(shapes("scenes.coco.json"), "utf8"));
const scene = [1, 2, 3].map((i) => shapes(`scene${i}.safetensors`));
const truth = ["--gt", shapes("scenes.coco.json")];
const STRIDES = [8, 16];

function coco(name: string, file: unknown): string {
  writeFileSync(at(name), typeof file === "string" ? file : JSON.stringify(file));
  return at(name);
}

/** The scenes' truth with changes to the first image and its objects alone. */
function first(image: object, annotation: (annotation: Annotation) => object = () => ({})): Coco {
  return {
    images: [{ ...scenes.images[0], ...image }],
    annotations: scenes.annotations.filter((a) => a.image_id === 1).map((a) => ({ ...a, ...annotation(a) })),
    categories: scenes.categories,
  };
}

/** A folder of .npy files. */
function outputs(name: string, tensors: Record<string, { data: Float32Array; dims: number[] }>): string {
  mkdirSync(at(name), { recursive: true });
  for (const [tensor, { data, dims }] of Object.entries(tensors)) {
    writeFileSync(at(name, `${tensor}.npy`), new Uint8Array(dump(data, dims)));
  }
  return at(name);
}

/** The scene's tensors, (1, channels, height, width) each. */
function tensorsOf(path: string): Record<string, { data: Float32Array; dims: number[] }> {
  const { tensors } = readSafetensors(readFileSync(path));
  return Object.fromEntries([...tensors].map(([name, { data, dims }]) => {
    return [name, { data: data as Float32Array, dims: [...dims] }];
  }));
}

/** Both levels as rows of anchors. */
function rowsOf(path: string, role: "cls" | "reg"): number[] {
  const tensors = tensorsOf(path);
  return STRIDES.flatMap((stride) => {
    const { data, dims: [, channels, height, width] } = tensors[`${role}_s${stride}`];
    const cells = height * width;
    return Array.from({ length: cells * channels }, (_, i) => data[(i % channels) * cells + Math.floor(i / channels)]);
  });
}

function truthOf(imageId: number): GroundTruth {
  const objects = scenes.annotations.filter((annotation) => annotation.image_id === imageId);
  return {
    boxes: Float32Array.from(objects.flatMap(({ bbox: [x, y, w, h] }) => [x, y, x + w, y + h])),
    labels: Int32Array.from(objects, ({ category_id }) => category_id - 1),
  };
}

function near(got: number | null | undefined, wanted: number, what: string): void {
  assert.ok(
    Math.abs((got ?? NaN) - wanted) <= 1e-6 * Math.max(1, Math.abs(wanted)),
    `${what}: ${got}; wanted ${wanted}`,
  );
}

// ── What it prints ──────────────────────────────────────────────────────────────

test("a process of its own prints the same, and ends", () => {
  for (const args of [["score", scene[0], ...truth], ["score", scene[0]]]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", cwd: folder });
    assert.equal({ status, stdout, stderr }, runIn(folder, ...args), args.join(" "));
  }
});

test("prints a table of three scenes", () => {
  const lines = prints(...scene, ...truth).split("\n");
  assert.is(lines[0], "head gfl (named in the file), 4 classes, 8 bins, strides 8 16, input 160×160");
  assert.match(lines[1], /^ {2}file +image +loss +cls +box +dfl +positives +quality +detections +ranks$/);
  const starts = [
    "scene1  scene1.png  ",
    "scene2  scene2.png  ",
    "scene3  scene3.png  ",
    `all     ${" ".repeat(10)}  `,
  ];
  assert.equal(lines.slice(2, 6).map((line) => line.slice(2, 22)), starts);
  assert.is(new Set(lines.slice(1, 6).map((line) => line.length)).size, 1, "the columns are aligned");
});

test("one scene has no line for all, and --head gfl is as asked", () => {
  const lines = prints(scene[1], ...truth, "--head", "gfl").trimEnd().split("\n");
  assert.is(lines.length, 3);
  assert.match(lines[0], "head gfl (as asked)");
  assert.match(
    lines[2],
    /^ {2}scene2 +scene2\.png +\d\.\d{4} +\d\.\d{4} +\d\.\d{4} +\d\.\d{4} +\d+ +0\.\d{3} +\d+ +0\.\d{3}$/,
  );
});

for (const normalizer of ["paper", "mmdet"] as const) {
  test(`is gflCriterion of each image and of all as a batch, divided as by ${normalizer}`, () => {
    const head = heads.gfl({ numClasses: 4, bins: 8, strides: STRIDES });
    const criterion = (ids: number[]) => {
      const map = (role: "cls" | "reg", channels: number) => ({
        data: Float32Array.from(ids.flatMap((id) => rowsOf(scene[id - 1], role))),
        dims: [ids.length, 500, channels],
      });
      const gt = ids.map(truthOf);
      return sync.gflCriterion({ cls: map("cls", 4), dist: map("reg", 32), head, imageSize: [160, 160], gt }, {
        normalizer,
      });
    };
    const lines = linesOf(...scene, ...truth, "--normalizer", normalizer);
    assert.equal(lines.map(({ image_id, file_name, file, images }) => [image_id, file_name, file, images]), [
      ...[1, 2, 3].map((id) => [id, `scene${id}.png`, scene[id - 1], undefined]),
      [undefined, undefined, undefined, 3],
    ]);
    for (const [i, ids] of [[1], [2], [3], [1, 2, 3]].entries()) {
      const { total, parts, numPos } = criterion(ids);
      assert.is(lines[i].numPos, numPos);
      near(lines[i].total, total, `total of ${ids}`);
      for (const [name, part] of Object.entries(parts)) near(lines[i].parts[name], part, `${name} of ${ids}`);
    }
  });
}

test("quality is the mean IoU of the positives, ranks are Spearman's of all detections", () => {
  const lines = linesOf(...scene, ...truth, "--anchor-scale", "4", "--score", "0.1");
  const head = heads.gfl({ numClasses: 4, bins: 8, strides: STRIDES });
  const [scores, ious]: number[][] = [[], []];
  let qualities = 0;
  for (const id of [1, 2, 3]) {
    const { boxes, ...gt } = truthOf(id);
    const tensors = tensorsOf(scene[id - 1]);
    const [cls, reg] = ["cls", "reg"].map((role) => STRIDES.map((stride) => tensors[`${role}_s${stride}`]));
    const options = { head, imageSize: [160, 160] as const };
    const [all] = sync.detect({ classes: cls, boxes: reg }, {
      ...options,
      scoreThreshold: 0,
      iouThreshold: 1,
      maxDetections: 500,
    });
    const boxOf = new Map([...all].map(({ anchor, box }) => [anchor, box]));
    const { gtIndex } = sync.atssAssign({ imageSize: [160, 160], strides: STRIDES, anchorScale: 4 }, { boxes, ...gt });
    const positives = [...gtIndex.keys()].filter((anchor) => gtIndex[anchor] >= 0);
    const found = positives.map((anchor) => {
      const object = boxes.subarray(4 * gtIndex[anchor], 4 * gtIndex[anchor] + 4);
      return sync.boxIou(Float32Array.from(boxOf.get(anchor) as number[]), object)[0];
    });
    const quality = found.reduce((a, b) => a + b, 0);
    near(lines[id - 1].quality, quality / positives.length, `quality of ${id}`);
    qualities += quality;
    const [kept] = sync.detect({ classes: cls, boxes: reg }, { ...options, scoreThreshold: 0.1 });
    assert.is(lines[id - 1].detections, kept.length);
    const best = [...kept].map(({ box }) => Math.max(...sync.boxIou(Float32Array.from(box), boxes)));
    near(lines[id - 1].rankCorrelation, rankCorrelation([...kept.scores], best), `ranks of ${id}`);
    scores.push(...kept.scores);
    ious.push(...best);
  }
  near(lines[3].quality, qualities / lines[3].numPos, "quality of all");
  near(lines[3].rankCorrelation, rankCorrelation(scores, ious), "ranks of all");
});

test("rank correlation", () => {
  assert.is(rankCorrelation([1, 2, 3], [0.1, 20, 21]), 1);
  assert.is(rankCorrelation([1, 2, 3], [3, 2, 1]), -1);
  near(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4]), 3 / Math.sqrt(10), "a tie");
  near(rankCorrelation([4, 1, 3, 2, 5], [1, 2, 3, 4, 5]), 0.3, "no tie");
  for (const values of [[], [1], [1, 1, 1], [NaN, 1, 2]]) {
    assert.ok(Number.isNaN(rankCorrelation(values, values.map((_, i) => i))), `of ${values.length}`);
  }
});

// ── What it reads ───────────────────────────────────────────────────────────────

test("a head of another layout has the same score", () => {
  const [cls, reg] = [rowsOf(scene[0], "cls"), rowsOf(scene[0], "reg")];
  const rows = Array.from(
    { length: 500 },
    (_, i) => [...cls.slice(4 * i, 4 * i + 4), ...reg.slice(32 * i, 32 * i + 32)],
  );
  const path = outputs("scene1", { all: { data: Float32Array.from(rows.flat()), dims: [1, 500, 36] } });
  const line = linesOf(
    ...[path, ...truth, "--head", "nanodet-plus", "--strides", "8,16", "--num-classes", "4", "--image-size", "160,160"],
  )[0];
  assert.equal(measures(line), measures(linesOf(scene[0], ...truth)[0]));
});

test("values that are NaN are told of on stderr, by tensor", () => {
  const tensors = tensorsOf(scene[0]);
  const healthy = outputs("healthy", tensors);
  assert.is(score(healthy, ...truth, "--head", "gfl", "--image", "1", "--criterion", "yolo").stderr, "");
  const { reg_s8: { data, dims }, reg_s16 } = tensors;
  const some = reg_s16.data.map((value, i) => i < 5 ? NaN : value);
  const path = outputs("damaged", {
    ...tensors,
    reg_s8: { data: data.map(() => NaN), dims },
    reg_s16: { data: some, dims: reg_s16.dims },
  });
  const counts = `${data.length} of ${data.length} values of reg_s8, 5 of ${some.length} values of reg_s16`;
  for (const criterion of ["yolo", "gfl"]) {
    const { status, stderr } = score(path, ...truth, "--head", "gfl", "--image", "1", "--criterion", criterion);
    assert.is(status, 0);
    assert.is(stderr, `densehead: score: ${path}: NaN in ${counts}\n`);
  }
});

test("a batch is of all images in order", () => {
  const parts = scene.map(tensorsOf);
  const batch = Object.fromEntries(
    Object.entries(parts[0]).map(([name, { dims }]) => {
      const data = Float32Array.from(parts.flatMap((part) => [...part[name].data]));
      return [name, { data, dims: [3, ...dims.slice(1)] }];
    }),
  );
  const path = outputs("batch", batch);
  assert.equal(linesOf(path, ...truth, "--head", "gfl").map(measures), linesOf(...scene, ...truth).map(measures));
  fails([path, ...truth, "--head", "gfl", "--image", "1"], "batch: holds 3 images; --image is for one");
  fails([path, "--gt", coco("one.json", first({})), "--head", "gfl"], "holds 3 images; --gt has 1");
});

test("finds the image by its name, its id, or because there is no other", () => {
  const [second] = linesOf(scene[1], ...truth);
  assert.is(second.image_id, 2);
  const path = outputs("unnamed", tensorsOf(scene[1]));
  const unnamed = [path, ...truth, "--head", "gfl"];
  for (const name of ["2", "scene2.png", shapes("scene2.png")]) {
    assert.equal(linesOf(...unnamed, "--image", name)[0], { ...second, file: path });
  }
  fails(unnamed, "unnamed: say with --image which image this is, of scene1.png, scene2.png, scene3.png");
  fails([...unnamed, "--image", "7"], "has no image 7; it has scene1.png, scene2.png, scene3.png");
  const only = ["--gt", coco("only.json", first({ id: "x", file_name: undefined }, () => ({ image_id: "x" })))];
  const [line] = linesOf(scene[1], ...only, "--head", "gfl");
  assert.is(line.image_id, "x");
  assert.match(prints(scene[1], ...only), /^ {2}scene2 +x /m);
});

test("each FILE has an image of its own", () => {
  const only = ["--gt", coco("first.json", first({}))];
  const unnamed = outputs("first_unnamed", tensorsOf(scene[0]));
  assert.is(linesOf(unnamed, ...only, "--head", "gfl")[0].image_id, 1);
  // The only image is not that of two FILEs, nor of one that is called as another image.
  const another = "say with --image which image this is, of scene1.png";
  fails([scene[0], scene[1], ...only], `scene2.safetensors: ${another} (--image once for each FILE, in their order)`);
  fails([scene[1], ...only], `scene2.safetensors: ${another}\n`);
  fails([outputs("gfl_scene2", tensorsOf(scene[1])), ...only, "--head", "gfl"], `gfl_scene2: ${another}\n`);
  fails([unnamed, scene[0], ...truth, "--head", "gfl"], "first_unnamed: say with --image which image this is");
  fails([scene[0], scene[0], ...truth], "scene1.safetensors: is of image scene1.png, as");
  const pair = [unnamed, scene[1], ...truth, "--head", "gfl"];
  const lines = linesOf(...pair, "--image", "scene1.png", "--image", "2");
  assert.equal(lines.map(measures).slice(0, 2), linesOf(scene[0], scene[1], ...truth).map(measures).slice(0, 2));
  fails([...pair, "--image", "1"], "--image is for one FILE; 2 were given (repeat it for each, or give a folder)");
  fails([...pair, "--image", "1", "--image", "scene1.png"], "scene2.safetensors: is of image scene1.png, as");
  // COCO's names, as a part of those of the files.
  const numbered = (id: string) => first({ file_name: `val2017/${id}.jpg` });
  const named = outputs("nanodet_320__coco000000423617", tensorsOf(scene[0]));
  assert.is(linesOf(named, "--gt", coco("own.json", numbered("000000423617")), "--head", "gfl")[0].image_id, 1);
  const foreign = coco("foreign.json", numbered("000000255165"));
  fails([named, "--gt", foreign, "--head", "gfl"], "say with --image which image this is, of val2017/000000255165.jpg");
  assert.is(linesOf(named, "--gt", foreign, "--head", "gfl", "--image", "000000255165.jpg")[0].image_id, 1);
});

test("classes are the categories of their names", () => {
  const names = new Map([[1, "circle"], [2, "square"], [3, "triangle"], [4, "star"]]);
  const categories = [...names].map(([id, name]) => ({ id: 10 - id, name }));
  const file = first({}, ({ category_id }) => ({ category_id: 10 - category_id }));
  const mapped = ["--gt", coco("named.json", { ...file, categories })];
  assert.equal(linesOf(scene[0], ...mapped)[0], linesOf(scene[0], ...truth)[0]);
});

test("classes are the categories in the order of their ids", () => {
  const ids = new Map([[1, 3], [2, 20], [3, 100], [4, 1000]]);
  const file = first({}, ({ category_id }) => ({ category_id: ids.get(category_id) }));
  const categories = [{ id: 1000 }, { id: 3 }, { id: 100 }, { id: 20 }];
  const mapped = ["--gt", coco("mapped.json", { ...file, categories })];
  assert.equal(linesOf(scene[0], ...mapped)[0], linesOf(scene[0], ...truth)[0]);
});

test("objects are fitted to the input as their image was", () => {
  const [line] = linesOf(scene[0], ...truth);
  const moved = (image: object, map: (bbox: number[]) => number[]) => [
    "--gt",
    coco("moved.json", first(image, ({ bbox }) => ({ bbox: map(bbox) }))),
  ];
  const large = moved({ width: 640, height: 640 }, (bbox) => bbox.map((v) => 4 * v));
  assert.equal(linesOf(scene[0], ...large)[0], line);
  const wide = moved({ width: 320, height: 160 }, ([x, y, w, h]) => [2 * x, y, 2 * w, h]);
  fails([scene[0], ...wide], "image scene1.png is 320×160, the input 160×160; say --fit letterbox, top-left,");
  assert.equal(linesOf(scene[0], ...wide, "--fit", "stretch")[0], line);
  const boxed = moved({ width: 320, height: 160 }, ([x, y, w, h]) => [2 * x, 2 * (y - 40), 2 * w, 2 * h]);
  assert.equal(linesOf(scene[0], ...boxed, "--fit", "letterbox")[0], line);
  const corner = moved({ width: 320, height: 160 }, ([x, y, w, h]) => [2 * x, 2 * y, 2 * w, 2 * h]);
  assert.equal(linesOf(scene[0], ...corner, "--fit", "top-left")[0], line);
});

test("crowds are no objects, and their anchors no negatives", () => {
  const crowd = { image_id: 1, category_id: 1, bbox: [0, 0, 160, 160], iscrowd: 1 };
  const file = first({});
  const [line] = linesOf(scene[0], "--gt", coco("crowd.json", { ...file, annotations: [...file.annotations, crowd] }));
  const [without] = linesOf(scene[0], ...truth);
  assert.is(line.numPos, without.numPos);
  assert.is(line.parts.box, without.parts.box);
  assert.ok(line.parts.cls < without.parts.cls);
});

test("an image without objects has no positives, no quality and no ranks", () => {
  const gt = ["--gt", coco("empty.json", { ...first({}), annotations: [] })];
  const [line] = linesOf(scene[0], ...gt);
  assert.equal([line.numPos, line.quality, line.rankCorrelation], [0, null, null]);
  assert.equal([line.parts.box, line.parts.dfl], [0, 0]);
  assert.match(prints(scene[0], ...gt), / 0 +– +\d+ +–\n/);
});

test("vfnet is scored by initial and refined distances", () => {
  const boxes = Float32Array.of(12, 10, 44, 50, 20, 16, 60, 58);
  const gt = { boxes, labels: Int32Array.of(1, 0) };
  const points = Float32Array.from({ length: 128 }, (_, i) => 8 * (i % 2 === 0 ? (i >> 1) % 8 : i >> 4));
  const { gtIndex } = sync.atssAssign({ imageSize: [64, 64], strides: [8] }, gt);
  const targets = [...gtIndex].flatMap((index) => [...boxes.subarray(4 * Math.max(index, 0)).subarray(0, 4)]);
  const refined = sync.bbox2distance(points, Float32Array.from(targets));
  const initial = refined.map((side) => side * 0.75);
  const logits = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i) * 2 - 2);
  // (64, channels) → (1, channels, 8, 8).
  const map = (data: Float32Array, channels: number) => ({
    data: Float32Array.from(data, (_, i) => data[(i % 64) * channels + Math.floor(i / 64)]),
    dims: [1, channels, 8, 8],
  });
  const tensors = { cls_s8: map(logits, 2), bbox_pred_s8: map(initial, 4) };
  const refinement = map(refined, 4);
  const path = outputs("vfnet", { ...tensors, bbox_pred_refine_s8: refinement });
  const file = coco("vfnet.json", {
    images: [{ id: 1, width: 64, height: 64 }],
    annotations: [[12, 10, 32, 40], [20, 16, 40, 42]].map((bbox, i) => ({ image_id: 1, category_id: 2 - i, bbox })),
    categories: [{ id: 1 }, { id: 2 }],
  });
  const [line] = linesOf(path, "--gt", file, "--head", "vfnet");
  const head = heads.vfnet({ numClasses: 2, strides: [8] });
  const wanted = sync.vfnetCriterion({
    ...{ head, imageSize: [64, 64], gt: [gt], cls: { data: logits, dims: [64, 2] } },
    ...{ distances: { data: initial, dims: [64, 4] }, refined: { data: refined, dims: [64, 4] } },
  });
  assert.is(line.numPos, wanted.numPos);
  assert.ok(wanted.numPos > 0);
  near(line.total, wanted.total, "total");
  assert.equal(Object.keys(line.parts), ["cls", "box", "boxRefine"]);
  near(line.quality, 1, "quality of refined boxes that fit");
  const [found] = sync.detect([tensors.cls_s8, refinement], { head, imageSize: [64, 64], scoreThreshold: 0.05 });
  assert.is(line.detections, found.length);
  // As VarifocalNet's, once somebody says that it refines its boxes.
  const plain = [path, "--gt", file, "--head", "gfl", "--bins", "0", "--boxes", "distances", "--strides", "8"];
  assert.equal(linesOf(...plain, "--refined")[0].parts, line.parts);
  fails(
    plain,
    "head gfl has distances that it does not refine; say --refined where the file has initial and refined ones, or --criterion yolo; wanted one",
  );
  fails(
    [outputs("unrefined", tensors), "--gt", file, "--head", "vfnet"],
    "head vfnet is scored from initial and refined distances, which must be named so: box_s8 … and box_refined_s8 …",
  );
});

test("--criterion yolo is yoloCriterion of each image and of all as a batch", () => {
  const head = heads.gfl({ numClasses: 4, bins: 8, strides: STRIDES });
  const inputOf = (ids: number[]) => {
    const [cls, dist] = (["cls", "reg"] as const).map((role) => {
      return Float32Array.from(ids.flatMap((id) => rowsOf(scene[id - 1], role)));
    });
    return { cls, dist, head, imageSize: [160, 160] as const, gt: ids.map(truthOf) };
  };
  const cases: [string[], YoloCriterionOptions][] = [
    [[], {}],
    [["--topk", "7", "--topk2", "1", "--gains", "1,0,2"], { topk: 7, topk2: 1, gains: { box: 1, cls: 0, dfl: 2 } }],
    [["--alpha", "1", "--beta", "2.5", "--times-batch"], { alpha: 1, beta: 2.5, timesBatch: true }],
  ];
  for (const [flags, options] of cases) {
    const lines = linesOf(...scene, ...truth, "--criterion", "yolo", ...flags);
    for (const [i, ids] of [[1], [2], [3], [1, 2, 3]].entries()) {
      const input = inputOf(ids);
      const { total, parts, numPos } = sync.yoloCriterion(input, options);
      assert.ok(numPos > 0);
      assert.is(lines[i].numPos, numPos);
      near(lines[i].total, total, `total of ${ids}`);
      for (const [name, part] of Object.entries(parts)) near(lines[i].parts[name], part, `${name} of ${ids}`);
      near(lines[i].quality, qualityOf(input, options), `quality of ${ids}`);
    }
  }
  assert.match(
    prints(scene[1], ...truth, "--criterion", "yolo").split("\n")[1],
    "loss     cls     box     dfl  positives",
  );
});

/** The mean IoU of the positives' boxes, by the float64 reference. */
function qualityOf(input: YoloScene, options: YoloSettings): number {
  const { gtIndex } = yoloConstants(input, options);
  const grid = points(input.head, input.imageSize);
  const { bins } = input.head;
  const ious = gtIndex.flatMap((indices, image) => {
    return indices.flatMap((index, anchor) => {
      if (index < 0) return [];
      const { x, y, stride } = grid[anchor];
      const first = 4 * bins * (image * grid.length + anchor);
      const dist = Float32Array.from(Array.from(input.dist).slice(first, first + 4 * bins));
      const sides = sync.dflDecode(dist, { bins }).map((side) => side * stride);
      const box = Float32Array.of(x - sides[0], y - sides[1], x + sides[2], y + sides[3]);
      return [sync.boxIou(box, Float32Array.from(input.gt[image].boxes).slice(4 * index, 4 * index + 4))[0]];
    });
  });
  return ious.reduce((a, b) => a + b) / ious.length;
}

test("plain distances in strides are scored by --criterion yolo alone", () => {
  const head = heads.yolo26Raw({ numClasses: 2, strides: [8] });
  const { cls, dist, gt } = yoloExample(77, head, [64, 64], [3]);
  // (64, channels) → (1, channels, 8, 8).
  const map = (data: Float32Array, channels: number) => ({
    data: Float32Array.from(data, (_, i) => data[(i % 64) * channels + Math.floor(i / 64)]),
    dims: [1, channels, 8, 8],
  });
  const path = outputs("yolo26", { cls_s8: map(cls, 2), box_s8: map(dist, 4) });
  const file = coco("yolo26.json", {
    images: [{ id: 1, width: 64, height: 64 }],
    annotations: Array.from(gt[0].labels, (label, i) => {
      const [x1, y1, x2, y2] = gt[0].boxes.subarray(4 * i, 4 * i + 4);
      return { image_id: 1, category_id: label + 1, bbox: [x1, y1, x2 - x1, y2 - y1] };
    }),
    categories: [{ id: 1 }, { id: 2 }],
  });
  const args = [path, "--gt", file, "--head", "yolo26-raw"];
  const [line] = linesOf(...args, "--criterion", "yolo");
  const { ignore: _, ...objects } = gt[0];
  const wanted = sync.yoloCriterion({ cls, dist, head, imageSize: [64, 64], gt: [objects] });
  assert.is(line.numPos, wanted.numPos);
  near(line.total, wanted.total, "total");
  assert.ok((line.quality as number) > 0.3 && (line.quality as number) < 1);
  fails(
    args,
    "head yolo26-raw has distances that it does not refine; say --refined where the file has initial and refined ones, or --criterion yolo; wanted",
  );
});

// ── A real network ──────────────────────────────────────────────────────────────

/** NanoDet, whose trainer assigns as ATSS does here, on an image without crowds. */
const REAL = "nanodet_320__coco000000423617";

test("gives the classification loss and the positives of a real network's own code", () => {
  if (!cases.includes(REAL)) return skip(missing);
  const gt = ["--gt", join(realdata, REAL, "gt.json"), "--fit", "letterbox-exact"];
  const [line] = linesOf(join(realdata, REAL), ...gt, "--head", "nanodet", "--anchor-scale", "5");
  const { num_pos, float64 } = readJson<{ num_pos: number; float64: { loss_qfl: number } }>(REAL, "loss/loss.json");
  assert.is(line.numPos, num_pos);
  near(line.parts.cls, float64.loss_qfl, "quality focal loss");
});

// ── Help and errors ─────────────────────────────────────────────────────────────

test("helps", () => {
  const help = prints("--help");
  for (const word of ["--gt FILE", "--head", "--fit", "--anchor-scale", "yolov8-decoded", "--json"]) {
    assert.match(help, word);
  }
  assert.match(
    spawnSync(process.execPath, [cli, "--help"], { encoding: "utf8" }).stdout,
    "score     scores raw outputs",
  );
});

test("wrong flags", () => {
  fails([], "no FILE given (densehead score --help tells more)");
  fails([scene[0]], "--gt is missing");
  fails([scene[0], scene[1], ...truth, "--image", "1"], "--image is for one FILE; 2 were given");
  fails(
    [scene[0], ...truth, "--normalizer", "mmdt"],
    `--normalizer is "mmdt"; wanted paper or mmdet; did you mean mmdet?`,
  );
  fails(
    [scene[0], ...truth, "--criterion", "yolov8"],
    `--criterion is "yolov8"; wanted gfl or vfnet or yolo; did you mean yolo?`,
  );
  fails([scene[0], ...truth, "--topk", "7"], "--topk is for --criterion yolo");
  fails([scene[0], ...truth, "--criterion", "gfl", "--times-batch"], "--times-batch is for --criterion yolo");
  const yolo = [scene[0], ...truth, "--criterion", "yolo"];
  fails([...yolo, "--normalizer", "paper"], "--normalizer is not for --criterion yolo");
  fails([...yolo, "--topk2", "0"], `--topk2 is "0"; wanted a whole number from 1\n`);
  fails([...yolo, "--beta", "-1"], `--beta is "-1"; wanted a number from 0\n`);
  fails(
    [...yolo, "--gains", "7.5,0.5"],
    `--gains is "7.5,0.5"; wanted weights of box, cls and dfl such as 7.5,0.5,1.5`,
  );
  fails([...yolo, "--gains", "1,x,2"], `--gains is "x"; wanted a number from 0`);
  fails(
    [scene[0], ...truth, "--criterion", "vfnet"],
    "head gfl has boxes as distribution; wanted one with logits and refined distances: vfnet",
  );
  fails([scene[0], ...truth, "--json"], "'--json <value>' argument missing");
  fails([scene[0], ...truth, "--svg", "x"], "Unknown option '--svg' (densehead score --help lists the options)");
  fails(
    [scene[0], ...truth, "--fit", "crop"],
    `--fit is "crop"; wanted letterbox or top-left or stretch or letterbox-exact`,
  );
  fails([scene[0], ...truth, "--anchor-scale", "0"], `--anchor-scale is "0"; wanted a number from 0.1 to 100`);
  fails([scene[0], ...truth, "--head", "retina"], `"retina" is no head`);
});

test("heads that cannot be scored", () => {
  const scored = PRESETS.filter((name) => {
    const { scores, objectness, boxes, refined } = heads[name]();
    return scores === "logits" && !objectness && (boxes === "distribution" || (boxes === "distances" && refined));
  });
  const wanted = `wanted one with logits and a distribution, or refined distances: ${scored.map(typed).join(", ")}\n`;
  const decoded = outputs("decoded", { all: { data: new Float32Array(8 * 84), dims: [1, 8, 84] } });
  fails(
    [decoded, ...truth, "--head", "yolov8-decoded"],
    `head yolov8-decoded has probabilities in place of logits; ${wanted}`,
  );
  const rows = outputs("logits", {
    cls_s16: { data: new Float32Array(100 * 4), dims: [100, 4] },
    dis_s16: { data: new Float32Array(100 * 32), dims: [100, 32] },
  });
  fails([rows, ...truth, "--head", "picodet"], "in place of logits; say --scores logits where they are; wanted one");
  const logits = [decoded, ...truth, "--head", "yolov8-decoded", "--scores", "logits"];
  fails(logits, `head yolov8-decoded has boxes as xywh; ${wanted}`);
  const objectness = outputs("objectness", { all: { data: new Float32Array(84 * 37), dims: [1, 84, 37] } });
  fails(
    [objectness, ...truth, "--head", "nanodet-plus", "--strides", "8,16,32", "--objectness", "multiply"],
    "head nanodet-plus has an objectness beside its classes",
  );
});

test("outputs and truth at odds", () => {
  const few = coco("few.json", { ...first({}), annotations: [], categories: [{ id: 1 }] });
  fails([scene[0], "--gt", few], "head gfl has 4 classes here; --gt has 1 categories");
  const other = outputs("scene2", tensorsOf(scene[1]));
  fails(
    [scene[0], other, ...truth, "--head", "gfl", "--offset", "0.5", "--strides", "8"],
    /scene1\.safetensors: (cls|reg)_s\d+ is of shape/,
  );
  fails([scene[0], at("absent.npy"), ...truth], "absent.npy: no such file or directory");
  const small = {
    cls_s8: { data: new Float32Array(64), dims: [1, 4, 4, 4] },
    reg_s8: { data: new Float32Array(512), dims: [1, 32, 4, 4] },
  };
  fails(
    [scene[0], outputs("small", small), ...truth, "--head", "gfl"],
    "strides 8, input 32×32; the first FILE is of head gfl",
  );
});

test("wrong annotations", () => {
  const wrong = (file: unknown, how: string) =>
    fails([scene[0], "--gt", coco("wrong.json", file)], `wrong.json: is no whole file of COCO annotations: ${how}`);
  const { images, annotations, categories } = first({});
  const [annotation] = annotations;
  const annotated = (change: object) => ({ images, categories, annotations: [{ ...annotation, ...change }] });
  fails([scene[0], "--gt", "absent.json"], "--gt absent.json: no such file or directory");
  fails([scene[0], "--gt", coco("wrong.json", "{")], "wrong.json: is no JSON");
  wrong([], "it has no list of images");
  wrong({ images, categories }, "it has no list of annotations");
  wrong({ images, categories: [{ id: "a" }], annotations }, `categories[0].id is "a"; wanted a number`);
  wrong({ images: [{ id: 1 }], categories, annotations }, "image 1 has no width and height in pixels");
  wrong({ images: [{ width: 1, height: 1 }], categories, annotations: [] }, "images[0] has no id");
  wrong(annotated({ image_id: 9 }), "annotations[0].image_id is 9, which is not in images");
  wrong(annotated({ category_id: 9 }), "annotations[0].category_id is 9, which is not in categories");
  wrong(annotated({ bbox: [1, 2, 3] }), "annotations[0].bbox is [1,2,3]; wanted x, y, width, height");
  wrong(annotated({ bbox: [1, 2, 3, -4] }), "annotations[0].bbox is [1,2,3,-4]; wanted x, y, width, height");
  wrong(annotated({ bbox: [1, 2, 3, null] }), "annotations[0].bbox is [1,2,3,null]; wanted x, y, width, height");
});

test.run();
