/**
 * What a call of `detect` is once it is checked, for any device.
 */
import { type Level, levelsOf } from "../heads/levels.ts";
import { type Part, resolveOutputs } from "../heads/outputs.ts";
import { checkHead } from "../heads/presets.ts";
import type { DetectOptions, HeadSpec, ImageTransform, Outputs } from "../types.ts";
import {
  type AnySource,
  boolean,
  describe,
  integer,
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
  readonly transform: ImageTransform | null;
  readonly clip: boolean;
  readonly uncertainty: boolean;
}

/** Checked arguments. */
export interface DetectCall {
  readonly images: number;
  readonly parts: readonly Part<AnySource>[];
  readonly settings: Settings;
  readonly signal: DetectOptions["signal"];
}

export function checkDetect(outputs: Outputs, options: DetectOptions): DetectCall {
  const settings = readSettings(checkOptions(op, options, true));
  const { images, parts } = resolveOutputs(op, outputs, settings.head, settings.levels);
  return { images, parts, settings, signal: options.signal };
}

function readSettings(given: Partial<DetectOptions>): Settings {
  const place = (member: string) => ({ op, argument: `options.${member}` });
  const head = checkHead(op, "options.head", given.head as HeadSpec);
  const imageSize = size(place("imageSize"), given.imageSize);
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
    levels: levelsOf(head, imageSize),
    scoreThreshold: number(place("scoreThreshold"), given.scoreThreshold ?? 0.25),
    iouThreshold: number(place("iouThreshold"), given.iouThreshold ?? 0.6, 0, 1),
    maxDetections: integer(place("maxDetections"), given.maxDetections ?? 300, 0),
    preNmsTopK: integer(place("preNmsTopK"), given.preNmsTopK ?? 30000, 0),
    multiLabel: boolean(place("multiLabel"), given.multiLabel ?? false),
    classAgnostic: boolean(place("classAgnostic"), given.classAgnostic ?? false),
    transform: given.transform === undefined ? null : readTransform(given.transform),
    clip: boolean(place("clip"), given.clip ?? false),
    uncertainty,
  };
}

function readTransform(given: ImageTransform): ImageTransform {
  const place = (member: string) => ({ op, argument: `options.transform${member}` });
  if (typeof given !== "object" || given === null) {
    throw typeError(place(""), describe(given), "an object with scaleX, scaleY, padX and padY");
  }
  for (const member of ["scaleX", "scaleY", "padX", "padY"] as const) {
    const value = number(place(`.${member}`), given[member]);
    if (!Number.isFinite(value)) throw rangeError(place(`.${member}`), value, "a finite number");
    if (member.startsWith("scale") && value === 0) {
      throw rangeError(place(`.${member}`), value, "a number other than 0");
    }
  }
  if (given.clip !== undefined) size(place(".clip"), given.clip);
  return given;
}
