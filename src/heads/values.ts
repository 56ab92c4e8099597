/**
 * What the values of outputs tell of the head that made them.
 */
import { valuesOf } from "../arrays.ts";
import type { HeadSpec } from "../types.ts";
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
  return Float32Array.from(data, kind === "f16" ? halfOf : (q) => (q - zeroPoint) * scale);
}

/** Of IEEE-754 half bits. */
function halfOf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const magnitude = exponent === 31
    ? fraction === 0 ? Infinity : NaN
    : exponent === 0
    ? fraction * 2 ** -14
    : (1 + fraction) * 2 ** (exponent - 15);
  return bits >> 15 === 0 ? magnitude : -magnitude;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
