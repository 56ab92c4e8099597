/**
 * The flags of `densehead score`.
 */
import { heads } from "../entry/embedded.ts";
import { readArguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";
import { IMAGE_HELP, IMAGE_OPTIONS, type ImageFlags, readImageFlags } from "./images.ts";
import { KEEP_OPTIONS, type KeepFlags, keepHelp, readKeep } from "./keep.ts";
import { FILES_HELP, NETWORK_HELP, NETWORK_OPTIONS, type NetworkFlags, readNetwork } from "./network_options.ts";
import { presetNames, presetOf } from "./preset_names.ts";
import { choice, number } from "./values.ts";

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
  --anchor-scale X         side of ATSS's square anchors, in strides (default 8; NanoDet is trained with 5)
  --normalizer KIND        what the parts are divided by: paper (default), or mmdet, as MMDetection and NanoDet do

Which boxes are ranked:
${keepHelp(String(LEAST_SCORE))}

What to write:
  --json FILE | -          a line of JSON for each image and one for all; - writes to stdout, in place of the table

Heads with logits and a distribution are scored by the criterion of GFL: quality focal loss, GIoU loss × 2 and
distribution focal loss / 4, per positive; those that refine distances (${REFINING}) by that of VarifocalNet, from
tensors named box_s8 … and box_refined_s8 …. Columns: the loss and its parts, positives, the mean IoU of their boxes with
their objects (quality), detections, and Spearman's correlation of their scores with their IoU with the best object of
any class (ranks).
`;

const NORMALIZERS = ["paper", "mmdet"] as const;

/** The flags, checked. */
export interface ScoreFlags {
  readonly files: readonly string[];
  readonly images: ImageFlags;
  /** Side of the anchors of the assignment, in strides. */
  readonly anchorScale: number;
  readonly normalizer: typeof NORMALIZERS[number];
  readonly network: NetworkFlags;
  readonly keep: KeepFlags;
  readonly json: string | undefined;
}

const OPTIONS = {
  ...NETWORK_OPTIONS,
  ...KEEP_OPTIONS,
  ...IMAGE_OPTIONS,
  score: { type: "string" },
  "anchor-scale": { type: "string", default: "8" },
  normalizer: { type: "string", default: "paper" },
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
    anchorScale: number("--anchor-scale", values["anchor-scale"], 0.1, 100),
    normalizer: choice("--normalizer", values.normalizer, NORMALIZERS),
    network: await readNetwork(values),
    keep: readKeep(values, LEAST_SCORE),
    json: values.json,
  };
}
