/**
 * The README and the pages of docs/: snippets run, each row of the table of heads takes the tensors that it names, the lines
 * of the letterbox compute, and each mistake looks as described.
 */
// needs: examples/onnxruntime
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { createEngine, heads } from "densehead";
import { readSafetensors } from "densehead/files";
import type { Detections, DetectOptions, HeadOptions, HeadSpec, HostTensor, Outputs } from "densehead";
import { transform } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { transformFor } from "../../src/cli/fit.ts";
import { attachmentsOf, boxChannels, readChannels } from "../../src/heads/channels.ts";
import { close } from "../compare.ts";
import { imageOf, packings, type RawValues } from "../raw_head.ts";
import { detect as reference } from "../reference/detect.ts";
import { pageSnippets, pagesOf } from "../runtimes/snippets.js";
import { skip } from "../suite/skip.ts";

const test = suite("README");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const read = (path: string) => readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");
const engine = await createEngine();
test.after(() => engine.dispose());

// ── Snippets ────────────────────────────────────────────────────────────────────

/** What a snippet needs that a test has not. */
const NEEDS: Record<string, RegExp> = {
  "a network": /onnxruntime/,
  "a device": /device: "webgpu"/,
  "a server": /fetch\("/,
  "a page": /innerHTML/,
};

const snippets = pageSnippets(root);

test("there are snippets", () => assert.ok(snippets.length > 8));

for (const [i, { page, code }] of snippets.entries()) {
  const needed = Object.keys(NEEDS).find((name) => NEEDS[name].test(code));
  const first = code.split("\n").find((line) => line !== "" && !line.startsWith("import"));
  test(`a snippet of ${page} runs as it stands: ${first}`, async () => {
    if (needed !== undefined) return skip(`a snippet of ${page} needs ${needed}`);
    const file = join(process.cwd(), `readme-${i}.mjs`);
    writeFileSync(file, (await transform(code, { loader: "ts" })).code);
    const { status, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8" });
    rmSync(file);
    assert.is(status, 0, stderr);
  });
}

/** Output of the README's snippet that has these words. */
function prints(words: string): { code: string; stdout: string } {
  const { code } = snippets.find(({ page, code }) => page === "README.md" && code.includes(words)) ?? { code: "" };
  const file = join(process.cwd(), "readme-prints.mjs");
  writeFileSync(file, code);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8" });
  rmSync(file);
  assert.is(status, 0, stderr);
  return { code, stdout };
}

test("the README's first snippet finds the objects of a photograph", () => {
  const model = join(root, "../shared/models/yolox_nano.onnx");
  const photo = join(root, "../shared/realdata/images/000000255165.jpg");
  if (!existsSync(model)) return skip(`the first snippet needs ${model}`);
  const put = [[model, "yolox_nano.onnx"], [photo, "photo.jpg"]];
  for (const name of ["onnxruntime-node", "sharp"]) {
    const installed = join(root, "examples/onnxruntime/node_modules", name);
    if (!existsSync(installed)) return skip(`the first snippet needs ${installed}`);
    put.push([installed, join("node_modules", name)]);
  }
  for (const [from, name] of put) symlinkSync(resolve(from), name, "junction");
  const { stdout } = prints("yolox_nano.onnx");
  for (const [, name] of put) rmSync(name);
  assert.is(snippets[0].code.includes("yolox_nano.onnx"), true);
  const found = [...stdout.matchAll(/^(\d+) (\d\.\d\d) \[([-\d, ]+)\]$/gm)];
  const folder = join(root, "../shared/realdata/yolox_nano_416__coco000000255165");
  const lists = JSON.parse(readFileSync(join(folder, "ref_dets.json"), "utf8"));
  const { dets }: { dets: { cls: number; score: number; box_image: number[] }[] } = lists["demo_0.3_0.45"];
  for (const { cls, score, box_image } of dets) {
    const hit = found.some(([, name, value, corners]) =>
      Number(name) === cls && Math.abs(Number(value) - score) < 0.025 &&
      corners.split(",").every((corner, side) => Math.abs(Number(corner) - box_image[side]) < 2)
    );
    assert.ok(hit, `no ${cls} at ${box_image}: ${stdout}`);
  }
});

test("the README's snippet of the sample prints the first box that it shows", () => {
  const { code, stdout } = prints("scene1.safetensors");
  const [, shown] = /^\/\/ (.+) and four more$/m.exec(code) ?? [];
  const lines = stdout.trim().split("\n");
  assert.is(lines[0], shown);
  assert.is(lines.length, 5);
});

test("the README begins with the installation, the picture and a snippet, and fits a terminal", () => {
  const text = read("README.md");
  assert.match(
    text,
    /^# densehead\n\n[^#]+?\n\n```\nnpm install densehead\n```\n\n!\[[^\]]+\]\([^)]+\)\n\n[^#]+?```js\n/,
  );
  const lines = text.split("\n");
  assert.ok(lines.length < 160, `${lines.length} lines`);
  for (const line of lines) assert.ok(line.length <= 120, line);
});

// ── The picture ─────────────────────────────────────────────────────────────────

/** From the root of the project. */
const PICTURE = [
  ...["dist/cli.js", "detect", "examples/shapes/scene1.safetensors", "--image", "examples/shapes/scene1.png"],
  ...["--score", "0.4", "--gt", "examples/shapes/scenes.coco.json", "--svg"],
];

test("its picture is what the command draws", () => {
  const file = join(process.cwd(), "readme.svg");
  const { status, stderr } = spawnSync(process.execPath, [...PICTURE, file], { cwd: root, encoding: "utf8" });
  assert.is(status, 0, stderr);
  const drawn = readFileSync(file, "utf8");
  rmSync(file);
  const again = `docs/detections.svg is out of date; run node ${PICTURE.join(" ")} docs/detections.svg`;
  assert.ok(drawn === read("docs/detections.svg"), again);
});

// ── Your model → which head ─────────────────────────────────────────────────────

const SIZE = 640;

const rows = read("docs/heads.md").split("\n").filter((line) => line.startsWith("|")).slice(2);
const models = rows.map((row) => {
  const [, model, tensors, head] = row.split("|").map((cell) => cell.trim());
  return { model, tensors, code: head.replaceAll("`", "") };
});

function evaluate(code: string): HeadSpec {
  return new Function("heads", `return ${code}`)(heads);
}

/** Zeros of the shapes in a cell, where h, w and n stand for the extents of each level; with a value that only logits have. */
function zeros(cell: string, { strides, scores }: HeadSpec): HostTensor[] {
  const shapes = [...cell.matchAll(/\(([^)]+)\)/g)].map(([, shape]) => shape.split(", "));
  return shapes.flatMap((shape) => {
    const byLevel = shape.some((extent) => /[hwn]/.test(extent));
    return (byLevel ? strides : [1]).map((stride) => {
      const cells = Math.ceil(SIZE / stride);
      const dims = shape.map((extent) => ({ h: cells, w: cells, n: cells ** 2 })[extent] ?? Number(extent));
      const data = new Float32Array(dims.reduce((a, b) => a * b));
      // The last channel of boxes alone is no score.
      if (scores === "logits" && dims[dims.length - 1] !== 4) data[data.length - 1] = -9;
      return { dims, data };
    });
  });
}

/** Row and class of the only object. */
const [ROW, LABEL] = [5, 3];

/** Raw values of the head with one object. */
function oneObject(head: HeadSpec, rows: number): RawValues {
  const isListed = (head.selection ?? "dense") !== "dense";
  const cells = head.strides.map((stride, level) => {
    const perCell = head.anchorsPerCell ?? (head.anchors?.[level].length ?? 2) / 2;
    return [SIZE / stride, SIZE / stride, perCell] as const;
  });
  const anchors = isListed ? rows : cells.reduce((sum, [height, width, perCell]) => sum + height * width * perCell, 0);
  const [none, sure] = head.scores === "probabilities" ? [0, 0.9] : [-9, 3];
  const isSelected = head.selection === "selected";
  const classes = new Float32Array(anchors * readChannels(head, "classes")).fill(none);
  const width = classes.length / anchors;
  if (head.scores === "softmax") { for (let i = width - 1; i < classes.length; i += width) classes[i] = 0; }
  const label = labelOf(head);
  classes.set(isSelected ? [sure, label] : [sure], ROW * width + (isSelected ? 0 : label));
  const boxes = new Float32Array(anchors * boxChannels(head)).fill(0.5);
  const unit = head.boxUnit === "image" ? SIZE : 1;
  const box = head.boxes === "xyxy" ? [30, 2, 50, 12] : [40, 7, 20, 10];
  if (head.boxes.startsWith("xy")) boxes.set(box.map((side) => side / unit), 4 * ROW);
  const objectness = head.objectness === undefined ? null : new Float32Array(anchors).fill(none);
  objectness?.set([sure], ROW);
  const attached = attachmentsOf(head).map((role) => {
    return [role, new Float32Array(anchors * readChannels(head, role))] as const;
  });
  return { images: 1, anchors, cells: isListed ? [[1, anchors, 1]] : cells, classes, boxes, objectness, attached };
}

function labelOf({ numClasses }: HeadSpec): number {
  return Math.min(LABEL, numClasses - 1);
}

/** `detect` finds the object in tensors of these shapes where the reference does. */
function findsTheObject(head: HeadSpec, shapes: readonly (readonly number[])[]): void {
  const raw = oneObject(head, shapes[0][1]);
  // What masks are made of stands beside the rows.
  const isPrototypes = (dims: readonly number[]) => head.maskCoefficients !== undefined && dims.length === 4;
  const [rows, prototypes] = [false, true].map((wanted) => shapes.filter((dims) => isPrototypes(dims) === wanted));
  const packed = packings(head, raw).map(([, outputs]) => inShapes(head, outputs, rows)).find((list) => list !== null);
  const found = packed && [
    ...packed,
    ...prototypes.map((dims) => ({ data: new Float32Array(dims.reduce((a, b) => a * b)), dims })),
  ];
  assert.ok(found, `no way in which tensors of ${shapes.join(" ")} have the head's values`);
  const options = { head, imageSize: [SIZE, SIZE] as const };
  const [got] = engine.sync.detect(found as HostTensor[], options);
  const wanted = reference(imageOf(raw, 0), options);
  assert.equal(wanted.map(({ anchor, classId }) => [anchor, classId]), [[ROW, labelOf(head)]]);
  assert.equal([...got.anchors, ...got.classes], [ROW, labelOf(head)]);
  close(got.scores, [wanted[0].score], 1e-6);
  close(got.boxes, wanted[0].box, 1e-3);
}

/** The tensors of outputs in the order of the shapes, or null where they are others; height and width may be one axis. */
function inShapes(head: HeadSpec, outputs: Outputs, shapes: readonly (readonly number[])[]): HostTensor[] | null {
  if (outputs instanceof Float32Array) return null;
  const left = ("dims" in outputs ? [outputs] : Object.values(outputs).flat()) as HostTensor[];
  if (left.length !== shapes.length || left.some(({ dims }) => dims === undefined)) return null;
  const kind = (dims: readonly number[]) => {
    return `${head.layout === "rows" ? dims.at(-1) : dims[1]} of ${dims.reduce((a, b) => a * b)}`;
  };
  const tensors = shapes.flatMap((dims) => {
    const at = left.findIndex((tensor) => kind(tensor.dims) === kind(dims));
    return at < 0 ? [] : left.splice(at, 1).map(({ data }) => ({ data, dims }) as HostTensor);
  });
  return tensors.length === shapes.length ? tensors : null;
}

test("every preset has a row", () => {
  const named = models.map(({ code }) => /\w+(?=\()/.exec(code)?.[0]);
  for (const name of Object.keys(heads)) assert.ok(name === "infer" || named.includes(name), `no row for ${name}`);
});

for (const { model, tensors, code } of models) {
  test(`${model} gives tensors that ${code} takes`, () => {
    const head = evaluate(code);
    const maps = zeros(tensors, head);
    const outputs: Outputs = maps.length === 1 ? maps[0] : maps;
    const imageSize = [SIZE, SIZE] as const;
    findsTheObject(head, maps.map(({ dims }) => dims));
    // From the shapes comes this head, or the first that reads the same, or an error that has it among those that fit.
    const names = models.filter((other) => reading(evaluate(other.code)) === reading(head)).map((other) => {
      return evaluate(other.code).name;
    });
    const numClasses = head.numClasses;
    try {
      const inferred = heads.infer(outputs, { imageSize, numClasses });
      assert.is(reading(inferred), reading(head));
    } catch (error) {
      const { message } = error as Error;
      assert.match(message, new RegExp(` fit .*\\b(${names.join("|")}) with ${numClasses} classes.*; wanted`));
      assert.ok((message.match(/ with \d+ classes/g) ?? []).length > 1, message);
    }
  });
}

/** The members that are read: decoded boxes have no points, and lists of a width for each role no order. */
function reading(head: HeadSpec): string {
  const { name: _, anchorOffset, refined: __, boxUnit = "pixel", objectness = "none", ...others } = head;
  const points = head.boxes === "xywh" || head.boxes === "xyxy" ? 0 : anchorOffset;
  const members = Object.entries({ ...others, boxUnit, objectness, points, unusedClasses: head.unusedClasses ?? 0 });
  return JSON.stringify(members.sort(([a], [b]) => a < b ? -1 : 1));
}

/** Of each heading; the second of a name has a number. */
function anchorsOf(page: string): string[] {
  const slugs = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-")
  );
  return slugs.map((slug, i) => {
    const before = slugs.slice(0, i).filter((other) => other === slug).length;
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

test("the targets of links are there", () => {
  for (const page of pagesOf(root)) {
    for (const [, path, anchor] of read(page).matchAll(/\]\((?!https:)([^)#]*)#?([^)]*)\)/g)) {
      const target = path === "" ? page : join(dirname(page), path);
      assert.ok(existsSync(join(root, target)), `${page} links to ${target}`);
      assert.ok(anchor === "" || anchorsOf(target).includes(anchor), `${page} links to ${target}#${anchor}`);
    }
  }
});

// ── My boxes are in the wrong place ─────────────────────────────────────────────

const wrongPlace = read("docs/troubleshooting.md");

/** Images, and inputs of networks. */
const SIZES = [[900, 441, 96, 96], [61, 192, 96, 96], [63, 192, 96, 96], [6000, 3009, 640, 640], [
  3775,
  1571,
  1280,
  1280,
]]
  .concat([[5000, 1, 640, 640], [1, 5000, 640, 640], [300, 400, 640, 384], [1333, 800, 320, 320]]);

test("the letterbox is that of what was resized and padded", () => {
  const code = /```js\n([^]*?)```/.exec(wrongPlace)?.[1];
  const made = new Function(`${code}; return letterbox;`)();
  const letterbox = (image: { width: number; height: number }, width: number, height: number) =>
    made(image, height, width);
  assert.equal(letterbox({ width: 640, height: 480 }, 320, 320), {
    scaleX: 0.5,
    scaleY: 0.5,
    padX: 0,
    padY: 40,
    clip: [480, 640],
  });
  const odd = letterbox({ width: 1000, height: 333 }, 320, 320);
  assert.is(odd.scaleY, 107 / 333);
  assert.is(odd.padY, 106);
  // 0.5 · 61 is half: to even, as Python rounds, and as the command does.
  assert.is(letterbox({ width: 61, height: 192 }, 96, 96).scaleX, 30 / 61);
  for (const [width, height, w, h] of SIZES) {
    assert.equal(letterbox({ width, height }, w, h), transformFor("", { width, height }, [h, w], "letterbox"));
  }
});

const file = readSafetensors(readFileSync(join(root, "examples/shapes/scene1.safetensors")));
const scene = [...file.tensors.values()] as unknown as HostTensor[];
const [cls8, cls16, reg8, reg16] = scene;

function detect(outputs: Outputs, changes: HeadOptions = {}, options: Partial<DetectOptions> = {}): Detections {
  const head = heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16], ...changes });
  return engine.sync.detect(outputs, { head, imageSize: [160, 160], ...options })[0];
}

/** All anchors of two maps in one tensor, channels first. */
function joined(a: HostTensor, b: HostTensor): HostTensor {
  const channels = a.dims[1];
  const rows = Array.from({ length: channels }, (_, channel) => [...channelOf(a, channel), ...channelOf(b, channel)]);
  return { dims: [1, channels, rows[0].length], data: Float32Array.from(rows.flat()) };
}

function channelOf({ data, dims: [, , height, width] }: HostTensor, channel: number) {
  return data.subarray(channel * height * width, (channel + 1) * height * width) as Float32Array;
}

const classes = joined(cls8, cls16);
const boxes = joined(reg8, reg16);
const right = detect(scene);
const sides = ({ boxes }: Detections) => Array.from(boxes, (_, i) => boxes[i | 2] - boxes[i & ~2]);

test("the scene has seven boxes, the best with 0.94", () => {
  assert.is(right.length, 7);
  assert.is(right.scores[0].toFixed(2), "0.94");
});

test("an offset of half a cell moves small boxes by 4 px, large ones by 8", () => {
  const moved = detect(scene, { anchorOffset: 0.5 });
  const distances = Array.from(moved.boxes, (side, i) => Math.round(side - right.boxes[i]));
  assert.equal([...new Set(distances)].sort(), [4, 8]);
});

test("sigmoid twice: hundreds between 0.5 and 0.73", () => {
  const sigmoid = (map: HostTensor) => ({ ...map, data: Float32Array.from(map.data, (x) => 1 / (1 + Math.exp(-x))) });
  const outputs = [sigmoid(cls8), sigmoid(cls16), reg8, reg16];
  const { length, scores } = detect(outputs);
  assert.ok(length >= 300);
  assert.ok(scores.every((score) => score > 0.5 && score < 0.732));
  assert.is(detect(outputs, { scores: "probabilities" }).length, 7);
});

test("no sigmoid: an error that says logits", () => {
  assert.throws(() => detect(scene, { scores: "probabilities" }), /a score in outputs\[0\] is -?\d.*scores: "logits"/);
});

test("width for height: one object several times", () => {
  // The upper part of the scene, which is wider than high.
  const upper = scene.map((map) => {
    const [, channels, height, width] = map.dims;
    const rows = Math.floor(height * 0.6);
    const cut = Array.from({ length: channels }, (_, i) => [...channelOf(map, i).subarray(0, rows * width)]);
    return { dims: [1, channels, rows, width], data: Float32Array.from(cut.flat()) };
  });
  assert.is(detect(upper, {}, { imageSize: [96, 160] }).length, 4);
  assert.ok(detect(upper, {}, { imageSize: [160, 96] }).length > 8);
});

test("strides in another order than the levels of one tensor: half or double the size", () => {
  assert.equal(sides(detect({ classes, boxes })), sides(right));
  const [width] = sides(detect({ classes, boxes }, { strides: [16, 8] }));
  assert.ok(Math.abs(width - sides(right)[0] / 2) < 0.01);
});

test("rows read as channels: dozens, with good scores", () => {
  const transposed = ({ data, dims: [, channels, anchors] }: HostTensor) =>
    data.map((_, i) => data[i % channels * anchors + Math.floor(i / channels)]) as Float32Array;
  const outputs = { classes: transposed(classes), boxes: transposed(boxes) };
  assert.ok(detect(outputs).length > 24);
  assert.is(detect(outputs).scores[0].toFixed(2), "0.94");
  assert.is(detect(outputs, { layout: "rows" }).length, 7);
});

test("classes and boxes the wrong way round: hundreds with 1.00", () => {
  const data = Float32Array.of(...boxes.data as Float32Array, ...classes.data as Float32Array);
  const outputs = { dims: [1, 36, 500], data };
  assert.is(detect(outputs, { channelOrder: "box-first" }).length, 7);
  const { length, scores } = detect(outputs, { channelOrder: "class-first" });
  assert.ok(length > 200 && scores[0] > 0.995);
});

test("reg_max for bins: an error that says so", () => {
  assert.throws(() => detect(scene, { bins: 7 }), /\(1, 32, 20, 20\).*\(B, 28, anchors\)/);
});

test.run();
