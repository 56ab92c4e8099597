/**
 * Masks: run lengths, with what their overlaps need.
 */
import { areaOf, readRuns, type Runs } from "../run_lengths.ts";
import { rangeError, typeError } from "../validate.ts";
import { ALL, type Given, type ImageSize, type Kind, LARGE, MEDIUM, type Shape, SMALL } from "./kind.ts";
import { polygonRuns } from "./polygon_runs.ts";
import { placeOf, type Row } from "./rows.ts";
import { intersection } from "./run_sets.ts";

/** A mask, its pixels, and the columns between which they are: most pairs are apart in these already. */
interface Mask {
  readonly runs: Runs;
  readonly area: number;
  readonly first: number;
  readonly last: number;
}

export const masks: Kind<Mask> = {
  areas: [ALL, SMALL, MEDIUM, LARGE],
  maxDets: [1, 10, 100],
  truth: read,
  found: read,
  overlaps: maskOverlaps,
};

function read(row: Row, { segmentation }: Given, size: ImageSize): Shape<Mask> {
  const mask = maskOf(runsOf(row, segmentation, size));
  return { shape: mask, area: mask.area };
}

function runsOf(row: Row, segmentation: unknown, size: ImageSize): Runs {
  const place = placeOf(row, "segmentation");
  if (Array.isArray(segmentation)) {
    if (size.value === undefined) {
      throw typeError(place, "polygons in an image without height and width", "these, or run lengths");
    }
    return polygonRuns(place, segmentation, size.value);
  }
  const runs = readRuns(place, segmentation);
  const [height, width] = size.value ??= [runs.height, runs.width];
  if (runs.height === height && runs.width === width) return runs;
  const got = `[${runs.height}, ${runs.width}]`;
  throw rangeError(placeOf(row, "segmentation.size"), got, `[${height}, ${width}], as the image has`);
}

export function maskOf(runs: Runs): Mask {
  const { counts, height } = runs;
  let [first, last, pixel] = [Infinity, -Infinity, 0];
  counts.forEach((count, i) => {
    if (i % 2 === 1 && count > 0) {
      first = Math.min(first, pixel);
      last = pixel + count - 1;
    }
    pixel += count;
  });
  return { runs, area: areaOf(runs), first: Math.floor(first / height), last: Math.floor(last / height) };
}

export function maskOverlaps(
  found: readonly Mask[],
  truths: readonly Mask[],
  crowd: readonly boolean[],
): Float64Array {
  const ious = new Float64Array(found.length * truths.length);
  found.forEach((a, i) => {
    truths.forEach((b, j) => {
      if (a.last < b.first || b.last < a.first) return;
      const both = intersection(a.runs, b.runs);
      if (both > 0) ious[i * truths.length + j] = both / (crowd[j] ? a.area : a.area + b.area - both);
    });
  });
  return ious;
}
