/**
 * The IoU family in JavaScript as a careful author writes it: one loop over typed arrays in float64, everything in local
 * variables, no objects. `eps` is the default.
 */
import type { LossFunction } from "../loss_task.ts";

const EPS = 1e-7;
const SHAPE = 0.4052847345693511; // 4 / π²

const C = 12.8;

const NAMES = [
  "iouLoss",
  "giouLoss",
  "diouLoss",
  "ciouLoss",
  "eiouLoss",
  "siouLoss",
  "wiseIouLoss",
  "alphaIouLoss",
  "mpdiouLoss",
] as const;

type Name = (typeof NAMES)[number];

export const plainBoxLoss: LossFunction = ({ loss, pred, target, grad, options }) => {
  const slopes = new Float32Array(pred.length);
  if (loss === "nwdLoss") {
    if (!grad) return () => ({ loss: sumOfDistances(pred, target) });
    return () => ({ loss: distanceGradient(pred, target, slopes), grad: slopes });
  }
  const name = NAMES.find((name) => name === loss);
  if (name === undefined) return null;
  const overImage = overDiagonal(options?.imageSize);
  if (!grad) return () => ({ loss: sumOf(name, pred, target, overImage) });
  return () => ({ loss: gradientOf(name, pred, target, slopes, overImage), grad: slopes });
};

function overDiagonal([height, width]: readonly number[] = [1, 1]): number {
  return 1 / (height * height + width * width + EPS);
}

/** The sum of nwdLoss over all pairs. */
function sumOfDistances(pred: Float32Array, target: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < pred.length; i += 4) {
    const a = pred[i] - target[i];
    const b = pred[i + 1] - target[i + 1];
    const c = pred[i + 2] - target[i + 2];
    const d = pred[i + 3] - target[i + 3];
    sum += 1 - Math.exp(-Math.sqrt((a * a + b * b + c * c + d * d) / 2) / C);
  }
  return sum;
}

/** The same, and the gradient of each pair into `grad`. */
function distanceGradient(pred: Float32Array, target: Float32Array, grad: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < pred.length; i += 4) {
    const a = pred[i] - target[i];
    const b = pred[i + 1] - target[i + 1];
    const c = pred[i + 2] - target[i + 2];
    const d = pred[i + 3] - target[i + 3];
    const distance = Math.sqrt((a * a + b * b + c * c + d * d) / 2);
    const left = Math.exp(-distance / C);
    const steep = distance > 0 ? left / (2 * C * distance) : 0;
    sum += 1 - left;
    grad[i] = a * steep;
    grad[i + 1] = b * steep;
    grad[i + 2] = c * steep;
    grad[i + 3] = d * steep;
  }
  return sum;
}

/** The sum over all pairs of boxes. */
function sumOf(
  loss: Name,
  pred: Float32Array,
  target: Float32Array,
  overImage: number,
): number {
  let sum = 0;
  for (let i = 0; i < pred.length; i += 4) {
    const x1 = pred[i];
    const y1 = pred[i + 1];
    const x2 = pred[i + 2];
    const y2 = pred[i + 3];
    const u1 = target[i];
    const v1 = target[i + 1];
    const u2 = target[i + 2];
    const v2 = target[i + 3];
    const w = positive(x2 - x1);
    const h = positive(y2 - y1);
    const tw = positive(u2 - u1);
    const th = positive(v2 - v1);
    const overlap = positive(least(x2, u2) - most(x1, u1)) *
      positive(least(y2, v2) - most(y1, v1));
    const union = w * h + tw * th - overlap;
    const iou = overlap / (union + EPS);
    const cost = 1 - iou;
    if (loss === "alphaIouLoss") {
      sum += 1 - iou * iou * iou;
      continue;
    }
    sum += cost;
    if (loss === "mpdiouLoss") {
      sum += ((x1 - u1) * (x1 - u1) + (y1 - v1) * (y1 - v1) + (x2 - u2) * (x2 - u2) + (y2 - v2) * (y2 - v2)) *
        overImage;
      continue;
    }
    if (loss === "iouLoss") continue;
    const cw = most(x2, u2) - least(x1, u1);
    const ch = most(y2, v2) - least(y1, v1);
    if (loss === "giouLoss") {
      sum += (cw * ch - union) / (cw * ch + EPS);
      continue;
    }
    const dx = (x1 + x2 - u1 - u2) / 2;
    const dy = (y1 + y2 - v1 - v2) / 2;
    if (loss === "siouLoss") {
      const turned = turnedDistance(
        dx,
        dy,
        dx * dx / (cw * cw + EPS),
        dy * dy / (ch * ch + EPS),
      );
      sum += (turned + shape(w, tw) + shape(h, th)) / 2;
      continue;
    }
    const distance = (dx * dx + dy * dy) / (cw * cw + ch * ch + EPS);
    if (loss === "wiseIouLoss") {
      sum += (Math.exp(distance) - 1) * cost;
      continue;
    }
    sum += distance;
    if (loss === "ciouLoss") {
      sum += aspect(Math.atan2(w, h) - Math.atan2(tw, th), cost);
    }
    if (loss === "eiouLoss") {
      sum += (w - tw) * (w - tw) / (cw * cw + EPS) +
        (h - th) * (h - th) / (ch * ch + EPS);
    }
  }
  return sum;
}

