/**
 * The flags that say what network made an output: of every command that reads raw outputs.
 */
import { KEYPOINT_CODINGS, members } from "../heads/members.ts";
import type { HeadOptions } from "../types.ts";
import { UsageError } from "./errors.ts";
import { HEAD_OPTIONS, type HeadTexts, readChanges } from "./head_flags.ts";
import { presetNames, presetOf } from "./preset_names.ts";
import { classNames } from "./readers/names.ts";
import { integer, optional, size } from "./values.ts";

const { angle, boxes, scores, objectness, selection } = members;

export const FILES_HELP = `  name.safetensors   tensors named by role and stride (cls_s8, reg_s8, obj_s8 …), or in order
  name.npy           one tensor
  folder             one .npy per tensor, named in the same way; others beside them are left alone
  -                  a .safetensors or .npy file on standard input
Tensors are float32, float16 or float64.`;

export const NETWORK_HELP = `What the network is:
  --head NAME              ${wrapped(presetNames()).replace(/,$/, ";")}
                           auto (default): what the file says, else what the shapes allow
  --ignore-metadata        leave what the file says of its head, size and classes; a --head or --image-size that
                           contradicts it is an error otherwise
  --image-size H,W         network input in pixels, also as WxH or, of a square, N; default: what the file says, else
                           from the shapes
  --classes A,B,C | FILE   names of the classes, in one argument or one per line of a text file; coco: its 80
  --num-classes N          how many, where there are no names
  --strides 8,16,…         strides of the levels
  --bins N                 bins per side of the distribution; 0: boxes without one
  --boxes KIND             ${boxes.choices.join(", ")}
  --box-unit KIND          of boxes without a distribution: pixel, stride (of the level) or image (0 … 1 of the input)
  --anchors W,H,W,H,…/…    of boxes with anchors: widths and heights in pixels, a list for each level
  --anchors-per-cell N     rows of a cell, of decoded boxes with anchors
  --selection KIND         ${selection.choices.join(", ")}: rows are anchors, detections or queries
  --bin-values X,Y,…       values of the bins, where they are not 0, 1, 2 …
  --unused-classes N       channels behind the classes that are not read
  --offset X               anchor point of cell i: (i + X) · stride
  --scores KIND            ${scores.choices.join(" or ")}
  --objectness KIND        ${objectness.choices.join(", ")}
  --layout KIND            rows (anchors, channels) or channels-first (channels, anchors)
  --channel-order KIND     class-first or box-first in one tensor; separate: in tensors of their own
  --mask-coefficients N    coefficients of a mask for each row, behind the classes
  --keypoints KxD[:CODING] K keypoints of D values (2, or 3 with visibility) for each row, behind the classes, in pixels or
                           coded as ${
  KEYPOINT_CODINGS.filter((coding) => coding !== "pixel").join(", ")
}: 17x3, 17x3:yolov8
  --angle KIND             ${angle.choices.join(", ")}: boxes are turned by the last channel
  --refined                boxes come twice, initial and then refined ones, which are used`;

/** A list in lines that are indented as what options mean. */
function wrapped(words: readonly string[]): string {
  const lines = [""];
  for (const word of words) {
    const line = `${lines[lines.length - 1]}${word}, `;
    if (line.length <= 92) lines[lines.length - 1] = line;
    else lines.push(`${word}, `);
  }
  return lines.map((line) => line.trimEnd()).join(`\n${" ".repeat(27)}`);
}

/** What the network is, as far as flags say it. */
export interface NetworkFlags {
  /** A preset's name as typed, or "auto". */
  readonly head: string;
  readonly ignoreMetadata: boolean;
  readonly imageSize: readonly [number, number] | undefined;
  readonly classes: readonly string[] | undefined;
  readonly numClasses: number | undefined;
  /** Changes to the preset, over what the shapes say. */
  readonly changes: HeadOptions;
}

export const NETWORK_OPTIONS = {
  head: { type: "string", default: "auto" },
  "ignore-metadata": { type: "boolean", default: false },
  "image-size": { type: "string" },
  classes: { type: "string" },
  "num-classes": { type: "string" },
  ...HEAD_OPTIONS,
} as const;

type Texts = HeadTexts & { readonly [Name in "image-size" | "classes" | "num-classes"]?: string };

/** Reads the flags of the network; the error of a wrong one names it. */
export async function readNetwork(
  texts: Texts & { readonly head: string; readonly "ignore-metadata": boolean },
): Promise<NetworkFlags> {
  if (texts.head !== "auto") presetOf(texts.head);
  const flags: NetworkFlags = {
    head: texts.head,
    ignoreMetadata: texts["ignore-metadata"],
    imageSize: optional(texts["image-size"], (text) => size("--image-size", text)),
    classes: await classNames("--classes", texts.classes),
    numClasses: optional(texts["num-classes"], (text) => integer("--num-classes", text, 1)),
    changes: readChanges(texts),
  };
  const { classes, numClasses } = flags;
  if (classes !== undefined && numClasses !== undefined && classes.length !== numClasses) {
    throw new UsageError(`--classes has ${classes.length} names; --num-classes is ${numClasses}`);
  }
  return flags;
}
