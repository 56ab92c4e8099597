/**
 * The flags of `densehead eval`.
 */
import type { EvalKind } from "../eval/index.ts";
import { readArguments } from "./arguments.ts";
import type { DetectedFlags } from "./detect.ts";
import { readCategoryIds } from "./detect_options.ts";
import { UsageError } from "./errors.ts";
import { IMAGE_HELP, IMAGE_OPTIONS, readImageFlags } from "./images.ts";
import { KEEP_OPTIONS, keepHelp, readKeep } from "./keep.ts";
import { NETWORK_HELP, NETWORK_OPTIONS, readNetwork } from "./network_options.ts";
import { isRows } from "./readers/rows.ts";
import { choice, integer, numbers, optional } from "./values.ts";
import { STDOUT } from "./writers/file.ts";

/** Boxes of raw outputs are kept from this score by default: AP counts the bad ones too. */
const LEAST_SCORE = 0.001;

export const EVAL_HELP = `Usage: densehead eval FILE… --gt FILE [options]

Says how good results are, against COCO annotations: the table of pycocotools, optimal LRP and calibration, and a row for
each class. Each FILE is
  name.json          COCO results (image_id, category_id, score; bbox, segmentation or keypoints), of any size
  -                  such results on standard input
  others             raw outputs, as densehead detect takes them; they are detected first
Several FILEs are one set of results. Images without results count as images in which nothing was found.

What is compared:
  --kind KIND              bbox (default), segm, keypoints, or rotated: bbox is centre x, y, width, height, angle
  --max-dets 1,10,100      the best so many of an image and class (default 1,10,100; of keypoints 20)
  --sigmas X | X,X,…       of keypoints: how far they may be off, one constant for all or one for each (default COCO's 17)

What to write:
  --json FILE | -          all numbers, but the curves; - writes to stdout, in place of the tables
  --svg FILE | -           precision over recall, and how much scores are worth, as a picture

Which image a raw output is of:
${IMAGE_HELP}
  --category-ids 1,2,…     category of each class of the network, where names and order do not tell; coco: those of its 80

${NETWORK_HELP}

Which boxes of raw outputs are kept:
${keepHelp(String(LEAST_SCORE))}
`;

const MAX_DETS = { bbox: "1,10,100", segm: "1,10,100", keypoints: "20", rotated: "1,10,100" };
const KINDS = Object.keys(MAX_DETS) as EvalKind[];

/** The flags, checked. */
export interface EvalFlags {
  readonly files: readonly string[];
  readonly gt: string;
  readonly kind: EvalKind;
  readonly maxDets: readonly number[];
  /** One for each keypoint, or for all. */
  readonly sigmas: readonly number[] | undefined;
  readonly json: string | undefined;
  readonly svg: string | undefined;
  /** Of raw outputs. */
  readonly detected: DetectedFlags;
}

/** Those that are about raw outputs alone. */
const RAW_OPTIONS = {
  ...NETWORK_OPTIONS,
  ...KEEP_OPTIONS,
  image: IMAGE_OPTIONS.image,
  fit: IMAGE_OPTIONS.fit,
  score: { type: "string" },
  "category-ids": { type: "string" },
} as const;

const OPTIONS = {
  ...RAW_OPTIONS,
  gt: IMAGE_OPTIONS.gt,
  kind: { type: "string", default: "bbox" },
  "max-dets": { type: "string" },
  sigmas: { type: "string" },
  json: { type: "string" },
  svg: { type: "string" },
} as const;

/** Reads the command line; the error of a wrong one names the flag. */
export async function readFlags(args: string[]): Promise<EvalFlags> {
  const { values, positionals: files } = readArguments("eval", args, OPTIONS);
  const { gt, json, svg } = values;
  if (files.length === 0) throw new UsageError("no FILE given (densehead eval --help tells more)");
  if (gt === undefined) throw new UsageError("--gt is missing (densehead eval --help tells more)");
  if (json === STDOUT && svg === STDOUT) throw new UsageError("--json and --svg are both to be on standard output");
  const raw = files.filter((file) => !isRows(file));
  const kind = choice("--kind", values.kind, KINDS);
  if (values.sigmas !== undefined && kind !== "keypoints") {
    throw new UsageError(`--sigmas is about keypoints; --kind is ${kind}`);
  }
  if (raw.length === 0) refuseRaw(values);
  return {
    files,
    gt,
    kind,
    maxDets: (values["max-dets"] ?? MAX_DETS[kind]).split(",").map((most) => integer("--max-dets", most, 1)),
    sigmas: optional(values.sigmas, (text) => numbers("--sigmas", text, "0.05 or 0.05,0.08,…")),
    json,
    svg,
    detected: {
      network: await readNetwork(values),
      keep: readKeep(values, LEAST_SCORE),
      images: readImageFlags(raw, { image: values.image, gt, fit: values.fit }),
      categoryIds: optional(values["category-ids"], readCategoryIds),
    },
  };
}

function refuseRaw(values: Readonly<Record<string, unknown>>): void {
  for (const [name, option] of Object.entries(RAW_OPTIONS)) {
    if (values[name] === undefined || ("default" in option && values[name] === option.default)) continue;
    throw new UsageError(`--${name} is about raw outputs; every FILE has results`);
  }
}
