/**
 * Classification losses and the distribution focal loss in JavaScript as a careful author writes them: one loop over typed
 * arrays in float64, one Math.exp and one Math.log1p for each element, no objects. Parameters are the defaults.
 */
import type { LossFunction, LossName } from "../loss_task.ts";
import { plainBoxLoss } from "./plain_box_losses.ts";

/** The sum over all elements. */
type PlainValue = (
  logits: Float32Array,
  targets: Float32Array,
) => number;
/** The same, and the gradient of each element into `grad`. */
type PlainGradient = (
  logits: Float32Array,
  targets: Float32Array,
  grad: Float32Array,
) => number;

interface PlainLoss {
  readonly value: PlainValue;
  readonly gradient: PlainGradient;
}

const binaryCrossEntropy: PlainLoss = {
  value(logits, targets) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      sum += (x > 0 ? x : 0) - x * targets[i] +
        Math.log1p(Math.exp(-Math.abs(x)));
    }
    return sum;
  },
  gradient(logits, targets, grad) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const y = targets[i];
      const e = Math.exp(-Math.abs(x));
      sum += (x > 0 ? x : 0) - x * y + Math.log1p(e);
      grad[i] = (x > 0 ? 1 : e) / (1 + e) - y;
    }
    return sum;
  },
};

const ALPHA = 0.25;

const focal: PlainLoss = {
  value(logits, targets) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const y = targets[i];
      const e = Math.exp(-Math.abs(x));
      const s = (x > 0 ? 1 : e) / (1 + e);
      const miss = s + y - 2 * s * y;
      const weight = 1 - ALPHA + (2 * ALPHA - 1) * y;
      sum += weight * miss * miss * ((x > 0 ? x : 0) - x * y + Math.log1p(e));
    }
    return sum;
  },
  gradient(logits, targets, grad) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const y = targets[i];
      const e = Math.exp(-Math.abs(x));
      const s = (x > 0 ? 1 : e) / (1 + e);
      const miss = s + y - 2 * s * y;
      const weighted = (1 - ALPHA + (2 * ALPHA - 1) * y) * miss;
      const cost = (x > 0 ? x : 0) - x * y + Math.log1p(e);
      sum += weighted * miss * cost;
      grad[i] = weighted *
        (miss * (s - y) + 2 * (1 - 2 * y) * s * (1 - s) * cost);
    }
    return sum;
  },
};

const qualityFocal: PlainLoss = {
  value(logits, targets) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const y = targets[i];
      const e = Math.exp(-Math.abs(x));
      const d = (x > 0 ? 1 : e) / (1 + e) - y;
      sum += d * d * ((x > 0 ? x : 0) - x * y + Math.log1p(e));
    }
    return sum;
  },
  gradient(logits, targets, grad) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const y = targets[i];
      const e = Math.exp(-Math.abs(x));
      const s = (x > 0 ? 1 : e) / (1 + e);
      const d = s - y;
      const cost = (x > 0 ? x : 0) - x * y + Math.log1p(e);
      sum += d * d * cost;
      grad[i] = d * (d * d + 2 * s * (1 - s) * cost);
    }
    return sum;
  },
};

const NEGATIVES = 0.75;

const varifocal: PlainLoss = {
  value(logits, targets) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const q = targets[i];
      const e = Math.exp(-Math.abs(x));
      const s = (x > 0 ? 1 : e) / (1 + e);
      const cost = (x > 0 ? x : 0) - x * q + Math.log1p(e);
      sum += (q > 0 ? q : NEGATIVES * s * s) * cost;
    }
    return sum;
  },
  gradient(logits, targets, grad) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const q = targets[i];
      const e = Math.exp(-Math.abs(x));
      const s = (x > 0 ? 1 : e) / (1 + e);
      const cost = (x > 0 ? x : 0) - x * q + Math.log1p(e);
      const weight = q > 0 ? q : NEGATIVES * s * s;
      sum += weight * cost;
      grad[i] = weight * (q > 0 ? s - q : s + 2 * (1 - s) * cost);
    }
    return sum;
  },
};

const MATCHABILITY = 1.5;

