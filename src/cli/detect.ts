/**
 * `densehead detect`: from files of raw outputs to a table, COCO results and a picture.
 */
import process from "node:process";
import { createEngine, type Engine } from "../entry/embedded.ts";
import type { Command } from "./commands.ts";
import { DETECT_HELP, type DetectFlags, readFlags } from "./detect_options.ts";
import { about, UsageError } from "./errors.ts";
import { transformFor } from "./fit.ts";
import { chooseHead } from "./head.ts";
import { sizeFromShapes } from "./image_size.ts";
import { readOutputs } from "./outputs.ts";
import { presetOf } from "./preset_names.ts";
import { progressOf } from "./progress.ts";
import { type ImageFile, readImage } from "./readers/image.ts";
import { splitNames } from "./readers/names.ts";
import { openTensors, stemOf } from "./readers/tensors.ts";
import { countLost, type ImageResult } from "./result.ts";
import { optional, size } from "./values.ts";
import { cocoText } from "./writers/coco.ts";
import { writeText } from "./writers/file.ts";
import { svgText } from "./writers/svg.ts";
import { tableText } from "./writers/table.ts";
import { printable } from "./writers/text.ts";

/** The command. */
export const detectCommand: Command = {
  summary: "finds the objects in raw outputs of a detection network",
  help: DETECT_HELP,
  run,
};

async function run(args: string[]): Promise<void> {
  const flags = await readFlags(args);
  if (flags.head !== "auto") presetOf(flags.head);
  const image = flags.image === undefined
    ? undefined
    : await about(flags.image, () => readImage(flags.image as string));
  using engine = await createEngine();
  const results: ImageResult[] = [];
  const progress = progressOf(flags.files.length);
  for (const [i, file] of flags.files.entries()) {
    progress.show(i + 1);
    const found = await about(file, () => detectFile(engine, file, flags, image)).finally(progress.clear);
    if (flags.json !== "-") process.stdout.write(found.map(tableText).join(""));
    const lost = found.reduce((sum, result) => sum + countLost(result), 0);
    if (lost > 0) warn(`${file}: ${lost} of the boxes are not finite, and not in --json and --svg`);
    results.push(...found);
  }
  if (flags.json !== undefined) await writeText(flags.json, cocoText(results));
  if (flags.svg !== undefined) await writeText(flags.svg, svgText(results[0], image));
}

/** Everything in one file: an image, or a batch of them. */
async function detectFile(
  engine: Engine,
  path: string,
  flags: DetectFlags,
  image: ImageFile | undefined,
): Promise<ImageResult[]> {
  const { outputs, chosen, inputSize, classes } = await understand(path, flags);
  const images = await engine.detect(outputs, {
    ...flags.keep,
    head: chosen.head,
    imageSize: inputSize,
    transform: image === undefined ? undefined : transformFor(image, inputSize, flags.fit),
    uncertainty: chosen.head.boxes === "distribution",
  });
  if (images.length !== 1 && (image !== undefined || flags.svg !== undefined)) {
    throw new UsageError(`holds ${images.length} images; --svg and --image are for one`);
  }
  const frame = image === undefined ? inputSize : [image.height, image.width] as const;
  const id = (i: number) => images.length === 1 ? stemOf(path) : `${stemOf(path)}:${i}`;
  return images.map((detections, i) => ({ id: id(i), chosen, inputSize, frame, classes, detections }));
}

/** The tensors, and what they mean: from the flags first, then from the file's own words, then from the shapes. */
async function understand(path: string, flags: DetectFlags) {
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
  return { outputs: read.outputs, chosen, inputSize: imageSize ?? sizeFromShapes(read, chosen.head), classes };
}

function warn(message: string): void {
  process.stderr.write(`densehead: detect: ${printable(message)}\n`);
}

function namesIn(metadata: ReadonlyMap<string, string>): string[] | undefined {
  const names = splitNames(metadata.get("classes") ?? "");
  return names.length === 0 ? undefined : names;
}
