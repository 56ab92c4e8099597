/**
 * What is to be found in an image: from tensors beside the head's, or from JSON.
 */
import type { GroundTruth } from "densehead";
import { type FileTensor, toFloat32 } from "densehead/files";
import { badRequest } from "./problem.ts";
import { floats, shapeOf, type Tensors } from "./tensors.ts";

/** Assignment takes time for each. */
const MAX_OBJECTS = 1000;

/** `gt_boxes` (K, 4), x1, y1, x2, y2 in pixels of the network input, and `gt_labels` (K). */
export function truthOf(tensors: Tensors): GroundTruth {
  const boxes = floats("gt_boxes", named(tensors, "gt_boxes"));
  const labels = named(tensors, "gt_labels");
  const [count, sides] = boxes.dims;
  if (boxes.dims.length !== 2 || sides !== 4 || count > MAX_OBJECTS) {
    throw badRequest("gt_boxes", `tensor gt_boxes is ${shapeOf(boxes.dims)}; wanted (K, 4), K up to ${MAX_OBJECTS}`);
  }
  if (!/^u?int/.test(labels.type) || labels.dims.length !== 1 || labels.dims[0] !== count) {
    const got = `${labels.type} ${shapeOf(labels.dims)}`;
    throw badRequest("gt_labels", `tensor gt_labels is ${got}; wanted integers (${count})`);
  }
  const values = Array.from(labels.data as ArrayLike<number | bigint>, Number);
  return { boxes: toFloat32(boxes), labels: classes("gt_labels", values) };
}

/** `{"boxes": [[x1, y1, x2, y2], …], "labels": [0, …]}`, in the same units. */
export function truthFromJson(text: string): GroundTruth {
  const { boxes, labels } = parseObject(text);
  if (
    !Array.isArray(boxes) || boxes.length > MAX_OBJECTS || !boxes.every((box) => isNumbers(box) && box.length === 4)
  ) {
    throw badRequest("boxes", `ground truth: boxes is no list of up to ${MAX_OBJECTS} [x1, y1, x2, y2]`);
  }
  if (!isNumbers(labels) || labels.length !== boxes.length) {
    throw badRequest("labels", `ground truth: labels is no list of ${boxes.length} classes`);
  }
  return { boxes: Float32Array.from(boxes.flat()), labels: classes("labels", labels) };
}

/** Others would become classes that nobody meant. */
function classes(name: string, labels: readonly number[]): Int32Array {
  const odd = labels.findIndex((label) => !(Number.isInteger(label) && Math.abs(label) < 2 ** 31));
  if (odd >= 0) throw badRequest(name, `ground truth: ${name}[${odd}] is ${labels[odd]}; wanted a class`);
  return Int32Array.from(labels);
}

function named(tensors: Tensors, name: string): FileTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw badRequest(name, `tensor ${name} is missing`);
  return tensor;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    throw badRequest("body", "ground truth is no JSON");
  }
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => typeof n === "number");
}
