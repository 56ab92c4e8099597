/**
 * What rows have beside box and class, read only of those that became detections: mask coefficients, keypoints, angles. A few
 * hundred rows are read where they lie: to stage them for kernels would copy more than is read.
 */
import { halfToFloat32 } from "../float32.ts";
import type { Attachment } from "../heads/channels.ts";
import { type Field, fieldRows, type Part } from "../heads/outputs.ts";
import { isQuantised, type Source } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";

/** A role of an image's rows. */
export interface Attached {
  readonly backend: WasmBackend;
  readonly parts: readonly Part[];
  /** Index of the image in the parts' tensors. */
  readonly image: number;
}

/** Float32 values (anchors, channels) of the role at these anchors, in any order; none where the head has no such role. */
export function attachedValues(
  { backend, parts, image }: Attached,
  role: Attachment,
  anchors: Int32Array,
): Float32Array {
  const channels = parts[0][role]?.channels ?? 0;
  const out = new Float32Array(anchors.length * channels);
  if (channels === 0) return out;
  const readers = new Map<Field, Reader>();
  for (let i = 0; i < anchors.length; i++) {
    const part = partOf(parts, anchors[i]);
    const field = part[role] as Field;
    let read = readers.get(field);
    if (read === undefined) readers.set(field, read = readerOf(backend, field, image));
    read(anchors[i] - part.firstAnchor, out, i * channels);
  }
  return out;
}

function partOf(parts: readonly Part[], anchor: number): Part {
  let i = parts.length - 1;
  while (parts[i].firstAnchor > anchor) i--;
  return parts[i];
}

/** Writes the channels of one of the field's anchors. */
type Reader = (anchor: number, out: Float32Array, at: number) => void;

function readerOf(backend: WasmBackend, field: Field, image: number): Reader {
  const { channels, channelsFirst, source } = field;
  const values = backend.values(source);
  const { start, pitch } = fieldRows(field, image);
  const [byAnchor, byChannel] = channelsFirst ? [1, pitch] : [pitch, 1];
  const convert = conversionOf(source);
  if (convert === null) {
    return (anchor, out, at) => {
      const first = start + anchor * byAnchor;
      for (let i = 0; i < channels; i++) out[at + i] = values[first + i * byChannel];
    };
  }
  return (anchor, out, at) => {
    const first = start + anchor * byAnchor;
    for (let i = 0; i < channels; i++) out[at + i] = convert(values[first + i * byChannel]);
  };
}

/** From what the tensor holds to its value; null where that is the value. */
function conversionOf({ kind, scale, zeroPoint }: Source): ((value: number) => number) | null {
  if (kind === "f16") return halfToFloat32;
  if (!isQuantised(kind)) return null;
  const step = Math.fround(scale);
  return (q) => Math.fround(q - zeroPoint) * step;
}
