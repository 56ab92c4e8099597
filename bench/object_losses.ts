/** Losses that take more than rows and their targets: of rotated boxes, keypoints and masks, with and without their gradients. */
import type { SyncOps, TensorLike } from "densehead";
import { differentLosses } from "./agreement.ts";
import type { Bench } from "./bench.ts";
import { spreadBoxes } from "./inputs.ts";
import { plainKeypointLoss, plainMaskLoss, plainRotatedLoss } from "./peers/plain_object_losses.ts";
import type { PythonProcess } from "./peers/python_process.ts";
import { between, integerBelow, normal, seeded } from "./random.ts";
import type { Absent, Rival } from "./runner.ts";

/** The sum, and the gradients where they are asked for. */
interface Outcome {
  readonly loss: number;
  readonly grads: readonly Float32Array[];
}

interface ObjectLoss {
  /** What it is computed on. */
  readonly what: string;
  /** PyTorch takes the same. */
  readonly inputs: readonly { readonly data: Float32Array; readonly dims: readonly number[] }[];
  /** How many of the inputs have a gradient. */
  readonly slopes: number;
  /** The gradient goes into the array where there is one and the loss takes it. */
  ours(sync: SyncOps, given: readonly TensorLike[], grad: boolean, room: () => Float32Array): Outcome;
  plain(grads: readonly Float32Array[]): number;
  /** How many times faster than plain JavaScript and than PyTorch ours should be. */
  readonly targets: { readonly plain: number; readonly torch: number };
}

const BOXES = 100_000;
const EXTENT = 4000;
const POSES = 10_000;
const KEYPOINTS = 17;
const MASKS = 100;
const CHANNELS = 32;
const SIDE = 160;
const SUM_TOLERANCE = 1e-4;
/** Of the largest member. */
const GRADIENT_TOLERANCE = 2e-5;

/** By the operation's name, which is the task's too. */
export const OBJECT_LOSSES: Readonly<Record<string, () => ObjectLoss>> = {
  /** Boxes near their targets. */
  probIouLoss() {
    const dims = [BOXES, 5];
    const target = spreadBoxes(BOXES, EXTENT, 1);
    const random = seeded(2);
    const pred = target.map((value, i) => {
      const member = i % 5;
      if (member === 2 || member === 3) return value * between(random, 0.7, 1.4);
      return value + normal(random, 0, 0.15) * (member === 4 ? 1 : target[i + 2]);
    });
    return {
      what: `${BOXES} × 5`,
      inputs: [{ data: pred, dims }, { data: target, dims }],
      slopes: 1,
      ours(sync, [pred, target], grad, room) {
        if (!grad) return { ...sync.probIouLoss(pred, target, { reduction: "sum" }), grads: [] };
        const result = sync.probIouLoss(pred, target, { reduction: "sum", grad, out: { grad: room() } });
        return { loss: result.loss, grads: [result.grad] };
      },
      plain: ([grad]) => plainRotatedLoss(pred, target, grad),
      targets: { plain: 5, torch: 5 },
    };
  },

  /** Keypoints near their targets, a third of them not visible. */
  oksLoss() {
    const random = seeded(1);
    const areas = Float32Array.from({ length: POSES }, () => 10 ** between(random, 2, 5));
    const sigmas = Float32Array.from({ length: KEYPOINTS }, (_, k) => 0.025 + 0.005 * k);
    const target = Float32Array.from({ length: POSES * KEYPOINTS * 3 }, (_, i) => {
      return i % 3 === 2 ? integerBelow(random, 3) : between(random, 0, 640);
    });
    const pred = Float32Array.from({ length: POSES * KEYPOINTS * 2 }, (_, i) => {
      return target[3 * (i >> 1) + i % 2] + normal(random, 0, 0.1) * Math.sqrt(areas[Math.floor(i / 2 / KEYPOINTS)]);
    });
    const options = { reduction: "sum", sigmas: Array.from(sigmas) } as const;
    return {
      what: `${POSES} × ${KEYPOINTS}`,
      inputs: [
        { data: pred, dims: [POSES, KEYPOINTS, 2] },
        { data: target, dims: [POSES, KEYPOINTS, 3] },
        { data: areas, dims: [POSES] },
        { data: sigmas, dims: [KEYPOINTS] },
      ],
      slopes: 1,
      ours(sync, [pred, target, areas], grad, room) {
        if (!grad) return { ...sync.oksLoss(pred, target, areas, options), grads: [] };
        const result = sync.oksLoss(pred, target, areas, { ...options, grad, out: { grad: room() } });
        return { loss: result.loss, grads: [result.grad] };
      },
      plain: ([grad]) => plainKeypointLoss(pred, target, areas, sigmas, grad),
      targets: { plain: 5, torch: 5 },
    };
  },

  /** Boxes of 6 to 96 samples in maps of noise. */
  maskLoss() {
    const random = seeded(1);
    const noise = (length: number) => Float32Array.from({ length }, () => normal(random, 0, 0.5));
    const [coefficients, prototypes] = [noise(MASKS * CHANNELS), noise(CHANNELS * SIDE * SIDE)];
    const masks = Uint8Array.from({ length: MASKS * SIDE * SIDE }, () => integerBelow(random, 2));
    const corners = Array.from({ length: MASKS }, () => {
      const [w, h] = [6 * 2 ** between(random, 0, 4), 6 * 2 ** between(random, 0, 4)];
      const [x, y] = [between(random, 0, SIDE - w), between(random, 0, SIDE - h)];
      return [x, y, x + w, y + h];
    });
    const boxes = Float32Array.from(corners.flat());
    return {
      what: `${MASKS} × ${CHANNELS} × ${SIDE} × ${SIDE}`,
      inputs: [
        { data: coefficients, dims: [MASKS, CHANNELS] },
        { data: prototypes, dims: [CHANNELS, SIDE, SIDE] },
        { data: boxes, dims: [MASKS, 4] },
        { data: Float32Array.from(masks), dims: [MASKS, SIDE, SIDE] },
      ],
      slopes: 2,
      ours(sync, [coefficients, prototypes, boxes], grad) {
        const options = { reduction: "sum" } as const;
        if (!grad) return { ...sync.maskLoss(coefficients, prototypes, masks, boxes, options), grads: [] };
        const result = sync.maskLoss(coefficients, prototypes, masks, boxes, { ...options, grad });
        return { loss: result.loss, grads: [result.grad.coefficients, result.grad.prototypes] };
      },
      plain: ([own, slopes]) => plainMaskLoss(coefficients, prototypes, masks, boxes, SIDE, own && [own, slopes]),
      targets: { plain: 3, torch: 12 },
    };
  },
};

