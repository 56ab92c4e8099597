/**
 * `densehead run`: from pictures through a network to a table, COCO results and pictures.
 */
import { existsSync } from "node:fs";
import { basename, extname } from "node:path";
import process from "node:process";
import { createEngine, type Engine } from "../entry/embedded.ts";
import { kindsOf } from "./categories.ts";
import type { Command } from "./command.ts";
import { FAILED, reason, UsageError } from "./errors.ts";
import { imageCalled, nameOf } from "./ground_truth.ts";
import { readTruth } from "./images.ts";
import { keepOptions } from "./keep.ts";
import { type Network, openNetwork } from "./models/open_network.ts";
import { inItsNames } from "./network.ts";
import { loadPeers } from "./peers.ts";
import { isFolder, pictureFiles, watchPictures } from "./picture_files.ts";
import { progressOf } from "./progress.ts";
import type { CocoFile, CocoImage } from "./readers/coco.ts";
import { type Picture, readPicture } from "./readers/picture.ts";
import type { Sharp } from "./readers/sharp.ts";
import { imageIdOf, type ImageResult, warnOfLost } from "./result.ts";
import { readFlags, RUN_HELP, type RunFlags } from "./run_options.ts";
import { cocoText } from "./writers/coco.ts";
import { STDOUT, writeText } from "./writers/file.ts";
import { pictureWriter } from "./writers/pictures.ts";
import { shortTableText } from "./writers/table.ts";
import { inputText, networkText, printable } from "./writers/text.ts";

/** The command. */
export const runCommand: Command = {
  summary: "runs a detection network on pictures and finds the objects",
  help: RUN_HELP,
  run,
};

async function run(args: string[]): Promise<void> {
  const flags = await readFlags(args);
  const [ort, sharp] = await loadPeers("onnxruntime-node", "sharp");
  const truth = await readTruth(flags);
  using engine = await createEngine();
  const network = await openNetwork(ort, flags.model, flags);
  const hasStdout = flags.json === STDOUT || flags.svg === STDOUT;
  (hasStdout ? process.stderr : process.stdout).write(networkLine(flags.model, network));
  const files = await pictureFiles(flags.pictures);
  if (files.length === 0 && !flags.watch) throw new UsageError(`no picture in ${flags.pictures.join(", ")}`);
  const images = flags.watch || flags.pictures.some(isFolder) ? Infinity : files.length;
  const write = flags.svg === undefined ? undefined : await pictureWriter(flags.svg, images, flags.bands);
  const results = new Map<string, ImageResult>();
  const failed = new Set<string>();

  const find = async (file: string) => {
    const { result, picture } = await detectPicture(engine, sharp, network, flags, truth, file);
    if (!hasStdout) process.stdout.write(shortTableText(result));
    warnOfLost("run", file, [result]);
    await write?.(file, { ...result, image: { ...result.image, picture: await picture.show() } });
    results.set(file, result);
  };
  const findOrTell = async (file: string) => {
    try {
      failed.delete(file);
      await find(file);
    } catch (error) {
      results.delete(file);
      failed.add(file);
      tell(`${file}: ${reason(error)}`);
    }
  };
  const writeJson = async () => {
    if (flags.json === undefined) return;
    await writeText(flags.json, cocoText([...results.values()], "give each PICTURE a name of its own"));
  };

  const progress = progressOf(files.length);
  for (const [i, file] of files.entries()) {
    progress.show(i + 1);
    await findOrTell(file).finally(progress.clear);
  }
  await writeJson();
  if (flags.watch) {
    process.stderr.write(`densehead: run: waiting for pictures; Ctrl-C ends\n`);
    await watchPictures(flags.pictures, async (file) => {
      if (existsSync(file)) await findOrTell(file);
      else if (!results.delete(file)) return;
      await writeJson().catch((error) => tell(reason(error)));
    });
  }
  if (failed.size > 0) process.exitCode = FAILED;
}

/** A line on stderr. */
function tell(message: string): void {
  process.stderr.write(`densehead: run: ${printable(message)}\n`);
}

/** "net.onnx: head yolox (inferred from the shapes), …; input yolox (usual for head yolox): …". */
function networkLine(path: string, { chosen, inputSize, input, why }: Network): string {
  return printable(`${basename(path)}: ${networkText(chosen, inputSize)}; picture as ${inputText(input, why)}`) + "\n";
}

/** Everything in one picture. */
async function detectPicture(
  engine: Engine,
  sharp: Sharp,
  network: Network,
  { keep, categoryIds }: RunFlags,
  truth: CocoFile | undefined,
  file: string,
): Promise<{ result: ImageResult; picture: Picture }> {
  const { model, chosen, inputSize, input } = network;
  const picture = await readPicture(sharp, file);
  const { width, height } = picture.pixels;
  const image = truth && imageOf(truth, file, picture);
  const kinds = kindsOf(network, truth, categoryIds);
  const { tensor, transform } = await engine.preprocess(picture.pixels, input);
  const read = await model.run(tensor);
  const { head } = chosen;
  const detections = inItsNames({ ...network, read }, () => {
    const uncertainty = head.boxes === "distribution";
    const kept = keepOptions(keep, head.numClasses, kinds.classes);
    return engine.sync.detect(read.outputs, { ...kept, head, imageSize: inputSize, transform, uncertainty })[0];
  });
  const name = basename(file, extname(file));
  const result = {
    ...kinds,
    name,
    image: { picture: undefined, truth: image },
    imageId: image?.id ?? imageIdOf(name),
    chosen,
    inputSize,
    frame: [height, width] as const,
    unused: read.unused,
    detections,
  };
  return { result, picture };
}

/** The picture's image of the truth, by the name of its file. */
function imageOf(truth: CocoFile, file: string, { pixels: { width, height } }: Picture): CocoImage {
  const image = imageCalled(truth, basename(file));
  if (image.width === width && image.height === height) return image;
  throw new UsageError(`is ${width}×${height}; --gt says ${image.width}×${image.height} for ${nameOf(image)}`);
}
