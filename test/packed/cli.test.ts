import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { readSafetensors } from "densehead/files";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PRESETS, typed } from "../presets.ts";
import { skip } from "../suite/skip.ts";
import { cli, runHere, runIn } from "./in_process.ts";

const test = suite("densehead detect");
const root = process.env.DENSEHEAD_ROOT ?? process.cwd();
const shapes = (name: string) => join(root, "examples/shapes", name);
const scene = shapes("scene1.safetensors");
const folder = mkdtempSync(join(tmpdir(), "densehead-"));
const at = (...name: string[]) => join(folder, ...name);
test.after(() => rmSync(folder, { recursive: true, force: true }));

// ── Running ─────────────────────────────────────────────────────────────────────

function densehead(...args: string[]) {
  return runIn(folder, ...args);
}

/** A process of its own, with that on standard input. */
function run(args: string[], input?: Uint8Array) {
  return spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", cwd: folder, input, timeout: 60_000 });
}

/** What a run that succeeds prints. */
function prints(...args: string[]): string {
  const { status, stdout, stderr } = densehead(...args);
  assert.is(stderr, "");
  assert.is(status, 0);
  return stdout;
}

/** A run that fails has one line, which begins with the command, and exit code 2. */
function fails(args: string[], line: string | RegExp): void {
  const { status, stderr } = densehead(...args);
  assert.is(status, 2, stderr);
  assert.match(stderr, /^densehead: [^\n]+\n$/);
  assert.match(stderr, line);
}

interface Row {
  image_id: string | number;
  category_id: number;
  bbox: number[];
  score: number;
}

function rowsOf(...args: string[]): Row[] {
  return JSON.parse(prints("detect", ...args, "--json", "-"));
}

// ── Files ───────────────────────────────────────────────────────────────────────

type Values = Float32Array | Float64Array | Uint16Array | Uint8Array | Int32Array;

