/**
 * What the values of outputs tell of the head that made them.
 */
import { valuesOf } from "../arrays.ts";
import { halfToFloat32 } from "../float32.ts";
import type { HeadSpec, KeypointSpec } from "../types.ts";
import type { AnySource } from "../validate.ts";
import type { Field, ResolvedOutputs } from "./outputs.ts";

/** What rounding may leave of a probability: of float16, or of bytes with a zero point that is none of them. */
export const LEAST_PROBABILITY = -1e-3;
export const MOST_PROBABILITY = 1 + 1e-3;

/** Values of scores: logits are proven by one outside [0, 1]. "alike": one value everywhere. "unknown": on a GPU, or NaN. */
export interface ScoreValues {
  readonly are: "logits" | "probabilities" | "alike" | "unknown";
  /** In words: "from −9.2 to 3.1". */
  readonly range: string;
}

/** Of the first classes, or all, and of objectness. */
export function scoreValues({ images, parts }: ResolvedOutputs, classes = Infinity): ScoreValues {
  let [low, high] = [Infinity, -Infinity];
  for (const field of parts.flatMap(({ classes, objectness }) => objectness ? [classes, objectness] : [classes])) {
    const values = floatsOf(field.source);
    if (values === null) continue;
    const channels = Math.min(field.channels, classes);
    for (let image = 0; image < images; image++) {
      const { first, byAnchor, byChannel } = placeOf(field, image);
      for (let anchor = 0; anchor < field.anchors; anchor++) {
        for (let i = first + anchor * byAnchor, left = channels; left > 0; left--, i += byChannel) {
          if (values[i] < low) low = values[i];
          if (values[i] > high) high = values[i];
        }
      }
    }
  }
  const range = `from ${short(low)} to ${short(high)}`;
  if (low > high) return { are: "unknown", range };
  if (low < LEAST_PROBABILITY || high > MOST_PROBABILITY) return { are: "logits", range };
  return { are: low === high ? "alike" : "probabilities", range };
}

/** Shares of the image that boxes reach at most: some are half outside. */
const MOST_SHARE = 1.5;

/** Logarithms of sizes over this are of boxes over ten million pixels. */
const MOST_LOG_SIZE = 14;

/** Boxes: why they cannot be what the head says, or null; and whether all lie between 0 and 1. */
export function boxValues(
  { boxes: kind, boxUnit }: HeadSpec,
  { images, parts }: ResolvedOutputs,
): { readonly fault: string | null; readonly shares: boolean } {
  const inLogarithms = kind === "log-size" || kind === "anchor-exp";
  if (!inLogarithms && kind !== "xywh" && kind !== "xyxy") return { fault: null, shares: false };
  let [least, most, largest] = [0, 0, 0];
  for (const { boxes } of parts) {
    const values = floatsOf(boxes.source);
    if (values === null) continue;
    for (let image = 0; image < images; image++) {
      const { first, byAnchor, byChannel } = placeOf(boxes, image);
      for (let anchor = 0; anchor < boxes.anchors; anchor++) {
        const at = first + anchor * byAnchor;
        for (const side of [0, 1]) {
          const from = values[at + side * byChannel];
          const to = values[at + (side + 2) * byChannel];
          least = Math.min(least, kind === "xyxy" ? to - from : to);
          most = Math.max(most, from, to);
          largest = Math.max(largest, to);
        }
      }
    }
  }
  if (inLogarithms) {
    const fault = largest > MOST_LOG_SIZE ? `sizes go up to e^${short(largest)}, which no box has` : null;
    return { fault, shares: false };
  }
  // A hundredth for what rounding does to bytes.
  if (boxUnit === "image" && most > MOST_SHARE) {
    return { fault: `boxes go up to ${short(most)}, which no share of the image is`, shares: false };
  }
  const fault = least < -0.01 * most ? `boxes have sides of ${short(least)}, which no ${kind} has` : null;
  return { fault, shares: most > 0 && most <= MOST_SHARE };
}

/** Are the channels behind the boxes a score from 0 to 1, and a whole number that is a class? */
export function hasDetections({ numClasses }: HeadSpec, { images, parts }: ResolvedOutputs): boolean {
  return parts.every(({ classes }) => {
    const values = floatsOf(classes.source);
    if (values === null) return true;
    return Array.from({ length: images }, (_, image) => placeOf(classes, image)).every(
      ({ first, byAnchor, byChannel }) => {
        for (let anchor = 0; anchor < classes.anchors; anchor++) {
          const at = first + anchor * byAnchor;
          const [score, label] = [values[at], values[at + byChannel]];
          if (score < LEAST_PROBABILITY || score > MOST_PROBABILITY) return false;
          if (!Number.isInteger(label) || label < 0 || label >= numClasses) return false;
        }
        return true;
      },
    );
  });
}

