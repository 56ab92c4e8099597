/**
 * The command on heads that find more than boxes: tables, results, pictures, and evaluations of what it wrote.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rle } from "densehead/eval";
import { writeSafetensors } from "densehead/files";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { elements, parseXml } from "../xml.ts";
import { runIn } from "./in_process.ts";

const test = suite("densehead: masks, keypoints, turned boxes");
const folder = mkdtempSync(join(tmpdir(), "densehead-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

function prints(...args: string[]): string {
  const { status, stdout, stderr } = runIn(folder, ...args);
  assert.is(stderr, "");
  assert.is(status, 0);
  return stdout;
}

function fails(args: string[], line: string | RegExp): void {
  const { status, stderr } = runIn(folder, ...args);
  assert.is(status, 2, stderr);
  if (typeof line === "string") assert.ok(stderr.includes(line), stderr);
  else assert.match(stderr, line);
}

function write(name: string, value: unknown): string {
  writeFileSync(join(folder, name), JSON.stringify(value));
  return name;
}

/** Levels of 8, 16 and 32 in an input of 64 × 64. */
const ANCHORS = 64 + 16 + 4;
const ROW = 5;

/** A decoded export whose row 5 has these channels: centre x, y, width, height, a score … */
function decoded(name: string, channels: readonly number[], more: Parameters<typeof writeSafetensors>[0] = {}): string {
  const data = new Float32Array(channels.length * ANCHORS);
  channels.forEach((value, channel) => data[channel * ANCHORS + ROW] = value);
  const output0 = { data, dims: [1, channels.length, ANCHORS] };
  writeFileSync(join(folder, name), writeSafetensors({ output0, ...more }));
  return name;
}

/** COCO annotations of one image of 64 × 64. */
function truth(name: string, annotation: object, category: object = {}): string {
  return write(name, {
    images: [{ id: 7, file_name: "a.png", width: 64, height: 64 }],
    categories: [{ id: 3, name: "thing", ...category }],
    annotations: [{ id: 1, image_id: 7, category_id: 3, area: 600, iscrowd: 0, ...annotation }],
  });
}

const BOX = [32, 30, 30, 20];
const CORNER_BOX = [17, 20, 30, 20];

// ── Keypoints ───────────────────────────────────────────────────────────────────

const POINTS = Array.from({ length: 17 }, (_, k) => [20 + k, 22 + k, k === 9 ? 0.25 : 0.75]);
const pose = decoded("pose.safetensors", [...BOX, 0.875, ...POINTS.flat()]);
const POSE = ["--head", "yolov8-decoded", "--keypoints", "17x3", "--classes", "thing"];
const people = truth("people.json", {
  bbox: CORNER_BOX,
  keypoints: POINTS.flatMap(([x, y]) => [x, y, 2]),
  num_keypoints: 17,
});

test("keypoints are in the table, in the results and in the picture", () => {
  const lines = prints("detect", pose, ...POSE).split("\n");
  assert.match(lines[2], /class +score +x1 +y1 +x2 +y2 +points$/);
  assert.match(lines[3], /thing +0\.875 +17\.0 +20\.0 +47\.0 +40\.0 +16\/17$/);
  const [row] = JSON.parse(prints("detect", pose, ...POSE, "--json", "-"));
  assert.equal(row.keypoints, POINTS.flat());
  const svg = parseXml(prints("detect", pose, ...POSE, "--gt", people, "--svg", "-"));
  const dots = elements(svg, "circle").filter(({ attributes }) => attributes.opacity === "0.75");
  assert.is(dots.length, 16);
  const dashes = elements(svg, "path").filter(({ attributes }) => "stroke-dasharray" in attributes);
  assert.is(dashes[0].attributes.d.split("M").length - 1, 19, "the truth's skeleton");
});