/** A .npy file as NumPy writes it. */
function npy(name: string, descr: string, dims: number[], values: Values, fortran = "False"): string {
  const shape = dims.map((n) => `${n},`).join(" ");
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape}), }`;
  const header = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
  const prefix = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length % 256, header.length >> 8]);
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  writeFileSync(at(name), Buffer.concat([prefix, Buffer.from(header, "latin1"), bytes]));
  return at(name);
}

interface Part {
  dtype: string;
  dims: number[];
  values: Values;
}

function safetensors(name: string, parts: Record<string, Part>, metadata?: Record<string, unknown>): string {
  let end = 0;
  const entries = Object.entries(parts).map(([key, { dtype, dims, values }]) => {
    const start = end;
    end += values.byteLength;
    return [key, { dtype, shape: dims, data_offsets: [start, end] }];
  });
  const header = { ...(metadata === undefined ? {} : { __metadata__: metadata }), ...Object.fromEntries(entries) };
  const bytes = Object.values(parts).map(({ values }) =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  );
  return container(name, JSON.stringify(header), Buffer.concat(bytes));
}

function container(name: string, header: string, values: Uint8Array = new Uint8Array()): string {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  writeFileSync(at(name), Buffer.concat([length, Buffer.from(header), values]));
  return at(name);
}

/** The tensors of the first scene. */
function sceneParts(): Record<string, Part> {
  const { tensors } = readSafetensors(readFileSync(scene));
  return Object.fromEntries(
    [...tensors].map((
      [name, { data, dims }],
    ) => [name, { dtype: "F32", dims: [...dims], values: data as Float32Array }]),
  );
}

function half(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
  const exponent = ((bits >> 23) & 255) - 112;
  // Enough for the logits of the scene: none is large, and those next to 0 may be 0.
  return (bits >>> 16 & 0x8000) | (exponent <= 0 ? 0 : exponent << 10 | bits >> 13 & 0x3ff);
}

/** YOLOv8 with its decode in the graph: (B, 4 + C, A); one object in each image. */
function decoded(images: number, classes: number, anchors: number): Float32Array {
  const values = new Float32Array(images * (4 + classes) * anchors);
  for (let image = 0; image < images; image++) {
    const base = image * (4 + classes) * anchors;
    [30, 20, 10, 8].forEach((side, channel) => values[base + channel * anchors + 5] = side);
    values[base + (4 + image) * anchors + 5] = 0.875;
  }
  return values;
}

// ── What it prints ──────────────────────────────────────────────────────────────

test("prints a table of a scene", () => {
  const lines = prints("detect", scene, "--head", "gfl").split("\n");
  assert.is(lines[0], "scene1: 7 objects");
  assert.match(lines[1], "head gfl (as asked), 4 classes, 8 bins, strides 8 16, input 160×160");
  assert.match(lines[2], /^ {2}class +score +x1 +y1 +x2 +y2 +± px$/);
  assert.match(lines[3], /^ {2}square +0\.940 +52\.0 +34\.8 +107\.1 +88\.3 +1\.6$/);
  assert.is(new Set(lines.slice(2, 10).map((line) => line.length)).size, 1, "the columns are aligned");
});

test("a process of its own prints the same, and ends", () => {
  for (const args of [["detect", scene], ["detect", scene, "--head", "yolov9"], ["detect"], ["find"], []]) {
    const { status, stdout, stderr } = run(args);
    assert.equal({ status, stdout, stderr }, densehead(...args), args.join(" "));
  }
});

test("takes the head, the size and the classes from the file", () => {
  const named = prints("detect", scene);
  assert.match(named, "head gfl (named in the file)");
  assert.match(named, "square");
  const given = ["--head", "GFL", "--image-size", "160,160", "--classes", "circle,square,triangle,star"];
  const bare = safetensors("scene1.safetensors", sceneParts());
  assert.is(prints("detect", bare, ...given).replace("as asked", "named in the file"), named);
});

test("finds size, classes and bins in the shapes, and prints indices for want of names", () => {
  const lines = prints("detect", safetensors("bare.safetensors", sceneParts()), "--head", "gfl").split("\n");
  assert.match(lines[1], "4 classes, 8 bins, strides 8 16, input 160×160");
  assert.match(lines[3], /^ {2}1 +0\.940 /);
});

test("reads names of classes from a file, and one name that is none", () => {
  writeFileSync(at("names.txt"), "ring\nbox\r\n\nwedge\nspark\n");
  assert.match(prints("detect", scene, "--classes", at("names.txt")), /box +0\.940/);
  const single = npy("single.npy", "<f4", [1, 5, 84], decoded(1, 1, 84));
  assert.match(prints("detect", single, "--head", "yolov8-decoded", "--classes", "person"), /person +0\.875/);
});

test("--head auto says what the shapes allow", () => {
  const file = npy("auto.npy", "<f4", [1, 144, 84], new Float32Array(144 * 84).fill(-9));
  const text = prints("detect", file, "--num-classes", "80");
  assert.match(
    text,
    "auto: 0 objects\n  head yolov8 (inferred from the shapes), 80 classes, 16 bins, strides 8 16 32, input 64×64",
  );
});

test("--head auto lists what fits where more than one does, in flags", () => {
  const level = (n: number, channels: number, value: (i: number) => number) => {
    return {
      dtype: "F32",
      dims: [n, channels],
      values: Float32Array.from({ length: n * channels }, (_, i) => value(i)),
    };
  };
  // Logits of four levels: PicoDet's and NanoDet-Plus' before their sigmoid, which are half a cell apart.
  const parts = Object.fromEntries([[8, 64], [16, 16], [32, 4], [64, 1]].flatMap(([stride, n]) => [
    [`cls_s${stride}`, level(n, 80, (i) => i % 7 - 9)],
    [`dis_s${stride}`, level(n, 32, (i) => i % 3)],
  ]));
  const open = safetensors("levels.safetensors", parts);
  fails(["detect", open], /levels\.safetensors: .* fit .*nanodet-plus with 80 classes \(--channel-order separate\)/);
  fails(["detect", open], /picodet with 80 classes \(--scores logits\).*; name the head with --head, or narrow/);
  assert.match(prints("detect", open, "--head", "picodet", "--scores", "logits"), "head picodet (as asked)");
  // What nothing reads is named, and what it may be read with.
  const objectness = { ...parts, obj_s8: level(64, 1, () => 1), obj_s16: level(16, 1, () => 1) };
  fails(
    ["detect", safetensors("objects.safetensors", objectness)],
    /they would without obj_s8, obj_s16, which nothing uses.*; name the head with --head, with --objectness multiply or/,
  );
  const single = npy("rows.npy", "<f4", [1, 189, 84], new Float32Array(189 * 84).fill(0.25));
  fails(["detect", single], "ppyoloe with 80 classes (--bins 0 --boxes xyxy --layout rows --channel-order box-first");
});

test("a score of its own keeps fewer, --max too", () => {
  assert.is(rowsOf(scene).length, 7);
  assert.is(rowsOf(scene, "--score", "0.6").length, 4);
  assert.is(rowsOf(scene, "--max", "2").length, 2);
  assert.ok(rowsOf(scene, "--iou", "1", "--multi-label").length > 7);
  assert.ok(rowsOf(scene, "--class-agnostic").length < 7);
});

test("thresholds of single classes, classes that compete, and what drops boxes", async () => {
  const classesOf = async (...args: string[]) => {
    const { status, stdout, stderr } = await runHere("detect", scene, "--json", "-", ...args);
    assert.is(status, 0, stderr);
    return (JSON.parse(stdout) as Row[]).map((row) => row.category_id);
  };
  const all = await classesOf();
  assert.equal(all.length, 7);
  for (const score of ["0.25,square=1", "1=1", "0.25,1,0.25,0.25"]) {
    assert.equal(
      [...new Set(await classesOf("--score", score))].sort(),
      [...new Set(all)].filter((label) => label !== 1).sort(),
      score,
    );
  }
  assert.equal(await classesOf("--score", "1,square=0.25"), all.filter((each) => each === 1));
  assert.equal([...new Set(await classesOf("--only", "star,1"))].sort(), [1, 3]);
  const [greedy, fast, none] = [
    await classesOf("--iou", "0.1"),
    await classesOf("--iou", "0.1", "--suppression", "fast"),
    await classesOf("--suppression", "none"),
  ].map(({ length }) => length);
  assert.ok(fast <= greedy && greedy <= 7 && none > 7, `${fast}, ${greedy}, ${none}`);
  const wrong = async (line: string, ...args: string[]) => {
    const { status, stderr } = await runHere("detect", scene, ...args);
    assert.is(status, 2);
    assert.match(stderr, line);
  };
  await wrong("--score: no class is called sqare; wanted a name of --classes, or an index", "--score", "0.2,sqare=1");
  await wrong("from 0 to 3; did you mean square?", "--only", "sqare");
  await wrong("--only: no class is called 4;", "--only", "4");
  await wrong("--score has 2 scores without a class; wanted one for all, or one for each of 4", "--score", "0.2,0.3");
  await wrong('--score is "x"; wanted a number from 0 to 1', "--score", "0.3,square=x");
  await wrong('--suppression is "soft"; wanted greedy or fast or none', "--suppression", "soft");
});

test("several files, each with its table, all in one JSON", () => {
  const scenes = [1, 2, 3].map((i) => shapes(`scene${i}.safetensors`));
  const text = prints("detect", ...scenes, "--json", at("all.json"));
  assert.equal(text.match(/^scene\d: \d+ objects$/gm), ["scene1: 7 objects", "scene2: 5 objects", "scene3: 6 objects"]);
  const rows: Row[] = JSON.parse(readFileSync(at("all.json"), "utf8"));
  assert.equal([...new Set(rows.map((row) => row.image_id))], ["scene1", "scene2", "scene3"]);
  assert.is(rows.length, 18);
});

test("rows are COCO results", () => {
  const [row] = rowsOf(scene);
  assert.equal(Object.keys(row), ["image_id", "category_id", "bbox", "score"]);
  assert.is(row.image_id, "scene1");
  assert.is(row.category_id, 1);
  assert.equal(row.bbox.map((side) => Number(side.toFixed(1))), [52, 34.8, 55.1, 53.5]);
  assert.ok(Math.abs(row.score - 0.94) < 0.001);
});

test("no objects are no rows", () => {
  assert.equal(rowsOf(scene, "--score", "1"), []);
});

// ── What it reads ───────────────────────────────────────────────────────────────

test("a batch in one .npy file", () => {
  const file = npy("batch.npy", "<f4", [2, 6, 84], decoded(2, 2, 84));
  assert.equal(rowsOf(file, "--head", "yolov8Decoded"), [
    { image_id: "batch:0", category_id: 0, bbox: [25, 16, 10, 8], score: 0.875 },
    { image_id: "batch:1", category_id: 1, bbox: [25, 16, 10, 8], score: 0.875 },
  ]);
});

test("options tell every single tensor of the table in docs/heads.md", () => {
  // (anchors, channels) at 64 × 64, of two classes; the second has 0.875 at anchor 5, around (44, 4).
  const rows = (anchors: number, channels: number, values: Record<number, number>) => {
    const data = new Float32Array(anchors * channels);
    for (const [channel, value] of Object.entries(values)) data[5 * channels + Number(channel)] = value;
    return npy("rows.npy", "<f4", [1, anchors, channels], data);
  };
  const box = (...args: string[]) => {
    const [{ category_id, bbox, score }, ...others] = rowsOf(...args);
    assert.equal([category_id, score, others.length], [1, 0.875, 0], args.join(" "));
    return bbox.map(Math.round);
  };
  const flat = 8 * 3.5; // Distributions without a preference have the mean of 0 … 7 bins.
  const probabilities = ["--scores", "probabilities"];
  const nanodet = ["--head", "nanodet", "--channel-order", "class-first", ...probabilities];
  assert.equal(box(rows(84, 34, { 1: 0.875 }), ...nanodet), [44 - flat, 4 - flat, 2 * flat, 2 * flat]);
  const plus = ["--head", "nanodet-plus", ...probabilities];
  assert.equal(box(rows(85, 34, { 1: 0.875 }), ...plus), [40 - flat, -flat, 2 * flat, 2 * flat]);
  const ppyoloe = ["--head", "ppyoloe", "--bins", "0", "--boxes", "xyxy", "--layout", "rows"];
  const corners = { 0: 30, 1: 2, 2: 50, 3: 12, 5: 0.875 };
  assert.equal(box(rows(84, 6, corners), ...ppyoloe, "--channel-order", "box-first"), [30, 2, 20, 10]);
  // Boxes that are no distribution have no bins, also where nobody says so.
  const { length } = ppyoloe;
  const short = [...ppyoloe.slice(0, 2), ...ppyoloe.slice(4, length), "--channel-order", "box-first"];
  assert.equal(box(rows(84, 6, corners), ...short), [30, 2, 20, 10]);
  fails(
    ["detect", at("rows.npy"), "--head", "ppyoloe", "--bins", "0"],
    "--bins is 0; wanted 2 to 64 for a distribution, or --bins 0 with --boxes distances, in strides where --box-unit says",
  );
  assert.equal(box(rows(84, 7, { 0: 40, 1: 7, 2: 20, 3: 10, 4: 1, 6: 0.875 }), "--head", "yolov6"), [30, 2, 20, 10]);
});

test("a folder of .npy files, with others beside them", () => {
  mkdirSync(at("outputs"));
  for (const [name, { dims, values }] of Object.entries(sceneParts())) {
    npy(`outputs/${name.replace("cls", "cls_logits").replace("reg", "dist_logits")}.npy`, "<f4", dims, values);
  }
  npy("outputs/peer_boxes.npy", "<i4", [1], new Int32Array(1));
  writeFileSync(at("outputs/notes.txt"), "not a tensor");
  const rows = rowsOf(at("outputs"), "--head", "gfl");
  assert.equal(rows, rowsOf(scene).map((row) => ({ ...row, image_id: "outputs" })));
});

test("tensors without telling names, by order", () => {
  const { cls_s8, cls_s16, reg_s8, reg_s16 } = sceneParts();
  const file = safetensors("order.safetensors", { a: cls_s8, b: cls_s16, c: reg_s8, d: reg_s16 });
  const rows = rowsOf(file, "--head", "gfl");
  assert.equal(rows, rowsOf(scene).map((row) => ({ ...row, image_id: "order" })));
});

test("float64 gives the same, float16 nearly", () => {
  const wide = Object.entries(sceneParts()).map(([name, { dims, values }]) => {
    return [name, { dtype: "F64", dims, values: Float64Array.from(values) }];
  });
  const expected = rowsOf(scene);
  // A longer header shifts the values off their alignment, which must not matter.
  for (const note of ["", "x", "xx", "xxx"]) {
    const file = safetensors("scene1.safetensors", Object.fromEntries(wide), { note });
    assert.equal(rowsOf(file, "--head", "gfl"), expected);
  }
  const halves = Object.entries(sceneParts()).map(([name, { dims, values }]) => {
    return [name, { dtype: "F16", dims, values: Uint16Array.from(values, half) }] as const;
  });
  mkdirSync(at("halves"));
  for (const [name, { dims, values }] of halves) npy(`halves/${name}.npy`, "<f2", dims, values);
  const rows = rowsOf(safetensors("halves.safetensors", Object.fromEntries(halves)), "--head", "gfl");
  assert.equal(rows, rowsOf(at("halves"), "--head", "gfl"));
  assert.is(rows.length, expected.length);
  rows.forEach((row, i) => {
    assert.is(row.category_id, expected[i].category_id);
    row.bbox.forEach((side, s) => assert.ok(Math.abs(side - expected[i].bbox[s]) < 0.2));
  });
});

test("boxes that are not finite are in the table alone, with a warning", () => {
  const values = decoded(1, 2, 84);
  values[5] = NaN;
  const { status, stdout, stderr } = densehead(
    ...["detect", npy("nan.npy", "<f4", [1, 6, 84], values), "--head", "yolov8-decoded"],
    ...["--json", at("nan.json"), "--svg", at("nan.svg")],
  );
  assert.is(status, 0);
  assert.match(stdout, "NaN");
  assert.match(
    stderr,
    /^densehead: detect: [^\n]*nan\.npy: 1 of the boxes are not finite, and not in --json and --svg\n$/,
  );
  assert.equal(JSON.parse(readFileSync(at("nan.json"), "utf8")), []);
  assert.not.match(readFileSync(at("nan.svg"), "utf8"), "NaN");
});

// ── The picture ─────────────────────────────────────────────────────────────────

test("draws boxes, ticks, labels and a legend over the image", () => {
  prints("detect", scene, "--svg", at("scene.svg"), "--image", shapes("scene1.png"));
  const svg = readFileSync(at("scene.svg"), "utf8");
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 160 165" width="640" height="660">/);
  const png = readFileSync(shapes("scene1.png")).toString("base64");
  assert.match(svg, `href="data:image/png;base64,${png}"`);
  assert.match(svg, />square 0\.94<\/text>/);
  assert.match(svg, "<title>square 0.94, ± 1.4, 2.2, 1.2, 1.7 px (l, t, r, b)</title>");
  const paths = [...svg.matchAll(/<path d="([^"]*)" stroke="#000"/g)].map(([, path]) => path);
  assert.is(paths.length, 8, "ticks of seven boxes, and the legend's");
  assert.ok(paths.slice(0, 7).every((path) => path.split("M").length === 1 + 4 * 2), "four ticks with a bar each");
  assert.is(new Set(svg.match(/rx="[^"]*" fill="[^"]*"/g)).size, 3, "a colour per class");
  assert.match(svg, ">± how far a side spreads beyond interpolation</text>");
  assert.match(svg, "image-rendering:pixelated", "few pixels stay pixels");
  prints("detect", scene, "--svg", at("ticks.svg"), "--image", shapes("scene1.png"), "--bands", "ticks");
  assert.is(readFileSync(at("ticks.svg"), "utf8"), svg, "the former name of excess");
  prints("detect", scene, "--svg", at("std.svg"), "--bands", "std");
  assert.match(readFileSync(at("std.svg"), "utf8"), ">± standard deviation of a side</text>");
  prints("detect", scene, "--svg", at("scene.svg"), "--bands", "none");
  const plain = readFileSync(at("scene.svg"), "utf8");
  assert.not.match(plain, "<path");
  assert.not.match(plain, "standard deviation");
  assert.match(plain, `viewBox="0 0 160 160"`);
});

test("draws the truth dashed", () => {
  const count = (...args: string[]) => {
    prints("detect", scene, "--svg", at("truth.svg"), ...args);
    return readFileSync(at("truth.svg"), "utf8").match(/stroke-dasharray/g)?.length ?? 0;
  };
  assert.is(count(), 0);
  assert.is(count("--gt", shapes("scenes.coco.json")), 5 + 1, "five objects, and the legend's");
});

test("a picture on standard output is in place of the table", () => {
  assert.match(prints("detect", scene, "--svg", "-"), /^<svg [^]*<\/svg>\n$/);
  fails(["detect", scene, "--svg", "-", "--json", "-"], "--json and --svg are both to be on standard output");
  fails(["detect", scene, shapes("scene2.safetensors"), "--svg", "-"], "--svg - is for one image; there are 2");
});

test("several pictures go into a folder", () => {
  const scenes = [1, 2].map((i) => shapes(`scene${i}.safetensors`));
  prints("detect", ...scenes, "--svg", at("pictures"), "--image", root + "/examples/shapes");
  assert.equal(readdirSync(at("pictures")).sort(), ["scene1.svg", "scene2.svg"]);
  const png = readFileSync(shapes("scene2.png")).toString("base64");
  assert.match(readFileSync(at("pictures/scene2.svg"), "utf8"), png);
  const batch = npy("pair.npy", "<f4", [2, 6, 84], decoded(2, 2, 84));
  prints("detect", batch, "--head", "yolov8-decoded", "--svg", at("pictures"));
  assert.ok(existsSync(at("pictures/pair-0.svg")) && existsSync(at("pictures/pair-1.svg")));
  fails(["detect", batch, "--head", "yolov8-decoded", "--svg", at("no.svg")], "no.svg is for one image; there are 2");
  fails(["detect", ...scenes, "--svg", at("no.svg")], "--svg " + at("no.svg") + " is for one image; there are 2");
  fails(["detect", scene, scene, "--svg", at("pictures")], "--svg: two images would be");
});

test("escapes names, also those that would steer a terminal", () => {
  const classes = `a,<b> & "c" \u001b[31m,d,e`;
  const text = prints("detect", scene, "--svg", at("names.svg"), "--classes", classes);
  assert.match(text, `<b> & "c" �[31m`);
  const svg = readFileSync(at("names.svg"), "utf8");
  assert.match(svg, "&lt;b&gt; &amp; &quot;c&quot; �[31m 0.94");
  assert.not.match(svg, "\u001b");
  assert.not.match(svg, "<image");
});

test("a head without distributions has no bands", () => {
  const file = npy("plain.npy", "<f4", [1, 6, 84], decoded(1, 2, 84));
  const text = prints("detect", file, "--head", "yolov8-decoded", "--svg", at("plain.svg"));
  assert.not.match(text, "±");
  assert.match(readFileSync(at("plain.svg"), "utf8"), "<title>0 0.88</title>");
});

test("columns are aligned by the cells that letters take", () => {
  const lines = prints("detect", scene, "--classes", "円,正方形,e\u0301,ﾊﾝ").split("\n").slice(2, 10);
  assert.match(lines[1], /^ {2}正方形 {2}0\.940/);
  assert.match(lines[3], /^ {2}ﾊﾝ {6}0\.848/);
  assert.match(lines[4], /^ {2}e\u0301 {7}0\.695/);
});

test("boxes are in the pixels of an image that was fitted to the input", () => {
  const wide = ["--image", image("wide.png", 320, 160)];
  const boxIn = (...args: string[]) => rowsOf(scene, ...args)[0].bbox;
  const [x, y, width, height] = boxIn();
  const near = (got: number[], wanted: number[]) => got.forEach((v, i) => assert.ok(Math.abs(v - wanted[i]) < 1e-4));
  near(boxIn(...wide, "--fit", "stretch"), [2 * x, y, 2 * width, height]);
  near(boxIn(...wide, "--fit", "letterbox"), [
    2 * x,
    2 * (y - 40) < 0 ? 0 : 2 * (y - 40),
    2 * width,
    2 * (y + height - 40),
  ]);
  near(boxIn("--image", image("large.png", 640, 640)), [4 * x, 4 * y, 4 * width, 4 * height]);
  fails(
    ["detect", scene, ...wide],
    "--image is 320×160, the input 160×160; say --fit letterbox, top-left, stretch or letterbox-exact",
  );
});

/** One box, 20 × 12 around the middle of an input of 96 × 96. */
function boxIn(picture: string, fit: string): number[] {
  const values = new Float32Array(5 * 189);
  [48, 48, 20, 12, 0.9].forEach((value, channel) => values[channel * 189 + 5] = value);
  const output = npy("middle.npy", "<f4", [1, 5, 189], values);
  const [row] = rowsOf(output, "--head", "yolov8-decoded", "--image-size", "96", "--image", picture, "--fit", fit);
  return row.bbox.map((side) => Number(side.toFixed(3)));
}

test("every fit, as the pipelines make it: whole pixels but for letterbox-exact", () => {
  // 441 · 96 / 900 = 47.04 → 47; 49 rows are left, 24 of them above.
  const wide = image("wide.png", 900, 441);
  const y = (side: number) => Number((side * 441 / 47).toFixed(3));
  assert.equal(boxIn(wide, "letterbox"), [356.25, y(42 - 24), 187.5, y(12)]);
  assert.equal(boxIn(wide, "top-left"), [356.25, y(42), 187.5, Number((441 - 42 * 441 / 47).toFixed(3))]);
  assert.equal(boxIn(wide, "stretch"), [356.25, 192.938, 187.5, 55.125]);
  assert.equal(boxIn(wide, "letterbox-exact"), [356.25, 164.25, 187.5, 112.5]);
  // Halves go to even, 30.5 to 30 and 31.5 to 32; of an odd number of columns the smaller half is before the image.
  const narrow = (width: number, columns: number, left: number) => {
    const [x, , w] = boxIn(image("narrow.png", width, 192), "letterbox");
    assert.ok(Math.abs(x - (38 - left) * width / columns) < 0.002, `x of ${width}: ${x}`);
    assert.ok(Math.abs(w - 20 * width / columns) < 0.002, `width of ${width}: ${w}`);
  };
  narrow(61, 30, 33);
  narrow(63, 32, 32);
  narrow(62, 31, 32);
});

test("a photograph is as its EXIF orientation turns it", () => {
  for (const [orientation, wanted] of [[1, [158.333, 125, 83.333, 50]], [6, [108.333, 175, 83.333, 50]]] as const) {
    const picture = photograph(`turned-${orientation}.jpg`, 400, 300, orientation);
    assert.equal(boxIn(picture, "letterbox"), wanted, `orientation ${orientation}`);
    prints(
      ...["detect", at("middle.npy"), "--head", "yolov8-decoded", "--image-size", "96", "--image", picture],
      ...["--fit", "letterbox", "--svg", at("turned.svg")],
    );
    const [width, height] = orientation === 6 ? [300, 400] : [400, 300];
    const svg = readFileSync(at("turned.svg"), "utf8");
    assert.match(svg, `viewBox="0 0 ${width} ${height}"`);
    assert.match(
      svg,
      `<image width="${width}" height="${height}" preserveAspectRatio="none" style="image-orientation:from-image`,
    );
  }
});

