/**
 * The flags of `densehead loss`.
 */
import type { Reduction } from "../types.ts";
import { readArguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";
import { camel, kebab, kindOf, type LossName, lossNames, lossOf, type OwnFlag } from "./losses.ts";
import { choice, number, optional } from "./values.ts";

export const LOSS_HELP = `Usage: densehead loss NAME --pred FILE (--target FILE | --labels FILE) [options]

Computes a loss of predictions, and its gradient. NAME, also in camelCase or without "loss", is one of
  ${lossNames().slice(0, 3).join(", ")},
  ${lossNames().slice(3, 6).join(", ")},
  ${lossNames().slice(6).join(", ")};
the first six for short: bce, focal, qfl, vfl, gfl, dfl

FILE is a .npy file, or a tensor of a .safetensors file: file.safetensors:name (the name may be left out where there is
but one); one of the tensors may be "-", standard input. Tensors are float32, float16 or float64; labels are integers.
  --pred FILE              logits (N, C) or any shape; (M, bins) for distribution-focal-loss, a row per side;
                           boxes (N, 4) as x1, y1, x2, y2 for the last six
  --target FILE            the same shape; from 0 to 1 for the first four, from y-left to y-right for the fifth;
                           (M) for distribution-focal-loss
  --labels FILE            for the first four, in place of --target: the class of each row, (N); anything but
                           0 … C − 1 is background. The loss is then one per row
  --scores FILE            with --labels: quality of each row's class from 0 to 1, (N) (default 1)
  --weight FILE            factors of the losses: one per row or, for the first five, one per element

What to make of the single losses:
  --reduction KIND         none, sum or mean (default)
  --avg-factor N           what the sum is divided by for the mean, in place of the number of losses
  --loss-weight N          factor of loss and gradient (default 1)

What single losses take:
  --alpha N                sigmoid-focal-loss: share of positives (default 0.25; negative: no weighting);
                           varifocal-loss: factor of negatives (default 0.75)
  --gamma N                sigmoid-focal-loss, varifocal-loss: exponent (default 2)
  --positives KIND         varifocal-loss: label (a row's class, also for a score of 0; default with --labels) or
                           quality (a score or target over 0)
  --beta N                 quality-focal-loss, generalized-focal-loss: exponent (default 2)
  --y-left N, --y-right N  generalized-focal-loss: values at σ = 0 and σ = 1 (default 0 and 1)
  --first-bin N            distribution-focal-loss: value of the first bin (default 0)
  --bin-step N             distribution-focal-loss: from one bin to the next (default 1)
  --eps N                  the last six: added to denominators (default 1e-7)

What to write, as float32 .npy:
  --grad FILE              gradient with respect to pred, in its shape; with none, that of the sum
  --out FILE               the loss: one number or, with none, all of them


  --json FILE | -          loss and shapes as a line of JSON; - writes to stdout, in place of the text below

It prints the loss with 9 significant digits (with none: how many, the lowest, their mean, the highest) and the shapes.
`;

/** The flags, checked. */
export interface LossFlags {
  readonly name: LossName;
  readonly pred: string;
  /** One of the two is there. */
  readonly target: string | undefined;
  readonly labels: string | undefined;
  readonly scores: string | undefined;
  readonly weight: string | undefined;
  readonly reduction: Reduction;
  /** Further options, as the library calls them. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly positives: "label" | "quality" | undefined;
  readonly grad: string | undefined;
  readonly out: string | undefined;
  readonly json: string | undefined;
}

const FILES = {
  pred: { type: "string" },
  target: { type: "string" },
  labels: { type: "string" },
  scores: { type: "string" },
  weight: { type: "string" },
  grad: { type: "string" },
  out: { type: "string" },
  json: { type: "string" },
} as const;

const OWN = {
  alpha: { type: "string" },
  gamma: { type: "string" },
  positives: { type: "string" },
  beta: { type: "string" },
  "y-left": { type: "string" },
  "y-right": { type: "string" },
  "first-bin": { type: "string" },
  "bin-step": { type: "string" },
  eps: { type: "string" },
} as const satisfies Record<OwnFlag, { type: "string" }>;

const OPTIONS = {
  ...FILES,
  ...OWN,
  reduction: { type: "string", default: "mean" },
  "avg-factor": { type: "string" },
  "loss-weight": { type: "string" },
} as const;

const REDUCTIONS = ["none", "sum", "mean"] as const;
const POSITIVES = ["label", "quality"] as const;
const OWN_NUMBERS = (Object.keys(OWN) as OwnFlag[]).filter((flag) => flag !== "positives");
const NUMBERS = ["avg-factor", "loss-weight", ...OWN_NUMBERS] as const;

type Texts = { readonly [Name in keyof typeof OPTIONS]?: string };

/** Reads the command line; the error of a wrong one names the flag. */
export function readFlags(args: string[]): LossFlags {
  const { values, positionals } = readArguments("loss", args, OPTIONS);
  if (positionals.length === 0) throw new UsageError(`no NAME given; wanted one of ${lossNames().join(", ")}`);
  if (positionals.length > 1) throw new UsageError(`one NAME is wanted; ${positionals.length} were given`);
  const name = lossOf(positionals[0]);
  const reduction = choice("--reduction", values.reduction, REDUCTIONS);
  const numbers = numbersIn(values);
  const positives = optional(values.positives, (text) => choice("--positives", text, POSITIVES));
  const { pred, target, labels, scores, weight, grad, out, json } = values;
  if (pred === undefined) throw new UsageError("--pred is missing (densehead loss --help tells more)");
  checkOwn(name, values);
  checkTarget(name, values);
  if (values["avg-factor"] !== undefined && reduction !== "mean") {
    throw new UsageError(`--avg-factor is for --reduction mean, which is ${reduction} here`);
  }
  if (grad !== undefined && grad === out) throw new UsageError("--grad and --out are one file");
  return { name, pred, target, labels, scores, weight, reduction, numbers, positives, grad, out, json };
}

function numbersIn(values: Texts): Record<string, number> {
  const given = NUMBERS.map((flag) =>
    [camel(flag), optional(values[flag], (text) => number(`--${flag}`, text))] as const
  );
  return Object.fromEntries(given.filter((entry): entry is readonly [string, number] => entry[1] !== undefined));
}

/** Flags of other losses are mistakes. */
function checkOwn(name: LossName, values: Texts): void {
  const { own } = kindOf(name);
  const foreign = (Object.keys(OWN) as OwnFlag[]).find((flag) => values[flag] !== undefined && !own.includes(flag));
  if (foreign === undefined) return;
  const takes = own.length === 0 ? "nothing of its own" : own.map((flag) => `--${flag}`).join(", ");
  throw new UsageError(`--${foreign} is not for ${kebab(name)}, which takes ${takes}`);
}

function checkTarget(name: LossName, { target, labels, scores }: Texts): void {
  const { labels: takesLabels } = kindOf(name);
  if (labels !== undefined && !takesLabels) throw new UsageError(`--labels is not for ${kebab(name)}; give --target`);
  if (labels !== undefined && target !== undefined) throw new UsageError("--target and --labels are both given");
  if (scores !== undefined && labels === undefined) {
    throw new UsageError("--scores is about --labels, which was not given");
  }
  if (labels !== undefined || target !== undefined) return;
  throw new UsageError(`--target is missing${takesLabels ? "; it or --labels is wanted" : ""}`);
}