test("lines between keypoints are those of the category's skeleton, counted from 1", () => {
  const four = decoded("four.safetensors", [...BOX, 0.875, ...POINTS.slice(0, 4).flat()]);
  const object = { bbox: CORNER_BOX, keypoints: POINTS.slice(0, 4).flatMap(([x, y]) => [x, y, 2]), num_keypoints: 4 };
  const draw = (skeleton: unknown) => {
    const gt = truth("four.json", object, { skeleton });
    return ["detect", four, ...POSE.with(3, "4x3"), "--gt", gt, "--svg", "-"];
  };
  const linesOf = (skeleton: unknown) => {
    const paths = elements(parseXml(prints(...draw(skeleton))), "path").map(({ attributes: { d } }) => d);
    return new Set(paths.filter((d) => /^(M[\d.]+ [\d.]+L[\d.]+ [\d.]+)+$/.test(d)));
  };
  assert.equal([...linesOf([[1, 2], [2, 4]])], ["M20 22L21 23M21 23L23 25"], "of detection and truth alike");
  for (const none of [undefined, null, [], [[1, 2], [4, 5]]]) assert.is(linesOf(none).size, 0, JSON.stringify(none));
  fails(draw([[0, 1]]), "skeleton of category thing in --gt is [[0,1]]; wanted pairs of keypoints, counted from 1");
  fails(draw("1-2"), 'skeleton of category thing in --gt is "1-2"; wanted pairs');
});

test("keypoints that are detected are evaluated, from results and from raw outputs", () => {
  prints("detect", pose, ...POSE, "--gt", people, "--json", "pose.json");
  for (const source of [["pose.json"], [pose, ...POSE]]) {
    const { stats } = JSON.parse(prints("eval", ...source, "--gt", people, "--kind", "keypoints", "--json", "-"));
    assert.ok(Math.abs(stats.AP - 1) < 1e-9, source[0]);
  }
  fails(
    ["eval", pose, ...POSE, "--gt", people, "--kind", "segm"],
    "pose.safetensors: --kind is segm; head yolov8-decoded has no masks here",
  );
});

test("points that are not finite are such as nobody marked", () => {
  const lost = POINTS.map((point, k) => k === 2 ? [NaN, 1, 1] : point);
  const file = decoded("lost.safetensors", [...BOX, 0.875, ...lost.flat()]);
  const [row] = JSON.parse(prints("detect", file, ...POSE, "--json", "-"));
  assert.equal(row.keypoints.slice(3, 12), [...POINTS[1], 0, 0, 0, ...POINTS[3]]);
});

// ── Masks ───────────────────────────────────────────────────────────────────────

/** Prototypes of 16 × 16 for the input of 64 × 64: over 0 in the left half, under 0 in the right half. */
const HALVES = Float32Array.from({ length: 256 }, (_, i) => i % 16 < 8 ? 4 : -4);
const segment = decoded("segment.safetensors", [...BOX, 0.875, 1], { proto: { data: HALVES, dims: [1, 1, 16, 16] } });
const SEGMENT = ["--head", "yolov8-decoded", "--mask-coefficients", "1", "--classes", "thing"];
/** The box is from 17 to 47 and from 20 to 40, and half of the input ends at 32. */
const HALF_BOX = { area: 300, bbox: [17, 20, 15, 20], segmentation: [[17, 20, 32, 20, 32, 40, 17, 40]] };
const halves = truth("halves.json", HALF_BOX);

test("masks are in the table, as run lengths in the results, and in the picture", () => {
  const lines = prints("detect", segment, ...SEGMENT).split("\n");
  assert.match(lines[2], /class +score +x1 +y1 +x2 +y2 +mask px$/);
  assert.match(lines[3], /thing +0\.875 +17\.0 +20\.0 +47\.0 +40\.0 +300$/);
  const [row] = JSON.parse(prints("detect", segment, ...SEGMENT, "--json", "-"));
  assert.equal(row.segmentation.size, [64, 64]);
  assert.is(rle.area(row.segmentation), 300);
  const svg = parseXml(prints("detect", segment, ...SEGMENT, "--gt", halves, "--svg", "-"));
  const masks = elements(svg, "path").filter(({ attributes }) => "fill-rule" in attributes);
  assert.is(masks[0].attributes.d, "M17 20h15v20h-15z");
  assert.is(masks[1].attributes.d, "M17 20L32 20L32 40L17 40z", "the truth");
});

