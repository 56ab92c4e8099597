/**
 * The arguments of `detect`, checked for any device.
 */
import { fittingSize } from "../heads/fitting_size.ts";
import { isRotated } from "../heads/channels.ts";
import { anchorsIn, type Level, levelsOf, type Plane } from "../heads/levels.ts";
import { isListed } from "../heads/listed_rows.ts";
import type { Part } from "../heads/outputs.ts";
import { hasMasks, type Prototypes } from "../heads/prototypes.ts";
import { doc } from "../doc.ts";
import {
  booleanParam,
  choiceParam,
  integerParam,
  numberParam,
  optionalBoolean,
  otherParam,
  type Param,
  paramReader,
  requiredParam,
  requiredSize,
  type Values,
} from "../params.ts";
import type { DetectOptions, HeadSpec, ImageTransform, Outputs } from "../types.ts";
import { type AnySource, describe, finite, known, listOf, namesOf, rangeError, size, typeError } from "../validate.ts";
import { type ClassRules, readScoreRules, type ScoreRules } from "./class_rules.ts";
import { checkedHead, understand, type Understood } from "./last_call.ts";
import { checkMasks } from "./mask_frames.ts";

export const op = "detect";

/** Checked options with their defaults. */
export interface Settings {
  readonly head: HeadSpec;
  readonly imageSize: readonly [number, number];
  readonly levels: readonly Level[];
  readonly planes: readonly Plane[];
  /** Every score of a detection is over it. */
  readonly scoreThreshold: number;
  /** Null where all classes compete alike. */
  readonly classRules: ClassRules | null;
  readonly iouThreshold: number;
  readonly maxDetections: number;
  readonly preNmsTopK: number;
  readonly multiLabel: boolean;
  readonly classAgnostic: boolean;
  readonly suppression: "greedy" | "fast" | "none";
  readonly rotatedOverlap: "polygon" | "probiou";
  readonly clip: boolean;
  readonly uncertainty: boolean;
  readonly masks: boolean;
}

/** Checked arguments. */
export interface CheckedDetect {
  readonly images: number;
  readonly parts: readonly Part<AnySource>[];
  /** Null where masks are not wanted. */
  readonly prototypes: Prototypes<AnySource> | null;
  readonly settings: Settings;
  /** How each image's boxes go back to it; null where they stay. */
  readonly transforms: readonly (ImageTransform | null)[];
  readonly signal: DetectOptions["signal"];
}

const SHARE = { min: 0, max: 1 };

/** A score, or one for each class: they are read when the head is known. */
function scoreParam(text: string, value: number): Param<number | Float32Array> {
  return { ...otherParam(text), default: value, ...SHARE };
}

export const DETECT_PARAMS = {
  head: requiredParam<HeadSpec>(
    doc`layout of the raw output: a preset such as \`heads.yolov8()\`, or a HeadSpec of your own`,
  ),
  imageSize: requiredSize(
    doc`network input, [height, width] in pixels. A level has ceil(height/stride) × ceil(width/stride) cells`,
  ),
  scoreThreshold: scoreParam(doc`score that a detection must be over: one for all classes, or one for each`, 0.25),
  classes: otherParam<DetectOptions["classes"]>(
    doc`only these classes compete: the class of a row is the best of those that are listed and over their own threshold`,
  ),
  suppression: choiceParam(
    doc`what drops a box: "greedy" an overlap over \`iouThreshold\` with a kept box, "fast" one of \`iouThreshold\` or more with any better box, kept or not, "none" nothing`,
    ["greedy", "fast", "none"],
    "greedy",
  ),
  iouThreshold: numberParam(doc`IoU with a kept box over which NMS drops a box`, 0.6, SHARE),
  rotatedOverlap: choiceParam(
    doc`what \`iouThreshold\` is compared with for rotated boxes: "polygon" the IoU of the rectangles, "probiou" that of \`probIou\`, as Ultralytics. Other heads have no other than "polygon"`,
    ["polygon", "probiou"],
    "polygon",
  ),
  maxDetections: integerParam(doc`largest number of detections of an image`, 300, { min: 0 }),
  preNmsTopK: integerParam(doc`largest number of candidates that enter NMS; best first`, 30000, { min: 0 }),
  multiLabel: booleanParam(
    doc`detect every class over the threshold at an anchor, and not only the best one`,
    false,
  ),
  classAgnostic: booleanParam(doc`suppress across classes`, false),
  transform: otherParam<DetectOptions["transform"]>(
    doc`maps boxes back to the image: input = image · scale + pad. One for all images, or one for each. With a negative scale, boxes still have x1 ≤ x2, and the uncertainty of their sides is swapped with the sides`,
  ),
  clip: booleanParam(doc`clip to the network input, before NMS; rotated boxes themselves are not clipped`, false),
  masks: optionalBoolean(
    doc`keep what masks are made of, for \`masks\` of the detections. True is for heads with mask coefficients only`,
    "true for these",
  ),
  uncertainty: booleanParam(doc`also report each side's standard deviation, excess and saturation`, false),
  signal: otherParam<DetectOptions["signal"]>(doc`stops the call between images`),
} as const satisfies Record<keyof DetectOptions, Param>;

const readOptions = paramReader(op, DETECT_PARAMS);

