/** examples/playground, operated by mouse and keyboard; its numbers are compared with the package's in this process. */
// needs: examples/playground
import { createEngine, type DetectOptions, heads, type HostTensor } from "densehead";
import { cocoEvaluate } from "densehead/eval";
import { outputsByRole, readSafetensors } from "densehead/files";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { skip } from "../suite/skip.ts";
import { root, type Visit, visit } from "./page.ts";

const test = suite("examples/playground");
const { sync } = await createEngine({ device: "wasm" });
let visited: Visit | string;
test.before(async () => {
  visited = await visit("playground");
  if (typeof visited !== "string") await visited.open();
});
test.after(async () => {
  if (typeof visited !== "string") await visited.close();
});

function onPage(title: string, body: (page: Visit["page"]) => Promise<void>): void {
  test(title, () => typeof visited === "string" ? skip(visited) : body(visited.page));
}

/** The number of an element's text, once it has one: the page computes nothing before its engine has loaded. */
async function read(page: Visit["page"], selector: string): Promise<number> {
  const text = await page.locator(selector).filter({ hasText: /./ }).textContent();
  return Number(text?.replaceAll("−", "-"));
}

function near(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, wanted ${expected}`);
}

// ── Loss curves ─────────────────────────────────────────────────────────────────

const each = { reduction: "none", grad: true } as const;
const logitAt = (p: number) => Float32Array.of(Math.log(p / (1 - p)));
const target = (y: number) => Float32Array.of(y);

/** What the page says at the cursor, against a loss of one logit. */
async function readingIs(
  page: Visit["page"],
  { loss, grad }: { loss: Float32Array; grad: Float32Array },
): Promise<void> {
  near(await read(page, "#read-loss"), loss[0], 1e-3 * Math.abs(loss[0]), "loss");
  near(await read(page, "#read-gradient"), grad[0], 1e-3 * Math.abs(grad[0]), "gradient");
}

/** A slider's new value after some presses of a key. */
async function press(page: Visit["page"], name: string, key: string, times: number): Promise<number> {
  const slider = page.locator(`#curves input[name=${name}]`);
  await slider.focus();
  for (let i = 0; i < times; i++) await page.keyboard.press(key);
  return Number(await slider.inputValue());
}

onPage("curves: the page begins with the picture of the QFL paper, and presets bring it back", async (page) => {
  await readingIs(page, sync.qualityFocalLoss(logitAt(0.2), target(0.5), { ...each, beta: 2 }));
  await page.getByText("Varifocal, negative").click();
  await readingIs(page, sync.varifocalLoss(logitAt(0.2), target(0), { ...each, alpha: 0.75, gamma: 2 }));
  await page.getByText("QFL paper").click();
  await readingIs(page, sync.qualityFocalLoss(logitAt(0.2), target(0.5), { ...each, beta: 2 }));
  for (const chart of ["#loss-chart", "#gradient-chart"]) {
    assert.is(await page.locator(`${chart} path.curve`).count(), 5);
  }
});

onPage("curves: each loss follows its sliders, by keyboard", async (page) => {
  const beta = await press(page, "beta", "ArrowLeft", 5);
  assert.is(beta, 1.5);
  await readingIs(page, sync.qualityFocalLoss(logitAt(0.2), target(0.5), { ...each, beta }));
  await page.getByRole("radio", { name: "Focal", exact: true }).check();
  const gamma = await press(page, "gamma", "ArrowRight", 3);
  const alpha = await press(page, "alpha", "ArrowRight", 2);
  const y = await press(page, "target", "End", 1);
  assert.is(y, 1);
  await readingIs(page, sync.sigmoidFocalLoss(logitAt(0.2), target(y), { ...each, alpha, gamma }));
  await page.getByRole("radio", { name: "Generalized focal" }).check();
  const yLeft = await press(page, "yLeft", "ArrowLeft", 1);
  const inside = await press(page, "target", "Home", 1);
  assert.is(inside, yLeft);
  await readingIs(page, sync.generalizedFocalLoss(logitAt(0.2), target(inside), { ...each, beta, yLeft, yRight: 1 }));
});

onPage("curves: the sliders of varifocal loss rest where its target is no negative", async (page) => {
  await page.getByText("Varifocal, negative").click();
  const gamma = page.locator("#curves input[name=gamma]");
  assert.not(await gamma.isDisabled());
  await press(page, "target", "ArrowRight", 1);
  assert.ok(await gamma.isDisabled());
  await page.getByText("QFL paper").click();
});

