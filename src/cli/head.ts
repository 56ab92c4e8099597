/**
 * Which head made an output: a preset, with channels and levels as the shapes have them.
 */
import { heads } from "../entry/embedded.ts";
import type { HeadOptions, HeadSpec } from "../types.ts";
import { reason, UsageError } from "./errors.ts";
import { type FileOutputs, tensorsOf } from "./outputs.ts";
import { presetOf } from "./preset_names.ts";
import { readShapes } from "./shapes.ts";

/** What is known beside the shapes. */
export interface HeadHints {
  /** As asked for; "auto" asks the file and then the shapes. */
  readonly head: string;
  /** As the file's own metadata have it. */
  readonly fileHead: string | undefined;
  readonly imageSize: readonly [number, number] | undefined;
  readonly numClasses: number | undefined;
  /** Flags; they win over what the shapes say. */
  readonly changes: HeadOptions;
}

/** A head, and how it was found. */
export interface ChosenHead {
  readonly head: HeadSpec;
  readonly why: "as asked" | "named in the file" | "inferred from the shapes";
}

/** The preset that was asked for, or that the file names, or that the shapes allow. */
export function chooseHead(file: FileOutputs, hints: HeadHints): ChosenHead {
  if (hints.head !== "auto") return { head: adapt(hints.head, file, hints), why: "as asked" };
  if (hints.fileHead !== undefined) return { head: adapt(hints.fileHead, file, hints), why: "named in the file" };
  return { head: adapt(inferName(file, hints), file, hints), why: "inferred from the shapes" };
}

function inferName({ outputs }: FileOutputs, { imageSize, numClasses }: HeadHints): string {
  try {
    return heads.infer(outputs, { imageSize, numClasses }).name;
  } catch (error) {
    const [what] = reason(error).split("; wanted");
    throw new UsageError(`${what}; name the head with --head, or narrow the choice with --num-classes or --image-size`);
  }
}

/** The preset with the channels and the levels of the output. */
function adapt(name: string, file: FileOutputs, { numClasses, changes }: HeadHints): HeadSpec {
  const preset = presetOf(name);
  const base = heads[preset](defined({ ...changes, strides: undefined }));
  const strides = changes.strides ?? file.strides ?? stridesFor(base, file);
  return heads[preset]({ ...defined(changes), ...channelsIn(file, base, numClasses, changes.bins), strides });
}

/** Classes and bins, from the number of channels. */
function channelsIn(file: FileOutputs, base: HeadSpec, classes?: number, bins?: number): HeadOptions {
  const widths = widthsOf(file, base, classes);
  const others = boxChannels(base) + (hasObjectness(base) ? 1 : 0);
  if (widths.all !== undefined) {
    const numClasses = classes ?? widths.all - others;
    if (numClasses >= 1) return { numClasses };
    throw new UsageError(`outputs have ${widths.all} channels; head ${base.name} has ${others} beside the classes`);
  }
  const numClasses = classes ?? widths.classes;
  if (base.boxes !== "distribution" || bins !== undefined) return { numClasses };
  if (widths.boxes % 4 === 0 && widths.boxes >= 8) return { numClasses, bins: widths.boxes / 4 };
  throw new UsageError(`boxes have ${widths.boxes} channels; head ${base.name} wants 4 sides × bins`);
}

type Widths = { readonly all: number } | { readonly all?: undefined; readonly classes: number; readonly boxes: number };

/** Channels of each role. In an unnamed list the preset's width is that of boxes; else classes come first. */
function widthsOf(file: FileOutputs, base: HeadSpec, classes: number | undefined): Widths {
  const { outputs } = file;
  const readings = readShapes(tensorsOf(file), base);
  if ("classes" in outputs) {
    return { classes: readings[0].channels, boxes: readings[outputs.classes.length].channels };
  }
  if (base.channelOrder !== "separate") return { all: readings[0].channels };
  if (readings.length === 1) throw new UsageError(`holds one tensor; head ${base.name} has classes and boxes apart`);
  const widths = [...new Set(readings.map(({ channels }) => channels))].filter((n) => !hasObjectness(base) || n > 1);
  const boxes = classes === undefined && widths.includes(boxChannels(base))
    ? boxChannels(base)
    : widths.find((n) => n !== (classes ?? widths[0])) ?? widths[0];
  return { classes: widths.find((n) => n !== boxes) ?? boxes, boxes };
}

/** The preset's strides; as many of the lowest as there are levels. */
function stridesFor(base: HeadSpec, file: FileOutputs): readonly number[] {
  const { outputs } = file;
  const roles = base.channelOrder === "separate" ? (hasObjectness(base) ? 3 : 2) : 1;
  const levels = "classes" in outputs ? outputs.classes.length : Math.floor(tensorsOf(file).length / roles);
  if (levels <= 1) return base.strides;
  if (levels > base.strides.length) {
    throw new UsageError(`outputs have ${levels} levels; head ${base.name} has ${base.strides.length}; give --strides`);
  }
  const lowest = base.strides.toSorted((a, b) => a - b).slice(0, levels);
  return base.strides.filter((stride) => lowest.includes(stride));
}

function boxChannels(head: HeadSpec): number {
  return head.boxes === "distribution" ? 4 * head.bins : 4;
}

function hasObjectness(head: HeadSpec): boolean {
  return (head.objectness ?? "none") !== "none";
}

/** Without the members that no flag has set, so that a spread does not overwrite. */
function defined(options: HeadOptions): HeadOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
