/** Losses in jax-js, compiled by its `jit`, gradients by its `valueAndGrad`. Parameters are the defaults. */
import type { Array as JaxArray } from "@jax-js/jax";
import type { GpuLossPeer, LossName, LossOutcome, LossPeer, LossTask } from "../loss_task.ts";
import { type Jax, startJax } from "./jax.ts";

/** The loss of every element or row. What is used again is taken by `.ref`: a plain use gives it up. */
type Formula = (jax: Jax, pred: JaxArray, target: JaxArray) => JaxArray;

const FORMULAS: Readonly<Partial<Record<LossName, Formula>>> = {
  binaryCrossEntropyWithLogits: crossEntropy,
  sigmoidFocalLoss: focal,
  qualityFocalLoss: qualityFocal,
  distributionFocalLoss: distributionFocal,
  giouLoss: giou,
};

export async function jaxLosses(): Promise<LossPeer> {
  const { jax, name } = await startJax("wasm");
  return {
    name,
    prepare(task) {
      const loss = compiled(jax, task);
      if (loss === null) return null;
      const { pred, target } = arrays(jax, task);
      return { run: async () => await onHost(loss(pred.ref, target.ref)) };
    },
  };
}

export async function jaxGpuLosses(): Promise<GpuLossPeer> {
  const { jax, name } = await startJax("webgpu");
  return {
    name,
    prepare(task) {
      const loss = compiled(jax, task);
      if (loss === null) return null;
      const { pred, target } = arrays(jax, task);
      const host = async () => {
        const { pred, target } = arrays(jax, task);
        return await onHost(loss(pred, target));
      };
      const resident = async () => {
        const { value, slopes } = loss(pred.ref, target.ref);
        await slopes?.blockUntilReady();
        slopes?.dispose();
        return await onHost({ value });
      };
      return { host: { run: host }, resident: { run: resident } };
    },
  };
}

interface Outcome {
  readonly value: JaxArray;
  readonly slopes?: JaxArray;
}

/** The sum of the losses, with its gradient where that is asked for. */
function compiled(jax: Jax, { loss, grad }: LossTask): ((pred: JaxArray, target: JaxArray) => Outcome) | null {
  const formula = FORMULAS[loss];
  if (formula === undefined) return null;
  const sum = (x: JaxArray, y: JaxArray) => formula(jax, x, y).sum();
  if (!grad) {
    const value = jax.jit(sum);
    return (x, y) => ({ value: value(x, y) });
  }
  const both = jax.jit(jax.valueAndGrad(sum));
  return (x, y) => {
    const [value, slopes] = both(x, y);
    return { value, slopes };
  };
}

function arrays({ numpy: np }: Jax, { pred, predDims, target, targetDims }: LossTask) {
  const place = (values: Float32Array, dims: readonly number[]) => {
    return np.array(values as Float32Array<ArrayBuffer>).reshape([...dims]);
  };
  return { pred: place(pred, predDims), target: place(target, targetDims) };
}

async function onHost({ value, slopes }: Outcome): Promise<LossOutcome> {
  return { loss: (await value.data())[0], grad: await slopes?.data() as Float32Array | undefined };
}

function crossEntropy({ nn }: Jax, x: JaxArray, y: JaxArray): JaxArray {
  return nn.softplus(x.ref).sub(x.mul(y));
}

function qualityFocal(jax: Jax, x: JaxArray, y: JaxArray): JaxArray {
  const distance = y.ref.sub(jax.nn.sigmoid(x.ref));
  return jax.numpy.square(distance).mul(crossEntropy(jax, x, y));
}

/** (1 − α + (2α − 1)·y) · m² · BCE with m = σ + y − 2σy. */
function focal(jax: Jax, x: JaxArray, y: JaxArray): JaxArray {
  const on = jax.nn.sigmoid(x.ref);
  const both = on.ref.mul(y.ref).mul(2);
  const miss = on.add(y.ref).sub(both);
  const weight = y.ref.mul(-0.5).add(0.75);
  return jax.numpy.square(miss).mul(weight).mul(crossEntropy(jax, x, y));
}

/** −Σ max(1 − |u − k|, 0) · logSoftmax(x)_k. */
function distributionFocal({ nn, numpy: np }: Jax, x: JaxArray, y: JaxArray): JaxArray {
  const [rows, bins] = x.shape;
  const away = np.abs(y.reshape([rows, 1]).sub(np.arange(bins).astype(np.float32)));
  const weights = nn.relu(away.mul(-1).add(1));
  return weights.mul(nn.logSoftmax(x, -1)).sum(-1).mul(-1);
}

function giou({ nn, numpy: np }: Jax, pred: JaxArray, target: JaxArray): JaxArray {
  const [a, b] = [pred, target].map((boxes) => {
    const sides = [0, 1, 2, 3].map((side) => boxes.ref.slice([], side));
    boxes.dispose();
    return sides;
  });
  const area = (box: JaxArray[]) => box[2].ref.sub(box[0].ref).mul(box[3].ref.sub(box[1].ref));
  const inner = [0, 1].map((k) => nn.relu(np.minimum(a[k + 2].ref, b[k + 2].ref).sub(np.maximum(a[k].ref, b[k].ref))));
  const outer = [0, 1].map((k) => np.maximum(a[k + 2].ref, b[k + 2].ref).sub(np.minimum(a[k].ref, b[k].ref)));
  const overlap = inner[0].mul(inner[1]);
  const union = area(a).add(area(b)).sub(overlap.ref);
  const enclosing = outer[0].mul(outer[1]);
  for (const side of [...a, ...b]) side.dispose();
  const iou = overlap.div(union.ref.add(1e-7));
  const gap = enclosing.ref.sub(union).div(enclosing.add(1e-7));
  return iou.mul(-1).add(1).add(gap);
}
