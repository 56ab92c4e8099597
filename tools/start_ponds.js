/** The second part of `npm start`: masks, keypoints and turned boxes of three ponds, how good they are, and pictures of them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SIZE = [160, 160];
const KEEP = { scoreThreshold: 0.4, iouThreshold: 0.45 };
const ENOUGH_OVERLAP = 0.5;
const PONDS = ["pond1", "pond2", "pond3"];

const ABOUT = `\
Another small network has looked for fish, turtles and leaves in three ponds. It has three heads: of masks, of four
keypoints, and of boxes that turn with the object. detect reads each with heads.yolov8 and what the head has beside
classes and boxes:

  maskCoefficients: 8        keypoints: { count: 4, dims: 3, coding: "yolov8" }        angle: "sigmoid"

The tables say how like to the truth each object was found, from 0 to 1: IoU of the masks, OKS of the keypoints, IoU of
the turned boxes; - where it was not found.
`;

/** From front to left and right, and from there to the back. */
const SKELETON = [[0, 1], [0, 2], [1, 3], [2, 3]];

/** What each head has beside boxes and classes, how a detection is compared with an annotation, and what of this is drawn. */
const HEADS = {
  masks: {
    title: "Masks",
    members: { maskCoefficients: 8 },
    likeness: ({ rle }, found, i, { segmentation }) => rle.iou([found.masks.rle(i)], [segmentation])[0],
    truth: ({ bbox, segmentation }) => ({ box: cornersOf(bbox), segmentation }),
  },
  keypoints: {
    title: "Keypoints",
    members: { keypoints: { count: 4, dims: 3, coding: "yolov8" } },
    likeness: (_, found, i, object) => oks(found.keypoints.subarray(12 * i, 12 * i + 12), object),
    truth: ({ bbox, keypoints }) => ({ box: cornersOf(bbox), keypoints }),
    drawing: { skeleton: SKELETON },
  },
  turned: {
    title: "Turned boxes",
    members: { angle: "sigmoid" },
    likeness: ({ engine }, found, i, { turned }) => turnedIou(engine, found, i, turned),
    truth: ({ turned }) => ({ rotated: turned }),
  },
};

/** Detects and draws the ponds of a folder, and prints how good that is; returns the page that has all pictures. */
export async function showPonds(engine, examples, pictures) {
  const parts = ["index", "eval", "files"].map((name) => import(`../dist/${name}.js`));
  const library = Object.assign({ engine }, ...await Promise.all(parts));
  const truth = readTruth(examples);
  console.log(ABOUT);
  for (const [p, pond] of PONDS.entries()) {
    const objects = truth.objects.filter(({ image_id }) => image_id === p + 1);
    const columns = Object.entries(HEADS).map(([name, head]) => {
      const found = detect(library, readFileSync(join(examples, `${pond}.${name}.safetensors`)), head, truth.names);
      const image = readFileSync(join(examples, `${pond}.png`));
      writeFileSync(join(pictures, `${pond}.${name}.svg`), draw(library, found, image, objects, head, truth.names));
      return likenessOf(library, found, objects, head);
    });
    console.log(table(pond, objects, columns, truth.names));
  }
  console.log(`${heldOut(examples)}\n`);
  const page = join(pictures, "ponds.html");
  writeFileSync(page, pageOf());
  return page;
}

/** Objects with their turned boxes, and the names of their classes. */
function readTruth(examples) {
  const [upright, turned] = ["ponds.coco.json", "ponds.turned.coco.json"].map((name) => {
    return JSON.parse(readFileSync(join(examples, name), "utf8"));
  });
  const objects = upright.annotations.map((object, i) => ({
    ...object,
    classId: object.category_id - 1,
    turned: turned.annotations[i].bbox,
  }));
  return { objects, names: upright.categories.map(({ name }) => name) };
}

function detect({ engine, heads, readSafetensors }, file, { members }, names) {
  const head = heads.yolov8({ numClasses: names.length, bins: 8, strides: [8, 16], ...members });
  const outputs = [...readSafetensors(file).tensors.values()];
  return engine.sync.detect(outputs, { head, imageSize: SIZE, ...KEEP })[0];
}

