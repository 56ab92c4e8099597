/**
 * What an evaluator has, as plain data: the JSON of `CocoEvaluator`.
 */
import { describe, listOf, typeError } from "../validate.ts";
import type { ImageRecord } from "./image_record.ts";
import type { Settings } from "./settings.ts";

/** By which a state is known. */
const FORMAT = "densehead/eval 1";

/** The JSON of an evaluator. */
export interface EvaluatorState extends Settings {
  readonly format: typeof FORMAT;
  readonly images: readonly ImageState[];
}

/** An `ImageRecord`, with a digit for each state. */
interface ImageState {
  readonly id: number | string;
  readonly classes: readonly number[];
  readonly found: readonly number[];
  readonly objects: readonly number[];
  readonly scores: readonly number[];
  readonly overlaps: readonly number[];
  readonly states: string;
}

const DIGITS = new TextDecoder();
const ZERO = 48;

export function writeState(settings: Settings, images: Iterable<[number | string, ImageRecord]>): EvaluatorState {
  return {
    format: FORMAT,
    ...structuredClone(settings),
    images: Array.from(images, ([id, record]) => writeImage(id, record)),
  };
}

function writeImage(
  id: number | string,
  { classes, found, objects, scores, overlaps, states }: ImageRecord,
): ImageState {
  return {
    id,
    classes: [...classes],
    found: [...found],
    objects: [...objects],
    scores: [...scores],
    overlaps: [...overlaps],
    states: DIGITS.decode(states.map((state) => state + ZERO)),
  };
}

/** What such a JSON says: settings that are still to be checked, and images. */
export function readState(
  op: string,
  argument: string,
  value: unknown,
): { settings: Readonly<Record<string, unknown>>; images: readonly unknown[] } {
  const place = { op, argument };
  if (typeof value !== "object" || value === null) {
    throw typeError(place, describe(value), "the JSON of a CocoEvaluator");
  }
  const { format, images, ...settings } = value as Partial<EvaluatorState>;
  if (format !== FORMAT) {
    throw typeError(
      { op, argument: `${argument}.format` },
      describe(format),
      `${JSON.stringify(FORMAT)}, of a CocoEvaluator`,
    );
  }
  const list = listOf(images);
  if (list === null) throw typeError({ op, argument: `${argument}.images` }, describe(images), "an array");
  return { settings, images: list };
}

/** An image of such a JSON; `classes` and `areas` are how many there are. */
export function readImage(
  op: string,
  argument: string,
  value: unknown,
  { classes: most, areas, thresholds }: { classes: number; areas: number; thresholds: number },
): [number | string, ImageRecord] {
  const damaged = (member: string, got: unknown, wanted: string) =>
    typeError({ op, argument: `${argument}${member}` }, describe(got), wanted);
  if (typeof value !== "object" || value === null) throw damaged("", value, "an image of a CocoEvaluator's JSON");
  const given = value as Partial<ImageState>;
  const list = (
    member: "classes" | "found" | "objects" | "scores" | "overlaps",
    length: number,
    ok: (n: number) => boolean,
  ) => {
    const numbers = listOf(given[member]);
    const fits = numbers !== null && numbers.every((n) => typeof n === "number" && ok(n));
    if (!fits || (length >= 0 && numbers.length !== length)) {
      throw damaged(`.${member}`, given[member], "what a CocoEvaluator wrote there");
    }
    return numbers as number[];
  };
  const { id, states } = given;
  if (typeof id !== "string" && !Number.isFinite(id)) throw damaged(".id", id, "a number or a string");
  const count = (n: number) => Number.isSafeInteger(n) && n >= 0;
  const classes = list("classes", -1, (n) => count(n) && n < most);
  if (classes.some((k, i) => i > 0 && k <= classes[i - 1])) {
    throw damaged(".classes", classes, "rising places of classes");
  }
  const found = list("found", classes.length, count);
  const objects = list("objects", classes.length * areas, count);
  const detections = found.reduce((sum, n) => sum + n, 0);
  const scores = Float64Array.from(list("scores", detections, Number.isFinite));
  const overlaps = Float64Array.from(list("overlaps", detections, (n) => n === -1 || n >= 0));
  const digits = detections * areas * thresholds;
  if (typeof states !== "string" || states.length !== digits || !/^[012]*$/.test(states)) {
    throw damaged(".states", states, `${digits} digits 0, 1 or 2`);
  }
  const record = { classes, found, objects, scores, overlaps, states: new TextEncoder().encode(states) };
  record.states.forEach((digit, i) => record.states[i] = digit - ZERO);
  return [id as number | string, record];
}

/** Are they of the same rows, as far as it is known? */
export function sameRecord(a: ImageRecord, b: ImageRecord): boolean {
  const members = ["classes", "found", "objects", "scores", "overlaps", "states"] as const;
  return members.every((member) => {
    const [x, y] = [a[member], b[member]];
    return x.length === y.length && x.every((value, i) => value === y[i]);
  });
}