const TRANSFORM = namesOf<ImageTransform>({ scaleX: true, scaleY: true, padX: true, padY: true, clip: true });

export function checkDetect(outputs: Outputs, options: DetectOptions): CheckedDetect {
  const params = readOptions(options);
  const { transform, signal } = params;
  const { head, scores } = readHead(params);
  const { images, parts, prototypes, levels, planes } = resolve(outputs, head, params.imageSize);
  const settings = readSettings(params, head, scores, levels, planes);
  const transforms = readTransforms(transform, images);
  if (isRotated(head)) checkEven(transforms, head);
  if (settings.masks) checkMasks(op, head, settings.imageSize, prototypes, transforms);
  return {
    images,
    parts,
    prototypes: settings.masks ? prototypes : null,
    settings,
    transforms,
    signal: checkSignal(signal),
  };
}

function checkSignal(signal: DetectOptions["signal"]): DetectOptions["signal"] {
  if (signal === undefined || typeof (signal as AbortSignal | null)?.throwIfAborted === "function") return signal;
  throw typeError({ op, argument: "options.signal" }, describe(signal), "an AbortSignal");
}

/** Errors say which imageSize the outputs would fit, where there is one. */
function resolve(outputs: Outputs, head: HeadSpec, imageSize: Settings["imageSize"]): Understood {
  try {
    return understand(op, outputs, head, imageSize);
  } catch (error) {
    const size = error instanceof TypeError ? fittingSize(op, outputs, head) : null;
    if (size === null) throw error;
    throw new TypeError(`${(error as TypeError).message}; they fit imageSize [${size.join(", ")}]`);
  }
}

/** Detections name them in 32 bits. */
const MAX_ANCHORS = 2 ** 31 - 1;

/** The head, with what depends on it alone. */
function readHead(params: Values<typeof DETECT_PARAMS>): { readonly head: HeadSpec; readonly scores: ScoreRules } {
  const place = (member: string) => ({ op, argument: `options.${member}` });
  const head = checkedHead(op, "options.head", params.head);
  const { imageSize, uncertainty } = params;
  const anchors = isListed(head) ? 0 : anchorsIn(levelsOf(head, imageSize));
  if (anchors > MAX_ANCHORS) {
    const got = `[${imageSize.join(", ")}], ${anchors} anchors at strides ${head.strides.join(", ")}`;
    throw rangeError(place("imageSize"), got, `at most ${MAX_ANCHORS} anchors`);
  }
  const scores = readScoreRules(place, params, head.numClasses);
  if (uncertainty && head.boxes !== "distribution") {
    throw typeError(
      place("uncertainty"),
      `true for head ${head.name} with boxes "${head.boxes}"`,
      "a head with a distribution",
    );
  }
  if (params.masks === true && !hasMasks(head)) {
    throw typeError(place("masks"), `true for head ${head.name} without maskCoefficients`, "a head that has some");
  }
  if (params.rotatedOverlap !== "polygon" && !isRotated(head)) {
    throw typeError(
      place("rotatedOverlap"),
      `"${params.rotatedOverlap}" for head ${head.name}, whose boxes have no angle`,
      `"polygon", or a head with an angle`,
    );
  }
  return { head, scores };
}

/** One object, member by member: spreads would take half of the time of all checks. */
function readSettings(
  params: Values<typeof DETECT_PARAMS>,
  head: HeadSpec,
  { scoreThreshold, classRules }: ScoreRules,
  levels: readonly Level[],
  planes: readonly Plane[],
): Settings {
  const { maxDetections } = params;
  // The best rows or pairs are detections: nothing competes.
  const listed = isListed(head);
  return {
    head,
    imageSize: params.imageSize,
    levels,
    planes,
    scoreThreshold,
    classRules,
    iouThreshold: params.iouThreshold,
    maxDetections,
    preNmsTopK: listed ? maxDetections : params.preNmsTopK,
    multiLabel: listed ? head.selection === "queries" : params.multiLabel,
    classAgnostic: params.classAgnostic,
    suppression: listed ? "none" : params.suppression,
    rotatedOverlap: params.rotatedOverlap,
    clip: params.clip,
    uncertainty: params.uncertainty,
    masks: params.masks ?? hasMasks(head),
  };
}

/** One for each image: the same, or its own. */
function readTransforms(transform: DetectOptions["transform"], images: number): (ImageTransform | null)[] {
  const argument = "options.transform";
  const list = listOf(transform);
  if (list === null) {
    const one = transform === undefined ? null : readTransform(argument, transform);
    return new Array(images).fill(one);
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

/** A rectangle stays one where both axes are scaled alike, but for the whole pixels to which an image is resized. */
function checkEven(transforms: readonly (ImageTransform | null)[], head: HeadSpec): void {
  transforms.forEach((transform, i) => {
    if (transform === null) return;
    const { scaleX, scaleY, clip } = transform;
    const rounding = clip === undefined ? 0 : 1 / clip[0] + 1 / clip[1];
    if (Math.abs(Math.abs(scaleX) - Math.abs(scaleY)) <= rounding) return;
    throw typeError(
      { op, argument: transforms.length === 1 ? "options.transform" : `options.transform of image ${i}` },
      `scaleX ${scaleX} and scaleY ${scaleY} for head ${head.name}`,
      "scales of one size, because boxes with an angle stay rectangles",
    );
  });
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
