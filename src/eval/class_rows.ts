/**
 * The detections of a class in all images, in the order in which they count.
 */
import type { ImageRecord } from "./image_record.ts";

/** Detections of a class, the best first; of equal scores those of the first image. */
export interface ClassFound {
  /** (detections). */
  readonly scores: Float64Array;
  /** (detections) place among those of the same image and class. */
  readonly ranks: Int32Array;
  /** (detections) as an `ImageRecord` has them. */
  readonly overlaps: Float64Array;
  /** (areas · thresholds · detections). */
  readonly states: Uint8Array;
  /** (areas) objects that count. */
  readonly objects: readonly number[];
}

/** Where an image's detections of a class are in its record. */
interface Piece {
  readonly record: ImageRecord;
  /** The class's place in the record. */
  readonly place: number;
  /** The first detection. */
  readonly start: number;
}

/** Of each class, from records in the order of the images. */
export function* classesOf(
  records: readonly ImageRecord[],
  classes: number,
  areas: number,
  thresholds: number,
): Generator<ClassFound> {
  const pieces: Piece[][] = Array.from({ length: classes }, () => []);
  for (const record of records) {
    let start = 0;
    record.classes.forEach((k, place) => {
      pieces[k].push({ record, place, start });
      start += record.found[place];
    });
  }
  for (const ofClass of pieces) yield gather(ofClass, areas, thresholds);
}

function gather(pieces: readonly Piece[], areas: number, thresholds: number): ClassFound {
  const length = pieces.reduce((sum, { record, place }) => sum + record.found[place], 0);
  const scores = new Float64Array(length);
  const from = new Int32Array(length);
  const ranks = new Int32Array(length);
  const objects = Array<number>(areas).fill(0);
  let next = 0;
  pieces.forEach(({ record, place, start }, piece) => {
    for (let a = 0; a < areas; a++) objects[a] += record.objects[place * areas + a];
    for (let rank = 0; rank < record.found[place]; rank++, next++) {
      scores[next] = record.scores[start + rank];
      ranks[next] = rank;
      from[next] = piece;
    }
  });
  const order = new Uint32Array(length).map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
  const each = areas * thresholds;
  const sorted = {
    scores: new Float64Array(length),
    ranks: new Int32Array(length),
    overlaps: new Float64Array(length),
    states: new Uint8Array(length * each),
    objects,
  };
  order.forEach((index, i) => {
    const { record, start } = pieces[from[index]];
    const own = start + ranks[index];
    sorted.scores[i] = scores[index];
    sorted.ranks[i] = ranks[index];
    sorted.overlaps[i] = record.overlaps[own];
    for (let s = 0; s < each; s++) sorted.states[s * length + i] = record.states[own * each + s];
  });
  return sorted;
}