/** As much of a JPEG as tells its size and orientation. */
function photograph(name: string, width: number, height: number, orientation: number): string {
  const exif = Buffer.from([
    ...[0xff, 0xe1, 0, 34, ...Buffer.from("Exif\0\0MM\0*\0\0\0\b", "latin1"), 0, 1],
    ...[1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0],
  ]);
  const frame = Buffer.from([0xff, 0xc0, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]);
  const intro = Buffer.from([0xff, 0xd8]);
  writeFileSync(at(name), Buffer.concat([intro, exif, frame, Buffer.from([0xff, 0xd9])]));
  return at(name);
}

// ── Matching the truth ──────────────────────────────────────────────────────────

interface Coco {
  images: Record<string, unknown>[];
  annotations: Record<string, unknown>[];
  categories: { id: number; name?: string }[];
}

const scenes: Coco = JSON.parse(readFileSync(shapes("scenes.coco.json"), "utf8"));

function coco(name: string, file: Coco): string {
  writeFileSync(at(name), JSON.stringify(file));
  return at(name);
}

/** The scenes' truth with other category ids and names. */
function categories(name: string, kinds: { id: number; name?: string }[]): string {
  return coco(name, { ...scenes, categories: kinds, annotations: [] });
}

test("with --gt, rows have the data set's ids", () => {
  const [row] = rowsOf(scene, "--gt", shapes("scenes.coco.json"));
  assert.equal([row.image_id, row.category_id], [1, 2]);
  const names = ["circle", "square", "triangle", "star"];
  const byName = categories("named.json", [40, 30, 20, 10].map((id, i) => ({ id, name: names[i] })));
  assert.is(rowsOf(scene, "--gt", byName)[0].category_id, 30);
  const byOrder = categories("plain.json", [7, 3, 5, 9].map((id) => ({ id })));
  assert.is(rowsOf(scene, "--gt", byOrder)[0].category_id, 5);
  // Some names are the data set's, at other places: neither name nor order can be meant.
  const mixed = categories(
    "mixed.json",
    [1, 2, 3, 4].map((id) => ({ id, name: ["square", "ring", "star", "x"][id - 1] })),
  );
  fails(
    ["detect", scene, "--gt", mixed],
    "class circle has no category of its own in --gt, which has square, ring, star, x",
  );
  fails(
    ["detect", scene, "--classes", "circle,square,square,star", "--gt", shapes("scenes.coco.json")],
    "class square has no category of its own in --gt, which has circle, square, triangle, star",
  );
  const few = categories("few.json", [{ id: 1 }]);
  fails(["detect", scene, "--gt", few], "the head has 4 classes here; --gt has 1 categories");
});

