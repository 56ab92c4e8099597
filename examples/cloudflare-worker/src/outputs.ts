/**
 * Which tensor of a file is what. Names tell the role: cls_s8, reg_s8, obj_s8 …; without them all tensors count, in order.
 */
import type { HostTensor } from "densehead";
import { type FileTensor, type OutputsByRole, rolesByName } from "densehead/files";
import type { Network } from "./params.ts";
import { badRequest } from "./problem.ts";
import { floats, type Tensors } from "./tensors.ts";

export interface RawOutputs {
  readonly outputs: OutputsByRole<HostTensor> | readonly HostTensor[];
  /** Of a head that refines its boxes, those before. */
  readonly initial: readonly HostTensor[];
}

/** gt_boxes and gt_labels are no outputs. */
const GROUND_TRUTH = /^gt_/i;

const MAX_IMAGES = 64;

export function outputsOf(tensors: Tensors): RawOutputs {
  const names = [...tensors.keys()].filter((name) => !GROUND_TRUTH.test(name));
  const read = (wanted: readonly string[]) => wanted.map((name) => readWhole(tensors, name));
  const roles = rolesByName(names);
  if (roles === undefined) return { outputs: read(names), initial: [] };
  const named = { classes: read(roles.classes), boxes: read(roles.boxes) };
  const objectness = read(roles.objectness);
  return { outputs: objectness.length > 0 ? { ...named, objectness } : named, initial: read(roles.initial) };
}

/** Refuses batches whose results would not fit the isolate's memory. */
export function checkBatch({ outputs }: RawOutputs, { head, imageSize: [height, width] }: Network): void {
  const tensors = "classes" in outputs
    ? Object.values<HostTensor | readonly HostTensor[]>({ ...outputs }).flat()
    : outputs;
  const values = tensors.reduce((sum, { data }) => sum + data.length, 0);
  const anchors = head.strides.reduce((sum, s) => sum + Math.ceil(height / s) * Math.ceil(width / s), 0);
  const { numClasses, bins, objectness = "none" } = head;
  // Without bins a side is one channel.
  const channels = numClasses + 4 * Math.max(bins, 1) + (objectness === "none" ? 0 : 1);
  if (values / (anchors * channels) > MAX_IMAGES) {
    throw badRequest("body", `the body has values for over ${MAX_IMAGES} images`);
  }
}

function readWhole(tensors: Tensors, name: string): HostTensor {
  const tensor = floats(name, tensors.get(name) as FileTensor);
  if (tensor.data.length === 0) throw badRequest(name, `tensor ${name} is empty`);
  return tensor;
}