onPage("curves: the pointer chooses where they are read", async (page) => {
  await page.getByText("QFL paper").click();
  const chart = page.locator("#loss-chart svg.plot");
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 0.8 * box.width, box.y + box.height / 2);
  const p = await read(page, "#read-probability");
  near(p, 0.8, 0.011, "probability");
  await readingIs(page, sync.qualityFocalLoss(logitAt(p), target(0.5), { ...each, beta: 2 }));
});

// ── A box side ──────────────────────────────────────────────────────────────────

const BINS = 16;

async function probabilities(page: Visit["page"]): Promise<number[]> {
  return await page.$$eval("#bins-chart .bar", (bars) => bars.map((bar) => Number(bar.getAttribute("aria-valuenow"))));
}

/** What the page says of its distribution, against the package on its bars. */
async function sideIs(page: Visit["page"]): Promise<void> {
  const logits = Float32Array.from(await probabilities(page), (p) => Math.log(p));
  const box = { data: Float32Array.from({ length: 4 * BINS }, (_, i) => logits[i % BINS]), dims: [1, 4 * BINS] };
  const { std, excess, entropy, saturation } = sync.dflStatistics(box, { bins: BINS });
  const y = await read(page, "#dfl-target-value");
  const { loss } = sync.distributionFocalLoss({ data: logits, dims: [1, BINS] }, target(y));
  const [expectation] = sync.dflDecode(box, { bins: BINS });
  const expected = { expectation, std: std[0], excess: excess[0], entropy: entropy[0], loss };
  for (const [name, value] of Object.entries(expected)) near(await read(page, `#dfl-${name}`), value, 2e-3, name);
  near(await read(page, "#dfl-saturation"), saturation[0], 1e-5, "last bin");
}

onPage("side: bins are dragged, and each reading follows", async (page) => {
  await sideIs(page);
  const chart = page.locator("#bins-chart");
  await chart.scrollIntoViewIfNeeded();
  const bar = await page.locator("#bins-chart .bar").nth(6).boundingBox();
  const frame = await chart.boundingBox();
  assert.ok(bar && frame);
  const x = bar.x + bar.width / 2;
  await page.mouse.move(x, bar.y);
  await page.mouse.down();
  await page.mouse.move(x, frame.y + frame.height / 2, { steps: 3 });
  await page.mouse.up();
  const after = await probabilities(page);
  assert.ok(after[6] > 0.4 && after[6] < 0.6, `bin 6 has ${after[6]}`);
  near(after.reduce((a, b) => a + b), 1, 1e-5, "sum");
  await sideIs(page);
});

onPage("side: bins are sliders for the keyboard", async (page) => {
  await page.getByText("Sharp", { exact: true }).click();
  const before = await probabilities(page);
  await page.locator("#bins-chart .bar").nth(6).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("PageUp");
  near((await probabilities(page))[7], before[7] + 0.11, 1e-4, "bin 7");
  await sideIs(page);
});

onPage(
  "side: steps downhill lower the loss, and in the end leave the floor of the deviation but no excess",
  async (page) => {
    const before = await read(page, "#dfl-loss");
    for (let i = 0; i < 5; i++) await page.getByText("Step downhill").click();
    assert.ok(await read(page, "#dfl-loss") < before - 0.5);
    await sideIs(page);
    await page.evaluate(() => {
      for (let i = 0; i < 400; i++) document.getElementById("dfl-step")?.click();
    });
    assert.ok(await read(page, "#dfl-std") > 0.4 && await read(page, "#dfl-excess") < 0.5);
    await sideIs(page);
  },
);

// ── Live detection ──────────────────────────────────────────────────────────────

/** Class, score and sides of each row. */
type Row = readonly [name: string, ...numbers: number[]];

async function rows(page: Visit["page"]): Promise<Row[]> {
  const texts = await page.$$eval(
    "#found tr",
    (all) => all.map((row) => [...row.children].map((cell) => cell.textContent)),
  );
  // A side's cell also has its excess, after ±.
  return texts.map((
    [name, ...numbers],
  ) => [name ?? "", ...numbers.flatMap((text) => (text ?? "").split("±").map(Number))]);
}

