/**
 * `densehead run` and `densehead inspect`, on models that the test writes and on a real one. The command runs in a
 * folder that has onnxruntime-node and sharp as their users have them.
 */
// needs: examples/onnxruntime
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { readSafetensors, writeNpy } from "densehead/files";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Graph, onnxFile } from "../onnx_file.ts";
import { installPeers, peer } from "../peer_packages.ts";
import { folder as realdata, missing, readJson } from "../realdata.ts";
import { skip } from "../suite/skip.ts";
import { cli, type Run, runIn } from "./in_process.ts";

const test = suite("densehead run and inspect");
const folder = mkdtempSync(join(tmpdir(), "densehead-run-"));
const at = (...name: string[]) => join(folder, ...name);
installPeers(folder);
symlinkSync(dirname(dirname(cli)), at("node_modules/densehead"), "junction");
test.after(() => rmSync(folder, { recursive: true, force: true }));
const sharp = peer("sharp");

// ── Running ─────────────────────────────────────────────────────────────────────

function densehead(...args: string[]): Run {
  return runIn(folder, ...args);
}

/** What a run that succeeds prints. */
function prints(...args: string[]): string {
  const { status, stdout, stderr } = densehead(...args);
  assert.is(stderr, "");
  assert.is(status, 0);
  return stdout;
}

/** A run that fails has one line on stderr, and exit code 2. */
function fails(args: string[], line: string | RegExp): void {
  const { status, stderr } = densehead(...args);
  assert.match(stderr, /^densehead: [^\n]+\n$/);
  assert.match(stderr, line);
  assert.is(status, 2);
}

interface Row {
  image_id: string | number;
  category_id: number;
  bbox: number[];
  score: number;
}

function rowsOf(...args: string[]): Row[] {
  const { status, stdout, stderr } = densehead("run", ...args, "--json", "-");
  assert.is(status, 0, stderr);
  return JSON.parse(stdout);
}

function boxesOf(rows: readonly Row[]): number[][] {
  return rows.map(({ bbox }) => bbox.map((side) => Number(side.toFixed(2))));
}

// ── Files ───────────────────────────────────────────────────────────────────────

function write(name: string, bytes: Uint8Array | string): string {
  writeFileSync(at(name), bytes);
  return name;
}

/** YOLOv8 of two classes with its decode in the graph, for 64 × 64: one object, 32 × 16 around the middle. */
function decoded(changes: Partial<Graph> = {}): Graph {
  const data = new Float32Array(6 * 84);
  [32, 32, 32, 16, 0, 0.75].forEach((value, channel) => data[channel * 84 + 5] = value);
  return {
    inputs: [{ name: "images", type: "float32", dims: [1, 3, 64, 64] }],
    constants: [{ name: "output0", dims: [1, 6, 84], data }],
    outputs: ["output0"],
    metadata: { names: `{0: 'cat', 1: "dog's"}` },
    ...changes,
  };
}

function model(name: string, graph: Graph): string {
  return write(name, onnxFile(graph));
}

const DOG = model("dog.onnx", decoded());

async function picture(name: string, width: number, height: number, orientation = 1): Promise<string> {
  const blank = sharp({ create: { width, height, channels: 3, background: "#808080" } });
  await blank.withMetadata({ orientation }).toFile(at(name));
  return name;
}

/** Where the object is in a picture of 100 × 40: 100 · 0.64 = 64 columns, 25.6 → 26 rows, 19 rows of padding above them. */
const IN_WIDE = [25, Number(((24 - 19) * 40 / 26).toFixed(2)), 50, Number((16 * 40 / 26).toFixed(2))];

// ── run ─────────────────────────────────────────────────────────────────────────

