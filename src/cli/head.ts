/**
 * Which head made an output: a preset, with channels and levels as the shapes have them.
 */
import { heads } from "../entry/embedded.ts";
import { attachmentsOf, boxChannels, channelsOf, hasObjectness, widthOf } from "../heads/channels.ts";
import { describeHead, weighHeads } from "../heads/infer.ts";
import { MOST_BINS } from "../heads/members.ts";
import type { HeadOptions, HeadSpec } from "../types.ts";
import { reason, UsageError } from "./errors.ts";
import { MEMBER_FLAGS } from "./head_flags.ts";
import { type FileOutputs, inOwnNames, tensorsOf } from "./outputs.ts";
import { presetNames, presetOf, typedName } from "./preset_names.ts";
import { readShapes } from "./shapes.ts";
import { attachedFor, isOfTask, type Task } from "./task.ts";

/** What is known beside the shapes. */
export interface HeadHints {
  /** As asked for; "auto" asks the file and then the shapes. */
  readonly head: string;
  /** As the file's own metadata have it. */
  readonly fileHead: string | undefined;
  readonly imageSize: readonly [number, number] | undefined;
  readonly numClasses: number | undefined;
  /** Who says so, in words. */
  readonly numClassesBy: string;
  /** As the model's own metadata have it. */
  readonly task: Task | undefined;
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
  const { head: asked, fileHead } = hints;
  if (asked !== "auto" && fileHead !== undefined) checkAgainstFile(asked, fileHead);
  const [name, why] = asked !== "auto" ? [asked, "as asked"] as const : [fileHead, "named in the file"] as const;
  const head = name === undefined ? inferHead(file, hints) : adapt(name, file, hints);
  checkObjectness(head, file, hints.changes);
  return { head, why: name === undefined ? "inferred from the shapes" : why };
}

/** The file knows better, unless it is told not to. */
function checkAgainstFile(asked: string, fileHead: string): void {
  const [own, others] = [asked, fileHead].map((name) => JSON.stringify({ ...heads[presetOf(name)](), name: "" }));
  if (own === others) return;
  throw new UsageError(
    `--head is ${asked}; the file's own metadata say ${fileHead} (--ignore-metadata takes --head at its word)`,
  );
}

/** Tensors of objectness are there to be multiplied with. */
function checkObjectness(head: HeadSpec, { outputs, names }: FileOutputs, { objectness }: HeadOptions): void {
  if (!("classes" in outputs) || outputs.objectness === undefined || hasObjectness(head) || objectness !== undefined) {
    return;
  }
  const given = [...names].filter(([argument]) => argument.startsWith("outputs.objectness")).map(([, name]) => name);
  throw new UsageError(
    `has tensors of objectness (${given.join(", ")}), which head ${typedName(head.name)} does not use; ` +
      "say --objectness multiply or sqrt-multiply (PicoDet-XS), or none to leave them out",
  );
}

/** What is inferred, but for what the flags say. */
function inferHead(file: FileOutputs, hints: HeadHints): HeadSpec {
  const inferred = onlyOfTask(file, hints) ?? tryInfer(file, hints);
  return adapt(inferred.name, file, { ...hints, changes: { ...inferred, ...defined(hints.changes) } });
}

/** The only head of those that fit that is of the model's task, if there is one. */
function onlyOfTask(file: FileOutputs, { imageSize, numClasses, task, changes }: HeadHints): HeadSpec | undefined {
  if (task === undefined) return undefined;
  const fitting = weighHeads(file.outputs, { imageSize, numClasses, strides: changes.strides ?? file.strides }).heads;
  const [head, ...others] = fitting.filter((each) => isOfTask(each, task));
  return others.length === 0 ? head : undefined;
}

function tryInfer(file: FileOutputs, { imageSize, numClasses, changes }: HeadHints): HeadSpec {
  try {
    return heads.infer(file.outputs, { imageSize, numClasses, strides: changes.strides ?? file.strides });
  } catch (error) {
    const [what, wanted = ""] = inFlags(inOwnNames(file, reason(error))).split("; wanted ");
    const hints = [
      ...(numClasses === undefined ? ["--num-classes"] : []),
      ...(imageSize === undefined ? ["--image-size"] : []),
    ];
    const narrow = hints.length === 0 ? "" : `, or narrow the choice with ${hints.join(" or ")}`;
    // What each preset misses would be a page; --head has it for the one that is meant.
    const unused = /^them without/.test(wanted) ? `; ${wanted.replace("them", "they would")}` : "";
    const scored = "classes" in file.outputs && file.outputs.objectness !== undefined && unused !== ""
      ? ", with --objectness multiply or sqrt-multiply (PicoDet-XS) where scores are to be multiplied by it"
      : "";
    const isNone = / fit no preset/.test(what) && unused === "";
    const names = isNone ? ` (${presetNames().join(", ")})` : "";
    const more = isNone ? "; densehead inspect says what each misses" : "";
    throw new UsageError(`${what}${unused}; name the head with --head${names}${scored}${narrow}${more}`);
  }
}

