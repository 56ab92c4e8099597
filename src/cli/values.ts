/**
 * From the text of a flag to its value; a wrong text is a {@link UsageError} that names the flag.
 */
import { KEYPOINT_CODINGS } from "../heads/members.ts";
import type { KeypointSpec } from "../types.ts";
import { UsageError } from "./errors.ts";
import { suggestion } from "./suggest.ts";

/** Reads a text that may be absent. */
export function optional<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

/** A finite number within bounds. */
export function number(flag: string, text: string, low = -Infinity, high = Infinity): number {
  const value = toNumber(text);
  if (value >= low && value <= high && Number.isFinite(value)) return value;
  throw wrong(
    flag,
    text,
    low === -Infinity ? "a number" : `a number from ${low}${high === Infinity ? "" : ` to ${high}`}`,
  );
}

/** A whole number within bounds. */
export function integer(flag: string, text: string, low: number, high = Infinity): number {
  const value = toNumber(text);
  if (Number.isSafeInteger(value) && value >= low && value <= high) return value;
  throw wrong(flag, text, `a whole number from ${low}${high === Infinity ? "" : ` to ${high}`}`);
}

/** Positive numbers with commas between them. */
export function numbers(flag: string, text: string, example = "8,16,32"): number[] {
  const values = text.split(",").map(toNumber);
  if (values.every((value) => value > 0 && value < Infinity)) return values;
  throw wrong(flag, text, `positive numbers such as ${example}`);
}

/** Keypoints: "17x3:yolov8" are 17 of three values in YOLOv8's coding, "17x3" in pixels. */
export function keypoints(flag: string, text: string): KeypointSpec {
  const [, count, dims, coding = "pixel"] = /^(\d+)x([23])(?::(.*))?$/.exec(text) ?? [];
  if (count === undefined || Number(count) === 0) {
    throw wrong(flag, text, "count x values, such as 17x3 or 17x3:yolov8");
  }
  return { count: Number(count), dims: Number(dims) as 2 | 3, coding: choice(flag, coding, KEYPOINT_CODINGS) };
}

/** Height and width: "480,640" as the library has them, "640x480" as pictures do, "640" for a square. */
export function size(flag: string, text: string): readonly [number, number] {
  const [first, second = first, ...more] = text.split(/[,x×]/i).map(toNumber);
  if (more.length === 0 && [first, second].every((side) => Number.isSafeInteger(side) && side > 0)) {
    return text.includes(",") ? [first, second] : [second, first];
  }
  throw wrong(flag, text, "height and width in pixels, such as 480,640 (or 640x480, or 640 for a square)");
}

/** One of a few words. */
export function choice<T extends string>(flag: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw wrong(flag, text, `${words.join(" or ")}${suggestion(text, words)}`);
}

/** NaN for what is no number; an empty text is none, though `Number` makes it 0. */
function toNumber(text: string): number {
  return text.trim() === "" ? NaN : Number(text);
}

function wrong(flag: string, got: string, wanted: string): UsageError {
  return new UsageError(`${flag} is ${JSON.stringify(got)}; wanted ${wanted}`);
}
