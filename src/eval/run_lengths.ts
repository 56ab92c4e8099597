/**
 * COCO's run lengths: a mask column by column, as counts of zeros, ones, zeros and so on; and counts as COCO's text.
 */
import { describe, listOf, type Place, rangeError, typeError } from "../validate.ts";
import { readSize } from "./images.ts";
import type { RunLengthCode } from "./types.ts";

/** A mask. */
export interface Runs {
  readonly height: number;
  readonly width: number;
  /** Of zeros first; together all pixels. */
  readonly counts: readonly number[];
}

/** Checked, and read once. */
export function readRuns(place: Place, code: unknown): Runs {
  if (typeof code !== "object" || code === null || Array.isArray(code)) {
    throw typeError(place, describe(code), "{ size, counts }");
  }
  const { size, counts } = code as Partial<RunLengthCode>;
  const [height, width] = readSize(member(place, "size"), size);
  const at = member(place, "counts");
  const read = typeof counts === "string" ? decodeText(at, counts) : listOfCounts(at, counts);
  const pixels = read.reduce((sum, count) => sum + count, 0);
  if (pixels !== height * width) {
    throw rangeError(at, `of ${pixels} pixels`, `${height * width}, because size is [${height}, ${width}]`);
  }
  return { height, width, counts: read };
}

function member({ op, argument }: Place, name: string): Place {
  return { op, argument: `${argument}.${name}` };
}

function listOfCounts(place: Place, value: unknown): number[] {
  const counts = listOf(value);
  if (counts === null) throw typeError(place, describe(value), "a string or an array of counts");
  counts.forEach((count, i) => {
    const { op, argument } = place;
    if (typeof count !== "number") throw typeError({ op, argument: `${argument}[${i}]` }, describe(count), "a number");
    if (!Number.isSafeInteger(count) || count < 0) {
      throw rangeError({ op, argument: `${argument}[${i}]` }, count, "an integer of at least 0");
    }
  });
  return counts as number[];
}

/** Characters have five bits each, the lowest first, over this one. */
const FIRST = 48;
const [BITS, MORE, NEGATIVE] = [5, 0x20, 0x10];
/** A count needs no more. */
const MOST_CHARACTERS = 7;
/** From here on a count is written as what it has over the one before the last. */
const RELATIVE = 3;

function decodeText(place: Place, text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length;) {
    let count = 0;
    let more = true;
    for (let i = 0; more; i++, at++) {
      const bits = text.charCodeAt(at) - FIRST;
      if (!(bits >= 0 && bits < 2 * MORE) || i === MOST_CHARACTERS) {
        const got = at < text.length
          ? `${describe(text[at])} at character ${at}`
          : "a text that ends inside of a count";
        throw rangeError(place, got, "COCO's compressed counts");
      }
      count += (bits & (MORE - 1)) * 2 ** (BITS * i);
      more = (bits & MORE) !== 0;
      if (!more && (bits & NEGATIVE) !== 0) count -= 2 ** (BITS * (i + 1));
    }
    if (counts.length >= RELATIVE) count += counts[counts.length - 2];
    if (count < 0) throw rangeError(place, `${count} at count ${counts.length}`, "counts of at least 0");
    counts.push(count);
  }
  return counts;
}

/** As COCO's text, in a string. */
export function codeOf({ height, width, counts }: Runs): { size: [number, number]; counts: string } {
  const codes: number[] = [];
  counts.forEach((count, i) => {
    let rest = i >= RELATIVE ? count - counts[i - 2] : count;
    for (let more = true; more;) {
      const bits = rest & (MORE - 1);
      rest >>= BITS;
      more = rest !== ((bits & NEGATIVE) !== 0 ? -1 : 0);
      codes.push(FIRST + (more ? bits | MORE : bits));
    }
  });
  return { size: [height, width], counts: new TextDecoder().decode(Uint8Array.from(codes)) };
}

/** Ones of a mask. */
export function areaOf({ counts }: Runs): number {
  return counts.reduce((sum, count, i) => i % 2 === 1 ? sum + count : sum, 0);
}

/** Pixels of either. */
export function union(a: Runs, b: Runs): Runs {
  const counts: number[] = [];
  let run = 0;
  let inside = false;
  walk(a, b, (length, inA, inB) => {
    if ((inA || inB) !== inside) {
      counts.push(run);
      run = 0;
      inside = !inside;
    }
    run += length;
  });
  counts.push(run);
  return { ...a, counts };
}

/** How many pixels are in both. */
export function intersection(a: Runs, b: Runs): number {
  let both = 0;
  walk(a, b, (length, inA, inB) => {
    if (inA && inB) both += length;
  });
  return both;
}

/** Stretches in which neither changes. */
function walk(a: Runs, b: Runs, tell: (length: number, inA: boolean, inB: boolean) => void): void {
  let [i, j] = [0, 0];
  let [restA, restB] = [a.counts[0], b.counts[0]];
  for (;;) {
    // Runs of nothing change sides all the same.
    while (restA === 0 && i < a.counts.length - 1) restA = a.counts[++i];
    while (restB === 0 && j < b.counts.length - 1) restB = b.counts[++j];
    const length = Math.min(restA, restB);
    if (length === 0) return;
    tell(length, i % 2 === 1, j % 2 === 1);
    restA -= length;
    restB -= length;
  }
}
