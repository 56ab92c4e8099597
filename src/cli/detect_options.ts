/**
 * The flags of `densehead detect`.
 */
import { parseArgs } from "node:util";
import type { HeadOptions } from "../types.ts";
import { reason, UsageError } from "./errors.ts";
import type { Fit } from "./fit.ts";
import { presetNames } from "./preset_names.ts";
import { classNames } from "./readers/names.ts";
import { choice, integer, number, numbers, optional, size } from "./values.ts";

export const DETECT_HELP = `Usage: densehead detect FILE… [options]

Finds the objects in raw outputs of a detection network, and prints a table per image. Each FILE is one output:
  name.safetensors   tensors named by role and stride (cls_s8, reg_s8, obj_s8 …), or in order
  name.npy           one tensor
  folder             one .npy per tensor, named in the same way; others beside them are left alone
Tensors are float32, float16 or float64.

What the network is:
  --head NAME              ${presetNames().slice(0, 5).join(", ")},
                           ${presetNames().slice(5).join(", ")};
                           auto (default): what the file says, else what the shapes allow
  --image-size H,W         network input in pixels; default: what the file says, else from the shapes
  --classes A,B,C | FILE   names of the classes, in one argument or one per line of a text file
  --num-classes N          how many, where there are no names
  --strides 8,16,…         strides of the levels
  --bins N                 bins per side of the distribution
  --offset X               anchor point of cell i: (i + X) · stride
  --scores KIND            logits or probabilities
  --objectness KIND        none, multiply or sqrt-multiply

What to keep:
  --score X                scores over this (default 0.25)
  --iou X                  NMS: of two boxes that overlap more than this, the better (default 0.6)
  --max N                  at most so many per image (default 300)
  --multi-label            every class over the score, not an anchor's best alone
  --class-agnostic         suppress across classes

What to write:
  --json FILE              COCO results: image_id is the FILE's name without its ending (name:0, name:1 … in a batch),
                           category_id the index of the class from 0; "-" writes to stdout, in place of the table
  --svg FILE               a picture of the boxes; the bands on their sides are one standard deviation either way
  --image FILE             the PNG or JPEG that the network saw: boxes are then in its pixels, and --svg shows it
  --fit KIND               letterbox (centred) or stretch: how an --image of another shape was fitted to the input

The column "± px" is the mean standard deviation of a box's four sides in pixels, where the head gives distributions.
`;

/** The flags, checked. */
export interface DetectFlags {
  readonly files: readonly string[];
  /** A preset's name as typed, or "auto". */
  readonly head: string;
  readonly imageSize: readonly [number, number] | undefined;
  readonly classes: readonly string[] | undefined;
  readonly numClasses: number | undefined;
  /** Changes to the preset, over what the shapes say. */
  readonly changes: HeadOptions;
  readonly keep: {
    readonly scoreThreshold: number;
    readonly iouThreshold: number;
    readonly maxDetections: number;
    readonly multiLabel: boolean;
    readonly classAgnostic: boolean;
  };
  readonly json: string | undefined;
  readonly svg: string | undefined;
  readonly image: string | undefined;
  readonly fit: Fit | undefined;
}

const OPTIONS = {
  head: { type: "string", default: "auto" },
  "image-size": { type: "string" },
  classes: { type: "string" },
  "num-classes": { type: "string" },
  strides: { type: "string" },
  bins: { type: "string" },
  offset: { type: "string" },
  scores: { type: "string" },
  objectness: { type: "string" },
  score: { type: "string", default: "0.25" },
  iou: { type: "string", default: "0.6" },
  max: { type: "string", default: "300" },
  "multi-label": { type: "boolean", default: false },
  "class-agnostic": { type: "boolean", default: false },
  json: { type: "string" },
  svg: { type: "string" },
  image: { type: "string" },
  fit: { type: "string" },
} as const;

const OBJECTNESS = ["none", "multiply", "sqrt-multiply"] as const;

/** Reads the command line; the error of a wrong one names the flag. */
export async function readFlags(args: string[]): Promise<DetectFlags> {
  const { values, positionals } = parse(args);
  const flags: DetectFlags = {
    files: positionals,
    head: values.head,
    imageSize: optional(values["image-size"], (text) => size("--image-size", text)),
    classes: await classNames("--classes", values.classes),
    numClasses: optional(values["num-classes"], (text) => integer("--num-classes", text, 1)),
    changes: {
      strides: optional(values.strides, (text) => numbers("--strides", text)),
      bins: optional(values.bins, (text) => integer("--bins", text, 2, 64)),
      anchorOffset: optional(values.offset, (text) => number("--offset", text)),
      scores: optional(values.scores, (text) => choice("--scores", text, ["logits", "probabilities"])),
      objectness: optional(values.objectness, (text) => choice("--objectness", text, OBJECTNESS)),
    },
    keep: {
      scoreThreshold: number("--score", values.score, 0, 1),
      iouThreshold: number("--iou", values.iou, 0, 1),
      maxDetections: integer("--max", values.max, 1),
      multiLabel: values["multi-label"],
      classAgnostic: values["class-agnostic"],
    },
    json: values.json,
    svg: values.svg,
    image: values.image,
    fit: optional(values.fit, (text) => choice("--fit", text, ["letterbox", "stretch"])),
  };
  checkTogether(flags);
  return flags;
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // Node goes on to explain how to pass a file whose name starts with a dash.
    throw new UsageError(`${reason(error).split(". ")[0]} (densehead detect --help lists the options)`);
  }
}

/** Flags that are sound alone can be at odds. */
function checkTogether({ files, svg, image, fit, classes, numClasses }: DetectFlags): void {
  if (files.length === 0) throw new UsageError("no FILE given (densehead detect --help tells more)");
  const single = svg !== undefined ? "--svg" : image !== undefined ? "--image" : null;
  if (single !== null && files.length > 1) {
    throw new UsageError(`${single} is for one FILE; ${files.length} were given`);
  }
  if (fit !== undefined && image === undefined) throw new UsageError("--fit is about --image, which was not given");
  if (classes !== undefined && numClasses !== undefined && classes.length !== numClasses) {
    throw new UsageError(`--classes has ${classes.length} names; --num-classes is ${numClasses}`);
  }
}
