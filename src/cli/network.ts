/**
 * A file of raw outputs, understood: from the flags first, then from the file's own words, then from the shapes.
 */
import { UsageError } from "./errors.ts";
import { chooseHead, type ChosenHead } from "./head.ts";
import { sizeFromShapes } from "./image_size.ts";
import type { NetworkFlags } from "./network_options.ts";
import { type FileOutputs, readOutputs } from "./outputs.ts";
import { splitNames } from "./readers/names.ts";
import { openTensors } from "./readers/tensors.ts";
import { optional, size } from "./values.ts";

/** Tensors, and what they mean. */
export interface NetworkFile {
  readonly read: FileOutputs;
  readonly chosen: ChosenHead;
  /** Network input, [height, width]. */
  readonly inputSize: readonly [number, number];
  readonly classes: readonly string[] | undefined;
}

/** Reads the file. */
export async function readNetworkFile(path: string, flags: NetworkFlags): Promise<NetworkFile> {
  const file = await openTensors(path);
  const read = await readOutputs(file);
  const imageSize = flags.imageSize ?? optional(file.metadata.get("image_size"), (text) => size("image_size", text));
  const chosen = chooseHead(read, {
    head: flags.head,
    fileHead: file.metadata.get("head"),
    imageSize,
    numClasses: flags.numClasses ?? flags.classes?.length,
    changes: flags.changes,
  });
  const classes = flags.classes ?? namesIn(file.metadata);
  const { name, numClasses } = chosen.head;
  if (classes !== undefined && classes.length !== numClasses) {
    throw new UsageError(`head ${name} has ${numClasses} classes here; ${classes.length} names are given`);
  }
  return { read, chosen, inputSize: imageSize ?? sizeFromShapes(read, chosen.head), classes };
}

function namesIn(metadata: ReadonlyMap<string, string>): string[] | undefined {
  const names = splitNames(metadata.get("classes") ?? "");
  return names.length === 0 ? undefined : names;
}
