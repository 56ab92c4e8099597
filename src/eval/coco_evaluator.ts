/**
 * Evaluation image by image, on as many machines as there are.
 */
import { readSize } from "../run_lengths.ts";
import { describe, typeError } from "../validate.ts";
import { evaluate } from "./evaluate.ts";
import { byId, idOf } from "./images.ts";
import { type ImageRecord, recordOf, refuseTwice } from "./image_record.ts";
import type { Kind } from "./kind.ts";
import { kindOf } from "./kinds.ts";
import { objectsOf, placeOf } from "./rows.ts";
import { readSettings, type Settings } from "./settings.ts";
import { readImage, readState, sameRecord, writeState } from "./state.ts";
import type { CocoDataset, CocoEvaluation, CocoOptions, EvalResult } from "./types.ts";

/**
 * Evaluates results image by image. Evaluators of other machines, or their JSON, merge in any order to the same result, bit
 * for bit: what decides is the images' ids, not when they came.
 *
 * It keeps, of each detection among the best of its image and class, a score, an overlap and a state for each area and
 * threshold: about 90 bytes in memory and 60 in JSON. Annotations, results and masks are not kept.
 *
 * @example
 * ```ts
 * import { CocoEvaluator } from "densehead/eval";
 *
 * const categories = [{ id: 1, name: "cat" }];
 * const [here, there] = [new CocoEvaluator(categories), new CocoEvaluator(categories)];
 * const cat = { image_id: 7, category_id: 1, bbox: [10, 10, 50, 50] };
 * here.add(7, [cat], [{ ...cat, score: 0.9 }]);
 * there.add(8, [{ ...cat, image_id: 8 }], []);
 * here.merge(JSON.parse(JSON.stringify(there)));
 * console.log(here.evaluate().stats.AR1); // → 0.5
 * ```
 */
export class CocoEvaluator {
  readonly #settings: Settings;
  readonly #kind: Kind<unknown>;
  /** Places of the categories, by their ids. */
  readonly #places: ReadonlyMap<unknown, number>;
  readonly #records = new Map<number | string, ImageRecord>();

  /** For these classes; a wrong option is an error that names it. */
  constructor(categories: CocoDataset["categories"], options?: CocoOptions) {
    this.#settings = readSettings("CocoEvaluator", categories, options);
    this.#kind = kindOf(this.#settings.kind, this.#settings.sigmas);
    this.#places = new Map(this.#settings.categories.map(({ id }, place) => [id, place]));
  }

  /**
   * Adds an image, or replaces what was added for it before. `size` is [height, width]: masks that come as polygons need it,
   * and run lengths must be of it.
   */
  add(
    imageId: number | string,
    annotations: CocoDataset["annotations"],
    results: readonly EvalResult[],
    size?: readonly number[],
  ): void {
    const op = "CocoEvaluator.add";
    const id = idOf({ op, argument: "imageId" }, imageId);
    const rows = {
      annotations: objectsOf({ op, argument: "annotations" }, annotations),
      results: objectsOf({ op, argument: "results" }, results),
      annotationRow: (index: number) => ({ op, list: "annotations", index }),
      resultRow: (index: number) => ({ op, list: "results", index }),
      size: { value: size === undefined ? undefined : readSize({ op, argument: "size" }, size) },
    };
    refuseTwice(rows.annotationRow, rows.annotations);
    for (const [list, rowOf] of [[rows.annotations, rows.annotationRow], [rows.results, rows.resultRow]] as const) {
      list.forEach(({ image_id: own }, i) => {
        if (own === undefined || own === id) return;
        const { op, argument } = placeOf(rowOf(i), "image_id");
        throw new RangeError(`${op}: ${argument} is ${describe(own)}; wanted ${describe(id)}, as imageId is`);
      });
    }
    this.#records.set(id, recordOf(this.#kind, this.#settings, this.#places, rows));
  }

  /**
   * Takes over the images of another evaluator, or of its JSON. An image that both have must be of the same rows: which of two
   * would count could only depend on the order of merging.
   */
  merge(other: CocoEvaluator | object): void {
    const op = "CocoEvaluator.merge";
    const from = other instanceof CocoEvaluator ? other : CocoEvaluator.#restore(op, "other", other);
    const [own, others] = [this.#settings, from.#settings];
    for (const member of Object.keys(own) as (keyof Settings)[]) {
      const [a, b] = [own[member], others[member]].map((value) => JSON.stringify(value));
      if (a !== b) throw typeError({ op, argument: `other.${member}` }, shortened(b), `${shortened(a)}, as here`);
    }
    for (const [id, record] of from.#records) {
      const known = this.#records.get(id);
      if (known !== undefined && !sameRecord(known, record)) {
        throw new RangeError(
          `${op}: other has image ${describe(id)} with other rows; wanted those that were added here`,
        );
      }
    }
    for (const [id, record] of from.#records) this.#records.set(id, record);
  }

  /** Plain data, for JSON.stringify, postMessage and `fromJSON`; images in the order of their ids. */
  toJSON(): object {
    return writeState(this.#settings, this.#sorted());
  }

  /** The evaluator that was written. */
  static fromJSON(state: object): CocoEvaluator {
    return CocoEvaluator.#restore("CocoEvaluator.fromJSON", "state", state);
  }

  /** The numbers of all images that were added. More can be added afterwards. */
  evaluate(): CocoEvaluation {
    return evaluate(this.#sorted().map(([, record]) => record), this.#settings, this.#kind.areas);
  }

  static #restore(op: string, argument: string, state: unknown): CocoEvaluator {
    const { settings: { categories, ...options }, images } = readState(op, argument, state);
    const evaluator = new CocoEvaluator(categories as CocoDataset["categories"], options as CocoOptions);
    const { iouThresholds, classAgnostic } = evaluator.#settings;
    const sizes = {
      classes: classAgnostic ? 1 : evaluator.#settings.categories.length,
      areas: evaluator.#kind.areas.length,
      thresholds: iouThresholds.length,
    };
    images.forEach((image, i) => {
      const place = `${argument}.images[${i}]`;
      const [id, record] = readImage(op, place, image, sizes);
      if (evaluator.#records.has(id)) throw new TypeError(`${op}: ${place} is of the same id as one before it`);
      evaluator.#records.set(id, record);
    });
    return evaluator;
  }

  /** Numbers before texts, each rising. */
  #sorted(): [number | string, ImageRecord][] {
    return [...this.#records].sort(([a], [b]) => byId(a, b));
  }
}

const LONGEST = 100;

function shortened(json: string): string {
  return json.length <= LONGEST ? json : `${json.slice(0, LONGEST)}…`;
}
