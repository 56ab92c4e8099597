/**
 * What is kept of an image: the state of each detection, which is all that the numbers are made of.
 */
import { describe, rangeError } from "../validate.ts";
import { ALL, type AreaRange, type Given, type ImageSize, type Kind } from "./kind.ts";
import { counts, match, type Truth } from "./match.ts";
import { finiteOf, placeOf, type Row } from "./rows.ts";
import { type Settings, twice } from "./settings.ts";

/** Of an image; detections are in the order of classes, the best of a class first. */
export interface ImageRecord {
  /** Places of the classes that have an object or a detection here, rising. */
  readonly classes: readonly number[];
  /** (classes) detections of each. */
  readonly found: readonly number[];
  /** (classes · areas) objects that count. */
  readonly objects: readonly number[];
  /** (detections). */
  readonly scores: Float64Array;
  /** (detections) at IoU 0.5 and of any area: the overlap of what is right, 0 of what is wrong, −1 of what is ignored. */
  readonly overlaps: Float64Array;
  /** (detections · areas · thresholds): 0 wrong, 1 right, 2 ignored. */
  readonly states: Uint8Array;
}

/** The overlap from which LRP and the calibration call a detection right. */
const HALF = [0.5];

interface FoundRow<S> {
  readonly shape: S;
  readonly area: number;
  readonly score: number;
}

interface TruthRow<S> extends Truth {
  readonly shape: S;
}

interface ClassRows<S> {
  readonly truths: TruthRow<S>[];
  readonly found: FoundRow<S>[];
}

/** The rows of an image, and where they stood in the lists that they came in. */
export interface ImageRows {
  readonly annotations: readonly Given[];
  readonly results: readonly Given[];
  readonly annotationRow: (i: number) => Row;
  readonly resultRow: (i: number) => Row;
  readonly size: ImageSize;
}

/** Reads the rows, matches them, and keeps what came of it. */
export function recordOf<S>(
  kind: Kind<S>,
  settings: Settings,
  places: ReadonlyMap<unknown, number>,
  rows: ImageRows,
): ImageRecord {
  const byClass = readRows(kind, places, rows);
  const { classAgnostic, iouThresholds, maxDets } = settings;
  const most = maxDets[maxDets.length - 1];
  const classes = [...byClass.keys()].sort((a, b) => a - b);
  const groups = classAgnostic && classes.length > 0
    ? [joined(classes.map((k) => byClass.get(k) as ClassRows<S>))]
    : classes.map((k) => byClass.get(k) as ClassRows<S>);
  const kept = groups.map(({ found }) => best(found, most));
  const total = kept.reduce((sum, { length }) => sum + length, 0);
  const { areas } = kind;
  const each = areas.length * iouThresholds.length;
  const record = {
    classes: classAgnostic ? classes.slice(0, 1).map(() => 0) : classes,
    found: kept.map(({ length }) => length),
    objects: groups.flatMap(({ truths }) => areas.map((range) => countedIn(truths, range))),
    scores: Float64Array.from(kept.flatMap((found) => found.map(({ score }) => score))),
    overlaps: new Float64Array(total),
    states: new Uint8Array(total * each),
  };
  const atHalf = new Uint8Array(total);
  let start = 0;
  for (const [i, { truths }] of groups.entries()) {
    const found = kept[i];
    if (found.length === 0) continue;
    const crowd = truths.map((truth) => truth.crowd);
    const overlaps = kind.overlaps(found.map(({ shape }) => shape), truths.map(({ shape }) => shape), crowd);
    const group = { areas: found.map(({ area }) => area), truths, overlaps };
    areas.forEach((range, a) => {
      const first = start * each + a * iouThresholds.length;
      match(group, range, iouThresholds, { states: record.states, start: first, step: each });
    });
    match(group, ALL, HALF, { states: atHalf, start, step: 1, overlaps: record.overlaps });
    start += found.length;
  }
  return record;
}

/** The rows by the places of their classes. */
function readRows<S>(kind: Kind<S>, places: ReadonlyMap<unknown, number>, rows: ImageRows): Map<number, ClassRows<S>> {
  const byClass = new Map<number, ClassRows<S>>();
  const ofClass = (row: Row, category: unknown) => {
    const place = places.get(category);
    if (place === undefined) throw rangeError(placeOf(row, "category_id"), describe(category), "the id of a category");
    const known = byClass.get(place);
    if (known !== undefined) return known;
    const none: ClassRows<S> = { truths: [], found: [] };
    byClass.set(place, none);
    return none;
  };
  for (const [i, given] of rows.annotations.entries()) {
    const row = rows.annotationRow(i);
    const { truths } = ofClass(row, given.category_id);
    truths.push(truthOf(kind, row, given, rows.size));
  }
  for (const [i, given] of rows.results.entries()) {
    const row = rows.resultRow(i);
    const { found } = ofClass(row, given.category_id);
    const { shape, area } = kind.found(row, given, rows.size);
    found.push({ shape, area, score: finiteOf(row, "score", given.score) });
  }
  return byClass;
}

function truthOf<S>(kind: Kind<S>, row: Row, given: Given, size: ImageSize): TruthRow<S> {
  const { area, iscrowd = 0 } = given;
  const crowd = finiteOf(row, "iscrowd", typeof iscrowd === "boolean" ? Number(iscrowd) : iscrowd);
  if (crowd !== 0 && crowd !== 1) throw rangeError(placeOf(row, "iscrowd"), crowd, "0 or 1");
  const read = kind.truth(row, given, size);
  if (area !== undefined && finiteOf(row, "area", area) < 0) {
    throw rangeError(placeOf(row, "area"), area, "a number of at least 0");
  }
  return {
    shape: read.shape,
    area: area === undefined ? read.area : area as number,
    crowd: crowd === 1,
    ignored: read.ignored === true,
  };
}

function countedIn(truths: readonly Truth[], range: AreaRange): number {
  return truths.reduce((sum, truth) => counts(truth, range) ? sum + 1 : sum, 0);
}

function joined<S>(rows: readonly ClassRows<S>[]): ClassRows<S> {
  return { truths: rows.flatMap(({ truths }) => truths), found: rows.flatMap(({ found }) => found) };
}

/** The best of them, in order; of equal ones that which came first. */
function best<S>(found: readonly FoundRow<S>[], most: number): readonly FoundRow<S>[] {
  const sorted = found.toSorted((a, b) => b.score - a.score);
  return sorted.length <= most ? sorted : sorted.slice(0, most);
}

/** Refuses two annotations of one id. */
export function refuseTwice(rowOf: (i: number) => Row, annotations: readonly Given[]): void {
  const seen = new Map<unknown, number>();
  annotations.forEach(({ id }, i) => {
    if (id === undefined) return;
    const first = seen.get(id);
    if (first !== undefined) throw twice(placeOf(rowOf(i), "id"), id as number | string, `${rowOf(i).list}[${first}]`);
    seen.set(id, i);
  });
}