/** Waits for what the picture shows now. */
async function objects(page: Visit["page"], count: number): Promise<Row[]> {
  await page.waitForSelector("#results[aria-busy=false]");
  assert.is(await page.textContent("#found-count"), count === 1 ? "1 object" : `${count} objects`);
  return rows(page);
}

function same(actual: readonly Row[], expected: readonly Row[]): void {
  assert.equal(actual.map(([name]) => name), expected.map(([name]) => name));
  actual.forEach(([name, ...numbers], i) => {
    numbers.forEach((value, k) => near(value, expected[i][k + 1] as number, k === 0 ? 0.0011 : 0.11, `${name}, ${k}`));
  });
}

/** The package on the outputs that the network had for this scene where it was trained. */
function expectedOf(scene: string): Row[] {
  const { tensors } = readSafetensors(readFileSync(join(root, `examples/shapes/${scene}.safetensors`)));
  const options: DetectOptions = {
    head: heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] }),
    imageSize: [160, 160],
    scoreThreshold: 0.4,
    uncertainty: true,
  };
  const [found] = sync.detect(outputsByRole(tensors), options);
  const names = ["circle", "square", "triangle", "star"];
  return [...found].map(({ box, score, classId, excess = [] }) => {
    return [names[classId], score, ...box.flatMap((side, k) => [side, excess[k]])];
  });
}

onPage("side: a step that is held goes on", async (page) => {
  await page.getByText("Two edges").click();
  const before = await read(page, "#dfl-loss");
  await page.locator("#dfl-step").hover();
  await page.mouse.down();
  await page.waitForFunction((least) => {
    return Number(document.querySelector("#dfl-loss")?.textContent) < least;
  }, before - 0.5);
  await page.mouse.up();
  await sideIs(page);
});

onPage("detection: the drawn shapes are found, the same by each way", async (page) => {
  await page.locator("#detection").scrollIntoViewIfNeeded();
  const first = await objects(page, 4);
  assert.equal(first.map(([name]) => name).sort(), ["circle", "square", "star", "triangle"]);
  for (const way of ["webgpu", "javascript"]) {
    await page.locator(`#ways input[value=${way}]`).focus();
    await page.keyboard.press("Space");
    same(await objects(page, 4), first);
  }
  for (const stage of ["network", "detect"]) {
    for (const way of ["javascript", "wasm", "webgpu"]) {
      assert.ok(await read(page, `[data-stage=${stage}] [data-way=${way}]`) > 0, `${stage}, ${way}`);
    }
  }
  assert.is(await page.textContent("[data-stage=readback] [data-way=webgpu]"), "none");
  const labels = await page.locator("#boxes text").allTextContents();
  assert.equal(labels.sort(), first.map(([name, score]) => `${name} ${Number(score).toFixed(2)}`).sort());
  assert.is(await page.locator("#boxes path").count(), 2 * 4, "ticks of each box, and their edges");
});

onPage("detection: a scene's boxes are the package's on the same network's outputs", async (page) => {
  await page.getByText("Scene 1").click();
  await page.waitForFunction(() => document.querySelector("#found-count")?.textContent === "5 objects");
  same(await objects(page, 5), expectedOf("scene1"));
});

onPage("ponds: each head's objects are drawn, with the truth where it is asked for", async (page) => {
  await page.locator("#ponds").scrollIntoViewIfNeeded();
  const { tensors } = readSafetensors(readFileSync(join(root, "examples/shapes/pond2.masks.safetensors")));
  const head = heads.yolov8({ numClasses: 3, bins: 8, strides: [8, 16], maskCoefficients: 8 });
  const outputs = [...tensors.values()] as HostTensor[];
  const [{ length }] = sync.detect(outputs, { head, imageSize: [160, 160], scoreThreshold: 0.4 });
  await page.locator("#ponds input[name=pond][value='2']").focus();
  await page.keyboard.press("Space");
  await page.waitForFunction(
    (text) => document.querySelector("#pond-status")?.textContent?.startsWith(text),
    `${length} objects`,
  );
  assert.is(await page.locator("#pond path[fill-rule]").count(), length);
  await page.locator("#ponds input[name=truth]").focus();
  await page.keyboard.press("Space");
  await page.waitForSelector("#pond path[stroke-dasharray]");
  for (const [name, shape] of [["keypoints", "#pond circle"], ["turned", "#pond polygon"]]) {
    await page.locator(`#ponds input[name=head][value=${name}]`).focus();
    await page.keyboard.press("Space");
    await page.waitForSelector(shape);
  }
});

