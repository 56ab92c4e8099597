/**
 * How good results are: COCO's AP and AR, optimal LRP and calibration, of boxes, masks, keypoints and rotated boxes; at once,
 * or image by image on any number of machines.
 *
 * @module
 */
export { cocoEvaluate } from "./coco_evaluate.ts";
export { CocoEvaluator } from "./coco_evaluator.ts";
export { rle } from "./rle.ts";
export type { Rle } from "./rle.ts";
export type { ClassEvaluation, CocoDataset, CocoEvaluation, CocoOptions, ReliabilityBin } from "./types.ts";
export type { EvalAnnotation, EvalKind, EvalResult, Polygons, RunLengthCode } from "./types.ts";
