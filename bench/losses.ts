/** Losses over a whole head and over many boxes, with and without their gradients. */
import type { Engine, TensorLike } from "densehead";
import { differentLosses } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { classificationInput, lossInput, withMagnitude } from "./loss_inputs.ts";
import {
  kindOf,
  LOSSES,
  lossesOf,
  type LossFunction,
  type LossInput,
  type LossKind,
  type LossOutcome,
  type LossPeer,
  type LossTask,
  type PreparedLoss,
} from "./loss_task.ts";
import { measureObjectLosses } from "./object_losses.ts";
import { clangLosses } from "./peers/clang_losses.ts";
import { formulaLoss } from "./peers/formula_losses.ts";
import { jaxLosses } from "./peers/jax_losses.ts";
import { attempt } from "./peers/load.ts";
import { onnxLosses } from "./peers/onnx_losses.ts";
import { onnxNodeRuntime, onnxWebRuntime } from "./peers/onnx_session.ts";
import { plainLoss } from "./peers/plain_losses.ts";
import { tensorflowLosses } from "./peers/tensorflow_losses.ts";
import { torchLosses } from "./peers/torch_losses.ts";
import type { Absent, Entrant, Rival } from "./runner.ts";
import type { Spread } from "./statistics.ts";
import { CLASSES } from "./yolov8.ts";

const SIZES = { anchors: 8400, rows: 33_600, bins: 17, boxes: 100_000 } as const;
/** Over a larger head too: the loss that the README quotes. */
const LARGE = { loss: "qualityFocalLoss", anchors: 22_300 } as const;
/** Most peers add up in float32, one element after the other; `accuracy` looks at the elements. */
const SUM_TOLERANCE = 3e-3;
/** Of the largest member. */
const GRADIENT_TOLERANCE = 2e-5;
/** What takes longer is not raced. */
const PATIENCE_MS = 500;
const SLOW_LIMIT = 1.3;
/** Between 20 and 60 powers of exp(−|x|) are denormal numbers. */
const MAGNITUDES = [20, 25, 30, 60, 100, 1e-40, 0] as const;

/** How many times faster than each peer ours should be, in memory. */
interface Targets {
  readonly plain: number;
  readonly onnxNode?: number;
  readonly onnxWeb?: number;
  readonly tensorflow?: number;
  readonly torch?: number;
}

/** By the key of its target, if it has one. */
type Peers = readonly { readonly key?: keyof Targets; readonly peer: LossPeer | Absent }[];

export const losses: Family = {
  name: "losses",
  async run(bench) {
    const torch = await attempt("PyTorch", torchLosses);
    try {
      await measureAll(bench, [
        { key: "onnxNode", peer: await attempt("onnxruntime-node", async () => onnxLosses(await onnxNodeRuntime())) },
        { key: "onnxWeb", peer: await attempt("onnxruntime-web", async () => onnxLosses(await onnxWebRuntime())) },
        { key: "tensorflow", peer: await attempt("TensorFlow.js", tensorflowLosses) },
        { peer: await attempt("jax-js", jaxLosses) },
        { peer: await attempt("C by clang", clangLosses) },
        { key: "torch", peer: torch },
      ]);
      await measureObjectLosses(bench, "absent" in torch ? torch : torch.process);
      await measureBandwidth(bench);
      await measureSlowCases(bench);
    } finally {
      if ("close" in torch) torch.close();
    }
  },
  async check(bench) {
    await measureAll(bench, []);
    await measureObjectLosses(bench, { name: "PyTorch", absent: "not checked" });
  },
};

async function measureAll(bench: Bench, peers: Peers): Promise<void> {
  for (const loss of LOSSES) {
    const targets = TARGETS[kindOf(loss)];
    await measure(bench, lossInput(loss, SIZES), peers, targets);
    if (loss === LARGE.loss) await measure(bench, lossInput(loss, { ...SIZES, ...LARGE }), peers, targets);
  }
}

