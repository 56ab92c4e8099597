/**
 * The flags of `densehead loss`.
 */
import { defaultOf, meaningOf } from "../param_text.ts";
import type { Param } from "../params.ts";
import type { Reduction } from "../types.ts";
import { readArguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";
import {
  furtherOperands,
  kebab,
  lossesByParam,
  type LossName,
  lossNames,
  lossOf,
  namesOfKind,
  operandsOf,
  ownOperands,
  ownParams,
  recordOf,
} from "./losses.ts";
import { choice, number, size } from "./values.ts";

/** Width of the flags' column and of a line. */
const COLUMN = 27;
const WIDTH = 120;

const SHORT_OF_LABELS = lossNames(({ labels }) => labels === true).join(", ");

export const LOSS_HELP = `Usage: densehead loss NAME --pred FILE (--target FILE | --labels FILE) [options]

Computes a loss of predictions, and its gradient. NAME, also in camelCase, without "loss" or in short, is one of
${entry("  element losses:", namesOfKind("element loss").join(", "))}
${entry("  row losses:", namesOfKind("row loss").join(", "))}
${entry("  box losses:", namesOfKind("box loss").join(", "))}
${entry("  of objects:", namesOfKind("routine").join(", "))}

FILE is a .npy file, or a tensor of a .safetensors file: file.safetensors:name (the name may be left out where there is
but one); one of the tensors may be "-", standard input. Tensors are float32, float16 or float64; labels are integers.
${
  operandHelp("pred", [
    "logits (N, C) or any shape",
    "(M, bins) for row losses, a row per side",
    "boxes (N, 4) as x1, y1, x2, y2 for box losses",
  ])
}
${
  operandHelp("target", [
    "the same shape",
    "from 0 to 1 for element losses, or as --y-left and --y-right say",
    "(M) for row losses",
  ])
}
${furtherOperands().map((operand) => operandHelp(operand)).join("\n")}
${
  entry(
    "  --labels FILE",
    `in place of --target: the class of each row, (N); anything but 0 … C − 1 is background. The loss is ` +
      `then one per row. For ${SHORT_OF_LABELS}`,
  )
}
  --scores FILE            with --labels: quality of each row's class from 0 to 1, (N) (default 1)
  --weight FILE            factors of the losses: one per row or, for element losses, one per element

What to make of the single losses:
  --reduction KIND         none, sum or mean (default)
  --avg-factor N           what the sum is divided by for the mean, in place of the number of losses
  --loss-weight N          factor of loss and gradient (default 1)

What single losses take:
${ownHelp()}

What to write, as float32 .npy:
  --grad FILE              gradient with respect to pred, or to coefficients, in its shape; with none, that of the sum
  --grad-prototypes FILE   that with respect to prototypes
  --out FILE               the loss: one number or, with none, all of them
  --json FILE | -          loss and shapes as a line of JSON; - writes to stdout, in place of the text below

It prints the loss with 9 significant digits (with none: how many, the lowest, their mean, the highest) and the shapes.
`;

/** An entry of the help, its text in lines. */
function entry(flag: string, text: string): string {
  const lines = [flag.padEnd(COLUMN - 1)];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(" ".repeat(COLUMN) + word);
  }
  return lines.join("\n");
}

function operandHelp(operand: string, texts: readonly string[] = []): string {
  return entry(`  --${operand} FILE`, [...texts, ...ownOperands(operand)].join("; "));
}

/** The flags of parameters, with the losses that have them; parameters of all box losses are told once. */
function ownHelp(): string {
  return Object.entries(lossesByParam()).map(([param, names]) => {
    const texts = names.map((name) => describeParam(ownParams(name)[param]));
    const alike = [...new Set(texts)].map((text) => [names.filter((_, i) => texts[i] === text), text] as const);
    const parts = alike.map(([same, text]) => `${whose(same)}: ${text}`);
    return entry(`  --${kebab(param)} ${placeholder(ownParams(names[0])[param])}`, parts.join("; "));
  }).join("\n");
}

function whose(names: readonly LossName[]): string {
  const boxes = lossNames(({ kind }) => kind === "box loss");
  const own = names.map(kebab);
  return boxes.every((name) => own.includes(name)) && own.length === boxes.length ? "box losses" : own.join(", ");
}

/** As documentation has it, without its marks of code. */
function describeParam(param: Param): string {
  const value = defaultOf(param);
  const text = value === undefined
    ? meaningOf(param)
    : `${meaningOf(param)} (default${value.inWords ? ":" : ""} ${value.text})`;
  return text.replaceAll("`", "");
}

function placeholder({ kind }: Param): string {
  if (isList(kind)) return "N,N,…";
  if (kind === "size") return "H,W";
  return kind === "number" || kind === "integer" ? "N" : kind === "boolean" ? "true|false" : "KIND";
}

/** Of losses' parameters only lists of numbers are of the kind "other". */
function isList(kind: Param["kind"]): boolean {
  return kind === "rising" || kind === "other";
}

/** The flags, checked. */
export interface LossFlags {
  readonly name: LossName;
  /** Files by the arguments of the loss, in its order; the target is not among them where there are labels. */
  readonly operands: Readonly<Record<string, string>>;
  readonly labels: string | undefined;
  readonly scores: string | undefined;
  readonly weight: string | undefined;
  readonly reduction: Reduction;
  /** Further options, as the library calls them. */
  readonly options: Readonly<Record<string, number | boolean | string | readonly number[]>>;
  readonly grad: string | undefined;
  readonly gradPrototypes: string | undefined;
  readonly out: string | undefined;
  readonly json: string | undefined;
}

const OPERANDS = ["pred", "target", ...furtherOperands()];

