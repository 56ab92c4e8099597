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
  const { areas } = kind;
  const { iouThresholds, maxDets } = settings;
  const most = maxDets[maxDets.length - 1];
  const groups = groupsOf(readRows(kind, places, rows), settings.classAgnostic);
  const kept = groups.map(({ found }) => best(found, most));
  const total = kept.reduce((sum, { length }) => sum + length, 0);
  const record = {
    classes: groups.map(({ k }) => k),
    found: kept.map(({ length }) => length),
    objects: groups.flatMap(({ truths }) => areas.map((range) => countedIn(truths, range))),
    scores: Float64Array.from(kept.flatMap((found) => found.map(({ score }) => score))),
    overlaps: new Float64Array(total),
    states: new Uint8Array(total * areas.length * iouThresholds.length),
  };
  let start = 0;
  groups.forEach(({ truths }, i) => {
    if (kept[i].length > 0) matchClass(kind, iouThresholds, truths, kept[i], record, start);
    start += kept[i].length;
  });
  return record;
}

/** Rows of each class in order; where classes do not matter, all of them as one, in that order too. */
function groupsOf<S>(
  byClass: ReadonlyMap<number, ClassRows<S>>,
  classAgnostic: boolean,
): (ClassRows<S> & { k: number })[] {
  const groups = [...byClass].sort(([a], [b]) => a - b).map(([k, { truths, found }]) => ({ k, truths, found }));
  if (!classAgnostic || groups.length === 0) return groups;
  return [{ k: 0, truths: groups.flatMap(({ truths }) => truths), found: groups.flatMap(({ found }) => found) }];
}

/** Writes the states and overlaps of a class's detections, of which the first is `start`. */
function matchClass<S>(
  kind: Kind<S>,
  iouThresholds: readonly number[],
  truths: readonly TruthRow<S>[],
  found: readonly FoundRow<S>[],
  { states, overlaps }: ImageRecord,
  start: number,
): void {
  const shapes = [found, truths].map((rows) => rows.map(({ shape }) => shape));
  const group = {
    areas: found.map(({ area }) => area),
    truths,
    overlaps: kind.overlaps(shapes[0], shapes[1], truths.map(({ crowd }) => crowd)),
  };
  const step = kind.areas.length * iouThresholds.length;
  kind.areas.forEach((range, a) => {
    match(group, range, iouThresholds, { states, start: start * step + a * iouThresholds.length, step });
  });
  const atHalf = new Uint8Array(found.length);
  match(group, ALL, HALF, { states: atHalf, start: 0, step: 1, overlaps: overlaps.subarray(start) });
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