/** The object with these channels behind its two classes, and what the file says of the network. */
function attached(
  name: string,
  channels: readonly number[],
  metadata: Graph["metadata"],
  more: Graph["constants"] = [],
) {
  const values = [32, 32, 32, 16, 0, 0.75, ...channels];
  const data = new Float32Array(values.length * 84);
  values.forEach((value, channel) => data[channel * 84 + 5] = value);
  const constants = [{ name: "output0", dims: [1, values.length, 84], data }, ...more];
  const said = { names: `{0: 'cat', 1: "dog's"}`, imgsz: "[64, 64]", ...metadata };
  return model(name, decoded({ constants, outputs: constants.map(({ name }) => name), metadata: said }));
}

test("the task that Ultralytics wrote into a model tells masks, keypoints and angles apart", async () => {
  const file = await picture("square.png", 64, 64);
  const points = Array.from({ length: 16 }, (_, k) => [20 + k, 30, 0.75]);
  // 48 channels may be mask coefficients, too.
  const POSE = attached("pose.onnx", points.flat(), { task: "pose", kpt_shape: "[16, 3]" });
  const [row] = rowsOf(POSE, file) as (Row & { keypoints: number[] })[];
  assert.equal(row.keypoints, points.flat());
  assert.match(prints("inspect", POSE), "  task     pose: 16 keypoints of 3 values, as the file says\n");
  assert.match(prints("inspect", POSE), "One head fits:\n  yolov8-decoded with 2 classes (--keypoints 16x3:pixel)");
  assert.match(
    prints("inspect", POSE),
    'heads.yolov8Decoded({ numClasses: 2, keypoints: { count: 16, dims: 3, coding: "pixel" } })',
  );
  fails(["run", POSE, file, "--ignore-metadata", "--num-classes", "2"], "name the head with --head");
  assert.equal(boxesOf(rowsOf(POSE, file, "--head", "yolov8-decoded")), [[16, 24, 32, 16]]);

  const OBB = attached("obb.onnx", [0.5], { task: "obb" });
  assert.match(prints("inspect", OBB), "yolov8-decoded with 2 classes (--angle radians)");
  const prototypes = { name: "output1", dims: [1, 8, 16, 16], data: new Float32Array(8 * 256).fill(1) };
  const SEG = attached("seg.onnx", Array(8).fill(0.25), { task: "segment" }, [prototypes]);
  assert.match(prints("inspect", SEG), "yolov8-decoded with 2 classes (--mask-coefficients 8)");
  assert.equal(boxesOf(rowsOf(SEG, file)), [[16, 24, 32, 16]]);
  assert.equal(boxesOf(rowsOf(SEG, file, "--head", "yolov8-decoded")), [[16, 24, 32, 16]]);
});

