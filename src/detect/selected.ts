/**
 * Heads whose rows are detections already: each has its score and its class beside the box. Their few hundred rows are read
 * where they lie: to stage them for the kernels took ten times as long.
 */
import { isRotated } from "../heads/channels.ts";
import { float32Source, float32Values } from "../heads/host_values.ts";
import { type Field, fieldRows, type Part } from "../heads/outputs.ts";
import { LEAST_PROBABILITY, MOST_PROBABILITY } from "../heads/values.ts";
import type { HeadSpec } from "../types.ts";
import { describe, rangeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { op, type Settings } from "./checked_detect.ts";
import { passesOf } from "./class_rules.ts";
import { attachedValues } from "./attachments.ts";
import type { DetectionArrays } from "./detections.ts";
import { scoreError } from "./probabilities.ts";
import { boxesAround, decodeRotated, ROTATED } from "./rotated.ts";
import { probability, rawThreshold } from "./scores.ts";

/** Values of a field in one image: channel c of row r is at first + r · byRow + c · byChannel. */
interface Columns {
  readonly values: Float32Array;
  readonly first: number;
  readonly byRow: number;
  readonly byChannel: number;
}

/** Parts whose tensors are float32, as they are read here. */
export function float32Parts(parts: readonly Part[]): readonly Part[] {
  const converted = (field: Field): Field => {
    const { source } = field;
    if (source.kind === "f32") return field;
    return { ...field, source: float32Source(source.place, float32Values(source), source.dims) };
  };
  return parts.map((part) => ({ ...part, classes: converted(part.classes), boxes: converted(part.boxes) }));
}

/** The detections of an image: rows over the threshold, best first, in the network's input. */
export function selectedDetections(
  backend: WasmBackend,
  settings: Settings,
  part: Part,
  image: number,
): DetectionArrays {
  const { classes, boxes } = part;
  const scored = columnsOf(backend, classes, image);
  const rows = rowsOver(scored, classes, settings);
  const { head, maxDetections } = settings;
  const length = Math.min(rows.length, maxDetections);
  const arrays = {
    boxes: new Float32Array(4 * length),
    scores: new Float32Array(length),
    classes: new Int32Array(length),
    anchors: new Int32Array(length),
  };
  const { values, first, byRow, byChannel } = scored;
  for (let i = 0; i < length; i++) {
    const at = first + rows[i] * byRow;
    arrays.scores[i] = probability(head, values[at]);
    arrays.classes[i] = values[at + byChannel];
    arrays.anchors[i] = rows[i];
  }
  const columns = columnsOf(backend, boxes, image);
  if (isRotated(head)) {
    const angles = attachedValues({ backend, parts: [part], image }, "angles", arrays.anchors);
    return withRotated(columns, angles, arrays, settings);
  }
  writeBoxes(columns, arrays, settings);
  return arrays;
}

/** Rotated boxes of the rows, and the upright ones around them. */
function withRotated(
  { values, first, byRow, byChannel }: Columns,
  angles: Float32Array,
  arrays: DetectionArrays,
  { head, imageSize, clip }: Settings,
): DetectionArrays {
  const { anchors } = arrays;
  const sides = Float32Array.from({ length: 4 * anchors.length }, (_, i) => {
    return values[first + anchors[i >> 2] * byRow + (i & 3) * byChannel];
  });
  const rotated = new Float32Array(ROTATED * anchors.length);
  decodeRotated(head, imageSize, null, { anchors, sides, byAnchor: 4, byChannel: 1, angles, boxes: rotated });
  return { ...arrays, boxes: boxesAround(rotated, clip ? imageSize : null), rotated };
}

function columnsOf(backend: WasmBackend, field: Field, image: number): Columns {
  const { start, pitch } = fieldRows(field, image);
  const [byRow, byChannel] = field.channelsFirst ? [1, pitch] : [pitch, 1];
  return { values: backend.values(field.source) as Float32Array, first: start, byRow, byChannel };
}

/** Rows whose score is over the threshold of their class, best first. */
function rowsOver(
  { values, first, byRow, byChannel }: Columns,
  { anchors, argument }: Field,
  { head, scoreThreshold, classRules }: Settings,
): number[] {
  const [least, most] = head.scores === "probabilities" ? [LEAST_PROBABILITY, MOST_PROBABILITY] : [-Infinity, Infinity];
  const threshold = rawThreshold(head, scoreThreshold);
  const passes = classRules === null ? null : passesOf(head, classRules, false);
  const rows: number[] = [];
  let isSorted = true;
  let last = Infinity;
  for (let row = 0; row < anchors; row++) {
    const at = first + row * byRow;
    const score = values[at];
    if (score >= least && score <= threshold) continue;
    if (score < least || score > most) throw scoreError({ op, argument }, head, score);
    if (Number.isNaN(score)) continue;
    const label = values[at + byChannel];
    if (!isClass(head, label)) throw classError(head, argument, row, label);
    if (passes !== null && !passes(label, score, NaN)) continue;
    rows.push(row);
    if (score > last) isSorted = false;
    last = score;
  }
  const scoreOf = (row: number) => values[first + row * byRow];
  return isSorted ? rows : rows.sort((a, b) => scoreOf(b) - scoreOf(a) || a - b);
}

function isClass({ numClasses }: HeadSpec, label: number): boolean {
  return Number.isInteger(label) && label >= 0 && label < numClasses;
}

function classError({ name, numClasses }: HeadSpec, argument: string, row: number, label: number): RangeError {
  const wanted = `a class, 0 to ${numClasses - 1}, for head ${name}`;
  return rangeError({ op, argument: `the class of row ${row} in ${argument}` }, describe(label), wanted);
}

/** Corners in pixels, clipped where the options ask for it. */
function writeBoxes(
  { values, first, byRow, byChannel }: Columns,
  { boxes, anchors }: DetectionArrays,
  { head, imageSize: [height, width], clip }: Settings,
): void {
  const [unitX, unitY] = head.boxUnit === "image" ? [width, height] : [1, 1];
  const isCentred = head.boxes === "xywh";
  for (let i = 0; i < anchors.length; i++) {
    const at = first + anchors[i] * byRow;
    const x = values[at] * unitX;
    const y = values[at + byChannel] * unitY;
    const right = values[at + 2 * byChannel] * unitX;
    const bottom = values[at + 3 * byChannel] * unitY;
    boxes[4 * i] = isCentred ? x - right / 2 : x;
    boxes[4 * i + 1] = isCentred ? y - bottom / 2 : y;
    boxes[4 * i + 2] = isCentred ? x + right / 2 : right;
    boxes[4 * i + 3] = isCentred ? y + bottom / 2 : bottom;
  }
  if (!clip) return;
  for (let i = 0; i < boxes.length; i++) boxes[i] = Math.min(Math.max(boxes[i], 0), i % 2 === 0 ? width : height);
}