test("names of classes come from --gt where nobody else has any", () => {
  const bare = safetensors("scene1.safetensors", sceneParts());
  assert.match(prints("detect", bare, "--head", "gfl", "--gt", shapes("scenes.coco.json")), /square +0\.940/);
});

test("--gt finds the image by the FILE's name, and --image says which it is", () => {
  const gt = ["--gt", shapes("scenes.coco.json")];
  const { cls_s8, cls_s16, reg_s8, reg_s16 } = sceneParts();
  const output = safetensors("out.safetensors", { cls_s8, cls_s16, reg_s8, reg_s16 });
  const args = [output, "--head", "gfl", ...gt];
  fails(
    ["detect", ...args],
    "out.safetensors: say with --image which image this is, of scene1.png, scene2.png, scene3.png",
  );
  for (const name of ["2", "scene2.png", shapes("scene2.png")]) {
    assert.is(rowsOf(...args, "--image", name)[0].image_id, 2);
  }
  fails(["detect", ...args, "--image", "9"], "--gt has no image 9; it has scene1.png");
  const long = safetensors("gfl_scene1.safetensors", { cls_s8, cls_s16, reg_s8, reg_s16 });
  assert.is(rowsOf(long, "--head", "gfl", ...gt)[0].image_id, 1);
  const large = coco("large.json", { ...scenes, images: scenes.images.map((image) => ({ ...image, width: 320 })) });
  fails(
    ["detect", scene, "--gt", large, "--image", shapes("scene1.png")],
    "is 160×160; --gt says 320×160 for scene1.png",
  );
  fails(["detect", scene, "--gt", large], "image scene1.png is 320×160, the input 160×160; say --fit");
  assert.is(Math.round(rowsOf(scene, "--gt", large, "--fit", "stretch")[0].bbox[0]), 104);
});