test("masks that are detected are evaluated, from results and from raw outputs", () => {
  prints("detect", segment, ...SEGMENT, "--gt", halves, "--json", "segment.json");
  for (const source of [["segment.json"], [segment, ...SEGMENT]]) {
    const { stats } = JSON.parse(prints("eval", ...source, "--gt", halves, "--kind", "segm", "--json", "-"));
    assert.ok(Math.abs(stats.AP - 1) < 1e-9, source[0]);
  }
});

test("masks are left alone by a word, and wanted with prototypes otherwise", () => {
  const [row] = JSON.parse(prints("detect", segment, ...SEGMENT, "--no-masks", "--json", "-"));
  assert.is(row.segmentation, undefined);
  const alone = decoded("alone.safetensors", [...BOX, 0.875, 1]);
  fails(["detect", alone, ...SEGMENT], "prototypes");
  assert.match(prints("detect", alone, ...SEGMENT, "--no-masks"), "1 object");
});

// ── Turned boxes ────────────────────────────────────────────────────────────────

const turned = decoded("turned.safetensors", [...BOX, 0.875, 0.5]);
const TURNED = ["--head", "yolov8-decoded", "--angle", "radians", "--classes", "thing"];
const tilted = truth("tilted.json", { bbox: [...BOX, 0.5 + Math.PI] });

test("turned boxes are in the results, by either overlap, and evaluated from results and from raw outputs", () => {
  for (const more of [[], ["--rotated-overlap", "probiou", "--suppression", "fast"]]) {
    const [row] = JSON.parse(prints("detect", turned, ...TURNED, ...more, "--json", "-"));
    assert.equal(row.rotated, [...BOX, 0.5]);
    assert.ok(Math.abs(row.bbox[2] - (30 * Math.cos(0.5) + 20 * Math.sin(0.5))) < 1e-4, "the box around");
  }
  prints("detect", turned, ...TURNED, "--gt", tilted, "--json", "tilted_results.json");
  for (const source of [["tilted_results.json"], [turned, ...TURNED]]) {
    const { stats } = JSON.parse(prints("eval", ...source, "--gt", tilted, "--kind", "rotated", "--json", "-"));
    assert.ok(Math.abs(stats.AP - 1) < 1e-9, source[0]);
  }
  fails(
    ["detect", turned, ...TURNED, "--rotated-overlap", "iou"],
    /--rotated-overlap is "iou"; wanted polygon or probiou/,
  );
  fails(["detect", pose, ...POSE, "--rotated-overlap", "probiou"], "rotatedOverlap");
});

test("turned boxes are in the table and in the picture", () => {
  const lines = prints("detect", turned, ...TURNED).split("\n");
  assert.match(lines[2], /class +score +x +y +width +height +angle$/);
  assert.match(lines[3], /thing +0\.875 +32\.0 +30\.0 +30\.0 +20\.0 +28\.6°$/);
  const svg = parseXml(prints("detect", turned, ...TURNED, "--gt", tilted, "--svg", "-"));
  const [, found, , dashes] = elements(svg, "polygon").map(({ attributes }) => attributes);
  // The truth's angle is half a turn more: the same box from the opposite corner.
  const corners = (points: string) => points.split(" ").sort();
  assert.equal(corners(dashes.points), corners(found.points));
  assert.ok("stroke-dasharray" in dashes);
});

test("help and errors say how keypoints are written", () => {
  assert.match(prints("detect", "--help"), /--keypoints KxD\[:CODING\] .*\n.*: 17x3, 17x3:yolov8/);
  fails(
    ["detect", pose, "--keypoints", "17"],
    '--keypoints is "17"; wanted count x values, such as 17x3 or 17x3:yolov8',
  );
  fails(["detect", pose, "--keypoints", "17x4"], '--keypoints is "17x4"');
  fails(
    ["detect", pose, "--keypoints", "17x3:coco"],
    /--keypoints is "17x3:coco"|--keypoints is "coco"; wanted pixel or/,
  );
});

test.run();
