/** The ponds of examples/shapes: what three heads gave for them, and what is in them. */
import { heads, type HeadSpec } from "densehead";
import { readSafetensors } from "densehead/files";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(process.env.DENSEHEAD_ROOT ?? ".", "examples/shapes");
export const PONDS = ["pond1", "pond2", "pond3"];

const options = { numClasses: 3, bins: 8, strides: [8, 16] };

/** As the networks were exported: YOLOv8's outputs before its decode. */
export const HEADS = {
  masks: heads.yolov8({ ...options, maskCoefficients: 8 }),
  keypoints: heads.yolov8({ ...options, keypoints: { count: 4, dims: 3, coding: "yolov8" } }),
  turned: heads.yolov8({ ...options, angle: "sigmoid" }),
} satisfies Record<string, HeadSpec>;
export type HeadName = keyof typeof HEADS;

export interface Annotation {
  category_id: number;
  /** Of the file of turned boxes: centre x, y, width, height, angle. */
  bbox: number[];
  area: number;
  segmentation: { size: [number, number]; counts: string };
  keypoints: number[];
}

/** What train_heads.py measured in float64. */
export interface Metrics {
  eval: { keypoint_sigma: number; shown_score: number; nms_iou: number; found_iou: number };
  /** Of each example pond's annotations: mask IoU, OKS or IoU of the turned boxes, null where the object was not found. */
  masks: { examples: (number | null)[][] };
  keypoints: { examples: (number | null)[][] };
  turned: { examples: (number | null)[][] };
}

export const metrics: Metrics = readJson("heads_metrics.json");

export function pathOf(file: string): string {
  return join(folder, file);
}

export function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(pathOf(file), "utf8"));
}

export function outputsOf(pond: string, head: HeadName) {
  return readSafetensors(readFileSync(pathOf(`${pond}.${head}.safetensors`))).tensors;
}

export function annotationsOf(pond: string, head: HeadName): Annotation[] {
  const file = head === "turned" ? "ponds.turned.coco.json" : "ponds.coco.json";
  const { annotations } = readJson<{ annotations: (Annotation & { image_id: number })[] }>(file);
  return annotations.filter(({ image_id }) => image_id === PONDS.indexOf(pond) + 1);
}