test("ids of one's own", () => {
  assert.is(rowsOf(scene, "--image-id", "000000255165")[0].image_id, 255165);
  assert.is(rowsOf(scene, "--image-id", "a1")[0].image_id, "a1");
  assert.is(rowsOf(scene, "--category-ids", "10,20,30,40")[0].category_id, 20);
  const numbered = safetensors("000000000139.safetensors", sceneParts());
  assert.is(rowsOf(numbered, "--head", "gfl")[0].image_id, 139);
  const coco80 = npy("coco.npy", "<f4", [1, 84, 84], eighty());
  const [row] = rowsOf(coco80, "--head", "yolov8-decoded", "--category-ids", "coco");
  assert.is(row.category_id, 72);
  assert.match(prints("detect", coco80, "--head", "yolov8-decoded", "--classes", "coco"), /tv +0\.875/);
  fails(["detect", scene, "--json", "-", "--category-ids", "1,2"], "--category-ids has 2 ids; head gfl has 4 classes");
  fails(
    ["detect", scene, "--json", "-", "--category-ids", "1,x"],
    `--category-ids is "x"; wanted a whole number from 0`,
  );
  fails(["detect", scene, "--image-id", "1", "--image-id", "2"], "--image-id is given 2 times; there are 1 FILEs");
  fails(["detect", scene, scene, "--json", "-"], "--json: two images have the image_id scene1; give --image-id");
});

/** One box of class 62, which COCO calls tv and numbers 72. */
function eighty(): Float32Array {
  const values = new Float32Array(84 * 84);
  [30, 20, 10, 8].forEach((side, channel) => values[channel * 84 + 5] = side);
  values[(4 + 62) * 84 + 5] = 0.875;
  return values;
}

/** As much of a PNG as tells its size. */
function image(name: string, width: number, height: number): string {
  const bytes = Buffer.alloc(33);
  bytes.write("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1");
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  writeFileSync(at(name), bytes);
  return at(name);
}

// ── Help and errors ─────────────────────────────────────────────────────────────

test("helps", () => {
  assert.match(prints("--help"), "detect    finds the objects");
  const help = prints("detect", "--help");
  for (const word of ["--head", "yolov8-decoded", "nanodet-plus", "--json", "--svg", "category_id"]) {
    assert.match(help, word);
  }
  assert.is(prints("--version"), `${JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version}\n`);
});

