/**
 * `densehead score`: the training loss of raw outputs against the truth, and how well their scores rank their boxes.
 */
import process from "node:process";
import { createEngine, type Engine } from "../entry/embedded.ts";
import type { Detections } from "../types.ts";
import type { Command } from "./command.ts";
import { categoriesOf } from "./categories.ts";
import { checkCriterion, scoreImage } from "./criterion.ts";
import { about, UsageError } from "./errors.ts";
import { inInput } from "./ground_truth.ts";
import { imageFinder, type KnownImage, readTruth } from "./images.ts";
import { keepOptions } from "./keep.ts";
import { mapsOf } from "./maps.ts";
import { warnOfNaN } from "./not_numbers.ts";
import { inItsNames, type NetworkFile, readNetworkFile } from "./network.ts";
import { progressOf } from "./progress.ts";
import type { CocoFile, CocoImage } from "./readers/coco.ts";
import { readFlags, SCORE_HELP, type ScoreFlags } from "./score_options.ts";
import { inAll, type Score } from "./score_result.ts";
import { STDOUT, writeText } from "./writers/file.ts";
import { scoreLines, scoreTable } from "./writers/score_text.ts";
import { networkText } from "./writers/text.ts";
import { typedName } from "./preset_names.ts";

/** The command. */
export const scoreCommand: Command = {
  summary: "scores raw outputs against the truth by their training loss",
  help: SCORE_HELP,
  run,
};

async function run(args: string[]): Promise<void> {
  const flags = await readFlags(args);
  const truth = await readTruth(flags.images) as CocoFile;
  const find = await imageFinder(flags.images, truth);
  using engine = await createEngine();
  const files: ScoredFile[] = [];
  const progress = progressOf(flags.files.length);
  for (const [i, path] of flags.files.entries()) {
    progress.show(i + 1);
    const images = (count: number) => find(path, i, count);
    files.push(
      await about(path, () => scoreFile(engine, path, flags, truth, images, files[0])).finally(progress.clear),
    );
    warnOfNaN("score", path, files[i].network.read);
  }
  const scores = files.flatMap((file) => file.scores);
  const all = inAll(scores, flags.yolo.timesBatch ? scores.length : 1);
  if (flags.json !== STDOUT) process.stdout.write(scoreTable(files[0].network, scores, all));
  if (flags.json !== undefined) await writeText(flags.json, scoreLines(scores, all));
}

interface ScoredFile {
  readonly network: NetworkFile;
  readonly scores: readonly Score[];
}

/** Everything in one file: an image, or a batch of them. */
async function scoreFile(
  engine: Engine,
  path: string,
  flags: ScoreFlags,
  truth: CocoFile,
  find: (count: number) => readonly KnownImage[],
  first: ScoredFile | undefined,
): Promise<ScoredFile> {
  const network = await readNetworkFile(path, flags.network);
  const { read, inputSize, chosen: { head }, classes: names } = network;
  if (first !== undefined) checkSame(network, first.network);
  checkCriterion(head, read, flags.criterion);
  const classes = classesOf(truth, network);
  const kept = keepOptions(flags.keep, head.numClasses, names);
  const { maps, detections } = inItsNames(network, () => ({
    maps: mapsOf(read, head, inputSize),
    detections: engine.sync.detect(read.outputs, { ...kept, head, imageSize: inputSize }),
  }));
  const images = find(maps.length).map(({ truth }) => truth as CocoImage);
  const scores = images.map((image, i) => {
    const gt = inInput(image, inputSize, flags.images.fit, classes);
    const ious = bestIous(engine, detections[i], gt.boxes);
    return {
      file: path,
      image,
      ...scoreImage(engine, head, inputSize, maps[i], gt, flags),
      scores: [...detections[i].scores],
      ious,
    };
  });
  return { network, scores };
}

/** What is summed up in one line must be of one head. */
function checkSame(network: NetworkFile, first: NetworkFile): void {
  const [own, others] = [network, first].map(({ chosen: { head }, inputSize }) => JSON.stringify([head, inputSize]));
  if (own === others) return;
  const [here, there] = [network, first].map(({ chosen, inputSize }) => networkText(chosen, inputSize));
  throw new UsageError(`is of ${here}; the first FILE is of ${there}`);
}

/** The class of each category; there must be as many, because an object of no class could not be scored. */
function classesOf({ categories }: CocoFile, { chosen: { head }, classes }: NetworkFile): readonly number[] {
  if (categories.length !== head.numClasses) {
    throw new UsageError(
      `head ${typedName(head.name)} has ${head.numClasses} classes here; --gt has ${categories.length} categories`,
    );
  }
  const places = categoriesOf(categories, head.numClasses, classes);
  return categories.map((_, category) => places.indexOf(category));
}

/** Of each detection with the object, of any class, that it fits best. */
function bestIous({ sync }: Engine, { boxes, length }: Detections, objects: Float32Array): number[] {
  const overlaps = sync.boxIou(boxes, objects);
  const columns = objects.length / 4;
  return Array.from(
    { length },
    (_, row) => overlaps.subarray(row * columns, (row + 1) * columns).reduce((best, iou) => Math.max(best, iou), 0),
  );
}
