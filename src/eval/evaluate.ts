/**
 * From what was kept of the images to the numbers.
 */
import { accumulate, noCurves } from "./accumulate.ts";
import { calibration } from "./calibration.ts";
import { classesOf, type ClassFound } from "./class_rows.ts";
import type { ImageRecord } from "./image_record.ts";
import type { AreaRange } from "./kind.ts";
import { meanLrp, type OptimalLrp, optimalLrp } from "./lrp.ts";
import type { Settings } from "./settings.ts";
import { Summary } from "./summary.ts";
import type { ClassEvaluation, CocoEvaluation } from "./types.ts";

/** Of records in the order of the images. */
export function evaluate(
  records: readonly ImageRecord[],
  settings: Settings,
  areas: readonly AreaRange[],
): CocoEvaluation {
  const { categories, classAgnostic, iouThresholds, maxDets } = settings;
  const K = classAgnostic ? 1 : categories.length;
  const curves = noCurves(iouThresholds.length, K, areas.length, maxDets.length);
  const found = [...classesOf(records, K, areas.length, iouThresholds.length)];
  found.forEach((ofClass, k) => accumulate(curves, k, ofClass, maxDets));
  const summary = new Summary(curves, settings, areas);
  const lrps = found.map(optimalLrp);
  const rows = classAgnostic ? [] : categories;
  return {
    stats: summary.stats(),
    classes: rows.map((category, k) => ({ ...category, ...ofClass(summary, k, found[k], lrps[k]) })),
    ...curves,
    lrp: meanLrp(lrps),
    calibration: calibration(found),
  };
}

function ofClass(
  summary: Summary,
  k: number,
  { objects: [objects] }: ClassFound,
  { oLRP, threshold }: OptimalLrp,
): Omit<ClassEvaluation, "id" | "name"> {
  return {
    AP: summary.AP({ k }),
    AP50: summary.AP({ k, threshold: 0.5 }),
    AR: summary.AR({ k }),
    objects,
    oLRP,
    threshold,
  };
}