test("wrong commands and flags", () => {
  fails([], "no command given; wanted detect");
  fails(["find"], "densehead: find is no command; wanted detect");
  fails(
    ["detct"],
    "densehead: detct is no command; wanted detect, eval, inspect, loss, run, score; did you mean detect?",
  );
  fails(["detect", scene, "--threshold", "0.4"], "Unknown option '--threshold'; did you mean --score? (densehead");
  fails(["detect", scene, "--iuo", "0.4"], "Unknown option '--iuo'; did you mean --iou?");
  fails(["detect", scene, "--head", "gfll"], "did you mean gfl?");
  fails(["detect"], "densehead: detect: no FILE given");
  fails(["detect", scene, "--colour", "red"], "densehead: detect: Unknown option '--colour' (densehead detect --help");
  fails(["detect", scene, "--json"], "'--json <value>' argument missing");
  fails(["detect", scene, "--score", "-1"], `--score is "-1"; wanted a number from 0 to 1`);
  fails(["detect", scene, "--json", "-x"], "Unknown option '-x'");
  for (
    const [flag, value, wanted] of [
      ["--score", "high", "a number from 0 to 1"],
      ["--score", "", "a number from 0 to 1"],
      ["--iou", "1.5", "a number from 0 to 1"],
      ["--max", "0", "a whole number from 1"],
      ["--num-classes", "2.5", "a whole number from 1"],
      ["--bins", "65", "a whole number from 0 to 64"],
      ["--image-size", "160,", "height and width in pixels, such as 480,640"],
      ["--image-size", "160,160,3", "height and width in pixels, such as 480,640"],
      ["--strides", "8,x", "positive numbers such as 8,16,32"],
      ["--scores", "raw", "logits or probabilities"],
      ["--objectness", "yes", "none or multiply or sqrt-multiply"],
      ["--scores", "logit", "logits or probabilities or softmax; did you mean logits?"],
      ["--layout", "nhwc", "rows or channels-first"],
      [
        "--boxes",
        "xywhn",
        "distribution or distances or xywh or xyxy or anchor-sigmoid or anchor-exp or log-size; did you mean xywh?",
      ],
      ["--channel-order", "boxes", "class-first or box-first or separate"],
      ["--bands", "wide", "excess or std or none"],
    ]
  ) {
    fails(
      ["detect", scene, "--svg", "x.svg", flag, value],
      `densehead: detect: ${flag} is "${value}"; wanted ${wanted}`,
    );
  }
  const crop = ["detect", scene, "--image", shapes("scene1.png"), "--fit", "crop"];
  fails(crop, `--fit is "crop"; wanted letterbox or top-left or stretch or letterbox-exact`);
});

test("sizes in every way that people write them", () => {
  const flat = safetensors("flat.safetensors", cutTo(12));
  const sizes = (size: string) => prints("detect", flat, "--head", "gfl", "--image-size", size).split("\n")[1];
  assert.match(sizes("96,160"), "input 160×96");
  assert.match(sizes("160x96"), "input 160×96");
  assert.match(prints("detect", scene, "--image-size", "160"), "input 160×160");
});

/** So many rows of the scene's finest level, and half as many of the other. */
function cutTo(rows: number): Record<string, Part> {
  return Object.fromEntries(
    Object.entries(sceneParts()).map(([name, { dims: [, channels, height, width], values }]) => {
      const kept = name.endsWith("_s8") ? rows : rows / 2;
      const cut = Array.from(
        { length: channels },
        (_, c) => [...values.subarray(c * height * width).subarray(0, kept * width)],
      );
      return [name, { dtype: "F32", dims: [1, channels, kept, width], values: Float32Array.from(cut.flat()) }];
    }),
  );
}

test("what the file says of itself wins over a flag that contradicts it, unless it is to be ignored", () => {
  fails(
    ["detect", scene, "--head", "yolov8"],
    "--head is yolov8; the file's own metadata say gfl (--ignore-metadata takes --head at its word)",
  );
  fails(
    ["detect", scene, "--image-size", "160,320"],
    "--image-size is 160,320; the file's own metadata say 160,160 (--ignore",
  );
  const ignored = prints("detect", scene, "--head", "ppyoloe", "--scores", "logits", "--ignore-metadata");
  assert.match(ignored, "head ppyoloe (as asked)");
  assert.match(ignored, /^ {2}1 +0\.940/m, "names of classes are metadata too");
  // Two names of one layout do not contradict each other.
  const eight = { dtype: "F32", dims: [1, 144, 84], values: new Float32Array(144 * 84).fill(-9) };
  const file = safetensors("eleven.safetensors", { output0: eight }, { head: "yolov8" });
  assert.match(prints("detect", file, "--head", "yolo11"), "head yolo11 (as asked)");
});

test("numbers of classes that the tensors do not have", () => {
  fails(["detect", scene, "--num-classes", "80"], "cls_s8 has 4 channels, one for each class; --num-classes is 80");
  fails(["detect", scene, "--classes", "coco"], "cls_s8 has 4 channels, one for each class; --classes has 80 names");
});

test("tensors of masks, keypoints and angles are left out and named where the head has none", () => {
  const { cls_s8, cls_s16, reg_s8, reg_s16 } = sceneParts();
  const map = (channels: number, cells: number) => {
    return { dtype: "F32", dims: [1, channels, cells, cells], values: new Float32Array(channels * cells ** 2) };
  };
  const others = { kpt_s8: map(6, 20), kpt_s16: map(6, 10), angle_s8: map(1, 20), proto: map(8, 40) };
  const file = safetensors("others.safetensors", { cls_s8, cls_s16, reg_s8, reg_s16, ...others });
  const text = prints("detect", file, "--head", "gfl");
  assert.match(text, "others: 7 objects");
  assert.match(text, "not read: kpt_s8, kpt_s16, angle_s8, proto");
});

test("objectness beside the classes must be used, or left out by a word", () => {
  const { cls_s8, cls_s16, reg_s8, reg_s16 } = sceneParts();
  const ones = (cells: number) => ({
    dtype: "F32",
    dims: [1, 1, cells, cells],
    values: new Float32Array(cells ** 2).fill(20),
  });
  const parts = { cls_s8, cls_s16, reg_s8, reg_s16, obj_s8: ones(20), obj_s16: ones(10) };
  const file = safetensors("objectness.safetensors", parts);
  fails(
    ["detect", file, "--head", "gfl"],
    "has tensors of objectness (obj_s8, obj_s16), which head gfl does not use; say --objectness",
  );
  assert.is(rowsOf(file, "--head", "gfl", "--objectness", "none").length, 7);
  assert.is(rowsOf(file, "--head", "gfl", "--objectness", "multiply").length, 7);
});

