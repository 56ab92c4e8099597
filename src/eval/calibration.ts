/**
 * What scores are worth: calibration errors, and whether they rank the hits by their overlap.
 */
import type { ClassFound } from "./class_rows.ts";
import { rankCorrelation } from "./rank_correlation.ts";
import { LAECE_EDGES } from "./settings.ts";
import type { CocoEvaluation, ReliabilityBin } from "./types.ts";

const ECE_BINS = 10;

/** Sums over the detections of a bin. */
class Bin {
  detections = 0;
  score = 0;
  right = 0;
  overlap = 0;

  add(score: number, overlap: number): void {
    this.detections++;
    this.score += score;
    this.overlap += overlap;
    if (overlap > 0) this.right++;
  }
}

/** Over all classes; those whose objects are all ignored, or that have none, count for ECE alone. */
export function calibration(classes: readonly ClassFound[]): CocoEvaluation["calibration"] {
  const bins = Array.from({ length: ECE_BINS }, () => new Bin());
  const scores: number[] = [];
  const overlaps: number[] = [];
  let within = true;
  for (const found of classes) {
    found.scores.forEach((score, i) => {
      const overlap = found.overlaps[i];
      if (overlap < 0) return;
      if (overlap > 0) {
        scores.push(score);
        overlaps.push(overlap);
      }
      if (score >= 0 && score <= 1) bins[closedBelow(score)].add(score, overlap);
      else within = false;
    });
  }
  const total = bins.reduce((sum, { detections }) => sum + detections, 0);
  const known = within && total > 0;
  return {
    ECE: known ? bins.reduce((sum, bin) => sum + error(bin, bin.right), 0) / total : NaN,
    LaECE: known ? meanOver(classes.flatMap((found) => laEce(found) ?? [])) : NaN,
    rankCorrelation: rankCorrelation(scores, overlaps),
    bins: bins.map(readable),
  };
}

/** |mean score − mean worth| of a bin's detections, times their number. */
function error({ score }: Bin, worth: number): number {
  return Math.abs(score - worth);
}

function readable({ detections, score, right }: Bin): ReliabilityBin {
  return { detections, score: score / detections, precision: right / detections };
}

/** Bins [i/10, (i + 1)/10), the last with its end. */
function closedBelow(score: number): number {
  let bin = Math.min(Math.floor(score * ECE_BINS), ECE_BINS - 1);
  if (score < bin / ECE_BINS) bin--;
  return bin;
}

/** Bins (lower, upper], the first with its start. */
function closedAbove(score: number): number {
  const bins = LAECE_EDGES.length - 1;
  let bin = Math.min(Math.floor(score * bins), bins - 1);
  while (bin > 0 && score <= LAECE_EDGES[bin]) bin--;
  while (score > LAECE_EDGES[bin + 1]) bin++;
  return bin;
}

/** Of a class; undefined without an object, without a detection, and where it is exactly 0, as in its authors' code. */
function laEce({ scores, overlaps, objects: [objects] }: ClassFound): number | undefined {
  if (objects === 0) return undefined;
  const bins = LAECE_EDGES.slice(1).map(() => new Bin());
  let total = 0;
  scores.forEach((score, i) => {
    if (overlaps[i] < 0) return;
    bins[closedAbove(score)].add(score, overlaps[i]);
    total++;
  });
  const sum = bins.reduce((sum, bin) => sum + error(bin, bin.overlap), 0);
  return sum === 0 ? undefined : sum / total;
}

function meanOver(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
