/**
 * An evaluation as people and programs read it.
 */
import type { CocoDataset, CocoEvaluation, EvalKind, EvalResult } from "../../eval/index.ts";
import { printable, printableJson } from "../../text.ts";
import { aligned } from "./text.ts";

/** What is to be shown. */
export interface EvalReport {
  readonly kind: EvalKind;
  /** The largest of maxDets. */
  readonly maxDets: number;
  readonly dataset: CocoDataset;
  readonly results: readonly EvalResult[];
  readonly evaluation: CocoEvaluation;
}

/** pycocotools' table, what it does not have, and a row for each class. */
export function evalTable(report: EvalReport): string {
  const { evaluation: { lrp, calibration, classes } } = report;
  const beyond = [
    ["optimal LRP", lrp.oLRP],
    ["  localization", lrp.localization],
    ["  false positives", lrp.falsePositive],
    ["  false negatives", lrp.falseNegative],
    ["calibration ECE", calibration.ECE],
    ["  LaECE", calibration.LaECE],
    ["rank correlation of score and IoU", calibration.rankCorrelation],
  ] as const;
  const head = ["class", "objects", "AP", "AP50", "AR", "oLRP", "at score"];
  const rows = classes.map(({ id, name, objects, AP, AP50, AR, oLRP, threshold }) => {
    return [printable(name ?? String(id)), String(objects), ...[AP, AP50, AR, oLRP, threshold].map(short)];
  });
  return [
    `${report.kind}: ${counted(report)}`,
    ...Object.entries(report.evaluation.stats).map(([name, value]) => statLine(report, name, value)),
    "",
    ...aligned(beyond.map(([name, value]) => [name, short(value)])).map((line) => ` ${line}`),
    "",
    ...aligned([head, ...rows]).map((line) => ` ${line}`),
    "",
  ].join("\n");
}

/** "734 results in 100 of 100 images, 839 annotations, 80 classes". */
function counted({ dataset, results }: EvalReport): string {
  const { images, annotations, categories } = dataset;
  const found = new Set(results.map((row) => row.image_id)).size;
  return `${results.length} results in ${found} of ${images.length} images, ${annotations.length} annotations, ` +
    `${categories.length} classes`;
}

/** A line as pycocotools prints it. */
function statLine({ kind, maxDets }: EvalReport, name: string, value: number): string {
  const numbered = kind === "keypoints" ? null : /^AR(\d+)$/.exec(name);
  const [, title, threshold, area = "all"] = /^(A[PR])(50|75)?(small|medium|large)?/.exec(name) ?? [];
  const most = numbered?.[1] ?? String(maxDets);
  const iou = numbered !== null || threshold === undefined ? "0.50:0.95" : `0.${threshold}`;
  const words = title === "AP" ? "Average Precision" : "Average Recall";
  return ` ${words.padEnd(18)} (${title}) @[ IoU=${iou.padEnd(9)} | area=${area.padStart(6)} | maxDets=${
    most.padStart(3)
  } ] = ${value.toFixed(3)}`;
}

function short(value: number): string {
  return Number.isNaN(value) || value === -1 ? "–" : value.toFixed(3);
}

/** A line of JSON; null stands for what is no number. */
export function evalJson({ kind, dataset, results, evaluation }: EvalReport): string {
  const { stats, classes, lrp, calibration } = evaluation;
  const counts = { images: dataset.images.length, annotations: dataset.annotations.length, results: results.length };
  return `${printableJson({ kind, ...counts, stats, lrp, calibration, classes })}\n`;
}