test("reads standard input, and tells kinds by their first bytes", () => {
  const bytes = readFileSync(scene);
  const { stdout } = run(["detect", "-"], bytes);
  assert.match(stdout, /^stdin: 7 objects\n {2}head gfl \(named in the file\)/);
  const single = readFileSync(npy("stdin.npy", "<f4", [1, 6, 84], decoded(1, 2, 84)));
  assert.match(run(["detect", "-", "-"], bytes).stderr, '"-" is standard input, which can be read once');
  assert.match(run(["detect", "-", "--head", "yolov8-decoded"], single).stdout, /^stdin: 1 object\n/);
  assert.match(
    run(["detect", "-"], Buffer.from("hello")).stderr,
    "densehead: detect: -: is no whole .safetensors file",
  );
  const other = readFileSync(shapes("scene1.png"));
  assert.match(
    run(["detect", "-"], other).stderr,
    "-: standard input is something else; wanted a .npy or .safetensors",
  );
  assert.match(
    run(["detect", "-"], Buffer.alloc(0)).stderr,
    "-: standard input is empty; wanted a .npy or .safetensors",
  );
});

test("flags at odds", () => {
  fails(["detect", scene, scene, "--image", shapes("scene1.png")], "--image is for one FILE; 2 were given");
  fails(["detect", scene, "--fit", "stretch"], "--fit is about --image, which was not given, or --gt");
  fails(["detect", scene, "--bands", "none"], "--bands is about --svg, which was not given");
  fails(["detect", scene, "--image-id", "7"], "--image-id is about --json, which was not given");
  fails(["detect", scene, "--category-ids", "1,2,3,4"], "--category-ids is about --json, which was not given");
  const pictures = [1, 2].flatMap((i) => ["--image", shapes(`scene${i}.png`)]);
  fails(["detect", scene, ...pictures], "--image is given 2 times; wanted it 1 times, once for each FILE, or a folder");
  fails(["detect", scene, "--classes", "a,b", "--num-classes", "3"], "--classes has 2 names; --num-classes is 3");
  fails(["detect", scene, "--classes", ","], "--classes has no names");
  const batch = npy("two.npy", "<f4", [2, 6, 84], decoded(2, 2, 84));
  const pictured = ["--image", image("two.png", 64, 64)];
  fails(["detect", batch, "--head", "yolov8-decoded", ...pictured], "two.npy: holds 2 images; --image is for one");
});

test("wrong heads", () => {
  fails(
    ["detect", scene, "--head", "yolov9"],
    `"yolov9" is no head; wanted auto or one of ${PRESETS.map(typed).join(", ")}; did you`,
  );
  fails(["detect", scene, "--head", "infer"], `"infer" is no head`);
  fails(["detect", scene, "--classes", "a,b,c"], /scene1\.safetensors: .*3/);
  const bare = safetensors("bare.safetensors", sceneParts());
  fails(
    ["detect", bare, "--head", "gfl", "--image-size", "100,100"],
    /bare\.safetensors: (cls|reg)_s\d+ is of shape .* \(input 100×100 by --image-size\)$/m,
  );
  const lone = npy("lone.npy", "<f4", [1, 4, 20, 20], new Float32Array(1600));
  fails(["detect", lone, "--head", "gfl"], "lone.npy: holds one tensor; head gfl has classes and boxes apart (in one");
  fails(["detect", lone], "lone.npy: outputs of shape (1, 4, 20, 20) fit no preset; name the head with --head");
  const open = npy("open.npy", "<f4", [1, 84, 84], new Float32Array(84 * 84));
  fails(["detect", open], /fit .*yolov8 with 20 classes, yolov8-decoded with 80 classes.*; name the head with --head/);
  const few = npy("few.npy", "<f4", [1, 20, 84], new Float32Array(20 * 84));
  fails(
    ["detect", few, "--head", "yolov8"],
    "few.npy: outputs have 20 channels; head yolov8 has 64 beside the classes",
  );
  const odd = npy("odd.npy", "<f4", [1, 84, 85], new Float32Array(84 * 85));
  fails(["detect", odd, "--head", "yolov8"], "85 anchors are not those of a square input; give --image-size H,W");
});

test("wrong .npy files", () => {
  const values = new Float32Array(4);
  fails(["detect", npy("int.npy", "<i4", [4], new Int32Array(4))], "int.npy: holds int32; wanted float32");
  fails(
    ["detect", npy("byte.npy", "|u1", [4], new Uint8Array(4))],
    "holds uint8; wanted float32, float16 or float64 (8-bit",
  );
  fails(["detect", npy("big.npy", ">f4", [4], values)], "holds big-endian float32; wanted float32, float16 or float64");
  fails(["detect", npy("order.npy", "<f4", [2, 2], values, "True")], "is in Fortran order; wanted C order");
  fails(["detect", npy("short.npy", "<f4", [5], values)], "holds 4 values; its shape (5) wants 5");
  fails(["detect", npy("cut.npy", "<f4", [4], new Uint8Array(15))], "cut.npy: is no readable .npy file (");
  // Some of these have made readers that unpack first run out of time or memory.
  for (const dtype of ["<U0", "<U-1", "<U1", "|S4", "|O", "<c8", "<M8[ns]", "<f16", "|V4", "?", "<i4, <f4"]) {
    fails(
      ["detect", npy("odd.npy", dtype, [1], new Uint8Array(4))],
      /odd\.npy: holds .*; wanted float32, float16 or float64/,
    );
  }
  fails(["detect", npy("bools.npy", "|b1", [1 << 24], new Uint8Array(1 << 24))], "holds bool; wanted float32");
  const raw = (name: string, version: number, header: string) => {
    const length = Buffer.alloc(version === 1 ? 2 : 4);
    if (version === 1) length.writeUInt16LE(header.length);
    else length.writeUInt32LE(header.length);
    const magic = Buffer.from([0x93, ...Buffer.from("NUMPY"), version, 0]);
    writeFileSync(at(name), Buffer.concat([magic, length, Buffer.from(header, "latin1"), Buffer.alloc(4)]));
    return at(name);
  };
  const dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  fails(["detect", raw("commas.npy", 2, ",".repeat(1 << 24))], "(its header has 16777216 bytes; wanted at most 65536)");
  fails(["detect", raw("version.npy", 9, dict)], "(its version is 9; wanted 1, 2 or 3)");
  fails(["detect", raw("record.npy", 1, dict.replace("'<f4'", "[('a', '<f4')]"))], "(its header has no simple dtype)");
  fails(["detect", raw("minus.npy", 1, dict.replace("1,", "-1,"))], "(its header has no shape or fortran_order)");
  fails(["detect", raw("huge.npy", 1, dict.replace("1,", "99999999999999999999,"))], "wanted whole numbers");
  for (const version of [1, 2, 3]) fails(["detect", raw("one.npy", version, dict)], /one\.npy: (?!is no readable)/);
  writeFileSync(at("text.npy"), "hello, hello, hello");
  fails(["detect", at("text.npy")], "text.npy: is no readable .npy file (Not an .npy file)");
  writeFileSync(at("empty.npy"), "");
  fails(["detect", at("empty.npy")], "empty.npy: is no readable .npy file (");
});

