/**
 * Heads whose logits go through a softmax over the classes and background: their probabilities, in place of the logits.
 */
import { float32Source, float32Values } from "../heads/host_values.ts";
import { type Field, fieldRows, type Part } from "../heads/outputs.ts";
import type { CheckedDetect, Settings } from "./checked_detect.ts";

/** The settings for parts that {@link softmaxParts} has made. */
export function softmaxSettings(settings: Settings): Settings {
  return { ...settings, head: { ...settings.head, scores: "probabilities" } };
}

/** Parts whose classes are probabilities, without the background. */
export function softmaxParts(parts: readonly Part[], images: CheckedDetect["images"]): Part[] {
  return parts.map((part) => ({ ...part, classes: softmaxField(part.classes, images) }));
}

function softmaxField(field: Field, images: number): Field {
  const { anchors, source } = field;
  const channels = field.channels - 1;
  const values = float32Values(source);
  const data = new Float32Array(images * anchors * channels);
  for (let image = 0; image < images; image++) {
    const { start, pitch } = fieldRows(field, image);
    const [byAnchor, byChannel] = field.channelsFirst ? [1, pitch] : [pitch, 1];
    for (let anchor = 0; anchor < anchors; anchor++) {
      const to = (image * anchors + anchor) * channels;
      softmaxRow(values, start + anchor * byAnchor, byChannel, data.subarray(to, to + channels));
    }
  }
  const whole = { channels, firstChannel: 0, allChannels: channels, firstAnchor: 0, allAnchors: anchors };
  const probabilities = float32Source(source.place, data, [images, anchors, channels]);
  return { ...field, ...whole, channelsFirst: false, source: probabilities };
}

/** Probabilities of all but the last; infinite logits share what there is, and of nothing comes NaN. */
function softmaxRow(values: Float32Array, first: number, step: number, out: Float32Array): void {
  let most = -Infinity;
  for (let i = 0; i <= out.length; i++) most = Math.max(most, values[first + i * step]);
  const weight = (value: number) => value === most && most > -Infinity ? 1 : Math.exp(value - most);
  let sum = 0;
  for (let i = 0; i <= out.length; i++) sum += weight(values[first + i * step]);
  for (let i = 0; i < out.length; i++) out[i] = weight(values[first + i * step]) / sum;
}
