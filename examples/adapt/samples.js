/** What is learned from: features of a picture's cells, and which object each anchor learns. */
import { SIZE } from "./drawing.js";

export const STRIDES = [8, 16];
export const CELLS = STRIDES.map((stride) => (SIZE / stride) ** 2);
export const ANCHORS = CELLS.reduce((sum, cells) => sum + cells);

/** As the network was trained: objects from that side on are the second level's, and positives so many strides from the centre. */
const LARGE = 36;
const NEAR = 1.25;

/** RGB bytes as the network takes them: planes, 0 to 1. */
export function planesOf(pixels) {
  const plane = SIZE * SIZE;
  return Float32Array.from({ length: 3 * plane }, (_, i) => pixels[3 * (i % plane) + Math.floor(i / plane)] / 255);
}

/** (1, channels, rows, columns) → (cells, channels). */
export function cellsOf({ data, dims: [, channels] }) {
  const cells = data.length / channels;
  return Float32Array.from({ length: data.length }, (_, i) => data[i % channels * cells + Math.floor(i / channels)]);
}

/** The object of each anchor, or −1. An anchor that two objects want is the smaller one's. */
export function assign({ boxes, labels }) {
  const gtIndex = new Int32Array(ANCHORS).fill(-1);
  const areas = new Float32Array(ANCHORS).fill(Infinity);
  labels.forEach((_, object) => {
    const box = boxes.subarray(4 * object, 4 * object + 4);
    const [width, height] = [box[2] - box[0], box[3] - box[1]];
    for (const anchor of positivesOf(box)) {
      if (width * height >= areas[anchor]) continue;
      areas[anchor] = width * height;
      gtIndex[anchor] = object;
    }
  });
  return gtIndex;
}

function positivesOf([left, top, right, bottom]) {
  const [width, height] = [right - left, bottom - top];
  const level = Math.max(width, height) < LARGE ? 0 : 1;
  const stride = STRIDES[level];
  const columns = SIZE / stride;
  const isNear = (offset, side) => Math.abs(offset) < Math.min(NEAR * stride, side / 2);
  const cells = Array.from({ length: CELLS[level] }, (_, cell) => cell).filter((cell) => {
    const [x, y] = [stride * (cell % columns), stride * Math.floor(cell / columns)];
    return isNear(x - (left + right) / 2, width) && isNear(y - (top + bottom) / 2, height);
  });
  return cells.map((cell) => cell + (level === 0 ? 0 : CELLS[0]));
}
