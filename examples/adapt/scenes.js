/** Scenes in the style of ../shapes/train.py, drawn without a canvas, so that Node and a page have the same. */
import {
  bar,
  blend,
  boundsOf,
  colourOf,
  contrasting,
  coverage,
  paint,
  polar,
  ramp,
  SIZE,
  smoothNoise,
  spun,
  turned,
} from "./drawing.js";
import { between, generator, normal } from "./random.js";

export const CLASSES = ["circle", "square", "triangle", "star", "heart"];
/** What the network has never seen. */
export const NEW_CLASS = 4;
const MOST_OBJECTS = 6;
const SHAPE_SIZES = [14, 70];
/** Colour channels in any order. */
const ORDERS = [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [1, 0, 2], [2, 1, 0]];
/** Sizes at which a patch is painted, one over the other. */
const SOFT_EDGE = [1.15, 1.1, 1.05, 1, 0.95, 0.9, 0.85];

/** Scenes with one new shape at least. `boxes` are (K, 4) corners in pixels, `labels` (K) classes, `pixels` RGB bytes. */
export function drawScenes(count, seed) {
  return Array.from({ length: count }, (_, i) => drawScene(generator(seed * 1000 + i)));
}

function drawScene(random) {
  const picture = drawBackground(random);
  const boxes = [];
  const labels = [];
  const objects = 1 + Math.floor(random() * MOST_OBJECTS);
  for (let i = 0; i < objects; i++) {
    const label = i === 0 ? NEW_CLASS : Math.floor(random() * CLASSES.length);
    const box = drawShape(random, picture, label, boxes);
    if (box === null) continue;
    boxes.push(box);
    labels.push(label);
  }
  const noise = 10 * random();
  const pixels = Uint8ClampedArray.from(picture, (value) => value + noise * normal(random));
  return { pixels, boxes: Float32Array.from(boxes.flat()), labels: Int32Array.from(labels) };
}

/** The eight ways to mirror and transpose a scene, each with its colours in another order. */
export function versionsOf(scene) {
  return Array.from({ length: 8 }, (_, i) => {
    const [mirrored, upended, transposed] = [i & 1, i & 2, i & 4];
    const order = ORDERS[i % ORDERS.length];
    const pixels = new Uint8ClampedArray(scene.pixels.length);
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const [u, v] = [mirrored ? SIZE - 1 - x : x, upended ? SIZE - 1 - y : y];
        const from = 3 * (transposed ? u * SIZE + v : v * SIZE + u);
        order.forEach((channel, c) => pixels[3 * (y * SIZE + x) + c] = scene.pixels[from + channel]);
      }
    }
    const boxes = new Float32Array(scene.boxes.length);
    for (let at = 0; at < boxes.length; at += 4) {
      const [left, top, right, bottom] = scene.boxes.subarray(at, at + 4);
      const [xs, ys] = transposed ? [[top, bottom], [left, right]] : [[left, right], [top, bottom]];
      const [x0, x1] = mirrored ? [SIZE - xs[1], SIZE - xs[0]] : xs;
      const [y0, y1] = upended ? [SIZE - ys[1], SIZE - ys[0]] : ys;
      boxes.set([x0, y0, x1, y1], at);
    }
    return { pixels, boxes, labels: scene.labels };
  });
}

// Backgrounds: a ramp or smooth noise, patches, strokes.

function drawBackground(random) {
  const colours = [0, 1].map(() => colourOf(random, [0, 0.7], [0.1, 0.95]));
  const shade = random() < 0.5 ? ramp(random, [0, 0, SIZE, SIZE]) : smoothNoise(random, 3 + Math.floor(random() * 10));
  const picture = new Float32Array(SIZE * SIZE * 3);
  paint(picture, coverage([[0, 0], [SIZE, 0], [SIZE, SIZE], [0, SIZE]]), blend(shade, ...colours));
  const patches = Math.floor(random() * 6);
  for (let i = 0; i < patches; i++) drawPatch(random, picture);
  const strokes = Math.floor(random() * 11);
  for (let i = 0; i < strokes; i++) drawStroke(random, picture);
  return picture;
}

/** An irregular patch with a soft edge: painted smaller and smaller. */
function drawPatch(random, picture) {
  const [x, y] = [SIZE * random(), SIZE * random()];
  const radius = between(random, 6, 34);
  const outline = turned(14, 0, () => radius * between(random, 0.35, 1.3));
  const colour = colourOf(random, [0, 1], [0.1, 1]);
  const opacity = 1 - (1 - between(random, 0.27, 0.9)) ** (1 / SOFT_EDGE.length);
  for (const share of SOFT_EDGE) {
    const part = outline.map(([dx, dy]) => [x + share * dx, y + share * 0.7 * dy]);
    paint(picture, coverage(part), () => colour, opacity);
  }
}

