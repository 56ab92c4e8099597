/** Losses in TensorFlow.js, and their gradients by its own differentiation. Parameters are the defaults. */
import type { Tensor } from "@tensorflow/tfjs";
import type { GpuLossPeer, LossInput, LossName, LossOutcome, LossPeer, LossTask } from "../loss_task.ts";
import { type Tensorflow, tensorflow, tensorflowGpu } from "./tensorflow.ts";

/** The loss of every element or row, and the gradient of their sum. */
export interface TensorflowValues {
  readonly name: string;
  values(input: LossInput): { values: Float32Array; grad: Float32Array } | null;
}

/** `stable` where results count more than time. */
type Formula = (
  tf: Tensorflow,
  pred: Tensor,
  target: Tensor,
  stable: boolean,
) => Tensor;

const FORMULAS: Readonly<Partial<Record<LossName, Formula>>> = {
  binaryCrossEntropyWithLogits: crossEntropy,
  sigmoidFocalLoss: focal,
  qualityFocalLoss: qualityFocal,
  distributionFocalLoss: distributionFocal,
  giouLoss: giou,
};

export async function tensorflowLosses(): Promise<LossPeer> {
  const { tf, name } = await tensorflow();
  return { name, prepare: (task) => prepare(tf, task) };
}

export async function tensorflowValues(): Promise<TensorflowValues> {
  const { tf, name } = await tensorflow();
  return {
    name,
    values(input) {
      const formula = FORMULAS[input.loss];
      if (formula === undefined) return null;
      return tf.tidy(() => {
        const { pred, target } = tensors(tf, input);
        const loss = (x: Tensor) => formula(tf, x, target, true);
        return {
          values: Float32Array.from(loss(pred).dataSync()),
          grad: Float32Array.from(
            tf.grad((x: Tensor) => tf.sum(loss(x)))(pred).dataSync(),
          ),
        };
      });
    },
  };
}

export async function tensorflowGpuLosses(): Promise<GpuLossPeer> {
  const { tf, name } = await tensorflowGpu();
  return {
    name,
    prepare(task) {
      const formula = FORMULAS[task.loss];
      if (formula === undefined) return null;
      const inputs = tensors(tf, task);
      const run = (read: boolean) => gpuOutcome(tf, formula, task.grad, () => read ? tensors(tf, task) : inputs, read);
      return { host: { run: () => run(true) }, resident: { run: () => run(false) } };
    },
  };
}

/** The sum, and the gradient where it is to be read; a WebGPU tensor is read asynchronously, outside of `tidy`. */
async function gpuOutcome(
  tf: Tensorflow,
  formula: Formula,
  grad: boolean,
  inputs: () => { pred: Tensor; target: Tensor },
  read: boolean,
): Promise<LossOutcome> {
  const { value, slopes } = tf.tidy(() => {
    const { pred, target } = inputs();
    const loss = (x: Tensor) => tf.sum(formula(tf, x, target, false));
    if (!grad) return { value: loss(pred), slopes: undefined };
    const both = tf.valueAndGrad(loss)(pred);
    return { value: both.value, slopes: both.grad };
  });
  try {
    const [loss] = await value.data();
    return { loss, grad: read ? await slopes?.data() as Float32Array | undefined : undefined };
  } finally {
    tf.dispose([value, ...(slopes ? [slopes] : [])]);
  }
}

function prepare(
  tf: Tensorflow,
  task: LossTask,
): { run(): LossOutcome } | null {
  const formula = FORMULAS[task.loss];
  if (formula === undefined) return null;
  const { pred, target } = tensors(tf, task);
  const loss = (x: Tensor) => tf.sum(formula(tf, x, target, false));
  if (!task.grad) {
    return { run: () => tf.tidy(() => ({ loss: loss(pred).dataSync()[0] })) };
  }
  const both = tf.valueAndGrad(loss);
  return {
    run: () =>
      tf.tidy(() => {
        const { value, grad } = both(pred);
        return {
          loss: value.dataSync()[0],
          grad: grad.dataSync() as Float32Array,
        };
      }),
  };
}

function tensors(
  tf: Tensorflow,
  { pred, predDims, target, targetDims }: LossInput,
): { pred: Tensor; target: Tensor } {
  return {
    pred: tf.tensor(pred, [...predDims]),
    target: tf.tensor(target, [...targetDims]),
  };
}

/** The fewest kernels, softplus(x) − x·y, cancel where x is high and y is 1; `tf.losses` has the other way. */
function crossEntropy(
  tf: Tensorflow,
  x: Tensor,
  y: Tensor,
  stable: boolean,
): Tensor {
  if (!stable) return tf.sub(tf.softplus(x), tf.mul(x, y));
  const rest = tf.log1p(tf.exp(tf.neg(tf.abs(x))));
  return tf.add(tf.sub(tf.relu(x), tf.mul(x, y)), rest);
}

function qualityFocal(
  tf: Tensorflow,
  x: Tensor,
  y: Tensor,
  stable: boolean,
): Tensor {
  return tf.mul(
    tf.square(tf.sub(y, tf.sigmoid(x))),
    crossEntropy(tf, x, y, stable),
  );
}

function focal(tf: Tensorflow, x: Tensor, y: Tensor, stable: boolean): Tensor {
  const on = tf.sigmoid(x);
  const miss = tf.sub(tf.add(on, y), tf.mul(tf.mul(on, y), 2));
  const weight = tf.add(tf.mul(y, -0.5), 0.75);
  return tf.mul(
    tf.mul(tf.square(miss), weight),
    crossEntropy(tf, x, y, stable),
  );
}

function distributionFocal(tf: Tensorflow, x: Tensor, y: Tensor): Tensor {
  const places = tf.range(0, x.shape[1] ?? 0);
  const away = tf.abs(tf.sub(tf.expandDims(y, 1), places));
  return tf.neg(tf.sum(tf.mul(tf.relu(tf.sub(1, away)), tf.logSoftmax(x)), 1));
}

function giou(tf: Tensorflow, pred: Tensor, target: Tensor): Tensor {
  const [a, b] = [pred, target].map((boxes) => tf.unstack(boxes, 1));
  const area = (box: Tensor[]) => tf.mul(tf.sub(box[2], box[0]), tf.sub(box[3], box[1]));
  const overlap = tf.mul(
    ...([0, 1].map((side) => {
      return tf.relu(
        tf.sub(
          tf.minimum(a[side + 2], b[side + 2]),
          tf.maximum(a[side], b[side]),
        ),
      );
    }) as [Tensor, Tensor]),
  );
  const enclosing = tf.mul(
    ...([0, 1].map((side) => {
      return tf.sub(
        tf.maximum(a[side + 2], b[side + 2]),
        tf.minimum(a[side], b[side]),
      );
    }) as [Tensor, Tensor]),
  );
  const union = tf.sub(tf.add(area(a), area(b)), overlap);
  const iou = tf.div(overlap, tf.add(union, 1e-7));
  return tf.add(
    tf.sub(1, iou),
    tf.div(tf.sub(enclosing, union), tf.add(enclosing, 1e-7)),
  );
}
