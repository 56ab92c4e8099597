/**
 * What rows have beside box and class, read only of those that became detections: mask coefficients, keypoints, angles. A few
 * hundred rows are read where they lie: to stage them for kernels would copy more than is read.
 */
import { halfToFloat32 } from "../float32.ts";
import type { Attachment } from "../heads/channels.ts";
import { fieldRows, type Part } from "../heads/outputs.ts";
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
  for (const part of parts) {
    const field = part[role];
    if (field === null) continue;
    const rows = parts.length === 1 ? null : rowsIn(part, anchors);
    const { start, pitch } = fieldRows(field, image);
    const { channelsFirst, source } = field;
    const [byAnchor, byChannel] = channelsFirst ? [1, pitch] : [pitch, 1];
    const place = { start: start - part.firstAnchor * byAnchor, byAnchor, byChannel, channels };
    copyValues(backend.values(source), place, anchors, rows, out);
    convert(source, out, channels, rows);
  }
  return out;
}

/** Indices of the anchors that are of the part. */
function rowsIn({ firstAnchor, anchors: count }: Part, anchors: Int32Array): Int32Array {
  const rows = new Int32Array(anchors.length);
  let found = 0;
  for (let i = 0; i < anchors.length; i++) {
    if (anchors[i] >= firstAnchor && anchors[i] < firstAnchor + count) rows[found++] = i;
  }
  return rows.subarray(0, found);
}

/** Channel c of anchor a stands at start + a · byAnchor + c · byChannel. */
interface Grid {
  readonly start: number;
  readonly byAnchor: number;
  readonly byChannel: number;
  readonly channels: number;
}

/** What the tensor holds, for these rows of `out`, or all: anchor by anchor where its channels are neighbours, else eight of them. */
function copyValues(
  values: Source["data"],
  grid: Grid,
  anchors: Int32Array,
  rows: Int32Array | null,
  out: Float32Array,
): void {
  const { channels, byChannel } = grid;
  const eights = byChannel === 1 ? 0 : channels - channels % 8;
  for (let channel = 0; channel < eights; channel += 8) copyEight(values, grid, channel, anchors, rows, out);
  copyRest(values, grid, eights, anchors, rows, out);
}

/** Written out, so that their cache misses overlap: in a loop it took a third longer. */
function copyEight(
  values: Source["data"],
  { start, byAnchor, byChannel: step, channels }: Grid,
  channel: number,
  anchors: Int32Array,
  rows: Int32Array | null,
  out: Float32Array,
): void {
  const count = rows === null ? anchors.length : rows.length;
  const first = start + channel * step;
  for (let k = 0; k < count; k++) {
    const row = rows === null ? k : rows[k];
    const from = first + anchors[row] * byAnchor;
    const to = row * channels + channel;
    out[to] = values[from];
    out[to + 1] = values[from + step];
    out[to + 2] = values[from + 2 * step];
    out[to + 3] = values[from + 3 * step];
    out[to + 4] = values[from + 4 * step];
    out[to + 5] = values[from + 5 * step];
    out[to + 6] = values[from + 6 * step];
    out[to + 7] = values[from + 7 * step];
  }
}

/** The channels from the first on. */
function copyRest(
  values: Source["data"],
  { start, byAnchor, byChannel, channels }: Grid,
  first: number,
  anchors: Int32Array,
  rows: Int32Array | null,
  out: Float32Array,
): void {
  const count = rows === null ? anchors.length : rows.length;
  for (let k = 0; k < count; k++) {
    const row = rows === null ? k : rows[k];
    const from = start + anchors[row] * byAnchor;
    for (let channel = first; channel < channels; channel++) {
      out[row * channels + channel] = values[from + channel * byChannel];
    }
  }
}

/** To the values that these are; float32 holds halves' bits and quantised numbers exactly. */
function convert(
  { kind, scale, zeroPoint }: Source,
  out: Float32Array,
  channels: number,
  rows: Int32Array | null,
): void {
  if (kind !== "f16" && !isQuantised(kind)) return;
  const step = Math.fround(scale);
  const value = kind === "f16" ? halfToFloat32 : (q: number) => Math.fround(q - zeroPoint) * step;
  const count = rows === null ? out.length / channels : rows.length;
  for (let k = 0; k < count; k++) {
    const first = (rows === null ? k : rows[k]) * channels;
    for (let i = first; i < first + channels; i++) out[i] = value(out[i]);
  }
}
