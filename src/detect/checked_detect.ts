/**
 * The arguments of `detect`, checked for any device.
 */
import { checkHead } from "../heads/check.ts";
import { fittingSize } from "../heads/fitting_size.ts";
import { anchorsIn, type Level, levelsOf } from "../heads/levels.ts";
import { type Part, type ResolvedOutputs, resolveOutputs } from "../heads/outputs.ts";
import { doc } from "../doc.ts";
import {
  booleanParam,
  integerParam,
  numberParam,
  otherParam,
  type Param,
  paramReader,
  requiredParam,
  type Values,
} from "../params.ts";
import type { DetectOptions, HeadSpec, ImageTransform, Outputs } from "../types.ts";
import { type AnySource, describe, finite, known, listOf, namesOf, rangeError, size, typeError } from "../validate.ts";

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

const SHARE = { min: 0, max: 1 };

export const DETECT_PARAMS = {
  head: requiredParam<HeadSpec>(doc`layout of the outputs: heads.yolov8() and so on, or a HeadSpec of its own`),
  imageSize: requiredParam<DetectOptions["imageSize"]>(doc`network input, [height, width] in pixels`),
  scoreThreshold: numberParam(doc`only scores over this are detections`, 0.25, SHARE),
  iouThreshold: numberParam(doc`a box goes when its IoU with a kept one is over this`, 0.6, SHARE),
  maxDetections: integerParam(doc`keep at most this many of an image`, 300, { min: 0 }),
  preNmsTopK: integerParam(doc`only so many candidates of an image, the best, compete in NMS`, 30000, { min: 0 }),
  multiLabel: booleanParam(doc`every class over the threshold is a candidate, in place of an anchor's best`, false),
  classAgnostic: booleanParam(doc`boxes suppress those of other classes too`, false),
  transform: otherParam<DetectOptions["transform"]>(
    doc`how boxes go back to the image: one for all images, or one for each`,
  ),
  clip: booleanParam(doc`clip boxes to the network input`, false),
  uncertainty: booleanParam(doc`also std, saturation and excess of each side`, false),
  signal: otherParam<DetectOptions["signal"]>(doc`aborts between images`),
} as const satisfies Record<keyof DetectOptions, Param>;

const readOptions = paramReader(op, DETECT_PARAMS);

const TRANSFORM = namesOf<ImageTransform>({ scaleX: true, scaleY: true, padX: true, padY: true, clip: true });

export function checkDetect(outputs: Outputs, options: DetectOptions): CheckedDetect {
  const params = readOptions(options);
  const { transform, signal } = params;
  const settings = readSettings(params);
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
const MAX_ANCHORS = 2 ** 31 - 1;

function readSettings(params: Values<typeof DETECT_PARAMS>): Settings {
  const place = (member: string) => ({ op, argument: `options.${member}` });
  const head = checkHead(op, "options.head", params.head);
  const [height, width] = size(place("imageSize"), params.imageSize);
  const imageSize = [height, width] as const;
  const levels = levelsOf(head, imageSize);
  const anchors = anchorsIn(levels);
  if (anchors > MAX_ANCHORS) {
    const got = `[${height}, ${width}], ${anchors} anchors at strides ${head.strides.join(", ")}`;
    throw rangeError(place("imageSize"), got, `at most ${MAX_ANCHORS} anchors`);
  }
  const { scoreThreshold, iouThreshold, maxDetections, preNmsTopK, multiLabel, classAgnostic, clip, uncertainty } =
    params;
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
    scoreThreshold,
    iouThreshold,
    maxDetections,
    preNmsTopK,
    multiLabel,
    classAgnostic,
    clip,
    uncertainty,
  };
}

/** One for each image: the same, or its own. */
function readTransforms(transform: DetectOptions["transform"], images: number): (ImageTransform | null)[] {
  const argument = "options.transform";
  const list = listOf(transform);
  if (list === null) {
    const one = transform === undefined ? null : readTransform(argument, transform);
    return Array.from({ length: images }, () => one);
  }
  if (list.length !== images) {
    throw typeError(
      { op, argument },
      describe(transform),
      `one transform, or ${images}: one for each image of the batch`,
    );
  }
  return list.map((each, i) => readTransform(`${argument}[${i}]`, each));
}

/** A plain copy. */
function readTransform(argument: string, transform: unknown): ImageTransform {
  if (typeof transform !== "object" || transform === null) {
    throw typeError({ op, argument }, describe(transform), "an object with scaleX, scaleY, padX and padY");
  }
  known(op, argument, transform, TRANSFORM);
  const { scaleX, scaleY, padX, padY, clip } = transform as ImageTransform;
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
