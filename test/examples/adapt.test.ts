/** examples/adapt: the last layer of the sample network learns a fifth shape, in Node and in a page. */
// needs: examples/adapt
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { random } from "../random.ts";
import { skip } from "../suite/skip.ts";
import { root, visit } from "./page.ts";

interface OrtTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

type Run = (planes: Float32Array) => Promise<Readonly<Record<string, OrtTensor>>>;

interface Row {
  readonly name: string;
  readonly AP50: readonly [before: number, after: number];
}

const test = suite("examples/adapt");
const folder = resolve(root, "examples/adapt");
const load = (name: string) => import(pathToFileURL(join(folder, name)).href);
const [{ adapt, rowsOf }, { cutLastLayers }, { Layer }, { cellsOf, planesOf }, scenes, { curveSvg, sceneSvg }] =
  await Promise.all(["adapt.js", "network.js", "layer.js", "samples.js", "scenes.js", "pictures.js"].map(load));
const [{ SIZE }, { pngOf }] = await Promise.all(["drawing.js", "png.js"].map(load));
const file = readFileSync(join(root, "examples/shapes/shapes.onnx"));
const engine = await createEngine();

const platform = join(process.platform, process.arch);
const hasRuntime = existsSync(join(folder, "node_modules/onnxruntime-node/bin/napi-v6", platform));
const noRuntime = `examples/adapt: no onnxruntime-node for ${platform}`;

async function open(model: Uint8Array): Promise<Run> {
  const { InferenceSession, Tensor } = createRequire(join(folder, "node.js"))("onnxruntime-node");
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1 });
  return (planes) => session.run({ image: new Tensor("float32", planes, [1, 3, SIZE, SIZE]) });
}

test("the cut network and the layers that were taken off give the outputs of the whole one", async () => {
  if (!hasRuntime) return skip(noRuntime);
  const [{ pixels }] = scenes.drawScenes(1, 5);
  const cut = cutLastLayers(file);
  const [whole, features] = await Promise.all(
    [file, cut.file].map(async (model) => (await open(model))(planesOf(pixels))),
  );
  assert.equal(Object.keys(cut.layers), ["cls_s8", "cls_s16", "reg_s8", "reg_s16"]);
  for (const [name, { features: from, weights, bias }] of Object.entries<Record<string, never>>(cut.layers)) {
    const wanted = cellsOf(whole[name]);
    const logits = new Float32Array(wanted.length);
    new Layer({ weights, bias, frozen: 0 }).forward(cellsOf(features[from]), logits);
    logits.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-4, `${name} ${i}: ${value}, ${wanted[i]}`));
  }
});

test("a layer's slopes are finite differences of its logits, and frozen outputs stay", () => {
  const r = random(77);
  const numbers = (length: number) => Float32Array.from({ length }, () => r.uniform(-1, 1));
  const [cells, inputs, outputs, frozen] = [3, 4, 5, 2];
  const [weights, bias, features, gradients] = [outputs * inputs, outputs, cells * inputs, cells * outputs].map(
    numbers,
  );
  const objective = (changed: Float32Array, at: number, by: number) => {
    const kept = changed[at];
    changed[at] += by;
    const logits = new Float32Array(cells * outputs);
    new Layer({ weights, bias, frozen }).forward(features, logits);
    changed[at] = kept;
    return logits.reduce((sum, value, i) => sum + value * gradients[i], 0);
  };
  const slopesOf = (values: Float32Array) => {
    return Array.from(values, (_, i) => (objective(values, i, 0.25) - objective(values, i, -0.25)) / 0.5);
  };
  const wanted = { weights: slopesOf(weights), bias: slopesOf(bias) };
  const before = { weights: weights.slice(), bias: bias.slice() };
  const layer = new Layer({ weights, bias, frozen });
  layer.backward(features, gradients);
  layer.step(0.5, 0.9);
  for (const [name, values, width] of [["weights", weights, inputs], ["bias", bias, 1]] as const) {
    values.forEach((value, i) => {
      const moved = i < frozen * width ? 0 : -0.5 * wanted[name][i];
      assert.ok(Math.abs(value - before[name][i] - moved) < 1e-4, `${name} ${i}`);
    });
  }
});