/** A line, an open arc, a zigzag or a thin cross. */
function drawStroke(random, picture) {
  const colour = colourOf(random, [0, 1], [0.1, 1]);
  const width = 1 + Math.floor(random() * 4);
  const [x, y] = [SIZE * random(), SIZE * random()];
  const length = between(random, 8, 60);
  const kind = Math.floor(random() * 4);
  const lines = [];
  if (kind === 0) lines.push([[x, y], [SIZE * random(), SIZE * random()]]);
  if (kind === 1) {
    const [from, turn] = [between(random, 0, 2 * Math.PI), between(random, 0.7, 4.2)];
    lines.push(Array.from({ length: 16 }, (_, i) => polar(length / 2, from + turn * i / 15, [x, y])));
  }
  if (kind === 2) {
    let at = [x, y];
    const step = () => at = at.map((value) => value + length / 3 * between(random, -1, 1));
    lines.push(Array.from({ length: 5 }, step));
  }
  if (kind === 3) {
    const turn = between(random, 0, Math.PI / 2);
    for (const angle of [turn, turn + Math.PI / 2]) {
      lines.push([polar(length / 4, angle, [x, y]), polar(-length / 4, angle, [x, y])]);
    }
  }
  for (const line of lines) {
    for (let i = 1; i < line.length; i++) paint(picture, coverage(bar(line[i - 1], line[i], width)), () => colour);
  }
}

// Shapes.

/** Draws a shape at a free place and returns its box, or null where there is none. */
function drawShape(random, picture, label, boxes) {
  const unit = outlineOf(random, CLASSES[label]);
  const [x0, y0, x1, y1] = boundsOf(unit);
  const size = SHAPE_SIZES[0] * (SHAPE_SIZES[1] / SHAPE_SIZES[0]) ** random();
  const scale = size / Math.max(x1 - x0, y1 - y0);
  const [width, height] = [(x1 - x0) * scale, (y1 - y0) * scale];
  for (let attempt = 0; attempt < 20; attempt++) {
    const [x, y] = [between(random, 1, SIZE - 1 - width), between(random, 1, SIZE - 1 - height)];
    const box = [x, y, x + width, y + height];
    if (boxes.some((other) => overlapsMuch(box, other))) continue;
    paintShape(random, picture, unit.map(([px, py]) => [x + (px - x0) * scale, y + (py - y0) * scale]), box);
    return box;
  }
  return null;
}

function paintShape(random, picture, outline, box) {
  const [cx, cy] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  const under = 3 * (Math.floor(cy) * SIZE + Math.floor(cx));
  const colour = contrasting(random, picture.subarray(under, under + 3));
  const dark = between(random, 0.65, 1);
  const fill = blend(ramp(random, box), colour, colour.map((value) => value * dark));
  if (random() < 0.4) {
    const isDark = random() < 0.5;
    const border = colour.map((value) => isDark ? value * 0.35 : value + (255 - value) * 0.75);
    paint(picture, coverage(outline), () => border);
    const share = between(random, 0.72, 0.88);
    outline = outline.map(([x, y]) => [cx + (x - cx) * share, cy + (y - cy) * share]);
  }
  paint(picture, coverage(outline), fill);
}

function outlineOf(random, name) {
  const turn = 2 * Math.PI * random();
  if (name === "circle") return turned(72, 0, () => 1);
  if (name === "square") return turned(4, Math.PI / 4 + between(random, -0.4, 0.4), () => 1);
  if (name === "triangle") return turned(3, turn, () => 1);
  if (name === "star") {
    const inner = between(random, 0.4, 0.52);
    return turned(10, turn, (i) => i % 2 === 0 ? 1 : inner);
  }
  return spun(heart(), between(random, -0.6, 0.6));
}
/** A heart, its tip below. */
function heart() {
  return Array.from({ length: 60 }, (_, i) => {
    const t = 2 * Math.PI * i / 60;
    return [16 * Math.sin(t) ** 3, 5 * Math.cos(2 * t) + 2 * Math.cos(3 * t) + Math.cos(4 * t) - 13 * Math.cos(t)];
  });
}

function overlapsMuch(box, other) {
  const width = Math.min(box[2], other[2]) - Math.max(box[0], other[0]);
  const height = Math.min(box[3], other[3]) - Math.max(box[1], other[1]);
  const areas = [box, other].map(([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0));
  return width > 0 && height > 0 && width * height > 0.3 * Math.min(...areas);
}
