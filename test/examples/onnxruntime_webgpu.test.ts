/**
 * examples/onnxruntime-webgpu: frames become boxes on the GPU, with the bits of the WASM engine before the network and
 * its boxes behind it; and the page shows a picture whatever is missing.
 */
// needs: examples/onnxruntime-webgpu
import { createEngine, type DetectOptions, heads, type ImageTransform, inputs } from "densehead";
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
  if (typeof visited === "string") return;
  // Software adapters compile the network's shaders slowly.
  visited.page.setDefaultTimeout(120_000);
  await visited.page.addInitScript(countMapped);
  await visited.open();
});
test.after(async () => {
  if (typeof visited !== "string") await visited.close();
});

const PHOTO = "photo.jpg";
const input = inputs.yolov8({ size: [160, 160] });
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

/** In the page: a photo through the steps of the example's detector, and what lay on the GPU read back after that. */
async function runPhoto([detectorModule, modelModule, file]: readonly string[]) {
  const [{ openDetector }, { shapesModel }] = [await import(detectorModule), await import(modelModule)];
  const model = await shapesModel();
  const detector = await openDetector();
  const photo = await createImageBitmap(await (await fetch(file)).blob());
  const state = globalThis as unknown as { mapped: number };
  state.mapped = 0;
  const { tensor, transform } = await detector.prepare(model, photo);
  const outputs: Record<string, OrtTensor> = await detector.run(model, tensor);
  const before = state.mapped;
  const { anchors, classes, scores, boxes } = await detector.find(model, outputs, transform);
  const mapped = { before, after: state.mapped };
  const read: Record<string, Output> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    const { location, dims } = tensor;
    read[name] = { location, dims, values: Array.from(await tensor.getData()) };
  }
  const { width, height } = photo;
  const context = new OffscreenCanvas(width, height).getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.drawImage(photo, 0, 0);
  const bytes = Array.from(context.getImageData(0, 0, width, height).data);
  return {
    pixels: { bytes, width, height },
    tensor: await valuesOf(tensor.gpuBuffer),
    ...{ transform: transform as ImageTransform, outputs: read, mapped },
    found: [anchors, classes, scores, boxes].map((values) => [...values]),
  };

  async function valuesOf(buffer: GPUBuffer): Promise<number[]> {
    const device: GPUDevice = detector.device;
    const [MAP_READ, COPY_DST] = [0x1, 0x8];
    const copy = device.createBuffer({ size: buffer.size, usage: MAP_READ | COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
    device.queue.submit([encoder.finish()]);
    await copy.mapAsync(1);
    return Array.from(new Float32Array(copy.getMappedRange()));
  }
}

/** A test of the page, or a skipped one. */
function onPage(title: string, body: (visit: Visit) => Promise<void>): void {
  test(title, () => typeof visited === "string" ? skip(visited) : body(visited));
}

async function statusBegins(page: Visit["page"], text: string): Promise<void> {
  await page.waitForFunction((wanted) => document.querySelector("#status")?.textContent?.startsWith(wanted), text);
}

onPage("the page finds the shapes in its scene", async ({ page }) => {
  await page.waitForFunction(() => {
    const label = document.querySelector("#view")?.ariaLabel;
    return ["circle", "square", "triangle", "star"].every((name) => label?.includes(name));
  });
  assert.match(await page.textContent("#status") ?? "", /^shapes\.onnx: input yolov8, head gfl with 4 classes/);
});

onPage("a camera that does not open is said, and the scene goes on; one that opens is seen", async ({ page }) => {
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error("there is none"));
  });
  await page.click("#camera");
  await statusBegins(page, "camera: it does not open here: there is none");
  assert.is(await page.getAttribute("#view", "data-source"), "drawn scene");
  await page.evaluate(() => Reflect.deleteProperty(navigator.mediaDevices, "getUserMedia"));
  await page.click("#camera");
  await page.waitForFunction(() => document.querySelector("#figures")?.textContent?.endsWith("from 640 × 480 pixels"));
  assert.is(await page.getAttribute("#view", "data-source"), "camera");
});

onPage(
  "a file that is no network leaves the one before; a photo's boxes are those of its objects",
  async ({ page, complaints }) => {
    await page.click("summary");
    await page.setInputFiles("#network input[type=file]", join(root, "package.json"));
    await page.click("#network button:not([type])");
    await statusBegins(page, "package.json: it does not run here");
    await page.setInputFiles("#file", join(root, "examples/shapes", PHOTO));
    const found = await page.waitForFunction((name) => {
      const { found } = (document.querySelector("#view") as HTMLElement).dataset;
      return found?.includes(`"image_id":"${name}"`) && JSON.parse(found);
    }, PHOTO);
    const rows: Row[] = await found.jsonValue();
    const { annotations }: Truth = JSON.parse(readFileSync(join(root, "examples/shapes/photo.coco.json"), "utf8"));
    assert.equal([rows.length, matches(rows, annotations)], [annotations.length, annotations.length]);
    assert.equal(complaints, []);
  },
);

onPage("pixels, tensor and outputs stay on the GPU; bits and boxes are those of the WASM engine", async ({ page }) => {
  const { pixels, tensor, transform, outputs, mapped, found } = await page.evaluate(
    runPhoto,
    ["/detector.js", "/model.js", `/shapes/${PHOTO}`],
  );
  assert.is(mapped.before, 0);
  assert.ok(mapped.after > 0 && mapped.after < OUTPUT_BYTES / 4, `${mapped.after} bytes read back`);
  const { bytes, width, height } = pixels;
  const wanted = sync.preprocess({ data: Uint8Array.from(bytes), width, height }, input);
  assert.equal(Float32Array.from(tensor), wanted.tensor.data);
  assert.equal(transform, wanted.transform);
  for (const { location } of Object.values(outputs)) assert.is(location, "gpu-buffer");
  const inPlace = (name: string) => ({ data: Float32Array.from(outputs[name].values), dims: outputs[name].dims });
  const classes = ["cls_s8", "cls_s16"].map(inPlace);
  const boxes = ["reg_s8", "reg_s16"].map(inPlace);
  const [expected] = sync.detect({ classes, boxes }, { ...options, transform });
  assert.equal(found.slice(0, 3), [expected.anchors, expected.classes, expected.scores].map((values) => [...values]));
  found[3].forEach((side, i) => assert.ok(Math.abs(side - expected.boxes[i]) < 1e-3, `side ${i}: ${side}`));
});

onPage("without WebGPU the page says so, and shows its scene", async ({ page }) => {
  const other = await page.context().browser()?.newPage();
  assert.ok(other);
  await other.addInitScript(() => Object.defineProperty(Navigator.prototype, "gpu", { value: undefined }));
  await other.goto(page.url());
  await statusBegins(other, "shapes.onnx: it does not run here");
  const colours = await other.evaluate(async () => {
    const copy = await createImageBitmap(document.querySelector("#view") as HTMLCanvasElement);
    const context = new OffscreenCanvas(copy.width, copy.height).getContext("2d") as OffscreenCanvasRenderingContext2D;
    context.drawImage(copy, 0, 0);
    return new Set(new Uint32Array(context.getImageData(0, 0, copy.width, copy.height).data.buffer)).size;
  });
  assert.ok(colours > 4, `${colours} colours`);
  await other.close();
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