const TARGETS: Readonly<Record<LossKind, (grad: boolean, relaxed: boolean) => Targets>> = {
  "element loss": (grad, relaxed) =>
    grad ? { plain: relaxed ? 17 : 13, torch: 7 } : {
      plain: relaxed ? 19 : 16,
      onnxNode: 10,
      onnxWeb: 20,
      tensorflow: 15,
      torch: 5,
    },
  "row loss": (grad) => ({ plain: 12, torch: grad ? undefined : 4 }),
  "box loss": (grad) => ({ plain: 8, torch: grad ? 10 : undefined }),
};

/** Value and gradient, in memory and from host arrays. */
async function measure(
  bench: Bench,
  input: LossInput,
  peers: Peers,
  targets: (grad: boolean, relaxed: boolean) => Targets,
): Promise<void> {
  const { engine, report } = bench;
  const relaxed = engine.capabilities.wasm === "relaxed-simd";
  using pred = engine.tensor(input.predDims);
  using target = engine.tensor(input.targetDims);
  pred.data.set(input.pred);
  target.data.set(input.target);
  using slopes = engine.tensor(input.predDims);
  for (const grad of [false, true]) {
    const task = { ...input, grad };
    const inMemory = ours(engine, task, () => slopes.data);
    const room = new Float32Array(input.pred.length);
    report.heading(`losses: ${titleOf(task)}`);
    const rivals = await rivalsOf(bench, task, peers, targets(grad, relaxed));
    await race(bench, {
      name: "ours, in memory",
      run: () => inMemory(pred, target),
    }, rivals);
    const onHost = ours(engine, task, () => room);
    const host = {
      name: "ours, host arrays",
      run: () => onHost(input.pred, input.target),
    };
    // The others' times do not change.
    const plain = rivals.filter(({ name }) => FUNCTIONS[name] === plainLoss);
    await race(bench, host, plain.map((rival) => ({ ...rival, target: undefined })));
  }
}

function titleOf({ loss, predDims: [rows, columns], grad }: LossTask): string {
  return `${loss}, ${rows} × ${columns}, ${grad ? "sum and gradient" : "sum"}`;
}

async function race(
  { runner }: Bench,
  entrant: Entrant<LossOutcome>,
  rivals: readonly (Rival<LossOutcome> | Absent)[],
): Promise<void> {
  await runner.race<LossOutcome>({
    ours: entrant,
    rivals,
    difference: differentLosses(SUM_TOLERANCE, GRADIENT_TOLERANCE),
  });
}

/** The sum of all losses; the gradient goes into an array that is made once. */
function ours(
  engine: Engine,
  { loss, grad, options }: LossTask,
  room: () => Float32Array,
): (pred: TensorLike, target: TensorLike) => LossOutcome {
  const operation = engine.sync[loss] as Engine["sync"]["iouLoss"];
  if (!grad) {
    return (logits, target) => operation(logits, target, { ...options, reduction: "sum" });
  }
  return (logits, target) =>
    operation(logits, target, { ...options, reduction: "sum", grad: true, out: { grad: room() } });
}

/** Peers in this process; the first is what the check looks at. */
const FUNCTIONS: Readonly<Record<string, LossFunction>> = {
  "plain JavaScript": plainLoss,
  "JavaScript by the formula": formulaLoss,
};

/** The peers that have the loss, and those that are not there; others are only named. */
async function rivalsOf(
  { report }: Bench,
  task: LossTask,
  peers: Peers,
  targets: Targets,
): Promise<(Rival<LossOutcome> | Absent)[]> {
  const rivals: (Rival<LossOutcome> | Absent)[] = [];
  const without: string[] = [];
  for (const [name, prepare] of Object.entries(FUNCTIONS)) {
    const run = prepare(task);
    if (run === null) without.push(name);
    else rivals.push({ name, run, target: prepare === plainLoss ? targets.plain : undefined });
  }
  for (const { key, peer } of peers) {
    const rival = await rivalOf(peer, task, key && targets[key]);
    if (rival === null) without.push(peer.name);
    else rivals.push(rival);
  }
  report.without(without);
  return rivals;
}

