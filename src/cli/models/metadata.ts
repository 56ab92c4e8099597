/**
 * What an ONNX file says of itself: its `metadata_props`, which onnxruntime-node does not give. Field numbers are those of onnx.proto.
 */

import type { Task } from "../task.ts";

/** Of ModelProto: pairs of key and value. */
const METADATA_PROPS = 14;
const KEY = 1;
const VALUE = 2;

const utf8 = new TextDecoder();

/** Keys and values of a model; none where the bytes are no whole model. */
export function modelMetadata(bytes: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  for (const [field, entry] of fieldsOf(bytes)) {
    if (field !== METADATA_PROPS) continue;
    const texts = new Map([...fieldsOf(entry)].map(([field, text]) => [field, utf8.decode(text)]));
    found.set(texts.get(KEY) ?? "", texts.get(VALUE) ?? "");
  }
  return found;
}

/** The fields of a message that have bytes, such as texts and messages; others are skipped. */
function* fieldsOf(bytes: Uint8Array): Generator<[field: number, bytes: Uint8Array]> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const kind = tag % 8;
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const length = varint();
      yield [Math.floor(tag / 8), bytes.subarray(at, at + length)];
      at += length;
    } else return;
  }
}

/** A text of Python's. */
const QUOTED = `'(?:[^'\\\\]|\\\\.)*'|"(?:[^"\\\\]|\\\\.)*"`;

/**
 * Names of classes in Ultralytics' words, a dict of Python or, in older files, a list: {0: 'person', 1: "driver's cab"}; undefined
 * where they are not so.
 */
export function classNamesIn(metadata: ReadonlyMap<string, string>): string[] | undefined {
  const text = metadata.get("names") ?? "";
  const pattern = new RegExp(text.startsWith("[") ? `()(${QUOTED})` : `(\\d+)['"]?:\\s*(${QUOTED})`, "g");
  const found = [...text.matchAll(pattern)].map(([, index, quoted], i) => {
    return { index: index === "" ? i : Number(index), name: quoted.slice(1, -1).replaceAll(/\\(.)/g, "$1") };
  }).sort((a, b) => a.index - b.index);
  const isWhole = found.length > 0 && found.every(({ index }, i) => index === i);
  return isWhole ? found.map(({ name }) => name) : undefined;
}

/** The size that Ultralytics exported for, [height, width], also where the graph takes any. */
export function imageSizeIn(metadata: ReadonlyMap<string, string>): readonly [number, number] | undefined {
  const [, height, width] = /^\[(\d+), (\d+)\]$/.exec(metadata.get("imgsz") ?? "") ?? [];
  return height === undefined ? undefined : [Number(height), Number(width)];
}

/** What the network finds, in Ultralytics' words; undefined where there are none, or others such as "classify". */
export function taskIn(metadata: ReadonlyMap<string, string>): Task | undefined {
  const name = (["detect", "segment", "pose", "obb"] as const).find((task) => task === metadata.get("task"));
  if (name === undefined) return undefined;
  const [, count, dims] = /^[[(](\d+), ([23])[\])]$/.exec(metadata.get("kpt_shape") ?? "") ?? [];
  const keypoints = count === undefined ? undefined : { count: Number(count), dims: Number(dims) as 2 | 3 };
  return { name, keypoints };
}