function draw({ toSvg }, found, image, objects, { title, truth, drawing }, names) {
  const dashed = objects.map((object) => ({ ...truth(object), classId: object.classId }));
  return toSvg(found, { size: SIZE, image, names, truth: dashed, title, labels: false, ...drawing });
}

/** For each object the likeness of the detection of its class that lies over it; undefined where none does. */
function likenessOf(library, found, objects, { likeness }) {
  const result = objects.map(() => undefined);
  for (let i = 0; i < found.length; i++) {
    const [best] = objects
      .map((object, index) => ({ index, overlap: overlapOf(library, found, i, object) }))
      .filter(({ index, overlap }) => {
        const isSame = objects[index].classId === found.classes[i];
        return isSame && result[index] === undefined && overlap >= ENOUGH_OVERLAP;
      })
      .sort((a, b) => b.overlap - a.overlap);
    if (best) result[best.index] = likeness(library, found, i, objects[best.index]);
  }
  return result;
}

function overlapOf({ engine }, found, i, { bbox, turned }) {
  if (found.rotated) return turnedIou(engine, found, i, turned);
  return engine.sync.boxIou(found.boxes.slice(4 * i, 4 * i + 4), Float32Array.from(cornersOf(bbox)))[0];
}

function turnedIou(engine, found, i, turned) {
  return engine.sync.rotatedBoxIou(found.rotated.slice(5 * i, 5 * i + 5), Float32Array.from(turned))[0];
}

/** Object keypoint similarity, all constants 0.05. */
function oks(found, { keypoints, area }) {
  const each = [0, 3, 6, 9].map((k) => {
    const distance = Math.hypot(found[k] - keypoints[k], found[k + 1] - keypoints[k + 1]);
    return Math.exp(-(distance ** 2) / (2 * 0.1 ** 2 * area));
  });
  return each.reduce((sum, value) => sum + value) / each.length;
}

function cornersOf([x, y, width, height]) {
  return [x, y, x + width, y + height];
}

function table(pond, objects, columns, names) {
  const head = [pond, "mask IoU", "keypoint OKS", "turned box IoU"];
  const rows = objects.map(({ classId }, i) => [names[classId], ...columns.map((column) => figure(column[i]))]);
  const mean = [
    "mean of those found",
    ...columns.map((column) => figure(meanOf(column.filter((value) => value >= 0)))),
  ];
  const lines = [head, ...rows, mean].map(([first, ...rest]) => {
    return `  ${first.padEnd(20)}${rest.map((text, i) => text.padStart(head[i + 1].length + 3)).join("")}`;
  });
  return `${lines.join("\n")}\n`;
}

function figure(value) {
  return value === undefined ? "-" : value.toFixed(3);
}

function meanOf(values) {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value) / values.length;
}

/** What the script that trained the network measured. */
function heldOut(examples) {
  const metrics = JSON.parse(readFileSync(join(examples, "heads_metrics.json"), "utf8"));
  const means = Object.keys(HEADS).map((name) => figure(metrics[name].mean)).join(", ");
  return `Over the objects found in ${metrics.eval.scenes} ponds that it was not trained with, the means are ${means}.`;
}

/** All pictures on one page: a row for each pond, a column for each head. */
function pageOf() {
  const names = Object.keys(HEADS);
  const titles = names.map((name) => `<h2>${HEADS[name].title}</h2>`);
  const images = PONDS.flatMap((pond) => names.map((name) => `<img src="${pond}.${name}.svg" alt="${pond}, ${name}">`));
  return `<!doctype html>
<meta charset="utf-8">
<title>densehead: masks, keypoints and turned boxes</title>
<style>
body { display: grid; grid-template-columns: repeat(${names.length}, 1fr); gap: 12px; margin: 24px; background: #14171b; color: #e8eaed; font: 16px system-ui, sans-serif; }
h2 { margin: 0; font-size: 18px; font-weight: 500; }
img { width: 100%; border-radius: 6px; }
</style>
${[...titles, ...images].join("\n")}
`;
}
