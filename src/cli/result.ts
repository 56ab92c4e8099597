/**
 * What the command finds in one image, for whichever writer.
 */
import process from "node:process";
import { printable } from "../text.ts";
import type { CocoResult, Detections } from "../types.ts";
import type { ChosenHead } from "./head.ts";
import type { KnownImage } from "./images.ts";
import type { Category } from "./readers/coco.ts";

/** Detections, and what it takes to show them. */
export interface ImageResult {
  /** Name of the file, with the image's index where it holds a batch. */
  readonly name: string;
  readonly image: KnownImage;
  readonly chosen: ChosenHead;
  /** Network input, [height, width]. */
  readonly inputSize: readonly [number, number];
  /** What the boxes are in the pixels of, [height, width]: the image where it is known, else the input. */
  readonly frame: readonly [number, number];
  readonly classes: readonly string[] | undefined;
  /** Tensors that the head does not read. */
  readonly unused: readonly string[];
  /** As COCO's results have them. */
  readonly imageId: number | string;
  /** The data set's, of each class; none without a data set. */
  readonly categories: readonly Category[];
  /** Of each class; undefined where they are the classes' indices. */
  readonly categoryIds: readonly number[] | undefined;
  readonly detections: Detections;
}

/** The name of a class, or its index where it has none. */
export function classLabel({ classes }: ImageResult, classId: number): string {
  return classes?.[classId] ?? String(classId);
}

/**
 * How far the left, top, right and bottom side may be off in pixels, by the network's own word: the spread of their
 * distributions beyond that of a side which merely lies between two bins.
 */
export function spreads({ excess }: Detections, index: number): number[] | undefined {
  return excess === undefined ? undefined : [...excess.subarray(4 * index, 4 * index + 4)];
}

/** Rows of COCO's results. JSON has no words for points that are not finite: they are such as nobody marked. */
export function cocoRows({ imageId, categoryIds, detections }: ImageResult): CocoResult[] {
  return detections.toCoco(imageId, categoryIds).map((row) => {
    return row.keypoints === undefined ? row : { ...row, keypoints: finitePoints(row.keypoints) };
  });
}

function finitePoints(keypoints: readonly number[]): number[] {
  return keypoints.map((value, i) => {
    const first = i - i % 3;
    return keypoints.slice(first, first + 3).every(Number.isFinite) ? value : 0;
  });
}

/** Says how many boxes damaged outputs (NaN, infinite) have left without a place. */
export function warnOfLost(command: string, file: string, results: readonly ImageResult[]): void {
  const found = results.flatMap(({ detections }) => [...detections]);
  const lost = found.filter(({ box }) => !box.every(Number.isFinite)).length;
  if (lost === 0) return;
  const message = printable(`${file}: ${lost} of the boxes are not finite, and not in --json and --svg`);
  process.stderr.write(`densehead: ${command}: ${message}\n`);
}

/** COCO's ids are numbers, and its files are called by them: 000000255165 is 255165. */
export function imageIdOf(name: string): number | string {
  return /^\d+$/.test(name) && Number.isSafeInteger(Number(name)) ? Number(name) : name;
}