function positive(x: number): number {
  return x > 0 ? x : 0;
}

function least(a: number, b: number): number {
  return a < b ? a : b;
}

function most(a: number, b: number): number {
  return a > b ? a : b;
}

function aspect(turn: number, cost: number): number {
  const v = SHAPE * turn * turn;
  return v * v / (cost + v + EPS);
}

/** 2·|dx·dy| / (dx² + dy²). */
function angle(dx: number, dy: number): number {
  const square = dx * dx + dy * dy;
  return square > 0 ? 2 * Math.abs(dx * dy) / square : 0;
}

function turnedDistance(dx: number, dy: number, x: number, y: number): number {
  const reach = angle(dx, dy) - 2;
  return 2 - Math.exp(reach * x) - Math.exp(reach * y);
}

/** (1 − exp(−|w − w'| / max(w, w')))⁴. */
function shape(size: number, other: number): number {
  const change = 1 -
    Math.exp(-Math.abs(size - other) / (most(size, other) + EPS));
  return change * change * change * change;
}

/**
 * The same, and the gradient of each pair into `grad`. s, o, c and d are the slopes of the loss towards the prediction's
 * size, the overlap, the cover and the offset of the centres, on x and on y.
 */
function gradientOf(
  loss: Name,
  pred: Float32Array,
  target: Float32Array,
  grad: Float32Array,
  overImage: number,
): number {
  let sum = 0;
  for (let i = 0; i < pred.length; i += 4) {
    const x1 = pred[i];
    const y1 = pred[i + 1];
    const x2 = pred[i + 2];
    const y2 = pred[i + 3];
    const u1 = target[i];
    const v1 = target[i + 1];
    const u2 = target[i + 2];
    const v2 = target[i + 3];
    const w = positive(x2 - x1);
    const h = positive(y2 - y1);
    const tw = positive(u2 - u1);
    const th = positive(v2 - v1);
    const ow = positive(least(x2, u2) - most(x1, u1));
    const oh = positive(least(y2, v2) - most(y1, v1));
    const cw = most(x2, u2) - least(x1, u1);
    const ch = most(y2, v2) - least(y1, v1);
    const dx = (x1 + x2 - u1 - u2) / 2;
    const dy = (y1 + y2 - v1 - v2) / 2;
    const union = w * h + tw * th - ow * oh;
    const overUnion = 1 / (union + EPS);
    const iou = ow * oh * overUnion;
    let sx = iou * overUnion * h;
    let sy = iou * overUnion * w;
    let ox = -(1 + iou) * overUnion * oh;
    let oy = -(1 + iou) * overUnion * ow;
    let cx = 0;
    let cy = 0;
    let px = 0;
    let py = 0;
    sum += 1 - iou;
    if (loss === "giouLoss") {
      const overCover = 1 / (cw * ch + EPS);
      const gap = (cw * ch - union) * overCover;
      sum += gap;
      cx = (1 - gap) * overCover * ch;
      cy = (1 - gap) * overCover * cw;
      sx -= overCover * h;
      sy -= overCover * w;
      ox += overCover * oh;
      oy += overCover * ow;
    } else if (loss === "siouLoss") {
      const overX = 1 / (cw * cw + EPS);
      const overY = 1 / (ch * ch + EPS);
      const x = dx * dx * overX;
      const y = dy * dy * overY;
      const turned = angle(dx, dy);
      const leftX = Math.exp((turned - 2) * x);
      const leftY = Math.exp((turned - 2) * y);
      const square = dx * dx + dy * dy;
      const pull = square > 0 ? (leftX * x + leftY * y) / square : 0;
      px = leftX * (2 - turned) * dx * overX -
        pull * (sign(dx) * Math.abs(dy) - turned * dx);
      py = leftY * (2 - turned) * dy * overY -
        pull * (sign(dy) * Math.abs(dx) - turned * dy);
      cx = (turned - 2) * leftX * x * overX * cw;
      cy = (turned - 2) * leftY * y * overY * ch;
      const overW = 1 / (most(w, tw) + EPS);
      const overH = 1 / (most(h, th) + EPS);
      const keptW = Math.exp(-Math.abs(w - tw) * overW);
      const keptH = Math.exp(-Math.abs(h - th) * overH);
      const cubeW = (1 - keptW) * (1 - keptW) * (1 - keptW);
      const cubeH = (1 - keptH) * (1 - keptH) * (1 - keptH);
      sx += 2 * cubeW * keptW * overW * (w > tw ? 1 - (w - tw) * overW : -1);
      sy += 2 * cubeH * keptH * overH * (h > th ? 1 - (h - th) * overH : -1);
      sum += (2 - leftX - leftY + cubeW * (1 - keptW) + cubeH * (1 - keptH)) /
        2;
    } else if (loss === "wiseIouLoss") {
      const overDiagonal = 1 / (cw * cw + ch * ch + EPS);
      const factor = Math.exp((dx * dx + dy * dy) * overDiagonal);
      sum += (factor - 1) * (1 - iou);
      sx *= factor;
      sy *= factor;
      ox *= factor;
      oy *= factor;
      px = 2 * factor * (1 - iou) * dx * overDiagonal;
      py = 2 * factor * (1 - iou) * dy * overDiagonal;
    } else if (loss === "alphaIouLoss") {
      const factor = 3 * iou * iou;
      sum += iou - iou * iou * iou;
      sx *= factor;
      sy *= factor;
      ox *= factor;
      oy *= factor;
    } else if (loss === "mpdiouLoss") {
      sum += ((x1 - u1) * (x1 - u1) + (y1 - v1) * (y1 - v1) + (x2 - u2) * (x2 - u2) + (y2 - v2) * (y2 - v2)) *
        overImage;
    } else if (loss !== "iouLoss") {
      const overDiagonal = 1 / (cw * cw + ch * ch + EPS);
      const distance = (dx * dx + dy * dy) * overDiagonal;
      sum += distance;
      px = 2 * dx * overDiagonal;
      py = 2 * dy * overDiagonal;
      cx = -2 * distance * overDiagonal * cw;
      cy = -2 * distance * overDiagonal * ch;
      if (loss === "ciouLoss") {
        const turn = Math.atan2(w, h) - Math.atan2(tw, th);
        const v = SHAPE * turn * turn;
        const alpha = v / (1 - iou + v + EPS);
        const square = w * w + h * h;
        const steep = square > 0 ? 2 * SHAPE * alpha * turn / square : 0;
        sum += alpha * v;
        sx += steep * h;
        sy -= steep * w;
      } else if (loss === "eiouLoss") {
        const overX = 1 / (cw * cw + EPS);
        const overY = 1 / (ch * ch + EPS);
        const changeX = (w - tw) * (w - tw) * overX;
        const changeY = (h - th) * (h - th) * overY;
        sum += changeX + changeY;
        sx += 2 * (w - tw) * overX;
        sy += 2 * (h - th) * overY;
        cx -= 2 * cw * changeX * overX;
        cy -= 2 * ch * changeY * overY;
      }
    }
    if (w === 0) sx = 0;
    if (h === 0) sy = 0;
    if (ow === 0) ox = 0;
    if (oh === 0) oy = 0;
    grad[i] = px / 2 - sx - (x1 > u1 ? ox : cx);
    grad[i + 1] = py / 2 - sy - (y1 > v1 ? oy : cy);
    grad[i + 2] = px / 2 + sx + (x2 < u2 ? ox : cx);
    grad[i + 3] = py / 2 + sy + (y2 < v2 ? oy : cy);
    if (loss === "mpdiouLoss") {
      grad[i] += 2 * (x1 - u1) * overImage;
      grad[i + 1] += 2 * (y1 - v1) * overImage;
      grad[i + 2] += 2 * (x2 - u2) * overImage;
      grad[i + 3] += 2 * (y2 - v2) * overImage;
    }
  }
  return sum;
}

function sign(x: number): number {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}
