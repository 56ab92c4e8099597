/**
 * The flags of `densehead score`.
 */
import { heads } from "../entry/embedded.ts";
import type { YoloCriterionOptions } from "../types.ts";
import { readArguments } from "./arguments.ts";
import { CRITERIA, type ScoreOptions } from "./criterion.ts";
import { UsageError } from "./errors.ts";
import { IMAGE_HELP, IMAGE_OPTIONS, type ImageFlags, readImageFlags } from "./images.ts";
import { KEEP_OPTIONS, type KeepFlags, keepHelp, readKeep } from "./keep.ts";
import { FILES_HELP, NETWORK_HELP, NETWORK_OPTIONS, type NetworkFlags, readNetwork } from "./network_options.ts";
import { presetNames, presetOf } from "./preset_names.ts";
import { choice, integer, number, optional } from "./values.ts";

const REFINING = presetNames().filter((name) => heads[presetOf(name)]().refined).join(", ");

/** Boxes are kept from this score by default. */
const LEAST_SCORE = 0.05;

export const SCORE_HELP = `Usage: densehead score FILE… --gt FILE [options]

Scores raw outputs of a detection network against the truth: the loss that such a network is trained with, and whether
its scores rank its boxes by how good they are. Each FILE is one output, all of one head:
${FILES_HELP}

Which image it is, and the truth; crowds (iscrowd) are regions to ignore:
${IMAGE_HELP}

${NETWORK_HELP}

The loss:
  --criterion KIND         gfl, vfnet (by default what fits the head) or yolo, that of YOLOv8 to YOLO26
  --anchor-scale X         side of ATSS's square anchors, in strides (default 8; NanoDet is trained with 5)
  --normalizer KIND        what the parts are divided by: paper (default), or mmdet, as MMDetection and NanoDet do

With --criterion yolo, in which the predictions assign the objects, in place of these two:
  --topk N                 an object's anchors before conflicts are settled (default 10; one-to-one heads: 7)
  --topk2 N                its anchors afterwards (default all; one-to-one heads: 1)
  --alpha X, --beta X      exponents of the score and of the complete IoU in an alignment (defaults 0.5 and 6)
  --gains BOX,CLS,DFL      weights of the parts (default 7.5,0.5,1.5)
  --times-batch            multiply the line of all images by their number, as Ultralytics does with a batch

Which boxes are ranked:
${keepHelp(String(LEAST_SCORE))}

What to write:
  --json FILE | -          a line of JSON for each image and one for all; - writes to stdout, in place of the table

Heads with logits and a distribution are scored by the criterion of GFL: quality focal loss, GIoU loss × 2 and
distribution focal loss / 4, per positive; those that refine distances (${REFINING}) by that of VarifocalNet, from
tensors named box_s8 … and box_refined_s8 …; with --criterion yolo by binary cross-entropy, CIoU loss and distribution
focal loss, or the L1 loss of plain distances, weighted by the target scores. Columns: the loss and its parts,
positives, the mean IoU of their boxes with their objects (quality), detections, and Spearman's correlation of their
scores with their IoU with the best object of any class (ranks).
`;

const NORMALIZERS = ["paper", "mmdet"] as const;

/** The flags, checked. */
export interface ScoreFlags extends ScoreOptions {
  readonly files: readonly string[];
  readonly images: ImageFlags;
  readonly network: NetworkFlags;
  readonly keep: KeepFlags;
  readonly json: string | undefined;
}

const OPTIONS = {
  ...NETWORK_OPTIONS,
  ...KEEP_OPTIONS,
  ...IMAGE_OPTIONS,
  score: { type: "string" },
  criterion: { type: "string" },
  "anchor-scale": { type: "string" },
  normalizer: { type: "string" },
  topk: { type: "string" },
  topk2: { type: "string" },
  alpha: { type: "string" },
  beta: { type: "string" },
  gains: { type: "string" },
  "times-batch": { type: "boolean" },
  json: { type: "string" },
} as const;

/** Reads the command line; the error of a wrong one names the flag. */
export async function readFlags(args: string[]): Promise<ScoreFlags> {
  const { values, positionals: files } = readArguments("score", args, OPTIONS);
  if (files.length === 0) throw new UsageError("no FILE given (densehead score --help tells more)");
  if (values.gt === undefined) throw new UsageError("--gt is missing (densehead score --help tells more)");
  return {
    files,
    images: readImageFlags(files, values),
    ...readCriterion(values),
    network: await readNetwork(values),
    keep: readKeep(values, LEAST_SCORE),
    json: values.json,
  };
}

/** Flags of the losses over ATSS's anchors, and of that of YOLO. */
const ATSS_FLAGS = ["anchor-scale", "normalizer"] as const;
const YOLO_FLAGS = ["topk", "topk2", "alpha", "beta", "gains", "times-batch"] as const;

type CriterionFlags =
  & Readonly<Partial<Record<"criterion" | typeof ATSS_FLAGS[number], string>>>
  & Readonly<Partial<Record<Exclude<typeof YOLO_FLAGS[number], "times-batch">, string>>>
  & { readonly "times-batch"?: boolean };

/** Flags of another criterion are mistakes. */
function readCriterion(values: CriterionFlags): ScoreOptions {
  const criterion = optional(values.criterion, (text) => choice("--criterion", text, CRITERIA));
  const foreign = (criterion === "yolo" ? ATSS_FLAGS : YOLO_FLAGS).find((flag) => values[flag] !== undefined);
  if (foreign !== undefined) {
    throw new UsageError(`--${foreign} is ${criterion === "yolo" ? "not " : ""}for --criterion yolo`);
  }
  const { gains, topk, topk2, alpha, beta, "times-batch": timesBatch } = values;
  const exponent = (flag: string, text: string | undefined) => optional(text, (text) => number(flag, text, 0));
  return {
    criterion,
    anchorScale: number("--anchor-scale", values["anchor-scale"] ?? "8", 0.1, 100),
    normalizer: choice("--normalizer", values.normalizer ?? "paper", NORMALIZERS),
    yolo: {
      gains: optional(gains, readGains),
      topk: optional(topk, (text) => integer("--topk", text, 1)),
      topk2: optional(topk2, (text) => integer("--topk2", text, 1)),
      alpha: exponent("--alpha", alpha),
      beta: exponent("--beta", beta),
      timesBatch,
    },
  };
}

function readGains(text: string): YoloCriterionOptions["gains"] {
  const values = text.split(",");
  if (values.length !== 3) {
    throw new UsageError(`--gains is ${JSON.stringify(text)}; wanted weights of box, cls and dfl such as 7.5,0.5,1.5`);
  }
  const [box, cls, dfl] = values.map((value) => number("--gains", value, 0));
  return { box, cls, dfl };
}
