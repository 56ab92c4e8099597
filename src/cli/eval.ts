/**
 * `densehead eval`: how good results are, or what a network's raw outputs make.
 */
import process from "node:process";
import { createEngine } from "../entry/embedded.ts";
import { type CocoDataset, cocoEvaluate, type CocoEvaluation, type EvalKind, type EvalResult } from "../eval/index.ts";
import { printable } from "../text.ts";
import type { Command } from "./command.ts";
import { detectFile } from "./detect.ts";
import { EVAL_HELP, type EvalFlags, readFlags } from "./eval_options.ts";
import { about, UsageError } from "./errors.ts";
import { imageFinder, readTruth } from "./images.ts";
import { typedName } from "./preset_names.ts";
import { progressOf } from "./progress.ts";
import { isRows, readDataset, readResults } from "./readers/rows.ts";
import { cocoRows, type ImageResult } from "./result.ts";
import { sigmasFor } from "./sigmas.ts";
import { curvesSvg } from "./writers/curves.ts";
import { evalJson, evalTable } from "./writers/eval_text.ts";
import { STDOUT, writeText } from "./writers/file.ts";

/** The command. */
export const evalCommand: Command = {
  summary: "evaluates results: AP and AR, LRP, calibration",
  help: EVAL_HELP,
  run,
};

/** The results of a FILE. */
interface Part {
  readonly file: string;
  readonly rows: readonly EvalResult[];
}

async function run(args: string[]): Promise<void> {
  const flags = await readFlags(args);
  const { gt, json, svg } = flags;
  const dataset = await about(`--gt ${gt}`, () => readDataset(gt));
  const sigmas = flags.kind === "keypoints" ? sigmasFor(dataset, flags.sigmas) : undefined;
  const parts = await readParts(flags);
  const results = parts.flatMap(({ rows }) => rows);
  const evaluation = evaluate(flags, dataset, sigmas, parts, results);
  const report = { kind: flags.kind, maxDets: Math.max(...flags.maxDets), dataset, results, evaluation };
  if (json !== STDOUT && svg !== STDOUT) process.stdout.write(evalTable(report));
  if (json !== undefined) await writeText(json, evalJson(report));
  if (svg !== undefined) await writeText(svg, curvesSvg(report));
}

/** Results of all files in their order; raw outputs are detected. */
async function readParts({ files, kind, detected }: EvalFlags): Promise<Part[]> {
  const raw = files.filter((file) => !isRows(file));
  const truth = raw.length === 0 ? undefined : await readTruth(detected.images);
  const find = await imageFinder(detected.images, truth);
  using engine = raw.length === 0 ? undefined : await createEngine();
  const parts: Part[] = [];
  const progress = progressOf(files.length);
  for (const [i, file] of files.entries()) {
    progress.show(i + 1);
    const read = async () => {
      if (engine === undefined || isRows(file)) return readResults(file);
      const images = (count: number) => find(file, raw.indexOf(file), count);
      return rowsOf(file, await detectFile(engine, file, detected, truth, images, undefined), kind);
    };
    parts.push({ file, rows: await about(file, read).finally(progress.clear) });
  }
  return parts;
}

/** What a row needs for a kind. */
const GIVEN = {
  bbox: { member: "bbox", what: "boxes" },
  segm: { member: "segmentation", what: "masks" },
  keypoints: { member: "keypoints", what: "keypoints" },
  rotated: { member: "rotated", what: "angles" },
} as const;

/** COCO results of detections. Clipping may have left nothing of a box, and damaged outputs have boxes without a place. */
function rowsOf(file: string, found: readonly ImageResult[], kind: EvalKind): EvalResult[] {
  const rows = found.flatMap(cocoRows);
  const { member, what } = GIVEN[kind];
  if (rows.some((row) => row[member] === undefined)) {
    throw new UsageError(`--kind is ${kind}; head ${typedName(found[0].chosen.head.name)} has no ${what} here`);
  }
  const kept = rows.filter(({ bbox, rotated }) => {
    const place = kind === "rotated" && rotated !== undefined ? rotated : bbox;
    return place.every(Number.isFinite) && place[2] > 0 && place[3] > 0;
  });
  const lost = rows.length - kept.length;
  if (lost > 0) {
    const what = `${lost} of the boxes have no area in their image, and do not count`;
    process.stderr.write(`densehead: eval: ${printable(`${file}: ${what}`)}\n`);
  }
  return kept;
}

/** The library's errors name its arguments; these name the files. */
function evaluate(
  { gt, kind, maxDets }: EvalFlags,
  dataset: CocoDataset,
  sigmas: readonly number[] | undefined,
  parts: readonly Part[],
  results: readonly EvalResult[],
): CocoEvaluation {
  try {
    return cocoEvaluate(dataset, results, { kind, maxDets, sigmas });
  } catch (error) {
    const [, list, index = "", what] = /^cocoEvaluate: (dataset\.|results)(?:\[(\d+)\])?(.*)$/s
      .exec((error as Error).message) ?? [];
    if (list === undefined) throw error;
    if (list !== "results") throw new UsageError(`--gt ${gt}: ${what}`);
    let row = Number(index);
    for (const { file, rows } of parts) {
      if (row < rows.length) throw new UsageError(`${file}: results[${row}]${what}`);
      row -= rows.length;
    }
    throw error;
  }
}
