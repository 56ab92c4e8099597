/**
 * Query parameters: what the network is, what to keep, how to score.
 */
import {
  type DetectOptions,
  type GflCriterionOptions,
  type HeadOptions,
  heads,
  type HeadSpec,
  type ImageTransform,
} from "densehead";
import { badRequest, refusing } from "./problem.ts";
import type { Query } from "./query.ts";

/** What the network is. */
export interface Network {
  readonly head: HeadSpec;
  /** Network input, [height, width] in pixels. */
  readonly imageSize: readonly [number, number];
}

/** Which boxes to keep, and how to report them. */
export interface Keep {
  readonly options: Omit<DetectOptions, keyof Network | "transform"> & { readonly transform?: ImageTransform };
  /** One for each image of the batch. */
  readonly imageIds: readonly number[] | undefined;
  /** One for each class. */
  readonly categoryIds: readonly number[] | undefined;
}

/** How anchors are assigned to objects, and what the parts of the loss are divided by. */
export interface Scoring {
  readonly anchorScale: number | undefined;
  readonly normalizer: GflCriterionOptions["normalizer"];
}

const MAX_SIDE = 16384;
const MAX_STRIDES = 8;
/** Of an image. */
const MAX_DETECTIONS = 1000;

const PRESETS = Object.keys(heads).filter((name) => name !== "infer") as Exclude<keyof typeof heads, "infer">[];

export function readNetwork(query: Query): Network {
  const preset = query.choice("head", PRESETS);
  if (preset === undefined) throw badRequest("head", `head is missing; wanted ${PRESETS.join(" or ")}`);
  const imageSize = query.numbers("imageSize", "height,width in pixels, such as 480,640", isImageSize);
  if (imageSize === undefined) throw badRequest("imageSize", "imageSize is missing; wanted height,width in pixels");
  const changes: HeadOptions = {
    numClasses: query.integer("numClasses", 1, 1e6),
    bins: query.integer("bins", 2, 64),
    strides: query.numbers("strides", `up to ${MAX_STRIDES} positive numbers, such as 8,16,32`, isStrides),
  };
  return { head: refusing(() => heads[preset](changes)), imageSize: [imageSize[0], imageSize[1]] };
}

export function readKeep(query: Query, { head }: Network): Keep {
  const options = {
    scoreThreshold: query.number("score", 0, 1),
    iouThreshold: query.number("iou", 0, 1),
    maxDetections: query.integer("max", 1, MAX_DETECTIONS),
    multiLabel: query.boolean("multiLabel"),
    classAgnostic: query.boolean("classAgnostic"),
    clip: query.boolean("clip"),
    uncertainty: query.boolean("uncertainty"),
    transform: readTransform(query),
  };
  const categories = `one whole number for each of the ${head.numClasses} classes`;
  return {
    options,
    imageIds: query.numbers("imageId", "whole numbers, one for each image", isIds),
    categoryIds: query.numbers("categoryIds", categories, (ids) => isIds(ids) && ids.length === head.numClasses),
  };
}

export function readScoring(query: Query): Scoring {
  return {
    anchorScale: query.number("anchorScale", 0.1, 100),
    normalizer: query.choice("normalizer", ["paper", "mmdet"]),
  };
}

/** input = image · scale + pad; the image's height and width where boxes are to be clipped to it. */
function readTransform(query: Query): ImageTransform | undefined {
  const wanted = "scaleX,scaleY,padX,padY or these and ,height,width; scales are not 0";
  const values = query.numbers("transform", wanted, isTransform);
  if (values === undefined) return undefined;
  const [scaleX, scaleY, padX, padY, height, width] = values;
  return { scaleX, scaleY, padX, padY, ...(height === undefined ? {} : { clip: [height, width] as const }) };
}

function isImageSize(values: number[]): boolean {
  return values.length === 2 && values.every((n) => Number.isInteger(n) && n > 0 && n <= MAX_SIDE);
}

function isStrides(values: number[]): boolean {
  return values.length <= MAX_STRIDES && values.every((n) => n >= 1 && n <= MAX_SIDE);
}

function isTransform([scaleX, scaleY, padX, padY, ...frame]: number[]): boolean {
  const sized = frame.length === 0 || (frame.length === 2 && frame.every((n) => n > 0));
  return padX !== undefined && padY !== undefined && scaleX !== 0 && scaleY !== 0 && sized;
}

function isIds(values: number[]): boolean {
  return values.every((n) => Number.isSafeInteger(n) && n >= 0);
}