test("scenes are the same for a seed, with boxes around what is drawn, in all eight versions", () => {
  const { drawScenes, versionsOf, NEW_CLASS } = scenes;
  const drawn = drawScenes(4, 3);
  assert.equal(drawn, drawScenes(4, 3));
  for (const scene of drawn) {
    assert.ok(scene.labels.includes(NEW_CLASS));
    const versions = versionsOf(scene);
    assert.is(versions.length, 8);
    assert.equal(versions[0], scene);
    const [left, top, right, bottom] = scene.boxes;
    assert.equal([...versions[1].boxes.slice(0, 4)], [SIZE - right, top, SIZE - left, bottom].map(Math.fround));
    assert.equal([...versions[4].boxes.slice(0, 4)], [top, left, bottom, right]);
    for (const { pixels, boxes } of versions) {
      // The colour in the middle of an object is about that of the scene's, whichever way it is turned.
      const sum = (own: Uint8ClampedArray, [x0, y0, x1, y1]: Float32Array) => {
        const at = 3 * (Math.floor((y0 + y1) / 2) * SIZE + Math.floor((x0 + x1) / 2));
        return own[at] + own[at + 1] + own[at + 2];
      };
      assert.ok(Math.abs(sum(pixels, boxes) - sum(scene.pixels, scene.boxes)) < 150);
      assert.ok(boxes.every((edge: number) => edge >= 1 && edge <= SIZE - 1));
    }
  }
});

test("a few steps find hearts, and the old classes stay; curve and pictures are SVG", async () => {
  if (!hasRuntime) return skip(noRuntime);
  const pictures = { training: { count: 8, seed: 1 }, heldOut: { count: 12, seed: 2 } };
  const result = await adapt(engine, file, open, { steps: 45, pictures });
  const { losses, measures, before, after } = result;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.is(losses.length, 45);
  assert.ok(mean(losses.slice(-5)) < 0.7 * mean(losses.slice(0, 5)), `${losses}`);
  assert.equal(measures.map(({ step }: { step: number }) => step), [0, 15, 30, 45]);
  const rows = new Map<string, Row>(rowsOf(result).map((row: Row) => [row.name, row]));
  const [hearts, others] = [rows.get("heart")?.AP50 ?? [], rows.get("the old four")?.AP50 ?? []];
  assert.is(hearts[0], 0);
  assert.ok(hearts[1] > 0.3, `AP50 of hearts: ${hearts[1]}`);
  assert.ok(others[0] > 0.7 && others[1] > others[0] - 0.03, `AP50 of the others: ${others}`);
  assert.match(curveSvg(result), /^<svg [^]+<polyline [^]+<\/svg>$/);
  assert.not.match(curveSvg(result), /NaN|undefined/);
  const [scene] = result.scenes;
  const svg = sceneSvg(scene, after.found[0], pngOf(scene.pixels, SIZE));
  assert.match(svg, /href="data:image\/png;base64,/);
  assert.is(before.found.length, 12);
});

test("the page learns, and shows the curve, the table and pictures", async () => {
  const visited = await visit("adapt", { webgpu: false });
  if (typeof visited === "string") return skip(visited);
  try {
    const { page, complaints, open } = visited;
    page.setDefaultTimeout(180_000);
    await open();
    await page.fill("#steps", "45");
    await page.click("#learn");
    await page.waitForSelector("#pictures figure");
    assert.equal(complaints, []);
    assert.is(await page.locator("#curve polyline").count(), 3);
    assert.is(await page.locator("#pictures figure svg image").count(), 8);
    const cells = await page.locator("table tr", { hasText: "heart" }).locator("td").allTextContents();
    const [before, after] = cells.map(Number);
    assert.is(before, 0);
    assert.ok(after > 0.3, `AP50 of hearts: ${cells}`);
    assert.match(await page.textContent("#status") ?? "", /^\d+ s$/);
  } finally {
    await visited.close();
  }
});

test.after(() => engine.dispose());
test.run();
