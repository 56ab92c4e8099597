/** Raw heads of YOLOv5, three maps (1, 255, h, w), decoded in JavaScript: as it is copied, and with care. */
import { ANCHOR_SIZES, CHANNELS, CLASSES, IMAGE, PER_CELL, STRIDES } from "../yolov5.ts";
import { KEEP } from "../yolov8.ts";
import { maximiseWith } from "./careful_detect.ts";
import { type Box, suppress } from "./plain_boxes.ts";

type Maps = readonly Float32Array[];
/** Score and class of the anchor whose channels begin at `first`, `cells` apart. */
type Best = (map: Float32Array, first: number, cells: number, level: number) => { score: number; classId: number };

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Every channel of every anchor through Math.exp. */
export function copied(maps: Maps): Box[] {
  return boxesOf(maps, (map, first, cells) => {
    const values: number[] = [];
    for (let c = 0; c < CHANNELS; c++) values.push(sigmoid(map[first + c * cells]));
    let best = 0;
    let classId = -1;
    for (let c = 0; c < CLASSES; c++) {
      if (values[5 + c] > best) {
        best = values[5 + c];
        classId = c;
      }
    }
    return { score: values[4] * best, classId };
  });
}

/** Logits are compared, class by class in the order in which they lie; Math.exp only for what is over the threshold. */
export function careful(maps: Maps): Box[] {
  const bests = maps.map(bestClasses);
  return boxesOf(maps, (map, first, cells, level) => {
    const { best, label } = bests[level];
    const cell = first % cells;
    const at = (first - cell) / CHANNELS + cell;
    const objectness = map[first + 4 * cells];
    if (!(objectness > LEAST && best[at] > LEAST)) return NOTHING;
    return { score: sigmoid(objectness) * sigmoid(best[at]), classId: label[at] };
  });
}

/** The best class logit of each anchor of a map, and its class. */
function bestClasses(map: Float32Array): { best: Float32Array; label: Uint8Array } {
  const anchors = map.length / CHANNELS;
  const cells = anchors / PER_CELL;
  const best = new Float32Array(anchors).fill(LEAST);
  const label = new Uint8Array(anchors);
  for (let a = 0; a < PER_CELL; a++) {
    const plane = [a * cells, (a + 1) * cells] as const;
    const [values, labels] = [best.subarray(...plane), label.subarray(...plane)];
    for (let c = 0; c < CLASSES; c++) {
      const from = (a * CHANNELS + 5 + c) * cells;
      maximiseWith(map.subarray(from, from + cells), c, values, labels);
    }
  }
  return { best, label };
}

/** Classes are read only where objectness alone is over the threshold. */
export function objectnessFirst(maps: Maps): Box[] {
  return boxesOf(maps, (map, first, cells) => {
    const objectness = map[first + 4 * cells];
    if (!(objectness > LEAST)) return NOTHING;
    let best = -Infinity;
    let classId = -1;
    for (let c = 0, i = first + 5 * cells; c < CLASSES; c++, i += cells) {
      if (map[i] > best) {
        best = map[i];
        classId = c;
      }
    }
    return { score: sigmoid(objectness) * sigmoid(best), classId };
  });
}

const LEAST = Math.log(KEEP.scoreThreshold / (1 - KEEP.scoreThreshold));
const NOTHING = { score: 0, classId: -1 };

function boxesOf(maps: Maps, bestOf: Best): Box[] {
  const boxes: Box[] = [];
  let anchor = 0;
  maps.forEach((map, level) => {
    const stride = STRIDES[level];
    const side = IMAGE / stride;
    const cells = side * side;
    for (let a = 0; a < PER_CELL; a++) {
      for (let cell = 0; cell < cells; cell++, anchor++) {
        const first = a * CHANNELS * cells + cell;
        const { score, classId } = bestOf(map, first, cells, level);
        if (!(score > KEEP.scoreThreshold)) continue;
        const value = (channel: number) => 2 * sigmoid(map[first + channel * cells]);
        const x = (value(0) - 0.5 + cell % side) * stride;
        const y = (value(1) - 0.5 + Math.floor(cell / side)) * stride;
        const width = value(2) ** 2 * ANCHOR_SIZES[level][2 * a];
        const height = value(3) ** 2 * ANCHOR_SIZES[level][2 * a + 1];
        boxes.push({
          x1: x - width / 2,
          y1: y - height / 2,
          x2: x + width / 2,
          y2: y + height / 2,
          score,
          classId,
          anchor,
        });
      }
    }
  });
  return suppress(boxes);
}