/** A head as flags say it: "nanodet with 53 classes (--channel-order class-first)". */
export function headInFlags(head: HeadSpec): string {
  return inFlags(describeHead(head));
}

/** Heads in a message as flags say them: "nanodetPlus with 80 classes { scores: "logits" }". */
export function inFlags(text: string): string {
  const typed = new Map(presetNames().map((name) => [presetOf(name) as string, name]));
  const named = text.replaceAll(/\w+/g, (word) => typed.get(word) ?? word);
  const points = named.replaceAll(
    /\bkeypoints: \{"count":(\d+), "dims":(\d), "coding":"(\w+)"\}/g,
    (_, count, dims, coding) => `${MEMBER_FLAGS.keypoints} ${count}x${dims}:${coding}`,
  );
  const members = points.replaceAll(
    /\b(\w+): (?:"([\w-]+)"|\[([\d., ]*)\]|([\d.]+))/g,
    (all, member, word, list, number) => {
      // "anchors: 84 in all" counts them: the member is a list.
      const isMember = Object.hasOwn(MEMBER_FLAGS, member) && !(member === "anchors" && number !== undefined);
      return isMember ? `${MEMBER_FLAGS[member]} ${word ?? list?.replaceAll(" ", "") ?? number}` : all;
    },
  );
  return members.replaceAll(/\{ (--[^}]*) \}/g, (_, flags: string) => `(${flags.replaceAll(", ", " ")})`);
}

/** The preset with the channels and the levels of the output. */
function adapt(name: string, file: FileOutputs, hints: HeadHints): HeadSpec {
  const preset = presetOf(name);
  const changes = { ...hints.task && attachedFor(preset, hints.task, file), ...defined(hints.changes) };
  // Boxes without a distribution have no bins.
  const bins = changes.boxes !== undefined && changes.boxes !== "distribution" ? 0 : undefined;
  const flags = defined({ bins, ...defined(changes) });
  const base = spec(preset, { ...flags, strides: undefined });
  const other = otherBins(file, base, hints);
  const strides = changes.strides ?? file.strides ?? other.strides ?? stridesFor(base, file);
  return spec(preset, { ...flags, ...channelsIn(file, base, hints), ...other, strides });
}

/** What bins and levels depend on, and they on it. */
const BESIDE_BINS = ["maskCoefficients", "keypoints", "angle"] as const;
const READ = ["boxes", "layout", "channelOrder", "anchorOffset", "objectness", "unusedClasses"] as const;

/**
 * Where one tensor holds every role and has not as many channels as the preset: the bins and strides of the only head that
 * fits. Without a task or a flag it may have anything beside them.
 */
function otherBins(file: FileOutputs, base: HeadSpec, hints: HeadHints): HeadOptions {
  const { imageSize, numClasses, task, changes: { bins, strides } } = hints;
  if (numClasses === undefined || bins !== undefined || base.boxes !== "distribution") return {};
  const { all = 0 } = widthsOf(file, base, numClasses) as { readonly all?: number };
  if (all === 0 || all === numClasses + besideClasses(file, base)) return {};
  const isKnown = task !== undefined || attachmentsOf(base).length > 0;
  const members = isKnown ? [...READ, ...BESIDE_BINS] : READ;
  const reading = (head: HeadSpec) => JSON.stringify(members.map((member) => head[member] ?? "none"));
  const known = { imageSize, numClasses, strides: strides ?? file.strides };
  const fitting = weighHeads(file.outputs, known).heads.filter((head) => reading(head) === reading(base));
  if (fitting.length > 1) {
    const heads = fitting.map(headInFlags).join(", ");
    throw new UsageError(`outputs have ${all} channels, which fit ${heads}; say --bins, and what is beside them`);
  }
  const [head] = fitting;
  return head === undefined ? {} : Object.fromEntries(
    (["bins", "strides", ...BESIDE_BINS] as const).map((member) => [member, head[member]]),
  );
}

/** Channels of one tensor that are no classes. */
function besideClasses(file: FileOutputs, base: HeadSpec): number {
  return boxChannels(base) + (hasObjectness(base) ? 1 : 0) + unreadClasses(base) + attachedChannels(file, base);
}

/** The preset; errors name the flag in the place of the member. */
function spec(preset: ReturnType<typeof presetOf>, options: HeadOptions): HeadSpec {
  try {
    return heads[preset](defined(options));
  } catch (error) {
    const [what, wanted = ""] = reason(error).split("; wanted ");
    const flag = what.replace(/^\w+/, (member) => MEMBER_FLAGS[member] ?? member);
    const also = /^--bins is 0/.test(flag)
      ? "; 0 is for boxes without a distribution: say --boxes xyxy, xywh or distances"
      : "";
    throw new UsageError(`${flag}; wanted ${inFlags(wanted).replace("boxUnit", "--box-unit")}${also}`);
  }
}