export async function measureObjectLosses(bench: Bench, torch: PythonProcess | Absent): Promise<void> {
  for (const [name, make] of Object.entries(OBJECT_LOSSES)) {
    const loss = make();
    for (const grad of [false, true]) await measure(bench, torch, name, loss, grad);
  }
}

/** In memory and from host arrays. */
async function measure(
  { engine, runner, report }: Bench,
  torch: PythonProcess | Absent,
  name: string,
  { what, inputs, slopes, ours, plain, targets }: ObjectLoss,
  grad: boolean,
): Promise<void> {
  report.heading(`losses: ${name}, ${what}, ${grad ? "sum and gradient" : "sum"}`);
  const room = (grad ? inputs.slice(0, slopes) : []).map(({ data }) => new Float32Array(data.length));
  const rivals: Rival<Outcome>[] = [{
    name: "plain JavaScript",
    target: targets.plain,
    run: () => ({ loss: plain(room), grads: room }),
  }];
  const own = new Float32Array(inputs[0].data.length);
  const onHost = { name: "ours, host arrays", run: () => ours(engine.sync, inputs, grad, () => own) };
  const tensors = [...inputs, inputs[0]].map(({ data, dims }) => {
    const tensor = engine.tensor(dims);
    tensor.data.set(data);
    return tensor;
  });
  const out = tensors[inputs.length];
  const inMemory = { name: "ours, in memory", run: () => ours(engine.sync, tensors, grad, () => out.data) };
  const peer = await torchRival(torch, name, inputs, grad, targets.torch);
  await runner.race<Outcome>({ ours: inMemory, rivals: [...rivals, peer], difference });
  // The others' times do not change.
  await runner.race<Outcome>({
    ours: onHost,
    rivals: rivals.map((rival) => ({ ...rival, target: undefined })),
    difference,
  });
  for (const tensor of tensors) tensor.dispose();
}

async function torchRival(
  torch: PythonProcess | Absent,
  name: string,
  inputs: ObjectLoss["inputs"],
  grad: boolean,
  target: number,
): Promise<Rival<Outcome> | Absent> {
  if ("absent" in torch) return torch;
  const { clock, run } = await torch.prepare(name, { grad }, inputs);
  return {
    name: torch.name,
    target,
    clock,
    run: async () => {
      const { value, arrays } = await run();
      return { loss: value, grads: arrays };
    },
  };
}

/** The sum, and each gradient. */
function difference(ours: Outcome, theirs: Outcome): string | null {
  const compare = differentLosses(SUM_TOLERANCE, GRADIENT_TOLERANCE);
  const found = [undefined, ...ours.grads].map((grad, i) => {
    return compare({ loss: ours.loss, grad }, { loss: theirs.loss, grad: theirs.grads[i - 1] });
  });
  return found.find((different) => different !== null) ?? null;
}