/** Offsets from a cell in strides; more than that are pixels. */
const MOST_OFFSET = 64;

/** Coefficients are a few units large. */
const MOST_COEFFICIENT = 100;

/** (σ − 0.25)·π, and a little for rounding. */
const SIGMOID_ANGLES = [-Math.PI / 4 - 0.01, 3 * Math.PI / 4 + 0.01] as const;

/** Why what stands behind the classes cannot be what the head says; null where it can. */
export function attachmentFault(head: HeadSpec, resolved: ResolvedOutputs): string | null {
  const { maskCoefficients = 0, keypoints, angle = "none" } = head;
  if (maskCoefficients > 0) {
    const { high, low } = rangeOf(resolved, ({ maskCoefficients }) => maskCoefficients, () => true);
    const most = Math.max(high, -low);
    if (most > MOST_COEFFICIENT) return `mask coefficients go up to ${short(most)}, and networks have small ones`;
  }
  if (angle === "radians") {
    const { high, low } = rangeOf(resolved, ({ angles }) => angles, () => true);
    // Beside distributions the network has a sigmoid behind them.
    const [least, most] = head.boxes === "distribution" ? SIGMOID_ANGLES : [-2 * Math.PI, 2 * Math.PI];
    if (low < least || high > most) return `angles are from ${short(low)} to ${short(high)}, which no radians are`;
  }
  return keypoints === undefined ? null : keypointFault(head, keypoints, resolved);
}

function keypointFault(
  head: HeadSpec,
  { count, dims, coding }: KeypointSpec,
  resolved: ResolvedOutputs,
): string | null {
  const rangeAt = (isOne: (channel: number) => boolean) => rangeOf(resolved, ({ keypoints }) => keypoints, isOne);
  const isProbability = ({ low, high }: Range) => low >= LEAST_PROBABILITY && high <= MOST_PROBABILITY;
  const places = rangeAt((channel) => channel % dims < 2);
  const most = Math.max(places.high, -places.low);
  if (!(most > 0)) return null;
  if (dims === 3 && coding === "pixel") {
    const seen = rangeAt((channel) => channel % 3 === 2);
    if (!isProbability(seen)) {
      return `visibilities are from ${short(seen.low)} to ${short(seen.high)}, and are probabilities`;
    }
  }
  if (dims === 2 && count % 3 === 0 && most > MOST_SHARE && isProbability(rangeAt((channel) => channel % 3 === 2))) {
    return "every third value is from 0 to 1, as visibilities are";
  }
  if (coding !== "pixel") return most > MOST_OFFSET ? `keypoints are up to ${short(most)} cells from theirs` : null;
  const boxes = head.boxes === "xywh" || head.boxes === "xyxy"
    ? rangeOf(resolved, ({ boxes }) => boxes, () => true).high
    : 10 * MOST_OFFSET;
  return most < boxes / 10 ? `keypoints go up to ${short(most)}, and boxes to ${short(boxes)}` : null;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

/** Of a role's values, in channels that `isOne` says; from infinity to minus infinity where the host cannot read them. */
function rangeOf(
  { images, parts }: ResolvedOutputs,
  fieldOf: (part: ResolvedOutputs["parts"][number]) => Field<AnySource> | null,
  isOne: (channel: number) => boolean,
): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const part of parts) {
    const field = fieldOf(part);
    const values = field === null ? null : floatsOf(field.source);
    if (field === null || values === null) continue;
    const channels = Array.from({ length: field.channels }, (_, channel) => channel).filter(isOne);
    for (let image = 0; image < images; image++) {
      const { first, byAnchor, byChannel } = placeOf(field, image);
      for (let anchor = 0; anchor < field.anchors; anchor++) {
        for (const channel of channels) {
          const value = values[first + anchor * byAnchor + channel * byChannel];
          if (value < low) low = value;
          if (value > high) high = value;
        }
      }
    }
  }
  return { low, high };
}

/** Where the field's values of an image stand. */
function placeOf(field: Field<AnySource>, image: number): { first: number; byAnchor: number; byChannel: number } {
  const { channelsFirst, firstChannel, firstAnchor, allChannels, allAnchors } = field;
  const [byAnchor, byChannel] = channelsFirst ? [1, allAnchors] : [allChannels, 1];
  const first = image * allChannels * allAnchors + firstAnchor * byAnchor + firstChannel * byChannel;
  return { first, byAnchor, byChannel };
}

/** Null where the host cannot read them. */
function floatsOf(source: AnySource): Float32Array | Float64Array | null {
  if (source.kind === "gpu") return null;
  const { kind, scale, zeroPoint } = source;
  const data = valuesOf(source);
  if (kind === "f32" || kind === "f64") return data as Float32Array | Float64Array;
  return Float32Array.from(data, kind === "f16" ? halfToFloat32 : (q) => (q - zeroPoint) * scale);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