const FILES = {
  labels: { type: "string" },
  scores: { type: "string" },
  weight: { type: "string" },
  grad: { type: "string" },
  "grad-prototypes": { type: "string" },
  out: { type: "string" },
  json: { type: "string" },
} as const;

const OWN = Object.keys(lossesByParam()).map(kebab);

const OPTIONS = {
  ...FILES,
  reduction: { type: "string", default: "mean" },
  "avg-factor": { type: "string" },
  "loss-weight": { type: "string" },
} as const;

const TEXTS = [...OPERANDS, ...OWN];
const ALL_OPTIONS = { ...OPTIONS, ...Object.fromEntries(TEXTS.map((flag) => [flag, { type: "string" } as const])) };

const REDUCTIONS = ["none", "sum", "mean"] as const;

type Texts = Readonly<Record<string, string | undefined>>;

/** Reads the command line; the error of a wrong one names the flag. */
export function readFlags(args: string[]): LossFlags {
  const { values, positionals } = readArguments("loss", args, ALL_OPTIONS);
  if (positionals.length === 0) throw new UsageError(`no NAME given; wanted one of ${lossNames().join(", ")}`);
  if (positionals.length > 1) throw new UsageError(`one NAME is wanted; ${positionals.length} were given`);
  const name = lossOf(positionals[0]);
  const reduction = choice("--reduction", values.reduction, REDUCTIONS);
  const { labels, scores, weight, grad, "grad-prototypes": gradPrototypes, out, json } = values;
  checkOwn(name, values as Texts);
  const operands = operandsIn(name, values as Texts);
  const options = optionsIn(name, values as Texts);
  if (values["avg-factor"] !== undefined && reduction !== "mean") {
    throw new UsageError(`--avg-factor is for --reduction mean, which is ${reduction} here`);
  }
  checkResults(name, { grad, "grad-prototypes": gradPrototypes, out });
  return { name, operands, labels, scores, weight, reduction, options, grad, gradPrototypes, out, json };
}

/** The files of the loss's arguments. */
function operandsIn(name: LossName, values: Texts): LossFlags["operands"] {
  const own = operandsOf(name);
  const foreign = OPERANDS.find((operand) => values[operand] !== undefined && !own.includes(operand));
  if (foreign !== undefined) {
    throw new UsageError(
      `--${foreign} is not for ${kebab(name)}; wanted ${own.map((operand) => `--${operand}`).join(", ")}`,
    );
  }
  const { labels: takesLabels = false } = recordOf(name);
  checkLabels(name, values);
  const wanted = values.labels === undefined ? own : own.filter((operand) => operand !== "target");
  return Object.fromEntries(wanted.map((operand) => {
    const file = values[operand];
    if (file !== undefined) return [operand, file];
    const hint = operand !== "target"
      ? " (densehead loss --help tells more)"
      : takesLabels
      ? "; it or --labels is wanted"
      : "";
    throw new UsageError(`--${operand} is missing${hint}`);
  }));
}

/** Two results do not go into one file, and only masks have two gradients. */
function checkResults(name: LossName, files: Texts): void {
  if (files["grad-prototypes"] !== undefined && !operandsOf(name).includes("prototypes")) {
    throw new UsageError(`--grad-prototypes is not for ${kebab(name)}, which has no prototypes`);
  }
  const given = Object.entries(files).filter(([, file]) => file !== undefined);
  for (const [i, [flag, file]] of given.entries()) {
    const [same] = given.find(([, other], j) => j > i && other === file) ?? [];
    if (same !== undefined) throw new UsageError(`--${flag} and --${same} are one file`);
  }
}

/** Values of the flags of a loss's parameters, by the parameters' names. */
function optionsIn(name: LossName, values: Texts): LossFlags["options"] {
  const params = [["avgFactor", NUMBER], ["lossWeight", NUMBER], ...Object.entries(ownParams(name))] as const;
  const given = params.flatMap(([param, record]) => {
    const text = values[kebab(param)];
    return text === undefined ? [] : [[param, read(`--${kebab(param)}`, text, record)] as const];
  });
  return Object.fromEntries(given);
}

const NUMBER: Pick<Param, "kind" | "choices"> = { kind: "number" };

/** The library tells whether a number is in its range. */
function read(
  flag: string,
  text: string,
  { kind, choices }: Pick<Param, "kind" | "choices">,
): number | boolean | string | readonly number[] {
  if (kind === "size") return size(flag, text);
  if (isList(kind)) return text.split(",").map((value) => number(flag, value));
  if (kind === "boolean") return choice(flag, text, ["true", "false"]) === "true";
  return kind === "choice" ? choice(flag, text, choices as readonly string[]) : number(flag, text);
}

/** Flags of other losses are mistakes. */
function checkOwn(name: LossName, values: Texts): void {
  const own = Object.keys(ownParams(name)).map(kebab);
  const foreign = OWN.find((flag) => values[flag] !== undefined && !own.includes(flag));
  if (foreign === undefined) return;
  const takes = own.length === 0 ? "nothing of its own" : own.map((flag) => `--${flag}`).join(", ");
  throw new UsageError(`--${foreign} is not for ${kebab(name)}, which takes ${takes}`);
}

function checkLabels(name: LossName, { target, labels, scores }: Texts): void {
  const { labels: takesLabels = false } = recordOf(name);
  if (labels !== undefined && !takesLabels) throw new UsageError(`--labels is not for ${kebab(name)}; give --target`);
  if (labels !== undefined && target !== undefined) throw new UsageError("--target and --labels are both given");
  if (scores !== undefined && labels === undefined) {
    throw new UsageError("--scores is about --labels, which was not given");
  }
}
