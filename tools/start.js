/**
 * `npm start`: finds the shapes in the three scenes of examples/shapes. It runs the command `densehead detect` as anyone
 * would, compares its boxes with the truth, draws them into build/scenes, and computes the losses of each scene.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ensureReady, root } from "./ready.js";
import { sceneLosses } from "./scene_losses.js";

const examples = join(root, "examples/shapes");
const pictures = join(root, "build/scenes");
const ENOUGH_OVERLAP = 0.5;

const ABOUT_LOSSES = `\
The three losses that the network was trained with, of each scene against the truth. An object's positive is the
anchor of its best box. Quality focal loss: over all anchors, per positive; most of it is from other anchors that
saw the same object. Distribution focal loss: over the positives' sides. GIoU loss: of their boxes.
`;

try {
  ensureReady();
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const { createEngine, heads } = await import("../dist/index.js");
  const engine = await createEngine();
  const truth = readJson(join(examples, "scenes.coco.json"));
  mkdirSync(pictures, { recursive: true });
  console.log("A small network has looked for circles, squares, triangles and stars in three pictures. From its raw");
  console.log(
    "outputs, densehead now makes boxes. The column ± px is how far, by the network's own word, their sides may be off.\n",
  );
  for (const image of truth.images) {
    const name = image.file_name.replace(".png", "");
    const svg = join(pictures, `${name}.svg`);
    const results = detect(name, svg);
    const objects = truth.annotations.filter(({ image_id }) => image_id === image.id);
    const found = countFound(engine, objects, results);
    const others = results.length - found;
    console.log(
      `  ${found} of ${objects.length} objects found at IoU ${ENOUGH_OVERLAP}` +
        `${others === 0 ? "" : `, ${others} further ${others === 1 ? "box" : "boxes"}`}. Picture: ${fromRoot(svg)}\n`,
    );
  }
  printLosses(engine, heads, truth);
  engine.dispose();
  console.log("The pictures open in any browser; the bands there show the same for each side.");
}

/** Runs the command on a scene, shows what it prints, and returns its rows of COCO results. */
function detect(name, svg) {
  const json = join(pictures, `${name}.json`);
  const scene = fromRoot(join(examples, name));
  const output = ["--image", `${scene}.png`, "--svg", fromRoot(svg), "--json", fromRoot(json)];
  const args = ["detect", `${scene}.safetensors`, "--head", "gfl", ...output];
  console.log(`$ densehead ${args.join(" ")}\n`);
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli.js", ...args], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr.trim());
  console.log(stdout.trimEnd());
  return readJson(json);
}

/** One line for each scene. */
function printLosses(engine, heads, { images, annotations }) {
  const columns = ["positives", "quality focal", "distribution focal", " GIoU"];
  console.log(ABOUT_LOSSES);
  console.log(`          ${columns.join("  ")}`);
  for (const { id, file_name } of images) {
    const name = file_name.replace(".png", "");
    const objects = annotations.filter(({ image_id }) => image_id === id).map(toObject);
    const [positives, ...losses] = sceneLosses(engine, heads, join(examples, `${name}.safetensors`), objects);
    const texts = [String(positives), ...losses.map((loss) => loss.toFixed(3))];
    console.log(`  ${name}  ${texts.map((text, i) => text.padStart(columns[i].length)).join("  ")}`);
  }
  console.log();
}

/** Categories of the file count from 1, classes of the network from 0. */
function toObject({ bbox, category_id }) {
  return { box: [...corners([{ bbox }])], classId: category_id - 1 };
}

/** How many objects have a box of their class over them; each box, best first, takes the object that it covers best. */
function countFound(engine, objects, results) {
  const overlaps = engine.sync.boxIou(corners(results), corners(objects));
  const left = new Set(objects.keys());
  results.forEach(({ category_id }, row) => {
    const overlap = (i) => overlaps[row * objects.length + i];
    const [best] = [...left]
      // Categories of the file count from 1, classes of the network from 0.
      .filter((i) => objects[i].category_id === category_id + 1 && overlap(i) >= ENOUGH_OVERLAP)
      .sort((a, b) => overlap(b) - overlap(a));
    left.delete(best);
  });
  return objects.length - left.size;
}

/** COCO's x, y, width, height as the library's corners. */
function corners(rows) {
  return Float32Array.from(rows.flatMap(({ bbox: [x, y, width, height] }) => [x, y, x + width, y + height]));
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

function fromRoot(path) {
  return relative(root, path).replaceAll("\\", "/");
}
