/**
 * Raw outputs as criteria take them: one row of channels per anchor, however the network lays them out.
 */
import { toFloat32 } from "../files/index.ts";
import { levelsOf } from "../heads/levels.ts";
import { type Field, fieldRows, partsOnHost, resolveOutputs } from "../heads/outputs.ts";
import type { HeadSpec, HostTensor } from "../types.ts";
import type { FileOutputs } from "./outputs.ts";

/** (anchors, channels), levels in the order of the strides. */
export interface AnchorMap extends HostTensor {
  readonly data: Float32Array;
}

/** The maps of one image. */
export interface Maps {
  readonly classes: AnchorMap;
  readonly boxes: AnchorMap;
  /** The boxes before they were refined. */
  readonly initial: AnchorMap | undefined;
}

/** Maps of every image. */
export function mapsOf(
  { outputs, initial }: FileOutputs,
  head: HeadSpec,
  inputSize: readonly [number, number],
): Maps[] {
  const levels = levelsOf(head, inputSize);
  const { images, parts: given } = resolveOutputs("score", outputs, head, levels);
  const parts = partsOnHost("score", given);
  const before = "classes" in outputs && initial !== undefined
    ? partsOnHost("score", resolveOutputs("score", { ...outputs, boxes: initial }, head, levels).parts)
    : undefined;
  return Array.from({ length: images }, (_, image) => ({
    classes: rowsOf(parts.map((part) => part.classes), image),
    boxes: rowsOf(parts.map((part) => part.boxes), image),
    initial: before && rowsOf(before.map((part) => part.boxes), image),
  }));
}

function rowsOf(fields: readonly Field[], image: number): AnchorMap {
  const [{ channels }] = fields;
  const anchors = fields.reduce((sum, field) => sum + field.anchors, 0);
  const data = new Float32Array(anchors * channels);
  let at = 0;
  for (const field of fields) {
    copyRows(field, image, data.subarray(at));
    at += field.anchors * channels;
  }
  return { data, dims: [anchors, channels] };
}

function copyRows(field: Field, image: number, rows: Float32Array): void {
  const { channels, anchors, channelsFirst, source } = field;
  const { start, pitch } = fieldRows(field, image);
  const [perAnchor, perChannel] = channelsFirst ? [1, pitch] : [pitch, 1];
  const values = toFloat32({ data: source.data, dims: source.dims });
  for (let anchor = 0; anchor < anchors; anchor++) {
    for (let channel = 0; channel < channels; channel++) {
      rows[anchor * channels + channel] = values[start + anchor * perAnchor + channel * perChannel];
    }
  }
}
