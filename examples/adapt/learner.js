/** The sample network with a fifth class: its last layers learn with the gradients of `gflCriterion`. */
import { heads } from "densehead";
import { cocoEvaluate } from "densehead/eval";
import { Layer } from "./layer.js";
import { ANCHORS, assign, CELLS, cellsOf, planesOf, STRIDES } from "./samples.js";
import { SIZE } from "./drawing.js";
import { generator } from "./random.js";
import { CLASSES, NEW_CLASS } from "./scenes.js";

const BINS = 8;
/** Logit of the new class at first: a score of 0.01, as the others began in ../shapes/train.py. */
const PRIOR = -Math.log(99);
/** What the network calls the outputs of each level. */
const OUTPUTS = { cls: ["cls_s8", "cls_s16"], dist: ["reg_s8", "reg_s16"] };
const WIDTHS = { cls: CLASSES.length, dist: 4 * BINS };
const HEAD = heads.gfl({ numClasses: CLASSES.length, bins: BINS, strides: STRIDES, layout: "rows" });

/** How many of the first outputs of a layer stay as they are where this learns: the new class, all classes, or all. */
const FROZEN = {
  row: { cls: NEW_CLASS, dist: WIDTHS.dist },
  classes: { cls: 0, dist: WIDTHS.dist },
  all: { cls: 0, dist: 0 },
};

export class Learner {
  #engine;
  /** Layers of classes and boxes, and names of their features, by level. */
  #layers;
  #features;

  /** `layers` are those that `cutLastLayers` took off; `learn` is "row", "classes" or "all". */
  constructor(engine, layers, learn = "row") {
    this.#engine = engine;
    const each = (make) =>
      Object.fromEntries(
        Object.entries(OUTPUTS).map(([kind, names]) => [kind, names.map((name) => make(layers[name], kind))]),
      );
    this.#features = each(({ features }) => features);
    this.#layers = each(({ weights, bias }, kind) => {
      const more = WIDTHS[kind] - bias.length;
      const rows = new Float32Array(more * weights.length / bias.length);
      return new Layer({
        weights: Float32Array.of(...weights, ...rows),
        bias: Float32Array.of(...bias, ...Array(more).fill(PRIOR)),
        frozen: FROZEN[learn][kind],
      });
    });
  }

  /** A scene as it is learned or measured: features of its cells, by `run` of the cut network, and its objects. */
  async look({ pixels, boxes, labels }, run) {
    const outputs = await run(planesOf(pixels));
    const features = Object.entries(this.#features).map(([kind, names]) => {
      return [kind, names.map((name) => cellsOf(outputs[name]))];
    });
    const gt = { boxes, labels };
    return { features: Object.fromEntries(features), gt, gtIndex: assign(gt) };
  }

  /** Goes through steps of plain gradient descent with momentum, and yields the loss of each. */
  *train(samples, { steps = 150, batch = 16, rate = 0.02, momentum = 0.9, seed = 1 } = {}) {
    const random = generator(seed);
    for (let step = 0; step < steps; step++) {
      const picked = Array.from({ length: batch }, () => samples[Math.floor(samples.length * random())]);
      const { total, grad } = this.#engine.sync.gflCriterion({
        ...this.#logits(picked),
        head: HEAD,
        imageSize: [SIZE, SIZE],
        gt: picked.map(({ gt }) => gt),
        gtIndex: picked.map(({ gtIndex }) => gtIndex),
      }, { grad: true });
      // The rate rises for ten steps, and falls along a cosine.
      const now = rate * Math.min(1, (step + 1) / 10) * (1 + Math.cos(Math.PI * step / steps)) / 2;
      for (const kind of ["cls", "dist"]) {
        this.#each(kind, picked, grad[kind], (layer, features, gradients) => layer.backward(features, gradients));
        for (const layer of this.#layers[kind]) layer.step(now, momentum);
      }
      yield total;
    }
  }

  /** Detections of each sample. */
  detect(samples, scoreThreshold) {
    const options = { head: HEAD, imageSize: [SIZE, SIZE], scoreThreshold, iouThreshold: 0.6 };
    return this.#engine.sync.detect(this.#logits(samples), options);
  }

  /** AP and AP50 of each class. */
  measure(samples) {
    const categories = CLASSES.map((name, id) => ({ id, name }));
    const images = samples.map((_, id) => ({ id }));
    const results = this.detect(samples, 0.05).flatMap((found, image) =>
      found.toCoco(image, CLASSES.map((_, id) => id))
    );
    const annotations = samples.flatMap(({ gt: { boxes, labels } }, image) => {
      return Array.from(labels, (label, i) => {
        const [x, y, right, bottom] = boxes.subarray(4 * i, 4 * i + 4);
        return { image_id: image, category_id: label, bbox: [x, y, right - x, bottom - y] };
      });
    });
    return cocoEvaluate({ images, annotations, categories }, results).classes.map(({ AP, AP50 }) => ({ AP, AP50 }));
  }

  #logits(samples) {
    const maps = Object.entries(WIDTHS).map(([kind, width]) => {
      const data = new Float32Array(samples.length * ANCHORS * width);
      this.#each(kind, samples, data, (layer, features, logits) => layer.forward(features, logits));
      return [kind, { data, dims: [samples.length, ANCHORS, width] }];
    });
    return Object.fromEntries(maps);
  }

  /** Calls with each layer of a kind, the features of a sample, and what is theirs of a map (samples, anchors, …). */
  #each(kind, samples, map, call) {
    let from = 0;
    for (const { features } of samples) {
      this.#layers[kind].forEach((layer, level) => {
        const to = from + CELLS[level] * WIDTHS[kind];
        call(layer, features[kind][level], map.subarray(from, to));
        from = to;
      });
    }
  }
}
