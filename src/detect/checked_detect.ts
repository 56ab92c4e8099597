/**
 * The arguments of `detect`, checked for any device.
 */
import { checkHead } from "../heads/check.ts";
import { fittingSize } from "../heads/fitting_size.ts";
import { anchorsIn, type Level, levelsOf } from "../heads/levels.ts";
import { type Part, type ResolvedOutputs, resolveOutputs } from "../heads/outputs.ts";
import type { DetectOptions, HeadSpec, ImageTransform, Outputs } from "../types.ts";
import {
  type AnySource,
  boolean,
  describe,
  finite,
  integer,
  known,
  listOf,
  namesOf,
  number,
  options as checkOptions,
  rangeError,
  size,
  typeError,
} from "../validate.ts";

export const op = "detect";

/** Checked options with their defaults. */
export interface Settings {
  readonly head: HeadSpec;
  readonly imageSize: readonly [number, number];
  readonly levels: readonly Level[];
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  readonly maxDetections: number;
  readonly preNmsTopK: number;
  readonly multiLabel: boolean;
  readonly classAgnostic: boolean;
  readonly clip: boolean;
  readonly uncertainty: boolean;
}

/** Checked arguments. */
export interface CheckedDetect {
  readonly images: number;
  readonly parts: readonly Part<AnySource>[];
  readonly settings: Settings;
  /** How each image's boxes go back to it; null where they stay. */
  readonly transforms: readonly (ImageTransform | null)[];
  readonly signal: DetectOptions["signal"];
}

const OPTIONS = namesOf<DetectOptions>({
  head: true,
  imageSize: true,
  scoreThreshold: true,
  iouThreshold: true,
  maxDetections: true,
  preNmsTopK: true,
  multiLabel: true,
  classAgnostic: true,
  transform: true,
  clip: true,
  uncertainty: true,
  signal: true,
});
const TRANSFORM = namesOf<ImageTransform>({ scaleX: true, scaleY: true, padX: true, padY: true, clip: true });

export function checkDetect(outputs: Outputs, options: DetectOptions): CheckedDetect {
  const given = checkOptions(op, options, OPTIONS, true);
  const { transform, signal } = given;
  const settings = readSettings(given);
  const { images, parts } = resolve(outputs, settings);
  return { images, parts, settings, transforms: readTransforms(transform, images), signal: checkSignal(signal) };
}

function checkSignal(signal: DetectOptions["signal"]): DetectOptions["signal"] {
  if (signal === undefined || typeof (signal as AbortSignal | null)?.throwIfAborted === "function") return signal;
  throw typeError({ op, argument: "options.signal" }, describe(signal), "an AbortSignal");
}

/** Errors say which imageSize the outputs would fit, where there is one. */
function resolve(outputs: Outputs, { head, levels }: Settings): ResolvedOutputs {
  try {
    return resolveOutputs(op, outputs, head, levels);
  } catch (error) {
    const size = error instanceof TypeError ? fittingSize(op, outputs, head) : null;
    if (size === null) throw error;
    throw new TypeError(`${(error as TypeError).message}; they fit imageSize [${size.join(", ")}]`);
  }
}

/** Detections name them in 32 bits. */
const MOST_ANCHORS = 2 ** 31 - 1;

function readSettings(given: Partial<DetectOptions>): Settings {
  const place = (member: string) => ({ op, argument: `options.${member}` });
  const head = checkHead(op, "options.head", given.head as HeadSpec);
  const [height, width] = size(place("imageSize"), given.imageSize);
  const imageSize = [height, width] as const;
  const levels = levelsOf(head, imageSize);
  const anchors = anchorsIn(levels);
  if (anchors > MOST_ANCHORS) {
    const got = `[${height}, ${width}], ${anchors} anchors at strides ${head.strides.join(", ")}`;
    throw rangeError(place("imageSize"), got, `at most ${MOST_ANCHORS} anchors`);
  }
  const uncertainty = boolean(place("uncertainty"), given.uncertainty ?? false);
  if (uncertainty && head.boxes !== "distribution") {
    throw typeError(
      place("uncertainty"),
      `true for head ${head.name} with boxes "${head.boxes}"`,
      "a head with a distribution",
    );
  }
  return {
    head,
    imageSize,
    levels,
    scoreThreshold: number(place("scoreThreshold"), given.scoreThreshold ?? 0.25, 0, 1),
    iouThreshold: number(place("iouThreshold"), given.iouThreshold ?? 0.6, 0, 1),
    maxDetections: integer(place("maxDetections"), given.maxDetections ?? 300, 0),
    preNmsTopK: integer(place("preNmsTopK"), given.preNmsTopK ?? 30000, 0),
    multiLabel: boolean(place("multiLabel"), given.multiLabel ?? false),
    classAgnostic: boolean(place("classAgnostic"), given.classAgnostic ?? false),
    clip: boolean(place("clip"), given.clip ?? false),
    uncertainty,
  };
}

/** One for each image: the same, or its own. */
function readTransforms(given: DetectOptions["transform"], images: number): (ImageTransform | null)[] {
  const argument = "options.transform";
  const list = listOf(given);
  if (list === null) {
    const one = given === undefined ? null : readTransform(argument, given);
    return Array.from({ length: images }, () => one);
  }
  if (list.length !== images) {
    throw typeError({ op, argument }, describe(given), `one transform, or ${images}: one for each image of the batch`);
  }
  return list.map((each, i) => readTransform(`${argument}[${i}]`, each));
}

/** A plain copy. */
function readTransform(argument: string, given: unknown): ImageTransform {
  if (typeof given !== "object" || given === null) {
    throw typeError({ op, argument }, describe(given), "an object with scaleX, scaleY, padX and padY");
  }
  known(op, argument, given, TRANSFORM);
  const { scaleX, scaleY, padX, padY, clip } = given as ImageTransform;
  const place = (member: string) => ({ op, argument: `${argument}.${member}` });
  const scale = (member: string, value: unknown) => {
    if (value === 0) throw rangeError(place(member), value, "a number other than 0");
    return finite(place(member), value);
  };
  const moved = {
    scaleX: scale("scaleX", scaleX),
    scaleY: scale("scaleY", scaleY),
    padX: finite(place("padX"), padX),
    padY: finite(place("padY"), padY),
  };
  if (clip === undefined) return moved;
  const [height, width] = size(place("clip"), clip);
  return { ...moved, clip: [height, width] };
}