/** Classes and bins, from the number of channels. */
function channelsIn(
  file: FileOutputs,
  base: HeadSpec,
  { numClasses: classes, numClassesBy, changes: { bins } }: HeadHints,
): HeadOptions {
  // A detection's channels do not tell the number of classes.
  if (base.selection === "selected") return { numClasses: classes ?? base.numClasses };
  const widths = widthsOf(file, base, classes);
  if (widths.all !== undefined) {
    const others = besideClasses(file, base);
    const numClasses = classes ?? widths.all - others;
    if (numClasses >= 1) return { numClasses };
    throw new UsageError(
      `outputs have ${widths.all} channels; head ${typedName(base.name)} has ${others} beside the classes`,
    );
  }
  const [name] = file.names.values();
  const counted = widths.classes - unreadClasses(base);
  if (classes !== undefined && classes !== counted && "classes" in file.outputs) {
    throw new UsageError(
      `${name} has ${widths.classes} channels, one for each class${otherLayout(base, file)}; ${numClassesBy}`,
    );
  }
  const numClasses = classes ?? counted;
  if (base.boxes !== "distribution") {
    if (widths.boxes === 4) return { numClasses };
    throw new UsageError(
      `boxes have ${widths.boxes} channels${otherLayout(base, file)}; head ${typedName(base.name)} wants 4`,
    );
  }
  if (bins !== undefined) return { numClasses };
  if (widths.boxes % 4 === 0 && widths.boxes >= 8 && widths.boxes <= 4 * MOST_BINS) {
    return { numClasses, bins: widths.boxes / 4 };
  }
  throw new UsageError(
    `boxes have ${widths.boxes} channels${otherLayout(base, file)}; head ${
      typedName(base.name)
    } wants 4 sides × 2 to ${MOST_BINS} bins`,
  );
}

/** Of mask coefficients, keypoints and an angle, where no tensor beside the first has as many. */
function attachedChannels(file: FileOutputs, base: HeadSpec): number {
  const [, ...others] = readShapes(tensorsOf(file, base), base).map(({ channels }) => channels);
  const widths = attachmentsOf(base).map((role) => widthOf(base, [role]));
  return widths.filter((width) => !others.includes(width)).reduce((sum, width) => sum + width, 0);
}

/** Channels among those of classes that are none: background, and what is not used. */
function unreadClasses({ scores, unusedClasses = 0 }: HeadSpec): number {
  return unusedClasses + (scores === "softmax" ? 1 : 0);
}

/** How the shapes were read, where they could be read in another way. */
function otherLayout(head: HeadSpec, file: FileOutputs): string {
  const { layout } = head;
  if (tensorsOf(file, head).some(({ dims }) => dims.length > 3)) return "";
  const other = layout === "rows" ? "channels-first" : "rows";
  return ` (read as ${layout}; --layout ${other} reads them the other way)`;
}

type Widths = { readonly all: number } | { readonly all?: undefined; readonly classes: number; readonly boxes: number };

/** Channels of each role. In an unnamed list the preset's width is that of boxes; else classes come first. */
function widthsOf(file: FileOutputs, base: HeadSpec, classes: number | undefined): Widths {
  const { outputs } = file;
  const readings = readShapes(tensorsOf(file, base), base);
  if ("classes" in outputs) {
    return { classes: readings[0].channels, boxes: readings[outputs.classes.length].channels };
  }
  if (base.channelOrder !== "separate") return { all: readings[0].channels };
  if (readings.length === 1) {
    throw new UsageError(
      `holds one tensor; head ${
        typedName(base.name)
      } has classes and boxes apart (in one tensor: --channel-order class-first or box-first)`,
    );
  }
  const widths = [...new Set(readings.map(({ channels }) => channels))].filter((n) => !hasObjectness(base) || n > 1);
  const boxes = classes === undefined && widths.includes(boxChannels(base))
    ? boxChannels(base)
    : widths.find((n) => n !== (classes === undefined ? widths[0] : classes + unreadClasses(base))) ?? widths[0];
  return { classes: widths.find((n) => n !== boxes) ?? boxes, boxes };
}

/** The preset's strides; as many of the lowest as there are levels. */
function stridesFor(base: HeadSpec, file: FileOutputs): readonly number[] {
  const { outputs } = file;
  const roles = channelsOf(base).size;
  const levels = "classes" in outputs
    ? outputs.classes.length
    : base.channelOrder === "separate"
    ? Math.floor(tensorsOf(file, base).length / roles)
    : firstAlike(file, base);
  if (levels <= 1) return base.strides;
  if (levels > base.strides.length) {
    throw new UsageError(
      `outputs have ${levels} levels; head ${typedName(base.name)} has ${base.strides.length}; give --strides`,
    );
  }
  const lowest = base.strides.toSorted((a, b) => a - b).slice(0, levels);
  return base.strides.filter((stride) => lowest.includes(stride));
}

/** How many tensors have as many channels as the first. */
function firstAlike(file: FileOutputs, base: HeadSpec): number {
  const widths = readShapes(tensorsOf(file, base), base).map(({ channels }) => channels);
  return widths.filter((width) => width === widths[0]).length;
}

/** Without the members that no flag has set, so that a spread does not overwrite. */
function defined(options: HeadOptions): HeadOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
