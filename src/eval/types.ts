/**
 * What goes into an evaluation, and what comes out.
 */
import type { CocoResult } from "../types.ts";

/** What of a result is compared with the truth: boxes, masks, keypoints, or rotated boxes. */
export type EvalKind = "bbox" | "segm" | "keypoints" | "rotated";

/** COCO's run lengths, column by column: as COCO's files write them (a string), or as plain counts, of zeros first. */
export interface RunLengthCode {
  /** [height, width] of the image. */
  readonly size: readonly [number, number];
  /** How many pixels are 0, then 1, then 0 and so on. */
  readonly counts: string | readonly number[];
}

/** Polygons: x, y, x, y …, at least three points each; a mask is the union of its polygons. */
export type Polygons = readonly (readonly number[])[];

/**
 * A row of COCO's results. A detection's area is that of what is compared: box, mask, or the extent of the keypoints, also
 * when it has a `bbox`.
 */
export interface EvalResult extends Omit<CocoResult, "bbox" | "keypoints" | "segmentation" | "rotated"> {
  /** x, y, width, height; for "rotated" centre x, y, width, height, angle. Not needed for masks and keypoints. */
  bbox?: readonly number[];
  /** For "rotated", in place of `bbox`, as `toCoco` gives both: centre x, y, width, height, angle. */
  rotated?: readonly number[];
  /** For "segm". */
  segmentation?: RunLengthCode | Polygons;
  /** For "keypoints": x, y and a number that is not read, of each. */
  keypoints?: readonly number[];
}

/** A row of COCO's annotations, as far as it is read. */
export interface EvalAnnotation {
  /** Where it is given, no two rows have the same. */
  readonly id?: number | string;
  /** The image. */
  readonly image_id: number | string;
  /** The category. */
  readonly category_id: number;
  /** x, y, width, height; for "rotated" centre x, y, width, height, angle. Not read for "segm". */
  readonly bbox: readonly number[];
  /** Pixels of the object. Default: of the mask for "segm", else of the box. */
  readonly area?: number;
  /** Is it a region of objects too many to tell apart? Default 0. */
  readonly iscrowd?: 0 | 1;
  /** For "segm": run lengths, or polygons. */
  readonly segmentation?: unknown;
  /** For "keypoints": x, y, visibility of each; it is labelled where that is over 0. */
  readonly keypoints?: readonly number[];
  /** How many are labelled. Default: as many as have a visibility over 0. */
  readonly num_keypoints?: number;
}

/** COCO's annotation file, as far as it is read. */
export interface CocoDataset {
  /** The images, also those without an object. Masks that come as polygons need width and height. */
  readonly images: readonly { readonly id: number | string; readonly width?: number; readonly height?: number }[];
  /** The classes. */
  readonly categories: readonly { readonly id: number; readonly name?: string }[];
  /** The objects. */
  readonly annotations: readonly EvalAnnotation[];
}

/** Options of an evaluation. */
export interface CocoOptions {
  /** What is compared. Default "bbox". */
  kind?: EvalKind;
  /** The best so many of an image and class count. Default: 1, 10, 100; for keypoints 20. */
  maxDets?: readonly number[];
  /** From which overlap on a detection is right. Default: 0.5 to 0.95 in ten steps, as numpy's linspace has them. */
  iouThresholds?: readonly number[];
  /** Match without regard to the class: K is 1 and `classes` is empty. Default false. */
  classAgnostic?: boolean;
  /** Constants of the keypoints. Default: COCO's 17. */
  sigmas?: readonly number[];
}

/** The result for one class. */
export interface ClassEvaluation {
  /** The category. */
  readonly id: number;
  /** Its name, where it has one. */
  readonly name?: string;
  /** Average precision over all thresholds; −1 without an object. */
  readonly AP: number;
  /** At 0.5; −1 where that is no threshold. */
  readonly AP50: number;
  /** Recall, mean over the thresholds. */
  readonly AR: number;
  /** How many there are, ignored ones not counted. */
  readonly objects: number;
  /** Optimal LRP at 0.5; −1 without an object, 1 without a hit. */
  readonly oLRP: number;
  /** The score at which it is reached; −1 without an object, NaN without a hit. */
  readonly threshold: number;
}

/** A bin of scores: how many detections, their mean score, and how many of them are right. */
export interface ReliabilityBin {
  /** Detections with a score in the bin. */
  readonly detections: number;
  /** Their mean score; NaN without a detection. */
  readonly score: number;
  /** Their precision at IoU 0.5; NaN without a detection. */
  readonly precision: number;
}

/** How good the results are. Where there is nothing to take a mean of, it is −1. */
export interface CocoEvaluation {
  /**
   * AP, AP50, AP75, APsmall, APmedium, APlarge, AR1, AR10, AR100, ARsmall, ARmedium, ARlarge; of keypoints AP, AP50, AP75,
   * APmedium, APlarge, AR, AR50, AR75, ARmedium, ARlarge. AP and the entries by area count with the largest of `maxDets`.
   */
  readonly stats: Readonly<Record<string, number>>;
  /** Each class, by id. */
  readonly classes: readonly ClassEvaluation[];
  /** [T, R, K, A, M]: thresholds, 101 recalls, classes, areas (all, small, medium, large; of keypoints without small), maxDets. */
  readonly counts: readonly [number, number, number, number, number];
  /** (T, R, K, A, M): precision at each recall; −1 for a class without an object. */
  readonly precision: Float64Array;
  /** (T, K, A, M): the highest recall. */
  readonly recall: Float64Array;
  /** Localization-recall-precision error at 0.5, at each class's best score threshold: mean over the classes. */
  readonly lrp: {
    /** The error, in [0, 1]. */
    readonly oLRP: number;
    /** Mean of 1 − IoU of the hits. */
    readonly localization: number;
    /** Share of the detections that are wrong. */
    readonly falsePositive: number;
    /** Share of the objects that are missed. */
    readonly falseNegative: number;
  };
  /** What the scores are worth, at IoU 0.5. NaN where there is no detection, or a score outside [0, 1]. */
  readonly calibration: {
    /** Expected calibration error: |score − precision| over ten bins, by their number of detections. */
    readonly ECE: number;
    /** The same of precision · IoU, over 25 bins, class by class; mean over the classes whose error is not exactly 0. */
    readonly LaECE: number;
    /** Spearman's correlation of score and IoU of the hits, equal ones by their mean rank. */
    readonly rankCorrelation: number;
    /** The ten bins of ECE. */
    readonly bins: readonly ReliabilityBin[];
  };
}
