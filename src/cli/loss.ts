/**
 * `densehead loss`: a loss and its gradient, from files of predictions and targets.
 */
import process from "node:process";
import { createEngine, type Engine } from "../entry/embedded.ts";
import { toFloat32 } from "../files/index.ts";
import type { HostTensor, MaskLossResult, Reduction } from "../types.ts";
import type { Command } from "./command.ts";
import { about, reason, UsageError } from "./errors.ts";
import { LOSS_HELP, type LossFlags, readFlags } from "./loss_options.ts";
import { kebab, type LossName, recordOf } from "./losses.ts";
import { type Masks, readLabels, readMasks, readTensor } from "./readers/one.ts";
import { STDOUT, writeText } from "./writers/file.ts";
import { lossLine, lossText, type Shown } from "./writers/loss_text.ts";
import { writeFloats } from "./writers/npy.ts";

/** The command. */
export const lossCommand: Command = {
  summary: "computes a loss of predictions and its gradient",
  help: LOSS_HELP,
  run,
};

/** The tensors that the flags name. */
interface Inputs {
  /** By the arguments of the loss, in its order. */
  readonly operands: Readonly<Record<string, HostTensor | Masks>>;
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
  const results = [...lossFile(flags, inputs, loss), ...gradientFiles(flags, inputs, grad)];
  for (const { file, values, dims } of results) await writeFloats(file, values, dims);
  const shapes = [...shapesOf(inputs), ...results];
  const name = kebab(flags.name);
  if (flags.json !== STDOUT) process.stdout.write(lossText(`${name}, ${flags.reduction}`, loss, shapes));
  if (flags.json !== undefined) await writeText(flags.json, lossLine(name, flags.reduction, loss, shapes));
}

/** A file to write. */
interface ResultFile extends Shown {
  readonly file: string;
  readonly values: Iterable<number>;
}

function lossFile(flags: LossFlags, inputs: Inputs, loss: number | Float32Array): ResultFile[] {
  const { out } = flags;
  if (out === undefined) return [];
  const isOne = typeof loss === "number";
  return [{
    role: "out",
    file: out,
    values: isOne ? [loss] : loss,
    dims: isOne ? [] : valuesShape(flags, inputs, loss),
  }];
}

function gradientFiles(
  { grad, gradPrototypes }: LossFlags,
  { operands }: Inputs,
  found: AnyGrad | undefined,
): ResultFile[] {
  if (found === undefined) return [];
  const [first] = Object.values(operands);
  const files = [
    { role: "grad", file: grad, values: found instanceof Float32Array ? found : found.coefficients, of: first },
    ...(found instanceof Float32Array
      ? []
      : [{ role: "grad-prototypes", file: gradPrototypes, values: found.prototypes, of: operands.prototypes }]),
  ];
  return files.flatMap(({ role, file, values, of }) =>
    file === undefined ? [] : [{ role, file, values, dims: of.dims }]
  );
}

/** A target outside its range makes losses that are none, such as negative ones. */
function checkTargets({ name, options }: LossFlags, { operands: { target } }: Inputs): void {
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

async function readInputs({ operands, labels, scores, weight }: LossFlags): Promise<Inputs> {
  const found: Record<string, HostTensor | Masks> = {};
  for (const [operand, file] of Object.entries(operands)) {
    const read = operand === "masks" ? readMasks : readTensor;
    found[operand] = await about(`--${operand} ${file}`, () => read(file));
  }
  checkMasks(found);
  return {
    operands: found,
    labels: await ifGiven("--labels", labels, readLabels),
    scores: await ifGiven("--scores", scores, readTensor),
    weight: await ifGiven("--weight", weight, readTensor),
  };
}

/** The loss sees bytes without a shape. */
function checkMasks({ masks, coefficients, prototypes }: Inputs["operands"]): void {
  if (masks === undefined) return;
  const wanted = [coefficients.dims[0], ...prototypes.dims.slice(1)].join(", ");
  const found = masks.dims.join(", ");
  if (found !== wanted) {
    throw new UsageError(`--masks is of shape (${found}); wanted shape (${wanted}), (N, h, w) of the prototypes`);
  }
}

async function ifGiven<T>(flag: string, file: string | undefined, read: (file: string) => Promise<T>) {
  return file === undefined ? undefined : await about(`${flag} ${file}`, () => read(file));
}

type AnyGrad = Float32Array | MaskLossResult<Reduction, true>["grad"];

type AnyLoss = (...given: unknown[]) => { readonly loss: number | Float32Array; readonly grad?: AnyGrad };

/** Runs the loss; its errors speak of flags. */
function compute({ sync }: Engine, flags: LossFlags, { operands, labels, scores, weight }: Inputs) {
  const loss = sync[flags.name] as AnyLoss;
  const given = Object.entries(operands).map(([operand, tensor]) => operand === "masks" ? tensor.data : tensor);
  const labelled = labels === undefined ? [] : [{ labels, scores: scores && toFloat32(scores) }];
  const { reduction, options, grad, gradPrototypes } = flags;
  try {
    return loss(...given, ...labelled, {
      reduction,
      weight,
      grad: grad !== undefined || gradPrototypes !== undefined,
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
function valuesShape({ name }: LossFlags, { operands, labels }: Inputs, loss: Float32Array): readonly number[] {
  return recordOf(name).kind !== "element loss" || labels !== undefined ? [loss.length] : operands.pred.dims;
}

function shapesOf({ operands, labels, scores, weight }: Inputs) {
  const roles = Object.entries({ ...operands, labels: labels && { dims: [labels.length] }, scores, weight });
  return roles.flatMap(([role, tensor]) => tensor === undefined ? [] : [{ role, dims: tensor.dims }]);
}