test("tensors without elements, at once", () => {
  for (const dims of [[0, 1e6, 1e6], [0, 9e15, 9e15], [1, 84, 0]]) {
    const none = safetensors("none.safetensors", { output0: { dtype: "F32", dims, values: new Float32Array(0) } });
    for (const head of ["auto", "yolov8", "gfl"]) {
      fails(["detect", none, "--head", head], `none.safetensors: output0 is empty: its shape is (${dims.join(", ")})`);
    }
  }
});

test("wrong .safetensors files", () => {
  const damaged = (file: string, how: string) => fails(["detect", file], `is no whole .safetensors file: ${how}`);
  const entry = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
  const part = (dtype: string) => ({ dtype, dims: [4], values: new Uint8Array(4) });
  writeFileSync(at("tiny.safetensors"), "abc");
  damaged(at("tiny.safetensors"), "it has 3 bytes");
  writeFileSync(at("long.safetensors"), "not a safetensors file");
  damaged(at("long.safetensors"), "its header is longer than the file");
  damaged(container("list.safetensors", "[]"), "its header is no JSON object");
  damaged(container("json.safetensors", "{"), "its header is no JSON object");
  damaged(container("entry.safetensors", '{"a":{"dtype":"F32"}}'), "tensor a lacks dtype, shape or data_offsets");
  damaged(container("past.safetensors", JSON.stringify({ a: entry })), "tensor a is at bytes 0 to 4 of 0");
  damaged(
    container("size.safetensors", JSON.stringify({ a: { ...entry, shape: [2] } }), new Uint8Array(4)),
    "tensor a has 4 bytes",
  );
  damaged(safetensors("meta.safetensors", { a: part("F32") }, { head: 3 }), "__metadata__ is no map of texts");
  fails(["detect", container("none.safetensors", "{}")], "none.safetensors: holds no tensors");
  fails(
    ["detect", safetensors("i8.safetensors", { a: part("I8") })],
    "a is int8; wanted float32, float16 or float64 (8-bit outputs need",
  );
  fails(["detect", safetensors("f8.safetensors", { a: part("F8_E5M2") })], "tensor a is F8_E5M2; wanted F32, F16");
  const overlapping = { a: entry, b: { ...entry, data_offsets: [2, 6] } };
  damaged(
    container("overlap.safetensors", JSON.stringify(overlapping), new Uint8Array(6)),
    "tensor b begins at byte 2 of the values; wanted 4",
  );
  const bad = (key: string, value: string) => safetensors("said.safetensors", sceneParts(), { [key]: value });
  fails(["detect", bad("head", "retina")], `said.safetensors: "retina" is no head`);
  fails(["detect", bad("image_size", "big"), "--head", "gfl"], `said.safetensors: image_size is "big"; wanted height`);
  fails(
    ["detect", bad("classes", "a,b"), "--head", "gfl"],
    "cls_s8 has 4 channels, one for each class; the file's own metadata have 2 names",
  );
});

test("no character from outside steers the terminal", () => {
  const hostile = "a\u202eb\u009b31m\u2066c\u200fd\u2028e";
  const steering = /(?!\n)\p{Cc}|[\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
  const file = safetensors(`${hostile}.safetensors`, { ...sceneParts(), [`x${hostile}`]: sceneParts().cls_s8 });
  for (
    const args of [
      [file, "--head", "gfl", "--classes", `${hostile},b,c,d`, "--score", "0"],
      [file, "--head", "gfl", "--json", "-"],
      [file, "--head", hostile],
      [file, "--classes", hostile],
      [scene, `--${hostile}`],
      [at(`${hostile}.npy`)],
    ]
  ) {
    const { stdout, stderr } = densehead("detect", ...args);
    assert.not.match(stdout + stderr, steering, args.join(" "));
    assert.ok((stdout + stderr).length > 0);
  }
  const rows: Row[] = rowsOf(file, "--head", "gfl");
  assert.is(rows[0].image_id, hostile, "JSON has them as escapes");
});

test("pipes and devices are no files, at once", () => {
  if (process.platform === "win32") return skip("no named pipes among the files of Windows");
  spawnSync("mkfifo", [at("pipe.npy"), at("pipe.json"), at("pipe.png")]);
  for (const args of [[at("pipe.npy")], [scene, "--gt", at("pipe.json")], [scene, "--image", at("pipe.png")]]) {
    fails(["detect", ...args], /pipe\.\w+: is no regular file; "-" reads from standard input/);
  }
  fails(["detect", "/dev/zero", "--head", "gfl"], '/dev/zero: is no regular file; "-" reads from standard input');
});

test("a reader of the table that has seen enough ends nothing: files are written whole", () => {
  if (process.platform === "win32") return skip("no sh on Windows");
  const scenes = [1, 2, 3].map((i) => shapes(`scene${i}.safetensors`));
  const args = ["detect", ...scenes, "--json", at("unread.json"), "--svg", at("unread")];
  // The shell's own reader ends at once, so that every line is too many.
  const command = [process.execPath, cli, ...args].map((word) => `'${word}'`).join(" ");
  const { status, stderr } = spawnSync("bash", ["-c", `set -o pipefail; ${command} | true`], { encoding: "utf8" });
  assert.is(stderr, "");
  assert.is(status, 0);
  assert.is(JSON.parse(readFileSync(at("unread.json"), "utf8")).length, 18);
  assert.is(readdirSync(at("unread")).length, 3);
});

test("a full disk is an error", () => {
  if (!existsSync("/dev/full")) return skip("no /dev/full");
  const full = openSync("/dev/full", "w");
  const { status, stderr } = spawnSync(process.execPath, [cli, "detect", scene], {
    encoding: "utf8",
    stdio: ["ignore", full, "pipe"],
  });
  assert.is(status, 2);
  assert.is(stderr, "densehead: standard output: no space left on device\n");
});

test("wrong paths", () => {
  fails(["detect", "absent.npy"], "densehead: detect: absent.npy: no such file or directory");
  fails(["detect", shapes("scene1.png")], "scene1.png: wanted a .npy or .safetensors file, or a folder of .npy files");
  fails(["detect", shapes("shapes.onnx")], ".onnx is a network: densehead run runs it on pictures, densehead");
  mkdirSync(at("bare"));
  fails(["detect", at("bare")], "bare: the folder has no .npy files");
  fails(["detect", shapes("")], "has no .npy files; its .safetensors files are one FILE each: name them");
  mkdirSync(at("bad"));
  writeFileSync(at("bad/cls.npy"), "?");
  fails(["detect", at("bad"), "--head", "gfl"], "bad: cls.npy: is no readable .npy file");
  fails(["detect", scene, "--image", "absent.png"], "densehead: detect: absent.png: no such file or directory");
  fails(["detect", scene, "--image", scene], "scene1.safetensors: wanted a PNG or JPEG image");
  fails(["detect", scene, "--classes", "absent.txt"], "densehead: detect: absent.txt: no such file or directory");
  fails(
    ["detect", scene, "--json", at("absent/rows.json")],
    "cannot be written: no such file or directory",
  );
});

test.run();
