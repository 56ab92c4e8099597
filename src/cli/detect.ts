/**
 * `densehead detect`: from files of raw outputs to a table, COCO results and pictures.
 */
import process from "node:process";
import { createEngine, type Engine } from "../entry/embedded.ts";
import { resolveOutputs } from "../heads/outputs.ts";
import type { Detections, ImageTransform } from "../types.ts";
import { kindsOf } from "./categories.ts";
import type { Command } from "./command.ts";
import { DETECT_HELP, type DetectFlags, readFlags } from "./detect_options.ts";
import { about, UsageError } from "./errors.ts";
import { transformFor } from "./fit.ts";
import { nameOf } from "./ground_truth.ts";
import { imageFinder, type KnownImage, readTruth } from "./images.ts";
import { keepOptions } from "./keep.ts";
import { inItsNames, type NetworkFile, readNetworkFile } from "./network.ts";
import { progressOf } from "./progress.ts";
import type { CocoFile } from "./readers/coco.ts";
import { stemOf } from "./readers/tensors.ts";
import { imageIdOf, type ImageResult, warnOfLost } from "./result.ts";
import { cocoText } from "./writers/coco.ts";
import { STDOUT, writeText } from "./writers/file.ts";
import { pictureWriter } from "./writers/pictures.ts";
import { tableText } from "./writers/table.ts";

/** The command. */
export const detectCommand: Command = {
  summary: "finds the objects in raw outputs of a detection network",
  help: DETECT_HELP,
  run,
};

async function run(args: string[]): Promise<void> {
  const flags = await readFlags(args);
  const truth = await readTruth(flags.images);
  const find = await imageFinder(flags.images, truth);
  using engine = await createEngine();
  const results: ImageResult[] = [];
  const progress = progressOf(flags.files.length);
  for (const [i, file] of flags.files.entries()) {
    progress.show(i + 1);
    const detect = () => detectFile(engine, file, flags, truth, (count) => find(file, i, count), flags.imageIds[i]);
    const found = await about(file, detect).finally(progress.clear);
    if (flags.json !== STDOUT && flags.svg !== STDOUT) process.stdout.write(found.map(tableText).join(""));
    warnOfLost("detect", file, found);
    results.push(...found);
  }
  if (flags.json !== undefined) {
    await writeText(flags.json, cocoText(results, "give --image-id for each FILE, or --gt"));
  }
  if (flags.svg === undefined) return;
  const write = await pictureWriter(flags.svg, results.length, flags.bands);
  for (const [i, result] of results.entries()) await write(String(i), result);
}

/** What decides what is found in a file. */
export type DetectedFlags = Pick<DetectFlags, "network" | "keep" | "images" | "categoryIds">;

/** Everything in one file: an image, or a batch of them. */
export async function detectFile(
  engine: Engine,
  path: string,
  flags: DetectedFlags,
  truth: CocoFile | undefined,
  find: (count: number) => readonly KnownImage[],
  askedId: string | undefined,
): Promise<ImageResult[]> {
  const network = await readNetworkFile(path, flags.network);
  const { read, chosen, inputSize } = network;
  const count = inItsNames(network, () => resolveOutputs("detect", read.outputs, chosen.head, inputSize).images);
  const images = find(count);
  if (askedId !== undefined && count !== 1) throw new UsageError(`holds ${count} images; --image-id is for one`);
  const kinds = kindsOf(network, truth, flags.categoryIds);
  return detectAll(engine, network, flags, images, kinds.classes).map((detections, i) => {
    const image = images[i];
    const { height, width } = image.picture ?? image.truth ?? { height: inputSize[0], width: inputSize[1] };
    const name = count === 1 ? stemOf(path) : `${stemOf(path)}:${i}`;
    const imageId = image.truth?.id ?? imageIdOf(askedId ?? name);
    const frame = [height, width] as const;
    return { ...kinds, name, image, imageId, chosen, inputSize, frame, unused: read.unused, detections };
  });
}

/** The images' detections, each in the pixels of its own image. */
function detectAll(
  { sync }: Engine,
  network: NetworkFile,
  { keep, images: { fit } }: DetectedFlags,
  images: readonly KnownImage[],
  classes: readonly string[] | undefined,
): readonly Detections[] {
  const { read, chosen: { head }, inputSize } = network;
  const kept = keepOptions(keep, head.numClasses, classes);
  const transforms = images.flatMap((image) => transformOf(image, inputSize, fit) ?? []);
  const transform = transforms.length === 0 ? undefined : transforms;
  const uncertainty = head.boxes === "distribution";
  return inItsNames(
    network,
    () => sync.detect(read.outputs, { ...kept, head, imageSize: inputSize, transform, uncertainty }),
  );
}

function transformOf(
  { picture, truth }: KnownImage,
  inputSize: readonly [number, number],
  fit: DetectFlags["images"]["fit"],
): ImageTransform | undefined {
  if (picture !== undefined) return transformFor("--image", picture, inputSize, fit);
  return truth && transformFor(`image ${nameOf(truth)}`, truth, inputSize, fit);
}
