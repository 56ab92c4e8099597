/**
 * The options of an evaluation, checked.
 */
import { boolean, describe, integer, listOf, namesOf, number, oneOf, options, typeError } from "../validate.ts";
import { idOf } from "./images.ts";
import { kindOf, KINDS } from "./kinds.ts";
import { objectsOf } from "./rows.ts";
import type { CocoOptions, EvalKind } from "./types.ts";

/** COCO's constants of a nose, eyes, ears, shoulders, elbows, wrists, hips, knees and ankles. */
const SIGMAS = [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89].map((n) => n / 100 / 10);

/** The values of numpy's linspace: a step times an index, and the last as it was given. */
function linspace(first: number, last: number, length: number): number[] {
  const step = (last - first) / (length - 1);
  return Array.from({ length }, (_, i) => i === length - 1 ? last : i * step + first);
}

const IOU_THRESHOLDS = linspace(0.5, 0.95, 10);
/** At which precision is read. */
export const RECALLS: readonly number[] = linspace(0, 1, 101);
/** Edges of the bins of LaECE. */
export const LAECE_EDGES: readonly number[] = linspace(0, 1, 26);

/** A class. */
export interface Category {
  readonly id: number;
  readonly name?: string;
}

/** What two states must have in common to be merged; plain data. */
export interface Settings {
  /** By id. */
  readonly categories: readonly Category[];
  readonly kind: EvalKind;
  /** Rising. */
  readonly maxDets: readonly number[];
  readonly iouThresholds: readonly number[];
  readonly classAgnostic: boolean;
  readonly sigmas: readonly number[];
}

const OPTIONS = namesOf<CocoOptions>({
  kind: true,
  maxDets: true,
  iouThresholds: true,
  classAgnostic: true,
  sigmas: true,
});

export function readSettings(op: string, categories: unknown, given: CocoOptions | undefined): Settings {
  const { kind, maxDets, iouThresholds, classAgnostic, sigmas } = options<CocoOptions>(op, given, OPTIONS);
  const at = (name: string) => ({ op, argument: `options.${name}` });
  const chosen = kind === undefined ? "bbox" : oneOf(at("kind"), kind, KINDS);
  const each = (
    name: string,
    value: unknown,
    check: (place: { op: string; argument: string }, v: unknown) => number,
  ) => {
    const list = listOf(value);
    if (list === null || list.length === 0) throw typeError(at(name), describe(value), "an array of numbers");
    return list.map((v, i) => check(at(`${name}[${i}]`), v));
  };
  return {
    categories: readCategories(op, categories),
    kind: chosen,
    maxDets: maxDets === undefined
      ? kindOf(chosen, SIGMAS).maxDets
      : each("maxDets", maxDets, (place, v) => integer(place, v, 1, Number.MAX_SAFE_INTEGER)).sort((a, b) => a - b),
    iouThresholds: iouThresholds === undefined
      ? IOU_THRESHOLDS
      : each("iouThresholds", iouThresholds, (place, v) => number(place, v, 0, 1)),
    classAgnostic: classAgnostic === undefined ? false : boolean(at("classAgnostic"), classAgnostic),
    sigmas: sigmas === undefined
      ? SIGMAS
      : each("sigmas", sigmas, (place, v) => number(place, v, Number.MIN_VALUE, Number.MAX_VALUE)),
  };
}

function readCategories(op: string, value: unknown): Category[] {
  const seen = new Map<number, number>();
  const argument = op === "cocoEvaluate" ? "dataset.categories" : "categories";
  const categories = objectsOf({ op, argument }, value).map(({ id, name }, i) => {
    const place = { op, argument: `${argument}[${i}].id` };
    const number = idOf(place, id);
    if (typeof number !== "number") throw typeError(place, describe(id), "a number");
    const first = seen.get(number);
    if (first !== undefined) throw twice(place, number, `${argument}[${first}]`);
    seen.set(number, i);
    if (name !== undefined && typeof name !== "string") {
      throw typeError({ op, argument: `${argument}[${i}].name` }, describe(name), "a string");
    }
    return name === undefined ? { id: number } : { id: number, name };
  });
  return categories.sort((a, b) => a.id - b.id);
}

/** The error of an id that another row has too. */
export function twice(
  { op, argument }: { op: string; argument: string },
  id: number | string,
  first: string,
): RangeError {
  return new RangeError(`${op}: ${argument} is ${describe(id)}, as that of ${first} is; wanted ids that differ`);
}
