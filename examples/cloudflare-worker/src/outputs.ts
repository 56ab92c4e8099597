/**
 * Which tensor of a file is what. Names tell the role: cls_s8, reg_s8, obj_s8 …; without them all tensors count, in order.
 */
import type { HostTensor } from "densehead";
import type { Network } from "./params.ts";
import { badRequest } from "./problem.ts";
import { floats, type Tensors } from "./tensors.ts";

/** As `detect` takes them, always in lists. */
export interface NamedOutputs {
  readonly classes: readonly HostTensor[];
  readonly boxes: readonly HostTensor[];
  readonly objectness?: readonly HostTensor[];
}

export interface RawOutputs {
  readonly outputs: NamedOutputs | readonly HostTensor[];
  /** Of a head that refines its boxes, those before. */
  readonly initial: readonly HostTensor[];
}

const CLASSES = /^(cls|class|score)/i;
const BOXES = /^(reg|box|bbox|dis)/i;
const OBJECTNESS = /^obj/i;
/** box_refined_s8, beside box_s8. */
const REFINED = /refine/i;
/** gt_boxes and gt_labels are no outputs. */
const GROUND_TRUTH = /^gt_/i;

const MAX_IMAGES = 64;

export function outputsOf(tensors: Tensors): RawOutputs {
  const called = (pattern: RegExp) => read(tensors, (name) => pattern.test(name));
  const [classes, boxes, objectness] = [called(CLASSES), called(BOXES), called(OBJECTNESS)];
  if (classes.length === 0 || boxes.length === 0) {
    return { outputs: read(tensors, (name) => !GROUND_TRUTH.test(name)), initial: [] };
  }
  const refined = read(tensors, (name) => BOXES.test(name) && REFINED.test(name));
  const initial = read(tensors, (name) => BOXES.test(name) && !REFINED.test(name));
  const named = { classes, boxes: refined.length > 0 ? refined : initial };
  return {
    outputs: objectness.length > 0 ? { ...named, objectness } : named,
    initial: refined.length > 0 ? initial : [],
  };
}

/** Refuses batches whose results would not fit the isolate's memory. */
export function checkBatch({ outputs }: RawOutputs, network: Network): void {
  const tensors = "classes" in outputs ? Object.values<readonly HostTensor[]>({ ...outputs }).flat() : outputs;
  const { numClasses, bins, objectness = "none" } = network.head;
  // Without bins a side is one channel.
  const channels = numClasses + 4 * Math.max(bins, 1) + (objectness === "none" ? 0 : 1);
  const images = valuesPerAnchor(tensors, network) / channels;
  if (images > MAX_IMAGES) throw badRequest("body", `the body has values for over ${MAX_IMAGES} images`);
}

/** Values for each anchor of one image, in tensors of all levels. */
export function valuesPerAnchor(tensors: readonly HostTensor[], { head, imageSize: [height, width] }: Network): number {
  const values = tensors.reduce((sum, { data }) => sum + data.length, 0);
  const anchors = head.strides.reduce((sum, s) => sum + Math.ceil(height / s) * Math.ceil(width / s), 0);
  return values / anchors;
}

function read(tensors: Tensors, isWanted: (name: string) => boolean): HostTensor[] {
  return [...tensors].filter(([name]) => isWanted(name)).map(([name, tensor]) => {
    if (tensor.data.length === 0) throw badRequest(name, `tensor ${name} is empty`);
    return floats(name, tensor);
  });
}
