/**
 * Which detections of an image and class are right: COCO's matching.
 */
import type { AreaRange } from "./kind.ts";

/** What a detection is at a threshold. */
export const [WRONG, RIGHT, IGNORED] = [0, 1, 2];

/** An object to be found. */
export interface Truth {
  readonly area: number;
  readonly crowd: boolean;
  /** One that cannot be missed; so are crowds. */
  readonly ignored: boolean;
}

/** Detections of a class in an image, the best first, and its objects. */
export interface Group {
  /** Areas of the detections. */
  readonly areas: readonly number[];
  readonly truths: readonly Truth[];
  /** (detections · truths). */
  readonly overlaps: Float64Array;
}

/** The objects in the order in which a detection tries them: those that count come first. */
interface Order {
  readonly places: readonly number[];
  /** How many count. */
  readonly counted: number;
}

/** Does an object count in that range? */
export function counts({ area, crowd, ignored }: Truth, { least, most }: AreaRange): boolean {
  return !crowd && !ignored && area >= least && area <= most;
}

function orderOf(truths: readonly Truth[], range: AreaRange): Order {
  const places: number[] = [];
  const rest: number[] = [];
  truths.forEach((truth, i) => (counts(truth, range) ? places : rest).push(i));
  const counted = places.length;
  return { places: [...places, ...rest], counted };
}

/** A detection that matches exactly is right at a threshold of 1 too. */
const ALMOST_ONE = 1 - 1e-10;

/** Where the states go: that of detection d at threshold t to `start + d · step + t`. */
export interface Target {
  readonly states: Uint8Array;
  readonly start: number;
  readonly step: number;
  /** Overlaps at the last threshold, that of detection d to `start + d`: of what is right its own, −1 of what is ignored, else 0. */
  readonly overlaps?: Float64Array;
}

/**
 * Writes each detection's state in a range of areas at each threshold. The object of the largest overlap is taken, of equal ones
 * the last; an ignored one only where none that counts fits; crowds many times.
 */
export function match(
  { areas, truths, overlaps }: Group,
  range: AreaRange,
  thresholds: readonly number[],
  { states, start, step, overlaps: matched }: Target,
): void {
  const { places, counted } = orderOf(truths, range);
  for (let t = 0; t < thresholds.length; t++) {
    const taken = truths.map(() => false);
    for (let d = 0; d < areas.length; d++) {
      let best = Math.min(thresholds[t], ALMOST_ONE);
      let found = -1;
      for (let i = 0; i < places.length; i++) {
        if (i >= counted && found >= 0 && found < counted) break;
        const overlap = overlaps[d * truths.length + places[i]];
        if (overlap < best || (taken[places[i]] && !truths[places[i]].crowd)) continue;
        best = overlap;
        found = i;
      }
      const state = found < 0 ? unmatched(areas[d], range) : found < counted ? RIGHT : IGNORED;
      states[start + d * step + t] = state;
      if (found >= 0) taken[places[found]] = true;
      if (matched !== undefined) matched[start + d] = state === RIGHT ? best : state === IGNORED ? -1 : 0;
    }
  }
}

/** Of no object: of one of another size, perhaps. */
function unmatched(area: number, { least, most }: AreaRange): number {
  return area < least || area > most ? IGNORED : WRONG;
}
