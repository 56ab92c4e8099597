/**
 * A file of raw outputs, understood: from the flags first, then from the file's own words, then from the shapes.
 */
import type { HeadSpec } from "../types.ts";
import { reason, UsageError } from "./errors.ts";
import { chooseHead, type ChosenHead, type HeadHints, inFlags } from "./head.ts";
import { sizeFromShapes } from "./image_size.ts";
import type { NetworkFlags } from "./network_options.ts";
import { type FileOutputs, inOwnNames, readOutputs, withoutOthers } from "./outputs.ts";
import { splitNames } from "./readers/names.ts";
import { openTensors } from "./readers/tensors.ts";
import type { Task } from "./task.ts";
import { optional, size } from "./values.ts";
import { typedName } from "./preset_names.ts";

/** Tensors, and what they mean. */
export interface NetworkFile {
  readonly read: FileOutputs;
  readonly chosen: ChosenHead;
  /** Network input, [height, width]. */
  readonly inputSize: readonly [number, number];
  /** Who told it. */
  readonly sizeFrom: "--image-size" | "the file's metadata" | "the model" | "the shapes";
  readonly classes: readonly string[] | undefined;
}

/** What is known beside the tensors and the flags. */
export interface Told {
  readonly head: string | undefined;
  readonly classes: readonly string[] | undefined;
  readonly imageSize: readonly [number, number] | undefined;
  readonly sizeFrom: NetworkFile["sizeFrom"];
  readonly task: Task | undefined;
}

/** Reads the file. */
export async function readNetworkFile(path: string, flags: NetworkFlags): Promise<NetworkFile> {
  const { read, told } = await openNetworkFile(path, flags);
  return understand(read, told, flags);
}

/** The tensors of a file, and what it says of them. */
export async function openNetworkFile(
  path: string,
  flags: NetworkFlags,
): Promise<{ readonly read: FileOutputs; readonly told: Told }> {
  const file = await openTensors(path);
  const metadata = flags.ignoreMetadata ? new Map<string, string>() : file.metadata;
  const imageSize = imageSizeOf(flags, metadata);
  const sizeFrom = flags.imageSize ? "--image-size" : "the file's metadata";
  const told = {
    head: metadata.get("head"),
    classes: namesIn(metadata),
    imageSize,
    sizeFrom,
    task: undefined,
  } as const;
  return { read: await readOutputs(file), told };
}

/** Finds the head of outputs. */
export function understand(read: FileOutputs, told: Told, flags: NetworkFlags): NetworkFile {
  const { imageSize } = told;
  const chosen = chooseHead(read, {
    head: flags.head,
    fileHead: told.head,
    task: told.task,
    imageSize,
    ...classesTold(told, flags),
    changes: flags.changes,
  });
  const classes = flags.classes ?? told.classes;
  checkNames(chosen.head, classes, flags);
  const used = withoutOthers(read, chosen.head);
  const inputSize = imageSize ?? sizeFromShapes(used, chosen.head);
  return { read: used, chosen, inputSize, sizeFrom: imageSize ? told.sizeFrom : "the shapes", classes };
}

/** How many classes there are, and who says so. */
export function classesTold(told: Told, flags: NetworkFlags): Pick<HeadHints, "numClasses" | "numClassesBy"> {
  const { numClasses, classes } = flags;
  if (numClasses !== undefined) return { numClasses, numClassesBy: `--num-classes is ${numClasses}` };
  if (classes !== undefined) {
    return { numClasses: classes.length, numClassesBy: `--classes has ${classes.length} names` };
  }
  const names = told.classes?.length;
  return { numClasses: names, numClassesBy: `the file's own metadata have ${names} names` };
}

/** Runs what reads the outputs; its errors are in the tensors' own names, and tell the size that shapes were checked for. */
export function inItsNames<T>(
  { read, inputSize, sizeFrom }: Pick<NetworkFile, "read" | "inputSize" | "sizeFrom">,
  action: () => T,
): T {
  try {
    return action();
  } catch (error) {
    const text = inFlags(inOwnNames(read, reason(error)));
    const size = / of shape /.test(text) ? ` (input ${inputSize[1]}×${inputSize[0]} by ${sizeFrom})` : "";
    throw new UsageError(`${text}${size}`);
  }
}

/** The flag's, else the file's; where both are there they must agree. */
function imageSizeOf(
  { imageSize: asked }: NetworkFlags,
  metadata: ReadonlyMap<string, string>,
): readonly [number, number] | undefined {
  const said = optional(metadata.get("image_size"), (text) => size("image_size", text));
  if (asked !== undefined && said !== undefined && asked.join() !== said.join()) {
    throw new UsageError(
      `--image-size is ${asked}; the file's own metadata say ${said} (--ignore-metadata takes --image-size at its word)`,
    );
  }
  return asked ?? said;
}

function checkNames({ name, numClasses }: HeadSpec, names: readonly string[] | undefined, flags: NetworkFlags): void {
  if (names === undefined || names.length === numClasses) return;
  const count = flags.numClasses === undefined
    ? `head ${typedName(name)} has ${numClasses} classes here`
    : `--num-classes is ${numClasses}`;
  const where = flags.classes === undefined ? "in the file's own metadata" : "by --classes";
  const shown = names.slice(0, 5).join(", ") + (names.length > 5 ? ", …" : "");
  throw new UsageError(`${count}; ${names.length} names are given ${where} (${shown})`);
}

function namesIn(metadata: ReadonlyMap<string, string>): string[] | undefined {
  const names = splitNames(metadata.get("classes") ?? "");
  return names.length === 0 ? undefined : names;
}
