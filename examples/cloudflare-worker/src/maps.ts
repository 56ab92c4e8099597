/**
 * Raw outputs as the criteria take them: one row of channels for each anchor, however the network lays them out.
 */
import type { HeadSpec, HostTensor } from "densehead";
import { toFloat32 } from "densehead/files";
import { type RawOutputs, valuesPerAnchor } from "./outputs.ts";
import type { Network } from "./params.ts";
import { badRequest } from "./problem.ts";

/** Maps (anchors, channels) of one image, levels in the order of the strides. */
export interface Maps {
  readonly cls: HostTensor;
  readonly boxes: HostTensor;
  /** Boxes before they were refined. */
  readonly initial: HostTensor | undefined;
}

/** Some channels of tensors that have one or more roles. */
interface Field {
  readonly tensors: readonly HostTensor[];
  readonly channels: number;
  readonly first: number;
  readonly all: number;
}

/** The outputs must be of one image, and have gone through `detect`, which checks their shapes. */
export function mapsOf({ outputs, initial }: RawOutputs, network: Network): Maps {
  const { numClasses, channelOrder } = network.head;
  if ("classes" in outputs) {
    const apart = (tensors: readonly HostTensor[]) => {
      const channels = valuesPerAnchor(tensors, network);
      return rowsOf({ tensors, channels, first: 0, all: channels }, network);
    };
    return {
      cls: apart(outputs.classes),
      boxes: apart(outputs.boxes),
      initial: initial.length === 0 ? undefined : apart(initial),
    };
  }
  if (channelOrder === "separate") {
    throw badRequest("body", "tensors are told apart by their names here: cls_s8 …, reg_s8 … or box_s8 …");
  }
  const all = valuesPerAnchor(outputs, network);
  const sides = all - numClasses;
  const [cls, boxes] = channelOrder === "class-first" ? [0, numClasses] : [sides, 0];
  return {
    cls: rowsOf({ tensors: outputs, channels: numClasses, first: cls, all }, network),
    boxes: rowsOf({ tensors: outputs, channels: sides, first: boxes, all }, network),
    initial: undefined,
  };
}

function rowsOf(field: Field, network: Network): HostTensor {
  const { channels, all } = field;
  const levels = inOrder(field, network);
  const anchors = levels.reduce((sum, { data }) => sum + data.length / all, 0);
  const rows = new Float32Array(anchors * channels);
  let at = 0;
  for (const level of levels) at = copyRows(toFloat32(level), field, network.head, rows, at);
  return { data: rows, dims: [anchors, channels] };
}

/** One tensor of all anchors, or one per level in the order of the strides. */
function inOrder({ tensors, all }: Field, { head, imageSize: [height, width] }: Network): HostTensor[] {
  if (tensors.length === 1) return [...tensors];
  const left = [...tensors];
  return head.strides.map((stride) => {
    const anchors = Math.ceil(height / stride) * Math.ceil(width / stride);
    const [level] = left.splice(left.findIndex(({ data }) => data.length === anchors * all), 1);
    return level;
  });
}

/** Returns where the next rows go. */
function copyRows(
  data: Float32Array,
  { channels, first, all }: Field,
  { layout }: HeadSpec,
  rows: Float32Array,
  at: number,
): number {
  const anchors = data.length / all;
  const [perAnchor, perChannel] = layout === "channels-first" ? [1, anchors] : [all, 1];
  for (let anchor = 0; anchor < anchors; anchor++) {
    for (let channel = first; channel < first + channels; channel++) {
      rows[at++] = data[anchor * perAnchor + channel * perChannel];
    }
  }
  return at;
}
