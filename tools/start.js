/**
 * `npm start`: finds the shapes in the three scenes of examples/shapes. It runs the command `densehead detect` as anyone
 * would, compares its boxes with the truth, draws them into build/scenes, scores the outputs with `densehead score`, and
 * gives their AP by `densehead eval`. Then come the masks, keypoints and turned boxes of the ponds, by the library.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ensureReady, root } from "./ready.js";
import { showPonds } from "./start_ponds.js";

const examples = join(root, "examples/shapes");
const pictures = join(root, "build/scenes");
const truthFile = join(examples, "scenes.coco.json");
const ENOUGH_OVERLAP = 0.5;
const SCORE = "0.4";

const ABOUT_BOXES = `\
A small network has looked for circles, squares, triangles and stars in three pictures. From its raw outputs, densehead
now makes boxes. The network gives a distribution for each side of a box; the column ± px is how far it spreads beyond
what a side that lies between two bins has anyway.
`;

const ABOUT_SCORES = `\
The same outputs against the truth: the loss that such a network is trained with (quality focal, GIoU and distribution
focal loss, per positive anchor), the mean IoU of the positives' boxes, and whether higher scores are on better boxes
(ranks, from -1 to 1). The network was trained with positives chosen in another way, so this is not the loss that it had.
`;

const ABOUT_RESULTS = `\
And as COCO counts: average precision and recall, the error at the best threshold of each class (LRP), and whether scores
are what they say (calibration, 0 is best).
`;

try {
  ensureReady();
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const { createEngine } = await import("../dist/index.js");
  const engine = await createEngine();
  const truth = readJson(truthFile);
  mkdirSync(pictures, { recursive: true });
  console.log(ABOUT_BOXES);
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
  console.log(ABOUT_SCORES);
  score(truth);
  console.log(ABOUT_RESULTS);
  evaluate(truth);
  const page = await showPonds(engine, examples, pictures);
  engine.dispose();
  console.log("The pictures open in any browser: ticks show how uncertain a side is, and the truth is dashed.");
  console.log(`Those of the ponds are together in ${fromRoot(page)}.`);
}

/** Finds the objects of a scene, and returns the rows of COCO results. */
function detect(name, svg) {
  const json = join(pictures, `${name}.json`);
  const scene = fromRoot(join(examples, name));
  const truth = ["--image", `${scene}.png`, "--gt", fromRoot(truthFile)];
  const output = ["--svg", fromRoot(svg), "--json", fromRoot(json)];
  run("detect", `${scene}.safetensors`, "--head", "gfl", "--score", SCORE, ...truth, ...output);
  return readJson(json);
}

/** Scores all scenes; their objects are small beside the default anchors. */
function score({ images }) {
  run("score", ...scenesOf(images), "--head", "gfl", "--gt", fromRoot(truthFile), "--anchor-scale", "4");
  console.log();
}

/** Evaluates all scenes. */
function evaluate({ images }) {
  run("eval", ...scenesOf(images), "--head", "gfl", "--gt", fromRoot(truthFile));
  console.log();
}

function scenesOf(images) {
  return images.map(({ file_name }) => fromRoot(join(examples, file_name.replace(".png", ".safetensors"))));
}

/** Runs the command, and shows it with what it prints. */
function run(...args) {
  console.log(`$ densehead ${args.join(" ")}\n`);
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli.js", ...args], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr.trim());
  console.log(stdout.trimEnd());
}

/** How many objects have a box of their class over them; each box, best first, takes the object that it covers best. */
function countFound(engine, objects, results) {
  const overlaps = engine.sync.boxIou(corners(results), corners(objects));
  const left = new Set(objects.keys());
  results.forEach(({ category_id }, row) => {
    const overlap = (i) => overlaps[row * objects.length + i];
    const [best] = [...left]
      .filter((i) => objects[i].category_id === category_id && overlap(i) >= ENOUGH_OVERLAP)
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