test("a table in the picture's own pixels, with the head and the input that were taken", async () => {
  const file = await picture("wide.png", 100, 40);
  const lines = (prints("run", DOG, file)).split("\n");
  assert.is(
    lines[0],
    "dog.onnx: head yolov8-decoded (inferred from the shapes), 2 classes, strides 8 16 32, input 64×64; " +
      "picture as yolov8 (usual for head yolov8-decoded): letterbox, bilinear, rgb, 0 to 1, float32 nchw",
  );
  assert.is(lines[1], "wide: 1 object");
  assert.match(lines[3], /^ {2}dog's {2}0\.750 {2}25\.0 {2}7\.7 {2}75\.0 {2}32\.3$/);
  assert.equal(boxesOf(rowsOf(DOG, file)), [IN_WIDE]);
  assert.equal(boxesOf(rowsOf(DOG, file, "--fit", "stretch")), [[25, 15, 50, 10]]);
  assert.equal(rowsOf(DOG, file, "--score", "0.25,dog's=0.8"), []);
});

test("photographs are turned as their EXIF orientation says", async () => {
  const file = await picture("turned.jpg", 40, 100, 6);
  assert.equal(boxesOf(rowsOf(DOG, file)), [IN_WIDE]);
  // Viewers turn JPEGs; another file is written upright.
  prints("run", DOG, file, "--svg", "turned.svg");
  assert.match(readFileSync(at("turned.svg"), "utf8"), /viewBox="0 0 100 40".*data:image\/jpeg;base64/s);
  prints("run", DOG, await picture("turned.tiff", 40, 100, 6), "--svg", "turned.svg");
  const [, base64] = /data:image\/png;base64,([^"]+)/.exec(readFileSync(at("turned.svg"), "utf8")) ?? [];
  const { width, height } = await sharp(Buffer.from(base64 ?? "", "base64")).metadata();
  assert.equal([width, height], [100, 40]);
});

test("a folder of pictures: one JSON, a drawing each; what cannot be read is told, and the others go on", async () => {
  mkdirSync(at("many"));
  await picture("many/2.png", 64, 64);
  await picture("many/10.jpg", 64, 64);
  write("many/notes.txt", "no picture");
  write("many/3.png", "no picture either");
  const { status, stdout, stderr } = densehead("run", DOG, "many", "--json", "many.json", "--svg", "drawn");
  assert.is(status, 2);
  assert.is(
    stderr,
    `densehead: run: ${
      join("many", "3.png")
    }: cannot be read as a picture: Input buffer contains unsupported image format\n`,
  );
  assert.equal(stdout.match(/^\w+: \d object/gm), ["2: 1 object", "10: 1 object"]);
  const rows: Row[] = JSON.parse(readFileSync(at("many.json"), "utf8"));
  assert.equal(rows.map((row) => [row.image_id, row.category_id, ...row.bbox]), [
    [2, 1, 16, 24, 32, 16],
    [10, 1, 16, 24, 32, 16],
  ]);
  assert.equal(readdirSync(at("drawn")).sort(), ["10.svg", "2.svg"]);
  const half = readFileSync(at("many/10.jpg")).subarray(0, 300);
  fails(["run", DOG, write("half.jpg", half)], "half.jpg: cannot be read as a picture: ");
  fails(["run", DOG, "none.png"], "none.png: no such file or directory");
});

test("--gt gives the data set's ids", async () => {
  const truth = {
    images: [{ id: 17, file_name: "data/wide.png", width: 100, height: 40 }],
    annotations: [{ id: 1, image_id: 17, category_id: 8, bbox: [1, 2, 3, 4] }],
    categories: [{ id: 8, name: "dog's" }, { id: 9, name: "cat" }],
  };
  const gt = write("gt.json", JSON.stringify(truth));
  await picture("wide.png", 100, 40);
  const [row] = rowsOf(DOG, "wide.png", "--gt", gt);
  assert.equal([row.image_id, row.category_id], [17, 8]);
  await picture("other.png", 100, 40);
  fails(["run", DOG, "other.png", "--gt", gt], "other.png: --gt has no image other.png");
});

test("inputs of every type and layout that models have", async () => {
  const file = await picture("wide.png", 100, 40);
  const input = (type: "float32" | "float16" | "uint8", ...dims: (number | string)[]) => {
    return model("input.onnx", decoded({ inputs: [{ name: "x", type, dims }] }));
  };
  assert.match(
    prints("run", input("uint8", 1, 64, 64, 3), file),
    "letterbox, bilinear, rgb, bytes, uint8 nhwc\n",
  );
  assert.match(prints("run", input("float16", 1, 3, 64, 64), file), "0 to 1, float16 nchw\n");
  const open = input("float32", "batch", 3, "height", "width");
  fails(["run", open, file], "input.onnx: input x takes pictures of any size; give --image-size H,W");
  assert.match(prints("run", open, file, "--image-size", "64"), "input 64×64");
  const inputs = [{ name: "x", type: "float32", dims: ["batch", 3, "height", "width"] }] as const;
  const said = model("said.onnx", decoded({ inputs, metadata: { names: "{0: 'a', 1: 'b'}", imgsz: "[64, 64]" } }));
  assert.match(prints("run", said, file), "2 classes, strides 8 16 32, input 64×64");
  fails(
    ["run", said, file, "--ignore-metadata"],
    "said.onnx: input x takes pictures of any size; give --image-size H,W",
  );
  fails(["run", DOG, file, "--image-size", "96"], "--image-size is 96,96; input images wants 64,64");
  const other = ["--input", "yolox", "--order", "rgb", "--mean", "1,2,3", "--std", "4,5,6", "--scale", "2"];
  assert.match(
    prints("run", DOG, file, ...other),
    "yolox (as asked): top-left, bilinear, rgb, bytes · 2, mean 1 2 3, std 4 5 6, float32 nchw\n",
  );
  const wanted = "wanted one input of shape (1, 3, height, width) or (1, height, width, 3)";
  fails(
    ["run", input("float32", 1, 1, 64, 64), file],
    `x: float32 (1, 1, 64, 64) has no axis of 3 channels; ${wanted}`,
  );
  fails(["run", input("float32", 1, 64), file], `its inputs are x: float32 (1, 64); ${wanted}`);
  fails(
    ["run", input("float32", 4, 3, 64, 64), file],
    "x: float32 (4, 3, 64, 64) takes 4 pictures at a time; wanted",
  );
});

/** D-FINE as its own exporter has it: a box as large as what orig_target_sizes says. */
function detections(): Graph {
  return {
    inputs: [
      { name: "images", type: "float32", dims: [1, 3, 32, 64] },
      { name: "orig_target_sizes", type: "int64", dims: [1, 2] },
    ],
    constants: [
      { name: "labels", dims: [1, 2], data: BigInt64Array.of(1n, 0n) },
      { name: "scores", dims: [1, 2], data: Float32Array.of(0.875, 0.125) },
      { name: "corner", dims: [1, 2], data: new Float32Array(2) },
      { name: "shape", dims: [3], data: BigInt64Array.of(1n, 2n, 4n) },
    ],
    nodes: [
      { operator: "Cast", inputs: ["orig_target_sizes"], output: "size", attributes: { to: 1 } },
      { operator: "Concat", inputs: ["corner", "size", "corner", "size"], output: "corners", attributes: { axis: 1 } },
      { operator: "Reshape", inputs: ["corners", "shape"], output: "boxes" },
    ],
    outputs: ["labels", "boxes", "scores"],
  };
}

test("labels, boxes and scores of D-FINE, which is told the size, width first", async () => {
  const file = await picture("wide.png", 100, 40);
  const name = model("detections.onnx", detections());
  const rows = rowsOf(name, file, "--num-classes", "2");
  assert.equal(rows.map((row) => [row.category_id, row.score, ...row.bbox]), [[1, 0.875, 0, 0, 100, 40]]);
  const [line] = (prints("run", name, file, "--num-classes", "2")).split("\n");
  assert.match(line, "rtdetr (usual for graphs with orig_target_sizes): stretch, bilinear, rgb, 0 to 1");
  fails(["run", name, file], /fit yolov10 with any number of classes.*; name the head with --head, or narrow/);
  const { inputs, ...rest } = detections();
  const two = model("two.onnx", { ...rest, inputs: [...inputs, { name: "hints", type: "float32", dims: [1] }] });
  fails(
    ["run", two, file],
    "hints: float32 (1) is an input beside the picture; the command knows orig_target_sizes",
  );
});

test("never a guess: outputs of several heads, and heads that see pictures in different ways", async () => {
  const file = await picture("wide.png", 100, 40);
  const nameless = model("nameless.onnx", decoded({ metadata: {} }));
  fails(
    ["run", nameless, file],
    /fit yolov8-decoded with 2 classes, .*; name the head with --head, or narrow .*--num-c/,
  );
  const constants = [
    { name: "logits", dims: [1, 10, 3], data: new Float32Array(30).fill(-4) },
    { name: "pred_boxes", dims: [1, 10, 4], data: new Float32Array(40).fill(0.5) },
  ];
  const queries = model("queries.onnx", { ...decoded({ constants }), outputs: ["logits", "pred_boxes"], metadata: {} });
  fails(
    ["run", queries, file, "--num-classes", "3"],
    "the outputs of dfine and rfdetr look alike, and they see pictures in different ways; say --head dfine or rfdetr, or",
  );
  assert.match(
    prints("run", queries, file, "--head", "dfine"),
    /picture as \w+ \(usual for head dfine\): stretch/,
  );

  const say = "there is no usual input for head rfdetr; say --input ";
  fails(["run", queries, file, "--head", "rfdetr"], say);
  const odd = [{ name: "output0", dims: [1, 7, 2000], data: new Float32Array(14000) }];
  fails(
    ["run", model("odd.onnx", decoded({ constants: odd, metadata: {} })), file],
    /odd\.onnx: output0 of shape \(1, 7, 2000\) with image size 64×64 fit no preset; name the head with --head \(gfl, .*inspect/,
  );
});

test("models that are none, and models that fail", async () => {
  const file = await picture("wide.png", 100, 40);
  fails(["run", "none.onnx", file], "none.onnx: no such file or directory");
  fails(["run", folder, file], "is a folder; wanted an ONNX file");
  fails(
    ["run", write("text.onnx", "text"), file],
    "text.onnx: cannot be opened as an ONNX model: Protobuf parsing",
  );
  fails(["run", file, DOG], "wide.png: cannot be opened as an ONNX model: Protobuf parsing failed.");
  const shape = { name: "shape", dims: [1], data: BigInt64Array.of(7n) };
  const nodes = [{ operator: "Reshape", inputs: ["images", "shape"], output: "output0" }];
  const broken = model("broken.onnx", decoded({ constants: [shape], nodes }));
  fails(
    ["run", broken, file],
    /broken\.onnx: the model fails: .*Reshape node.*Status Message: [^/]*cannot be reshaped/,
  );
});

test("packages that are not there are named in one line, with how to install both", () => {
  const bare = mkdtempSync(join(tmpdir(), "densehead-bare-"));
  installPeers(join(bare, "half"), ["sharp"]);
  const both =
    "found neither from this folder nor beside densehead; install with: npm install onnxruntime-node sharp\n";
  for (
    const [args, where, names] of [
      [["run", at(DOG), at("wide.png")], bare, "onnxruntime-node and sharp"],
      [["run", at(DOG), at("wide.png")], join(bare, "half"), "onnxruntime-node"],
      [["inspect", at(DOG)], bare, "onnxruntime-node"],
    ] as const
  ) {
    const { status, stderr } = runIn(where, ...args);
    assert.is(status, 2);
    assert.is(stderr.replace(/^densehead: \w+: (.*dog\.onnx: )?/, ""), `needs ${names}, ${both}`);
  }
  rmSync(bare, { recursive: true });
});

test("wrong flags", () => {
  fails(["run"], "densehead: run: no MODEL given");
  fails(["run", DOG], "densehead: run: no PICTURE given");
  fails(["run", DOG, "a.png", "--input", "yolov9"], '"yolov9" is no input; wanted auto or one of yolov5, ');
  fails(["run", DOG, "a.png", "--mean", "1,2"], '--mean is "1,2"; wanted three numbers, one for each channel');
  fails(["run", DOG, "a.png", "--std", "1,2,0"], '--std is "1,2,0"; wanted numbers other than 0');
  fails(["run", DOG, "a.png", "--size", "64"], "Unknown option '--size'; did you mean --image-size?");
  fails(["run", DOG, "a.png", "--bands", "none"], "--bands is about --svg, which was not given");
  fails(
    ["run", DOG, "a.png", "--watch", "--json", "-"],
    "--watch writes --json and --svg anew with each picture;",
  );
  mkdirSync(at("empty"));
  fails(["run", DOG, "empty"], "no picture in empty");
  fails(["run", DOG, "empty", "--watch", "--svg", "x.svg"], "--svg x.svg is for one image; there may be several");
  fails(["inspect", "-"], "inspect: wanted a file, which the code that is printed can read; got standard input");
  fails(["inspect"], "densehead: inspect: 0 files given; wanted one MODEL or OUTPUT");
  const help = prints("run", "--help");
  for (const word of ["--input", "picodet", "--watch", "--suppression", "--head"]) assert.match(help, word);
});

test("--watch: pictures that are added or changed, until Ctrl-C", async () => {
  if (process.platform === "win32") return skip("no signal ends a process of Windows cleanly");
  mkdirSync(at("watched"));
  await picture("watched/first.png", 64, 64);
  const written = ["--json", "watched.json", "--svg", "watched"];
  const child = spawn(process.execPath, [cli, "run", DOG, "watched", "--watch", ...written], { cwd: folder });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => texts.stdout += text);
  child.stderr.setEncoding("utf8").on("data", (text) => texts.stderr += text);
  const ended = new Promise((resolve) => child.on("close", resolve));
  const until = async (stream: "stdout" | "stderr", text: RegExp, count = 1) => {
    while ((texts[stream].match(text) ?? []).length < count) {
      assert.is(child.exitCode, null, texts.stderr);
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  await until("stdout", /^first: 1 object$/gm);
  await picture("watched/second.png", 64, 64);
  await until("stdout", /^second: 1 object$/gm);
  writeFileSync(at("watched/first.png"), "damaged");
  await until("stderr", /first\.png: cannot be read as a picture: /g);
  await picture("watched/first.png", 64, 64);
  await until("stdout", /^first: 1 object$/gm, 2);
  assert.match(texts.stderr, "waiting for pictures; Ctrl-C ends\n");
  child.kill("SIGINT");
  assert.is(await ended, 0);
  const rows: Row[] = JSON.parse(readFileSync(at("watched.json"), "utf8"));
  assert.equal(rows.map((row) => row.image_id).sort(), ["first", "second"]);
  assert.ok(existsSync(at("watched/second.svg")));
  fails(["run", "text.onnx", "watched", "--watch"], "text.onnx: cannot be opened as an ONNX model");
});

// ── inspect ─────────────────────────────────────────────────────────────────────

/** The code that inspect prints, run: what it finds. */
async function runCode(text: string): Promise<{ classes: Int32Array; boxes: Float32Array }> {
  const code = text.slice(text.indexOf("import ")).replace(/^for .*$/m, "export { found };");
  const file = at(`code-${codes++}.mjs`);
  writeFileSync(file, code.replaceAll(/(?<=readFile\([`"]|sharp\("|create\(")/g, `${folder.replaceAll("\\", "/")}/`));
  return (await import(pathToFileURL(file).href)).found;
}
let codes = 0;

test("inspect says what a model's tensors are, what fits, and code that runs", async () => {
  await picture("picture.jpg", 100, 40);
  const text = prints("inspect", DOG);
  assert.is(
    text.slice(0, text.indexOf("\nOthers do not:")),
    "dog.onnx\n" +
      "  input    images: float32 (1, 3, 64, 64)\n" +
      "  classes  cat, dog's (2), as the file says\n" +
      "  output   output0: float32 (1, 6, 84)\n" +
      "\nOne head fits:\n" +
      "  yolov8-decoded with 2 classes\n" +
      "    output0: box (xywh in pixels), 2 classes (probabilities); 84 anchors\n",
  );
  assert.match(text, /^ {2}gfl · .*: wants classes and boxes apart, not one tensor$/m);
  const { classes, boxes } = await runCode(text);
  assert.equal([...classes], [1]);
  const [x, y, width, height] = IN_WIDE;
  [x, y, x + width, y + height].forEach((side, i) => assert.ok(Math.abs(boxes[i] - side) < 0.02, `${boxes}`));

  const rowsText = prints("inspect", model("detections.onnx", detections()), "--num-classes", "2");
  assert.match(rowsText, "  output   labels, boxes, scores: float32 (1, 2, 6)\n");
  assert.match(rowsText, "    labels, boxes, scores: box (xyxy in pixels), score, class; 2 detections\n");
  const found = await runCode(rowsText);
  assert.equal([...found.boxes], [0, 0, 100, 40]);
});

test("inspect lists every head that fits, and says where code must wait", () => {
  const nameless = model("nameless.onnx", decoded({ metadata: {} }));
  assert.match(
    prints("inspect", nameless),
    /\n\d readings fit; --head, --num-classes or --classes tell them apart:\n/,
  );
  const text = prints("inspect", "queries.onnx", "--head", "rfdetr");
  assert.match(text, "\nNo code yet: there is no usual input for head rfdetr; say --input ");
  assert.match(text, "  logits: 3 classes (logits); 10 queries\n");
  const odd = prints("inspect", "odd.onnx");
  assert.match(odd, "\nNo head fits:\n  gfl · ");
  assert.not.match(odd, "Code");
});

test("inspect reads outputs in files too, and their code runs", async () => {
  const scene = join(resolve(process.env.DENSEHEAD_ROOT ?? "."), "examples/shapes/scene1.safetensors");
  write("scene1.safetensors", readFileSync(scene));
  const text = prints("inspect", "scene1.safetensors");
  assert.match(
    text,
    "\nOne head fits:\n  gfl with 4 classes (--bins 8 --strides 8,16)\n    cls_s8: 4 classes (logits); 400 anchors\n",
  );
  assert.is((await runCode(text)).classes.length, 7);

  mkdirSync(at("tensors"));
  for (const [name, { data, dims }] of readSafetensors(readFileSync(scene)).tensors) {
    write(`tensors/${name}.npy`, writeNpy({ data: data as Float32Array, dims }));
  }
  assert.is((await runCode(prints("inspect", "tensors", "--image-size", "160"))).classes.length, 7);
  write("lone.npy", writeNpy({ data: new Float32Array(6 * 84).fill(0.5), dims: [1, 6, 84] }));
  const named = ["--head", "yolov8-decoded", "--num-classes", "2"];
  assert.ok((await runCode(prints("inspect", "lone.npy", ...named))).classes.length > 0);
  fails(
    ["inspect", "wide.png"],
    "wide.png: wanted a .npy or .safetensors file, or a folder of .npy files; a picture",
  );
});

// ── A real network ──────────────────────────────────────────────────────────────

const yolox = join(realdata, "../models/yolox_nano.onnx");

test("a real network on photographs gives the detections of the reference", async () => {
  if (!existsSync(yolox)) return skip(missing);
  const thresholds = ["--score", "0.3", "--iou", "0.45"];
  const ids = ["000000255165", "000000423617"];
  const photographs = ids.map((id) => resolve(realdata, "images", `${id}.jpg`));
  const rows = rowsOf(
    resolve(yolox),
    ...photographs,
    "--classes",
    "coco",
    "--category-ids",
    "coco",
    ...thresholds,
  );
  const { COCO_CATEGORY_IDS } = await import("../../src/cli/coco_classes.ts");
  for (const id of ids) {
    const { dets } = readJson<Record<string, { dets: { cls: number; score: number; box_image: number[] }[] }>>(
      `yolox_nano_416__coco${id}`,
      "ref_dets.json",
    )["demo_0.3_0.45"];
    const own = rows.filter((row) => row.image_id === Number(id));
    assert.equal(own.map((row) => row.category_id), dets.map(({ cls }) => COCO_CATEGORY_IDS[cls]));
    own.forEach(({ score, bbox: [x, y, width, height] }, i) => {
      assert.ok(Math.abs(score - dets[i].score) <= 0.02);
      const [x1, y1, x2, y2] = dets[i].box_image;
      const wanted = [Math.max(0, x1), Math.max(0, y1), Math.min(640, x2), Math.min(480, y2)];
      [x, y, x + width, y + height].forEach((side, j) => assert.ok(Math.abs(side - wanted[j]) <= 1.5));
    });
  }
});

test.run();
