/**
 * `densehead eval`: its tables, JSON and picture, results of every kind and raw outputs, and what is wrong in files.
 */
import { cocoEvaluate, type CocoOptions, type EvalResult } from "densehead/eval";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import fixture from "../fixtures/eval.json" with { type: "json" };
import { cli, runIn } from "./in_process.ts";

const test = suite("densehead eval");
const root = process.env.DENSEHEAD_ROOT ?? process.cwd();
const shapes = (name: string) => join(root, "examples/shapes", name);
const folder = mkdtempSync(join(tmpdir(), "densehead-eval-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, value: unknown): string {
  writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
  return name;
}

/** What a run that succeeds prints. */
function prints(...args: string[]): string {
  const { status, stdout, stderr } = runIn(folder, "eval", ...args);
  assert.is(stderr, "");
  assert.is(status, 0);
  return stdout;
}

/** A run that fails has one line, nothing on stdout, and exit code 2. */
function fails(args: string[], line: string): void {
  const { status, stdout, stderr } = runIn(folder, "eval", ...args);
  assert.is(status, 2, stderr);
  assert.is(stdout, "");
  assert.match(stderr, /^densehead: eval: [^\n]+\n$/);
  assert.ok(stderr.includes(line), `"${stderr}" should have ${line}`);
}

interface Case {
  readonly dataset: Parameters<typeof cocoEvaluate>[0];
  readonly results: EvalResult[];
  readonly options: CocoOptions;
}

const CASES = fixture.cases as unknown as Case[];
const [{ dataset, results }] = CASES;
const gt = write("gt.json", dataset);
const found = write("found.json", results);

// ── What it writes ──────────────────────────────────────────────────────────────

test("pycocotools' table, what it does not have, and a row for each class", () => {
  const { stats, lrp, classes } = cocoEvaluate(dataset, results);
  const lines = prints(found, "--gt", gt).split("\n");
  assert.is(lines[0], "bbox: 20 results in 5 of 6 images, 13 annotations, 3 classes");
  assert.is(
    lines[1],
    ` Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = ${stats.AP.toFixed(3)}`,
  );
  assert.is(
    lines[3],
    ` Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = ${stats.AP75.toFixed(3)}`,
  );
  assert.is(
    lines[5],
    ` Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = ${stats.APmedium.toFixed(3)}`,
  );
  assert.is(
    lines[7],
    ` Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = ${stats.AR1.toFixed(3)}`,
  );
  assert.is(
    lines[12],
    ` Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = ${stats.ARlarge.toFixed(3)}`,
  );
  assert.ok(lines.some((line) => line.startsWith(" optimal LRP ") && line.endsWith(` ${lrp.oLRP.toFixed(3)}`)));
  const rows = lines.slice(lines.findIndex((line) => /^ class +objects +AP +AP50 +AR +oLRP +at score$/.test(line)) + 1);
  classes.forEach(({ name, objects, AP }, i) => {
    assert.match(rows[i], new RegExp(`^ ${name} +${objects} +${AP === -1 ? "–" : AP.toFixed(3)} `));
  });
});

test("the numbers as JSON, to a file and to stdout, of each kind and other maxDets", () => {
  for (const each of CASES.filter(({ options }) => !options.iouThresholds && !options.classAgnostic)) {
    const { kind = "bbox", maxDets } = each.options;
    const files = [write("kind.json", each.results), "--gt", write("kind_gt.json", each.dataset), "--kind", kind];
    const flags = maxDets === undefined ? [] : ["--max-dets", maxDets.join(",")];
    const { stats, lrp, calibration, classes } = cocoEvaluate(each.dataset, each.results, each.options);
    const line = JSON.parse(prints(...files, ...flags, "--json", "-"));
    assert.equal(line.stats, stats);
    assert.equal(line.lrp, lrp);
    assert.equal(line.classes, JSON.parse(JSON.stringify(classes)));
    assert.equal(line.calibration, JSON.parse(JSON.stringify(calibration)));
    assert.ok(prints(...files, ...flags, "--json", "out.json").includes("Average Precision"));
    assert.equal(JSON.parse(readFileSync(join(folder, "out.json"), "utf8")), line);
  }
});

test("tables of keypoints have their 20, and of other maxDets these", () => {
  const { dataset, results } = CASES.find(({ options }) => options.kind === "keypoints") as Case;
  const files = [write("points.json", results), "--gt", write("points_gt.json", dataset), "--kind", "keypoints"];
  assert.match(prints(...files), /\(AR\) @\[ IoU=0\.50 +\| area= {3}all \| maxDets= 20 \]/);
  assert.match(prints(...files, "--max-dets", "7"), /\(AR\) @\[ IoU=0\.50 +\| area= {3}all \| maxDets= {2}7 \]/);
});

test("constants of keypoints: one for each, or one for all; as many as there are keypoints", () => {
  const four = (rows: readonly object[]) => rows.map((row) => ({ ...row, keypoints: fourOf(row), num_keypoints: 4 }));
  const fourOf = ({ keypoints }: { keypoints?: readonly number[] }) => keypoints?.slice(0, 12);
  const { dataset, results } = CASES.find(({ options }) => options.kind === "keypoints") as Case;
  const short = { ...dataset, annotations: four(dataset.annotations) } as Case["dataset"];
  const rows = four(results) as EvalResult[];
  const files = [write("four.json", rows), "--gt", write("four_gt.json", short), "--kind", "keypoints"];
  for (
    const [flag, sigmas] of [["0.05", [0.05, 0.05, 0.05, 0.05]], ["0.05,0.1,0.2,0.4", [0.05, 0.1, 0.2, 0.4]]] as const
  ) {
    const { stats } = cocoEvaluate(short, rows, { kind: "keypoints", sigmas });
    assert.equal(JSON.parse(prints(...files, "--sigmas", flag, "--json", "-")).stats, stats);
  }
  const have = "--sigmas: objects of --gt have 4 keypoints";
  fails(files, `${have}, and COCO's are of 17; wanted one for all, or 4`);
  fails([...files, "--sigmas", "0.1,0.2,0.3"], `${have}, and 3 are given; wanted one for all, or 4`);
  fails([...files, "--sigmas", "0.1,0"], '--sigmas is "0.1,0"; wanted positive numbers such as 0.05 or 0.05,0.08');
  fails([found, "--gt", gt, "--sigmas", "0.1"], "--sigmas is about keypoints; --kind is bbox");
});

test("a picture of the curves", () => {
  assert.ok(prints(found, "--gt", gt, "--svg", "curves.svg").includes("Average Precision"));
  const svg = readFileSync(join(folder, "curves.svg"), "utf8");
  assert.is(prints(found, "--gt", gt, "--svg", "-"), svg);
  const { precision, counts: [, R, K, A, M], calibration: { bins } } = cocoEvaluate(dataset, results);
  // The 21st point of the curve at 0.5: mean over the classes that have objects.
  const all = Array.from({ length: K }, (_, k) => precision[(20 * K + k) * A * M + M - 1]).filter((value) =>
    value > -1
  );
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const [, points] = /<path d="M([\d. L]+)" fill="none" stroke="#5ab4f0"/.exec(svg) ?? [];
  assert.is(points.split("L").length, R);
  assert.is(points.split("L")[20], `72 ${Number(((1 - mean) * 360).toFixed(2))}`);
  assert.ok(mean > 0 && mean < 1, `${mean}`);
  for (const { detections } of bins) assert.ok(detections === 0 || svg.includes(`<title>${detections} detections, `));
  assert.not.ok(/NaN|undefined|Infinity/.test(svg));
  const empty = prints(
    write("none.json", []),
    "--gt",
    write("no_gt.json", { ...dataset, annotations: [] }),
    "--svg",
    "-",
  );
  assert.not.ok(/NaN|undefined|Infinity/.test(empty));
  assert.ok(empty.includes("no objects"));
});

// ── What it reads ───────────────────────────────────────────────────────────────

test("several files are one set of results, and standard input is one", () => {
  const halves = [write("a.json", results.slice(0, 8)), write("b.json", results.slice(8))];
  const whole = prints(found, "--gt", gt, "--json", "-");
  assert.is(prints(...halves, "--gt", gt, "--json", "-"), whole);
  const input = JSON.stringify(results);
  const args = [cli, "eval", "-", "--gt", gt, "--json", "-"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { input, encoding: "utf8", cwd: folder });
  assert.is(stdout, whole, stderr);
});

test("raw outputs are detected first, as densehead detect does", () => {
  const scenes = [1, 2, 3].map((n) => shapes(`scene${n}.safetensors`));
  const truth = ["--gt", shapes("scenes.coco.json")];
  const args = [...scenes, ...truth, "--score", "0.05", "--json"];
  assert.is(runIn(folder, "detect", ...args, "detected.json").status, 0);
  const direct = prints(...args, "-");
  assert.is(prints("detected.json", ...truth, "--json", "-"), direct);
  const { stats } = JSON.parse(direct);
  assert.ok(stats.AP > 0.8 && stats.AP < 1, `AP ${stats.AP}`);
});

// ── What is wrong ───────────────────────────────────────────────────────────────

test("rows that are wrong are named with their file, index and field", () => {
  const wrong = (change: object) => write("wrong.json", [results[0], { ...results[1], ...change }]);
  const rowFails = (change: object, line: string) => {
    fails([wrong(change), "--gt", gt], `wrong.json: results[1].${line}`);
    fails([found, wrong(change), "--gt", gt], `wrong.json: results[1].${line}`);
  };
  rowFails({ image_id: 999 }, "image_id is number 999");
  rowFails({ category_id: 999 }, "category_id is number 999");
  rowFails({ score: null }, "score is null");
  rowFails({ bbox: [1, 2, 0, 4] }, "bbox is [1, 2, 0, 4]");
  const annotations = [...dataset.annotations, { ...dataset.annotations[0], id: 99, bbox: [1, 2] }];
  const at = `annotations[${dataset.annotations.length}]`;
  fails(
    [found, "--gt", write("wrong_gt.json", { ...dataset, annotations })],
    `--gt wrong_gt.json: ${at}.bbox is an array of 2`,
  );
  const twice = { ...dataset, images: [...dataset.images, dataset.images[0]] };
  fails([found, "--gt", write("twice.json", twice)], "--gt twice.json: images[6].id is number");
  fails([found, "--gt", gt, "--kind", "segm"], ".segmentation is undefined; wanted { size, counts }");
});

test("files that are none, and flags", () => {
  fails([], "no FILE given");
  fails([found], "--gt is missing");
  fails([found, "--gt", "nowhere.json"], "--gt nowhere.json: no such file");
  fails(["nowhere.json", "--gt", gt], "nowhere.json: no such file");
  fails([write("text.json", "no json"), "--gt", gt], "text.json: is no JSON");
  fails([write("object.json", {}), "--gt", gt], "object.json: is no list of COCO results");
  fails([write("null.json", "null"), "--gt", gt], "null.json: is no list of COCO results");
  fails([found, "--gt", found], "has no list of images");
  fails([found, "--gt", gt, "--kind", "box"], "--kind is");
  fails([found, "--gt", gt, "--max-dets", "1,x"], "--max-dets is");
  fails([found, "--gt", gt, "--head", "gfl"], "--head is about raw outputs");
  fails([found, "--gt", gt, "--iou", "0.7"], "--iou is about raw outputs");
  fails([found, "--gt", gt, "--json", "-", "--svg", "-"], "both");
  fails([shapes("scene1.safetensors"), "--gt", shapes("scenes.coco.json"), "--kind", "segm"], "--kind is segm");
  fails([shapes("scene1.safetensors"), "--gt", gt], "scene1.safetensors: ");
});

test.run();
