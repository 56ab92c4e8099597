/**
 * `densehead detect`: from files of raw outputs to a table, COCO results and a picture.
 */
import process from "node:process";
import { createEngine, type Engine } from "../entry/embedded.ts";
import type { Command } from "./commands.ts";
import { DETECT_HELP, type DetectFlags, readFlags } from "./detect_options.ts";
import { about, UsageError } from "./errors.ts";
import { transformFor } from "./fit.ts";
import { readNetworkFile } from "./network.ts";
import { progressOf } from "./progress.ts";
import { type ImageFile, readImage } from "./readers/image.ts";
import { stemOf } from "./readers/tensors.ts";
import { countLost, type ImageResult } from "./result.ts";
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
  const { read, chosen, inputSize, classes } = await readNetworkFile(path, flags.network);
  const images = await engine.detect(read.outputs, {
    ...flags.keep,
    head: chosen.head,
    imageSize: inputSize,
    transform: image === undefined ? undefined : transformFor("--image", image, inputSize, flags.fit),
    uncertainty: chosen.head.boxes === "distribution",
  });
  if (images.length !== 1 && (image !== undefined || flags.svg !== undefined)) {
    throw new UsageError(`holds ${images.length} images; --svg and --image are for one`);
  }
  const frame = image === undefined ? inputSize : [image.height, image.width] as const;
  const id = (i: number) => images.length === 1 ? stemOf(path) : `${stemOf(path)}:${i}`;
  return images.map((detections, i) => ({ id: id(i), chosen, inputSize, frame, classes, detections }));
}

function warn(message: string): void {
  process.stderr.write(`densehead: detect: ${printable(message)}\n`);
}
