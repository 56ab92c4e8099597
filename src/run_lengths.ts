/**
 * COCO's run lengths: a mask column by column, as counts of zeros, ones, zeros and so on; and counts as COCO's text.
 */
import { describe, integer, listOf, type Place, rangeError, typeError } from "./validate.ts";

/** A mask. */
export interface Runs {
  readonly height: number;
  readonly width: number;
  /** Of zeros first; together all pixels. */
  readonly counts: readonly number[];
}

/** What run lengths can count. */
const MOST_PIXELS = 2 ** 31 - 1;

/** [height, width] in pixels, copied. */
export function readSize({ op, argument }: Place, value: unknown): readonly [number, number] {
  const pair = listOf(value);
  if (pair?.length !== 2) throw typeError({ op, argument }, describe(value), "[height, width]");
  const [height, width] = pair.map((side, i) => integer({ op, argument: `${argument}[${i}]` }, side, 1, MOST_PIXELS));
  if (height * width > MOST_PIXELS) {
    throw rangeError({ op, argument }, `[${height}, ${width}]`, "at most 2³¹ − 1 pixels");
  }
  return [height, width];
}

/** Checked, and read once. */
export function readRuns(place: Place, code: unknown): Runs {
  if (typeof code !== "object" || code === null || Array.isArray(code)) {
    throw typeError(place, describe(code), "{ size, counts }");
  }
  const { size, counts } = code as { readonly size?: unknown; readonly counts?: unknown };
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
