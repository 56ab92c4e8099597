/**
 * Evaluation of a whole data set at once.
 */
import { readSize } from "../run_lengths.ts";
import { describe, type Place, rangeError, typeError } from "../validate.ts";
import { evaluate } from "./evaluate.ts";
import { recordOf, refuseTwice } from "./image_record.ts";
import { byId, idOf } from "./images.ts";
import type { Given, ImageSize } from "./kind.ts";
import { kindOf } from "./kinds.ts";
import { objectsOf, placeOf, type Row } from "./rows.ts";
import { readSettings, twice } from "./settings.ts";
import type { CocoDataset, CocoEvaluation, CocoOptions, EvalResult } from "./types.ts";

const OP = "cocoEvaluate";

/** The rows of an image, as places in the lists that they came in. */
interface Rows {
  readonly size: ImageSize;
  readonly annotations: number[];
  readonly results: number[];
}

/**
 * Evaluates COCO results against COCO annotations: AP and AR with the precision and recall arrays, equal to pycocotools within
 * 1e-12; and what pycocotools does not have: rotated boxes, optimal LRP with each class's best threshold, and what the scores
 * are worth. In float64, without an engine.
 *
 * Images count in the order of their ids, numbers rising and then texts by code unit: it decides between equal scores.
 *
 * - Throws: TypeError for a wrong kind of value. RangeError for an image or category that the data set lacks, for an id that
 *   two rows have, a score that is not finite, a box without area, a polygon of two points, and a mask of another size.
 *
 * @example
 * ```ts
 * import { cocoEvaluate } from "densehead/eval";
 *
 * const dataset = {
 *   images: [{ id: 1 }, { id: 2 }],
 *   categories: [{ id: 5, name: "cat" }],
 *   annotations: [
 *     { image_id: 1, category_id: 5, bbox: [10, 10, 40, 40] },
 *     { image_id: 2, category_id: 5, bbox: [20, 20, 40, 40] },
 *   ],
 * };
 * const results = [{ image_id: 1, category_id: 5, bbox: [12, 10, 40, 40], score: 0.8 }];
 * const { stats, lrp, classes: [cat] } = cocoEvaluate(dataset, results);
 * console.log(stats.AP50, stats.AR100); // → 0.505, 0.45
 * console.log(lrp.falseNegative, cat?.threshold); // → 0.5, 0.8
 * ```
 */
export function cocoEvaluate(
  dataset: CocoDataset,
  results: readonly EvalResult[],
  options?: CocoOptions,
): CocoEvaluation {
  if (typeof dataset !== "object" || dataset === null) {
    throw typeError({ op: OP, argument: "dataset" }, describe(dataset), "{ images, categories, annotations }");
  }
  const { images, categories, annotations } = dataset;
  const settings = readSettings(OP, categories, options);
  const kind = kindOf(settings.kind, settings.sigmas);
  const byImage = readImages(images, settings.kind === "segm");
  const truths = objectsOf({ op: OP, argument: "dataset.annotations" }, annotations);
  const found = objectsOf({ op: OP, argument: "results" }, results);
  const truthRow = (index: number): Row => ({ op: OP, list: "dataset.annotations", index });
  const foundRow = (index: number): Row => ({ op: OP, list: "results", index });
  refuseTwice(truthRow, truths);
  truths.forEach(({ image_id: id }, i) => rowsOf(byImage, truthRow(i), id).annotations.push(i));
  found.forEach(({ image_id: id }, i) => rowsOf(byImage, foundRow(i), id).results.push(i));
  const places = new Map(settings.categories.map(({ id }, place) => [id, place]));
  const records = [...byImage].sort(([a], [b]) => byId(a, b)).map(([, rows]) =>
    recordOf(kind, settings, places, {
      annotations: rows.annotations.map((i) => truths[i]),
      results: rows.results.map((i) => found[i]),
      annotationRow: (i) => truthRow(rows.annotations[i]),
      resultRow: (i) => foundRow(rows.results[i]),
      size: rows.size,
    })
  );
  return evaluate(records, settings, kind.areas);
}

/** The images, with room for their rows; sizes are read only for masks. */
function readImages(value: unknown, sized: boolean): Map<number | string, Rows> {
  const images = new Map<number | string, Rows>();
  const places = new Map<number | string, number>();
  objectsOf({ op: OP, argument: "dataset.images" }, value).forEach(({ id, width, height }, i) => {
    const place: Place = { op: OP, argument: `dataset.images[${i}].id` };
    const known = idOf(place, id);
    if (images.has(known)) throw twice(place, known, `dataset.images[${places.get(known)}]`);
    places.set(known, i);
    const size = sized && (width !== undefined || height !== undefined)
      ? readSize({ op: OP, argument: `dataset.images[${i}], of height and width,` }, [height, width])
      : undefined;
    images.set(known, { size: { value: size }, annotations: [], results: [] });
  });
  return images;
}

function rowsOf(images: ReadonlyMap<unknown, Rows>, row: Row, id: Given[string]): Rows {
  const rows = images.get(id);
  if (rows === undefined) {
    throw rangeError(placeOf(row, "image_id"), describe(id), "the id of an image of the data set");
  }
  return rows;
}