/** Null where a peer that is there has no such loss. */
async function rivalOf(
  peer: LossPeer | Absent,
  task: LossTask,
  target: number | undefined,
): Promise<Rival<LossOutcome> | Absent | null> {
  if ("absent" in peer) return peer;
  return await attempt(peer.name, async () => {
    const prepared = await peer.prepare(task);
    if (prepared === null) return null;
    const ms = await secondRun(prepared);
    if (ms > PATIENCE_MS) throw new Error(`takes over ${PATIENCE_MS} ms a call`);
    return { name: peer.name, target, ...prepared };
  });
}

/** Milliseconds, without what only the first run does. */
async function secondRun({ run }: PreparedLoss): Promise<number> {
  await run();
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** Bytes read and written in a second, and what a loop in JavaScript that only adds up the inputs reaches. */
async function measureBandwidth(bench: Bench): Promise<void> {
  bench.report.heading(`losses: bandwidth, ${LARGE.loss}, ${LARGE.anchors} × ${CLASSES}`);
  const input = classificationInput(LARGE.loss, LARGE.anchors, CLASSES, 1);
  for (const grad of [false, true]) await reportBandwidth(bench, { ...input, grad });
}

async function reportBandwidth({ engine, runner, report }: Bench, task: LossTask): Promise<void> {
  using pred = engine.tensor(task.predDims);
  using target = engine.tensor(task.targetDims);
  using slopes = engine.tensor(task.predDims);
  pred.data.set(task.pred);
  target.data.set(task.target);
  const run = ours(engine, task, () => slopes.data);
  const { time, ratio } = await runner.compare<unknown>(
    { name: "ours", run: () => run(pred, target) },
    { name: "plain read", run: () => addUp(task.pred) + addUp(task.target) },
  );
  const read = (task.pred.byteLength + task.target.byteLength) / 1e6;
  const moved = read + (task.grad ? task.pred.byteLength / 1e6 : 0);
  const [rate, plain] = [moved * ratio.median / time.median, read / time.median];
  report.figure(
    task.grad ? "sum and gradient" : "sum",
    `${rate.toFixed(1)} GB/s; a sum over the same arrays in JavaScript ${plain.toFixed(1)} GB/s`,
  );
}

/** Four sums at a time, so that no addition waits for the one before. */
function addUp(values: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i + 3 < values.length; i += 4) {
    a += values[i];
    b += values[i + 1];
    c += values[i + 2];
    d += values[i + 3];
  }
  return a + b + c + d;
}

/** Does any input take longer than an ordinary one? */
async function measureSlowCases(bench: Bench): Promise<void> {
  bench.report.heading(
    "losses: saturated, denormal and zero logits against ordinary ones, the slowest",
  );
  for (const loss of lossesOf("element loss")) {
    for (const grad of [false, true]) {
      await measureSlowest(bench, {
        ...classificationInput(loss, SIZES.anchors, CLASSES, 1),
        grad,
      });
    }
  }
}

async function measureSlowest(bench: Bench, task: LossTask): Promise<void> {
  const slowdowns: { magnitude: number; ratio: Spread }[] = [];
  for (const magnitude of MAGNITUDES) {
    slowdowns.push({
      magnitude,
      ratio: await slowdown(bench, task, magnitude),
    });
  }
  const { magnitude, ratio } = slowdowns.reduce((a, b) => a.ratio.median > b.ratio.median ? a : b);
  bench.report.check(
    `${task.loss}${task.grad ? ", gradient" : ""}`,
    `${ratio.median.toFixed(2)}× (${magnitude === 0 ? "0" : `±${magnitude}`})`,
    ratio.median <= SLOW_LIMIT,
    `≤ ${SLOW_LIMIT}×`,
  );
}

async function slowdown(
  { engine, runner }: Bench,
  task: LossTask,
  magnitude: number,
): Promise<Spread> {
  using ordinary = engine.tensor(task.predDims);
  using special = engine.tensor(task.predDims);
  using target = engine.tensor(task.targetDims);
  ordinary.data.set(task.pred);
  special.data.set(withMagnitude(task, magnitude).pred);
  target.data.set(task.target);
  using slopes = engine.tensor(task.predDims);
  const operation = ours(engine, task, () => slopes.data);
  const { ratio } = await runner.compare<LossOutcome>(
    { name: "ordinary", run: () => operation(ordinary, target) },
    { name: "special", run: () => operation(special, target) },
  );
  return ratio;
}
