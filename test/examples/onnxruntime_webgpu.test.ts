/**
 * examples/onnxruntime-webgpu: the network's outputs stay on the GPU, the boxes are those of the WASM engine and of the
 * truth, and little is read back.
 */
// needs: examples/onnxruntime-webgpu
import { createEngine, type DetectOptions, heads } from "densehead";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { skip } from "../suite/skip.ts";
import { root, type Visit, visit } from "./page.ts";

const test = suite("examples/onnxruntime-webgpu");
const { sync } = await createEngine({ device: "wasm" });
let visited: Visit | string;
test.before(async () => {
  visited = await visit("onnxruntime-webgpu");
});
test.after(async () => {
  if (typeof visited !== "string") await visited.close();
});

const options: DetectOptions = {
  head: heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] }),
  imageSize: [160, 160],
  scoreThreshold: 0.4,
};

/** Bytes of the network's four outputs for one image. */
const OUTPUT_BYTES = (20 * 20 + 10 * 10) * (4 + 32) * 4;

interface Row {
  readonly category_id: number;
  readonly bbox: number[];
}

interface Truth {
  readonly annotations: readonly (Row & { readonly image_id: number })[];
}

/** What the test needs of onnxruntime-web's tensors. */
interface OrtTensor {
  readonly location: string;
  readonly dims: number[];
  getData(): Promise<Float32Array>;
}

/** An output that was read back. */
interface Output {
  readonly location: string;
  readonly dims: number[];
  readonly values: number[];
}

/** In the page: counts the bytes that are mapped for reading, mode 1. */
function countMapped(): void {
  const state = globalThis as unknown as { mapped: number };
  const { mapAsync } = GPUBuffer.prototype;
  state.mapped = 0;
  GPUBuffer.prototype.mapAsync = function (this: GPUBuffer, mode, offset = 0, size = this.size - offset) {
    if (mode === 1) state.mapped += size;
    return mapAsync.call(this, mode, offset, size);
  };
}

/** In the page: one scene through the example's detector, and its outputs read back after that. */
async function runScene(module: string) {
  const { openDetector } = await import(module);
  const detector = await openDetector("shapes/shapes.onnx");
  const file = await fetch("shapes/scene1.png");
  const outputs: Record<string, OrtTensor> = await detector.run(await createImageBitmap(await file.blob()));
  const { anchors, classes, scores, boxes } = await detector.find(outputs);
  const read: Record<string, Output> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    const { location, dims } = tensor;
    read[name] = { location, dims, values: Array.from(await tensor.getData()) };
  }
  return { outputs: read, found: [anchors, classes, scores, boxes].map((values) => [...values]) };
}

test("the page draws the boxes of every scene, and reads less back than the outputs are long", async () => {
  if (typeof visited === "string") return skip(visited);
  const { page, open, complaints } = visited;
  await page.addInitScript(countMapped);
  await open();
  await page.waitForFunction(() => !document.querySelector("#status")?.textContent?.startsWith("Loading"));
  assert.is(await page.textContent("#status"), "Done.");
  const drawn = await page.$$eval("canvas", (all) => all.map((canvas) => JSON.parse(canvas.dataset.found ?? "")));
  const truth: Truth = JSON.parse(readFileSync(join(root, "examples/shapes/scenes.coco.json"), "utf8"));
  const objects = [1, 2, 3].map((id) => truth.annotations.filter(({ image_id }) => image_id === id));
  // The network misses the smallest triangle of the last scene.
  assert.equal(drawn.map((rows, i) => matches(rows, objects[i])), [5, 4, 5]);
  assert.equal(drawn.map((rows) => rows.length), [5, 4, 5]);
  const mapped = await page.evaluate(() => (globalThis as unknown as { mapped: number }).mapped);
  assert.ok(mapped > 0 && mapped < 3 * OUTPUT_BYTES / 4, `${mapped} bytes read back`);
  assert.equal(complaints, []);
});

test("outputs lie on the GPU and live on after detect; the boxes are those of the WASM engine", async () => {
  if (typeof visited === "string") return skip(visited);
  const { outputs, found } = await visited.page.evaluate(runScene, "/detector.js");
  for (const { location } of Object.values(outputs)) assert.is(location, "gpu-buffer");
  const tensor = (name: string) => ({ data: Float32Array.from(outputs[name].values), dims: outputs[name].dims });
  const classes = ["cls_s8", "cls_s16"].map(tensor);
  const boxes = ["reg_s8", "reg_s16"].map(tensor);
  const [expected] = sync.detect({ classes, boxes }, options);
  assert.is(expected.length, 5);
  assert.equal(found.slice(0, 3), [expected.anchors, expected.classes, expected.scores].map((values) => [...values]));
  found[3].forEach((side, i) => assert.ok(Math.abs(side - expected.boxes[i]) < 1e-4, `side ${i}: ${side}`));
});

/** How many objects have a box of their class over them. Categories of the file count from 1, classes from 0. */
function matches(rows: readonly Row[], objects: readonly Row[]): number {
  const overlaps = sync.boxIou(corners(rows), corners(objects));
  return objects.filter((object, k) =>
    rows.some((row, i) => row.category_id === object.category_id - 1 && overlaps[i * objects.length + k] > 0.5)
  ).length;
}

/** COCO's x, y, width, height as the library's corners. */
function corners(rows: readonly Row[]): Float32Array {
  return Float32Array.from(rows.flatMap(({ bbox: [x, y, width, height] }) => [x, y, x + width, y + height]));
}

test.run();
