/**
 * `densehead detect`: from files of raw outputs to a table, COCO results and a picture.
 */
import process from "node:process";
import { createEngine, type Engine } from "../entry/embedded.ts";
import type { DetectOptions } from "../types.ts";
import type { Command } from "./commands.ts";
import { DETECT_HELP, type DetectFlags, readFlags } from "./detect_options.ts";
import { about, reason, UsageError } from "./errors.ts";
import { transformFor } from "./fit.ts";
import { chooseHead } from "./head.ts";
import { sizeFromShapes } from "./image_size.ts";
import { readOutputs } from "./outputs.ts";
import { presetOf } from "./preset_names.ts";
import { forEachWithProgress } from "./progress.ts";
import { type ImageFile, readImage } from "./readers/image.ts";
import { splitNames } from "./readers/names.ts";
import { openTensors, stemOf } from "./readers/tensors.ts";
import type { ImageResult } from "./result.ts";
import { optional, size } from "./values.ts";
import { cocoText } from "./writers/coco.ts";
import { writeText } from "./writers/file.ts";
import { svgText } from "./writers/svg.ts";
import { tableText } from "./writers/table.ts";

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
  await forEachWithProgress(flags.files, async (file) => {
    const found = await about(file, () => detectFile(engine, file, flags, image));
    if (flags.json !== "-") process.stdout.write(found.map(tableText).join(""));
    results.push(...found);
  });
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
  const file = await openTensors(path);
  const outputs = await readOutputs(file);
  const classes = flags.classes ?? namesIn(file.metadata);
  const imageSize = flags.imageSize ?? optional(file.metadata.get("image_size"), (text) => size("image_size", text));
  const { head: asked, changes } = flags;
  const numClasses = flags.numClasses ?? flags.classes?.length;
  const chosen = chooseHead(outputs, {
    head: asked,
    fileHead: file.metadata.get("head"),
    imageSize,
    numClasses,
    changes,
  });
  const { head } = chosen;
  if (classes !== undefined && classes.length !== head.numClasses) {
    throw new UsageError(`has ${head.numClasses} classes; ${classes.length} names are given for them`);
  }
  const inputSize = imageSize ?? sizeFromShapes(outputs, head);
  const images = await detectImages(engine, outputs.outputs, {
    ...flags.keep,
    head,
    imageSize: inputSize,
    transform: image === undefined ? undefined : transformFor(image, inputSize, flags.fit),
    uncertainty: head.boxes === "distribution",
  });
  if (images.length > 1 && (image !== undefined || flags.svg !== undefined)) {
    throw new UsageError(`holds ${images.length} images; --svg and --image are for one`);
  }
  const frame = image === undefined ? inputSize : [image.height, image.width] as const;
  const id = (i: number) => images.length === 1 ? stemOf(path) : `${stemOf(path)}:${i}`;
  return images.map((detections, i) => ({ id: id(i), chosen, inputSize, frame, classes, detections }));
}

/** The library's errors name the operation, which the command's own prefix does as well. */
async function detectImages(engine: Engine, outputs: Parameters<Engine["detect"]>[0], options: DetectOptions) {
  try {
    return await engine.detect(outputs, options);
  } catch (error) {
    throw new UsageError(reason(error).replace(/^detect: /, ""));
  }
}

function namesIn(metadata: ReadonlyMap<string, string>): string[] | undefined {
  const names = splitNames(metadata.get("classes") ?? "");
  return names.length === 0 ? undefined : names;
}
