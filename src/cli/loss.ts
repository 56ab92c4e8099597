/**
 * `densehead loss`: a loss and its gradient, from files of predictions and targets.
 */
import process from "node:process";
import { createEngine, type Engine } from "../entry/embedded.ts";
import { toFloat32 } from "../files/index.ts";
import type { HostTensor, LabelTarget, LossResult, Reduction } from "../types.ts";
import type { Command } from "./command.ts";
import { about, reason, UsageError } from "./errors.ts";
import { LOSS_HELP, type LossFlags, readFlags } from "./loss_options.ts";
import { kebab, type LossName, recordOf } from "./losses.ts";
import { readLabels, readTensor } from "./readers/one.ts";
import { STDOUT, writeText } from "./writers/file.ts";
import { lossLine, lossText } from "./writers/loss_text.ts";
import { writeFloats } from "./writers/npy.ts";

/** The command. */
export const lossCommand: Command = {
  summary: "computes a loss of predictions and its gradient",
  help: LOSS_HELP,
  run,
};

/** The tensors that the flags name. */
interface Inputs {
  readonly pred: HostTensor;
  readonly target: HostTensor | undefined;
  readonly labels: Int32Array | undefined;
  readonly scores: HostTensor | undefined;
  readonly weight: HostTensor | undefined;
}

async function run(args: string[]): Promise<void> {
  const flags = readFlags(args);
  const inputs = await readInputs(flags);
  using engine = await createEngine();
  const { loss, grad } = compute(engine, flags, inputs);
  checkTargets(flags, inputs);
  const lossDims = typeof loss === "number" ? [] : valuesShape(flags, inputs, loss);
  const gradDims = inputs.pred.dims;
  if (flags.out !== undefined) await writeFloats(flags.out, typeof loss === "number" ? [loss] : loss, lossDims);
  if (flags.grad !== undefined && grad !== undefined) await writeFloats(flags.grad, grad, gradDims);
  const shapes = [
    ...shapesOf(inputs),
    ...(flags.out === undefined ? [] : [{ role: "out", dims: lossDims, file: flags.out }]),
    ...(flags.grad === undefined ? [] : [{ role: "grad", dims: gradDims, file: flags.grad }]),
  ];
  const name = kebab(flags.name);
  if (flags.json !== STDOUT) process.stdout.write(lossText(`${name}, ${flags.reduction}`, loss, shapes));
  if (flags.json !== undefined) await writeText(flags.json, lossLine(name, flags.reduction, loss, shapes));
}

/** A target outside its range makes losses that are none, such as negative ones. */
function checkTargets({ name, options }: LossFlags, { target }: Inputs): void {
  const { targetRange, params } = recordOf(name);
  if (target === undefined || targetRange === undefined) return;
  const valueOf = (end: number | string) => typeof end === "number" ? end : Number(options[end] ?? params[end].default);
  const [low, high] = targetRange.map(valueOf);
  const values = toFloat32(target);
  const wrong = values.findIndex((value) => value < Math.fround(low) || value > Math.fround(high));
  if (wrong < 0) return;
  const flags = targetRange.filter((end) => typeof end === "string").map((end) => `--${kebab(end)}`);
  const range = `${flags.length > 0 ? `${flags.join(" to ")}, ` : ""}${low} to ${high}`;
  throw new UsageError(`--target[${wrong}] is ${values[wrong]}; wanted a number from ${range}`);
}

async function readInputs({ pred, target, labels, scores, weight }: LossFlags): Promise<Inputs> {
  return {
    pred: await about(`--pred ${pred}`, () => readTensor(pred)),
    target: await ifGiven("--target", target, readTensor),
    labels: await ifGiven("--labels", labels, readLabels),
    scores: await ifGiven("--scores", scores, readTensor),
    weight: await ifGiven("--weight", weight, readTensor),
  };
}

async function ifGiven<T>(flag: string, file: string | undefined, read: (file: string) => Promise<T>) {
  return file === undefined ? undefined : await about(`${flag} ${file}`, () => read(file));
}

type AnyLoss = (
  pred: HostTensor,
  target: HostTensor | LabelTarget | undefined,
  options: Readonly<Record<string, unknown>>,
) => Partial<LossResult<Reduction, true>> & LossResult<Reduction, false>;

/** Runs the loss; its errors speak of flags. */
function compute({ sync }: Engine, flags: LossFlags, { pred, target, labels, scores, weight }: Inputs) {
  const loss = sync[flags.name] as AnyLoss;
  const labelled = labels && { labels, scores: scores && toFloat32(scores) };
  const { reduction, options } = flags;
  try {
    return loss(pred, labelled ?? target, {
      reduction,
      weight,
      grad: flags.grad !== undefined,
      ...options,
    });
  } catch (error) {
    throw inFlags(flags.name, error);
  }
}

/** "giouLoss: options.avgFactor is 0; …" → "--avg-factor is 0; …"; what is not about an argument stays. */
function inFlags(name: LossName, error: unknown): UsageError {
  const text = reason(error).replace(`${name}: `, "");
  const flagged = text.replace(
    /^(?:options\.|target\.)?(\w+)(?=(?:\[\d+\])? is )/,
    (_, argument) => `--${kebab(argument)}`,
  );
  return new UsageError(
    flagged.replaceAll(/\w+Array\((\d+)\)/g, "$1 values"),
  );
}

/** With no reduction: one value for each element, or for each row. */
function valuesShape({ name }: LossFlags, { pred, labels }: Inputs, loss: Float32Array): readonly number[] {
  return recordOf(name).kind !== "element loss" || labels !== undefined ? [loss.length] : pred.dims;
}

function shapesOf({ labels, ...tensors }: Inputs) {
  const roles = Object.entries({ ...tensors, labels: labels && { dims: [labels.length] } });
  return roles.flatMap(([role, tensor]) => tensor === undefined ? [] : [{ role, dims: tensor.dims }]);
}