onPage("detection: a file that is no picture is told", async (page) => {
  const file = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") };
  await page.locator("#picture-file").setInputFiles(file);
  await page.waitForFunction(() => document.querySelector("#detection-status")?.textContent?.includes("notes.txt"));
});

onPage("detection: shapes are drawn by mouse and by keyboard", async (page) => {
  await page.getByText("Clear", { exact: true }).click();
  await objects(page, 0);
  await page.getByRole("radio", { name: "star" }).check();
  const canvas = page.locator("#scene");
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  assert.ok(box);
  const [x, y, unit] = [box.x, box.y, box.width / 160];
  await page.mouse.move(x + 45 * unit, y + 45 * unit);
  await page.mouse.down();
  await page.mouse.move(x + 45 * unit, y + 72 * unit, { steps: 2 });
  await page.mouse.up();
  const [[name, , left, , top]] = await objects(page, 1);
  assert.is(name, "star");
  near(left, 45 - 27 * Math.sin(0.4 * Math.PI), 4, "left");
  near(top, 45 - 27, 4, "top");
  await page.getByRole("radio", { name: "circle" }).focus();
  await page.keyboard.press("Space");
  await canvas.focus();
  for (const key of ["ArrowRight", "ArrowDown"]) for (let i = 0; i < 8; i++) await page.keyboard.press(key);
  await page.keyboard.press("Enter");
  const circle = (await objects(page, 2)).find(([kind]) => kind === "circle");
  near(circle?.[2] ?? 0, 80 + 32 - 20, 4, "left of the circle");
  await page.keyboard.press("Delete");
  await objects(page, 1);
});

onPage("evaluation: the sample's numbers are the package's, and the curves are read by the pointer", async (page) => {
  await page.getByText("The three scenes").click();
  await page.waitForFunction(() => document.querySelector("#eval-status")?.textContent?.includes("15 objects"));
  const truth = JSON.parse(readFileSync(join(root, "examples/shapes/scenes.coco.json"), "utf8"));
  const results = await page.evaluate(async () => await (await fetch("shapes/results.json")).json());
  const { stats, lrp, classes } = cocoEvaluate(truth, results);
  for (const name of ["AP", "AP50", "ARsmall"]) near(await read(page, `#eval-${name}`), stats[name], 6e-4, name);
  near(await read(page, "#eval-oLRP"), lrp.oLRP, 6e-4, "oLRP");
  assert.is(await page.locator("#eval-classes tr").count(), classes.length);
  const chart = page.locator("#precision-chart");
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width - 12, box.y + 100);
  assert.ok(await read(page, "#read-recall") > 0.95);
});

onPage("evaluation: files of one's own, and what is wrong with them", async (page) => {
  const json = (name: string, value: unknown) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return { name, mimeType: "application/json", buffer: Buffer.from(text) };
  };
  const says = (words: string) =>
    page.waitForFunction((text) => document.querySelector("#eval-status")?.textContent?.includes(text), words);
  const files = page.locator("#eval-files");
  const truth = {
    images: [{ id: 1 }],
    categories: [{ id: 1, name: "cat" }],
    annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 10, 10], area: 100, iscrowd: 0 }],
  };
  const row = { image_id: 1, category_id: 1, bbox: [0, 0, 10, 10], score: 0.5 };
  await files.setInputFiles([json("truth.json", truth), json("found.json", [row])]);
  await says("1 results on 1 images, 1 objects");
  near(await read(page, "#eval-AP"), 1, 1e-9, "AP");
  await files.setInputFiles([json("found.json", [{ ...row, image_id: 7 }])]);
  await says("image_id");
  await files.setInputFiles([json("broken.json", "[{")]);
  await says("broken.json is not JSON");
  await files.setInputFiles([json("other.json", { rows: 3 })]);
  await says("other.json has neither annotations nor a list of results");
});

onPage("the page fits a phone, and says nothing to its console nor to the network", async (page) => {
  await page.setViewportSize({ width: 390, height: 844 });
  assert.is(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  assert.equal((visited as Visit).complaints, []);
});

test.run();
