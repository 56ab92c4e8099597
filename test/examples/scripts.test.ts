/** The examples of a few lines, each run by the last command of its README; they find the objects of a scene or a picture. */
// needs: examples/node
// needs: examples/bun
// needs: examples/onnxruntime
// needs: test/runtimes
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createEngine, heads } from "densehead";
import { readSafetensors } from "densehead/files";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { skip } from "../suite/skip.ts";

interface Box {
  name: string;
  score: number;
  corners: number[];
}

const test = suite("examples/node, deno, bun, onnxruntime");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const installed = (path: string) => join(root, "test/runtimes/node_modules", path);
const shapes = (name: string) => readFileSync(join(root, "examples/shapes", name));
const engine = await createEngine();

/** Of the first scene. */
const truth = readTruth("scenes.coco.json");
const expected = detect();

/** The objects of the first picture of a file. */
function readTruth(file: string): Box[] {
  const { annotations, categories } = JSON.parse(shapes(file).toString());
  const names = new Map<number, string>(categories.map(({ id, name }: { id: number; name: string }) => [id, name]));
  const rows: { image_id: number; category_id: number; bbox: number[] }[] = annotations;
  return rows.filter(({ image_id }) => image_id === 1).map(({ category_id, bbox: [x, y, width, height] }) => {
    return { name: names.get(category_id) ?? "", score: 1, corners: [x, y, x + width, y + height] };
  });
}

function detect(): Box[] {
  const { tensors } = readSafetensors(shapes("scene1.safetensors"));
  const head = heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] });
  const [found] = engine.sync.detect([...tensors.values()], { head, imageSize: [160, 160] });
  const names = ["circle", "square", "triangle", "star"];
  return Array.from(found, ({ box, score, classId }) => ({ name: names[classId], score, corners: [...box] }));
}

/** Runs an example as its README says, with a runtime at that path. */
function prints(example: string, runtime: string): string {
  const folder = join(root, "examples", example);
  const [, block] = readFileSync(join(folder, "README.md"), "utf8").split(/^```\r?\n/m);
  const [, ...args] = block.trim().split("\n").at(-1)?.split(" ") ?? [];
  const { status, stdout, stderr } = spawnSync(runtime, args, { cwd: folder, encoding: "utf8" });
  assert.is(status, 0, stderr);
  return stdout;
}

function boxesIn(output: string): Box[] {
  return [...output.matchAll(/^(\w+) (\d\.\d\d) \[([-\d, ]+)\]$/gm)].map(([, name, score, corners]) => {
    return { name, score: Number(score), corners: corners.split(",").map(Number) };
  });
}

function areBoxes(found: Box[]): void {
  assert.equal(found.map(({ name }) => name), expected.map(({ name }) => name));
  found.forEach(({ score, corners }, i) => {
    near(score, expected[i].score, 0.006);
    corners.forEach((corner, side) => near(corner, expected[i].corners[side], 0.51));
  });
  hasAll(truth, found);
}

function hasAll(objects: Box[], found: Box[]): void {
  for (const object of objects) assert.ok(found.some((box) => covers(box, object)), `no ${object.name} was found`);
}

function covers(box: Box, object: Box): boolean {
  const [iou] = engine.sync.boxIou(Float32Array.from(box.corners), Float32Array.from(object.corners));
  return box.name === object.name && iou >= 0.5;
}

function isLoss(output: string): void {
  const [, loss, sides] = /^GIoU loss (\S+) gradient (.+)$/m.exec(output) ?? [];
  const best = Float32Array.from(expected[0].corners);
  const object = truth.find((candidate) => covers(expected[0], candidate));
  const wanted = engine.sync.giouLoss(best, Float32Array.from(object?.corners ?? []), { grad: true });
  near(Number(loss), wanted.loss, 6e-5);
  const grad = (sides.match(/-?\d\.\d+/g) ?? []).map(Number);
  assert.is(grad.length, 4);
  grad.forEach((value, i) => near(value, wanted.grad[i], 6e-5));
}

function near(value: number, wanted: number, tolerance: number): void {
  assert.ok(Math.abs(value - wanted) <= tolerance, `${value} instead of ${wanted}`);
}

for (
  const { name, runtime } of [
    { name: "node", runtime: process.execPath },
    { name: "deno", runtime: installed(process.platform === "win32" ? "deno/deno.exe" : "deno/deno") },
    { name: "bun", runtime: installed("bun/bin/bun.exe") },
  ]
) {
  test(`examples/${name} finds the objects, and says how far off the best box is`, () => {
    if (!existsSync(runtime)) return skip(`examples/${name}: no ${name} for ${process.platform}-${process.arch}`);
    const output = prints(name, runtime);
    areBoxes(boxesIn(output));
    isLoss(output);
  });
}

test("examples/onnxruntime finds the objects of a picture that a letterbox takes to the network", () => {
  const platform = join(process.platform, process.arch);
  const binary = join(root, "examples/onnxruntime/node_modules/onnxruntime-node/bin/napi-v6", platform);
  if (!existsSync(binary)) return skip(`examples/onnxruntime: no onnxruntime-node for ${platform}`);
  const objects = readTruth("photo.coco.json");
  const found = boxesIn(prints("onnxruntime", process.execPath));
  assert.is(found.length, objects.length);
  hasAll(objects, found);
});

test.after(() => engine.dispose());
test.run();
