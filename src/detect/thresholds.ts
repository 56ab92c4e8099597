/**
 * Thresholds of the class values of anchors, in linear memory.
 */
import { anchorsIn } from "../heads/levels.ts";
import { type Field, fieldRows } from "../heads/outputs.ts";
import { op } from "./checked_detect.ts";
import type { ImageRun } from "./image_run.ts";
import { checkProbability } from "./probabilities.ts";
import { rawThreshold, thresholdByObjectness } from "./scores.ts";

/** Thresholds in the unit of the class values: one for all anchors, or (with objectness) one for each. */
export interface Thresholds {
  readonly pointer: number;
  /** Bytes from one anchor's threshold to the next's; 0 where there is one for all. */
  readonly stride: number;
  /** Objectness of each anchor as it came, or 0. */
  readonly objectness: number;
}

export function makeThresholds(run: ImageRun): Thresholds {
  const { backend, allocate, parts, settings: { head, levels, scoreThreshold } } = run;
  if (parts[0].objectness === null) {
    const pointer = allocate(4);
    backend.memory.floats[pointer >> 2] = rawThreshold(head, scoreThreshold);
    return { pointer, stride: 0, objectness: 0 };
  }
  const anchors = anchorsIn(levels);
  const objectness = allocate(backend.stagingBytes(anchors));
  const pointer = allocate(anchors * 4);
  for (const part of parts) {
    const field = part.objectness as Field;
    const column = objectness + part.firstAnchor * 4;
    readColumn(run, field, column);
    if (head.scores === "logits") continue;
    const values = backend.memory.view(Float32Array, column, field.anchors);
    for (let i = 0; i < values.length; i++) checkProbability({ op, argument: field.argument }, head, values[i]);
  }
  const raw = backend.memory.view(Float32Array, objectness, anchors);
  const thresholds = backend.memory.view(Float32Array, pointer, anchors);
  const thresholdOf = thresholdByObjectness(head, scoreThreshold);
  for (let i = 0; i < anchors; i++) thresholds[i] = thresholdOf(raw[i]);
  return { pointer, stride: 4, objectness };
}

/** One channel of the image as float32 at `dst`. */
export function readColumn({ backend, allocate, image }: ImageRun, field: Field, dst: number): void {
  const { source, anchors } = field;
  const rows = fieldRows(field, image);
  const staging = allocate(backend.stagingBytes(anchors));
  const column = field.channelsFirst ? backend.stage(source, rows.start, anchors, staging) : staging;
  if (!field.channelsFirst) {
    const list = allocate(anchors * 4);
    backend.memory.view(Int32Array, list, anchors).set(Array.from({ length: anchors }, (_, i) => i));
    backend.gatherRows(source, rows, list, anchors, 0, staging);
  }
  backend.memory.view(Float32Array, dst, anchors).set(backend.memory.view(Float32Array, column, anchors));
}