const matchabilityAware: PlainLoss = {
  value(logits, targets) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const q = targets[i];
      const e = Math.exp(-Math.abs(x));
      const s = (x > 0 ? 1 : e) / (1 + e);
      const cost = (x > 0 ? x : 0) + Math.log1p(e);
      sum += q > 0 ? cost - q ** MATCHABILITY * x : s * Math.sqrt(s) * cost;
    }
    return sum;
  },
  gradient(logits, targets, grad) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const q = targets[i];
      const e = Math.exp(-Math.abs(x));
      const s = (x > 0 ? 1 : e) / (1 + e);
      const cost = (x > 0 ? x : 0) + Math.log1p(e);
      if (q > 0) {
        const t = q ** MATCHABILITY;
        sum += cost - t * x;
        grad[i] = s - t;
      } else {
        const weight = s * Math.sqrt(s);
        sum += weight * cost;
        grad[i] = weight * s;
      }
    }
    return sum;
  },
};

const LEFT = 0;
const RIGHT = 1;

const generalizedFocal: PlainLoss = {
  value(logits, targets) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const y = targets[i];
      const e = Math.exp(-Math.abs(x));
      const d = LEFT + (RIGHT - LEFT) * (x > 0 ? 1 : e) / (1 + e) - y;
      sum += d * d *
        ((RIGHT - LEFT) * ((x > 0 ? x : 0) + Math.log1p(e)) - (y - LEFT) * x);
    }
    return sum;
  },
  gradient(logits, targets, grad) {
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const x = logits[i];
      const y = targets[i];
      const e = Math.exp(-Math.abs(x));
      const s = (x > 0 ? 1 : e) / (1 + e);
      const d = LEFT + (RIGHT - LEFT) * s - y;
      const cost = (RIGHT - LEFT) * ((x > 0 ? x : 0) + Math.log1p(e)) -
        (y - LEFT) * x;
      sum += d * d * cost;
      grad[i] = d * (d * d + 2 * (RIGHT - LEFT) * s * (1 - s) * cost);
    }
    return sum;
  },
};

/** The distribution focal loss of (rows, bins) logits: one Math.exp for each bin, one Math.log for each row. */
const distributionFocal: PlainLoss = {
  value(logits, targets) {
    const bins = logits.length / targets.length;
    let loss = 0;
    for (let row = 0; row < targets.length; row++) {
      const first = row * bins;
      const top = highest(logits, first, bins);
      let sum = 0;
      for (let i = 0; i < bins; i++) sum += Math.exp(logits[first + i] - top);
      const left = Math.min(Math.floor(targets[row]), bins - 2);
      const share = targets[row] - left;
      loss += top + Math.log(sum) - (1 - share) * logits[first + left] -
        share * logits[first + left + 1];
    }
    return loss;
  },
  gradient(logits, targets, grad) {
    const bins = logits.length / targets.length;
    let loss = 0;
    for (let row = 0; row < targets.length; row++) {
      const first = row * bins;
      const top = highest(logits, first, bins);
      let sum = 0;
      for (let i = 0; i < bins; i++) {
        const weight = Math.exp(logits[first + i] - top);
        grad[first + i] = weight;
        sum += weight;
      }
      const inverse = 1 / sum;
      for (let i = 0; i < bins; i++) grad[first + i] *= inverse;
      const left = Math.min(Math.floor(targets[row]), bins - 2);
      const share = targets[row] - left;
      grad[first + left] -= 1 - share;
      grad[first + left + 1] -= share;
      loss += top + Math.log(sum) - (1 - share) * logits[first + left] -
        share * logits[first + left + 1];
    }
    return loss;
  },
};

function highest(logits: Float32Array, first: number, bins: number): number {
  let top = -Infinity;
  for (let i = 0; i < bins; i++) {
    const x = logits[first + i];
    if (x > top) top = x;
  }
  return top;
}

const LOSSES: Readonly<Partial<Record<LossName, PlainLoss>>> = {
  binaryCrossEntropyWithLogits: binaryCrossEntropy,
  sigmoidFocalLoss: focal,
  qualityFocalLoss: qualityFocal,
  varifocalLoss: varifocal,
  matchabilityAwareLoss: matchabilityAware,
  generalizedFocalLoss: generalizedFocal,
  distributionFocalLoss: distributionFocal,
};

export const plainLoss: LossFunction = (task) => {
  const { loss, pred, target, grad } = task;
  const plain = LOSSES[loss];
  if (plain === undefined) return plainBoxLoss(task);
  if (!grad) return () => ({ loss: plain.value(pred, target) });
  const slopes = new Float32Array(pred.length);
  return () => ({ loss: plain.gradient(pred, target, slopes), grad: slopes });
};
