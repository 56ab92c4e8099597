/**
 * `densehead score`: the training loss of raw outputs against the truth, and how well their scores rank their boxes.
 */
import process from "node:process";
import { createEngine, type Engine } from "../entry/embedded.ts";
import type { Detections } from "../types.ts";
import type { Command } from "./commands.ts";
import { checkCriterion, scoreImage } from "./criterion.ts";
import { about, UsageError } from "./errors.ts";
import { imageCalled, imagesOf, inInput } from "./ground_truth.ts";
import { mapsOf } from "./maps.ts";
import { type NetworkFile, readNetworkFile } from "./network.ts";
import { progressOf } from "./progress.ts";
import { type CocoFile, type CocoImage, readCoco } from "./readers/coco.ts";
import { readFlags, SCORE_HELP, type ScoreFlags } from "./score_options.ts";
import { inAll, type Score } from "./score_result.ts";
import { scoreLines, scoreTable } from "./writers/score_text.ts";
import { networkText } from "./writers/text.ts";

/** The command. */
export const scoreCommand: Command = {
  summary: "scores raw outputs against the truth by their training loss",
  help: SCORE_HELP,
  run,
};

async function run(args: string[]): Promise<void> {
  const flags = await readFlags(args);
  const truth = await about(`--gt ${flags.gt}`, () => readCoco(flags.gt));
  using engine = await createEngine();
  const files: ScoredFile[] = [];
  const progress = progressOf(flags.files.length);
  for (const [i, path] of flags.files.entries()) {
    progress.show(i + 1);
    files.push(await about(path, () => scoreFile(engine, path, flags, truth, files[0])).finally(progress.clear));
  }
  const scores = files.flatMap((file) => file.scores);
  const all = inAll(scores);
  process.stdout.write(flags.json ? scoreLines(scores, all) : scoreTable(files[0].network, scores, all));
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
  first: ScoredFile | undefined,
): Promise<ScoredFile> {
  const network = await readNetworkFile(path, flags.network);
  const { read, inputSize, chosen: { head } } = network;
  if (first !== undefined) checkSame(network, first.network);
  checkCriterion(head, read);
  if (truth.categories !== head.numClasses) {
    const categories = `--gt has ${truth.categories} categories`;
    throw new UsageError(`head ${head.name} has ${head.numClasses} classes here; ${categories}`);
  }
  const maps = mapsOf(read, head, inputSize);
  const images = choose(path, maps.length, flags, truth);
  const detections = engine.sync.detect(read.outputs, { ...flags.keep, head, imageSize: inputSize });
  const scores = images.map((image, i) => {
    const gt = inInput(image, inputSize, flags.fit);
    const ious = bestIous(engine, detections[i], gt.boxes);
    return {
      image,
      ...scoreImage(engine, head, inputSize, maps[i], gt, flags.anchorScale),
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

function choose(path: string, count: number, { image }: ScoreFlags, truth: CocoFile): readonly CocoImage[] {
  if (image === undefined) return imagesOf(path, count, truth);
  if (count !== 1) throw new UsageError(`holds ${count} images; --image is for one`);
  return [imageCalled(truth, image)];
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
