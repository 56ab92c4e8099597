/**
 * Thresholds of the class values of anchors, in linear memory.
 */
import { anchorsIn } from "../heads/levels.ts";
import { type Field, fieldRows } from "../heads/outputs.ts";
import { op } from "./checked_detect.ts";
import { paddedColumns } from "../wasm/backend.ts";
import type { AnchorList } from "./groups.ts";
import { type ImageRun, scoped } from "./image_run.ts";
import { checkProbabilities } from "./probabilities.ts";
import { productThreshold, rawThreshold, thresholdByObjectness } from "./scores.ts";

/** Thresholds in the unit of the class values: one for all anchors, or (with objectness) one for each. */
export interface Thresholds {
  readonly pointer: number;
  /** Bytes from one anchor's threshold to the next's; 0 where there is one for all. */
  readonly stride: number;
  /** Objectness of each anchor as it came, or 0. */
  readonly objectness: number;
  /** Anchors whose objectness alone is over the threshold: no other's score can be. Null without objectness. */
  readonly competing: AnchorList | null;
}

export function makeThresholds(run: ImageRun): Thresholds {
  const { backend, allocate, parts, settings: { head, scoreThreshold } } = run;
  if (parts[0].objectness !== null) return thresholdsByObjectness(run);
  const pointer = allocate(4);
  backend.memory.floats[pointer >> 2] = rawThreshold(head, scoreThreshold);
  return { pointer, stride: 0, objectness: 0, competing: null };
}

/** Of anchors that do not compete, a threshold that no score is over. */
function thresholdsByObjectness(run: ImageRun): Thresholds {
  const { backend, allocate, parts, settings: { head, levels, scoreThreshold } } = run;
  const anchors = anchorsIn(levels);
  const objectness = allocate(backend.stagingBytes(anchors));
  const pointer = allocate(anchors * 4);
  for (const part of parts) readColumn(run, part.objectness as Field, objectness + part.firstAnchor * 4);
  const competing = competingAnchors(run, objectness, anchors);
  const { floats, ints } = backend.memory;
  const thresholdOf = thresholdByObjectness(head, scoreThreshold);
  floats.fill(rawThreshold(head, 1), pointer >> 2, (pointer >> 2) + anchors);
  for (let i = 0; i < competing.count; i++) {
    const anchor = ints[(competing.anchors >> 2) + i];
    floats[(pointer >> 2) + anchor] = thresholdOf(floats[(objectness >> 2) + anchor]);
  }
  return { pointer, stride: 4, objectness, competing };
}

/** The anchors whose objectness alone is over the threshold: the score filter, with objectness as the only class. */
function competingAnchors(run: ImageRun, objectness: number, anchors: number): AnchorList {
  const { backend: { kernels, memory }, settings: { head, scoreThreshold } } = run;
  const list = run.allocate(anchors * 4);
  const padded = paddedColumns(anchors);
  return scoped(run, ({ allocate }) => {
    const [best, labels, classes, values] = Array.from({ length: 4 }, () => allocate(padded * 4));
    const { floats, ints } = memory;
    const least = rawThreshold(head, productThreshold(head, scoreThreshold));
    floats.fill(least, best >> 2, (best >> 2) + anchors).fill(Infinity, (best >> 2) + anchors, (best >> 2) + padded);
    ints.fill(-1, labels >> 2, (labels >> 2) + padded);
    const column = [objectness, 0, anchors, 1, 0, best, labels] as const;
    if (head.scores === "logits") {
      kernels.score_filter_channels(...column);
    } else if (!kernels.score_filter_channels_probabilities(...column)) {
      checkObjectness(run, objectness);
      kernels.score_filter_channels(...column);
    }
    return { anchors: list, count: kernels.score_filter_compact(best, labels, anchors, 0, list, classes, values) };
  });
}

function checkObjectness({ backend, parts, settings: { head } }: ImageRun, objectness: number): void {
  for (const { firstAnchor, anchors, objectness: field } of parts) {
    const values = { pointer: objectness + firstAnchor * 4, stride: 0, rows: 1, columns: anchors };
    checkProbabilities(backend, { op, argument: (field as Field).argument }, head, values);
  }
}

/** The one channel of the image as float32 at `dst`. */
function readColumn({ backend, image }: ImageRun, field: Field, dst: number): void {
  const { source, anchors } = field;
  const { start, pitch } = fieldRows(field, image);
  backend.pick(source, start, field.channelsFirst ? 1 : pitch, anchors, dst);
}
