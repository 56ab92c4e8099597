/**
 * The flags of `densehead score`.
 */
import { parseArgs } from "node:util";
import { reason, UsageError } from "./errors.ts";
import { type Fit, FITS } from "./fit.ts";
import {
  FILES_HELP,
  KEEP_OPTIONS,
  type KeepFlags,
  keepHelp,
  NETWORK_HELP,
  NETWORK_OPTIONS,
  type NetworkFlags,
  readKeep,
  readNetwork,
} from "./network_options.ts";
import { choice, number, optional } from "./values.ts";

export const SCORE_HELP = `Usage: densehead score FILE… --gt FILE [options]

Scores raw outputs of a detection network against the truth: the loss that such a network is trained with, and whether its
scores rank its boxes by how good they are. Each FILE is one output, all of one head:
${FILES_HELP}

The truth:
  --gt FILE                COCO annotations: images, annotations (bbox x, y, width, height) and categories, whose order by
                           id is that of the classes; crowds (iscrowd) are regions to ignore
  --image ID | NAME        the image of FILE, by its id or file_name; default: the only image, or the one whose file is
                           called as FILE; for a batch, all images in order
  --fit KIND               letterbox (centred) or stretch: how an image of another shape was fitted to the input

${NETWORK_HELP}

Which anchors are positives:
  --anchor-scale X         side of ATSS's square anchors, in strides (default 8; NanoDet is trained with 5)

Which boxes are ranked:
${keepHelp("0.05")}

What to write:
  --json                   a line of JSON for each image and one for all, in place of the table

Heads with logits and a distribution are scored by the criterion of GFL: quality focal loss, GIoU loss × 2 and distribution
focal loss / 4, per positive; vfnet by its own, from tensors named box_s8 … and box_refined_s8 …. Columns: the loss and its
parts, positives, the mean IoU of their boxes with their objects (quality), detections, and Spearman's correlation of their
scores with their IoU with the best object of any class (ranks).
`;

/** The flags, checked. */
export interface ScoreFlags {
  readonly files: readonly string[];
  readonly gt: string;
  readonly image: string | undefined;
  readonly fit: Fit | undefined;
  /** Side of the anchors of the assignment, in strides. */
  readonly anchorScale: number;
  readonly network: NetworkFlags;
  readonly keep: KeepFlags;
  readonly json: boolean;
}

const OPTIONS = {
  ...NETWORK_OPTIONS,
  ...KEEP_OPTIONS,
  score: { type: "string", default: "0.05" },
  gt: { type: "string" },
  image: { type: "string" },
  fit: { type: "string" },
  "anchor-scale": { type: "string", default: "8" },
  json: { type: "boolean", default: false },
} as const;

/** Reads the command line; the error of a wrong one names the flag. */
export async function readFlags(args: string[]): Promise<ScoreFlags> {
  const { values, positionals: files } = parse(args);
  const { gt, image } = values;
  if (files.length === 0) throw new UsageError("no FILE given (densehead score --help tells more)");
  if (gt === undefined) throw new UsageError("--gt is missing (densehead score --help tells more)");
  if (image !== undefined && files.length > 1) {
    throw new UsageError(`--image is for one FILE; ${files.length} were given`);
  }
  return {
    files,
    gt,
    image,
    fit: optional(values.fit, (text) => choice("--fit", text, FITS)),
    anchorScale: number("--anchor-scale", values["anchor-scale"], 0.1, 100),
    network: await readNetwork(values),
    keep: readKeep(values),
    json: values.json,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${reason(error).split(". ")[0]} (densehead score --help lists the options)`);
  }
}
