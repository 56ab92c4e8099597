/**
 * Raw outputs as the criteria take them: a row of channels for each anchor.
 */
import type { AnchorMap, AnchorRows, AnchorRowsOptions, HeadSpec, Outputs } from "../types.ts";
import { namesOf, options as checkOptions, size, type Source } from "../validate.ts";
import { checkHead } from "./check.ts";
import { float32Values } from "./host_values.ts";
import { type Field, fieldRows, type Part, partsOnHost, resolveOutputs } from "./outputs.ts";

const op = "anchorRows";
const OPTIONS = namesOf<AnchorRowsOptions>({ head: true, imageSize: true });

/**
 * Raw outputs as `gflCriterion` and `vfnetCriterion` take them: a row of channels for each anchor, however the network lays
 * its tensors out.
 *
 * - Shapes: outputs as for `detect`, on the host, of any kind; classes (B, N, C), boxes (B, N, 4·bins) or (B, N, 4), with
 *   the levels in the order of the strides.
 * - Throws: TypeError if the outputs do not fit the head and the size.
 *
 * @example
 * ```ts
 * import { anchorRows, createEngine, heads } from "densehead";
 *
 * const head = heads.gfl({ numClasses: 1, bins: 4, strides: [8, 16] });
 * const imageSize = [16, 16];
 * const map = (channels: number, side: number) => {
 *   return { data: new Float32Array(channels * side * side), dims: [1, channels, side, side] };
 * };
 * const outputs = { classes: [map(1, 2), map(1, 1)], boxes: [map(16, 2), map(16, 1)] }; // two levels of each
 * const { classes, boxes } = anchorRows(outputs, { head, imageSize });
 * console.log(classes.dims, boxes.dims); // → [1, 5, 1], [1, 5, 16]
 *
 * const gt = [{ boxes: Float32Array.of(2, 2, 14, 14), labels: Int32Array.of(0) }];
 * const gtIndex = [Int32Array.of(-1, -1, -1, 0, -1)]; // the anchor at (8, 8) learns the box
 * const engine = await createEngine();
 * const { total } = await engine.gflCriterion({ cls: classes, dist: boxes, head, imageSize, gt, gtIndex });
 * console.log(total); // → 2.1796
 * ```
 */
export function anchorRows(outputs: Outputs, options: AnchorRowsOptions): AnchorRows {
  const given = checkOptions(op, options, OPTIONS, true);
  const head = checkHead(op, "options.head", given.head as HeadSpec);
  const imageSize = size({ op, argument: "options.imageSize" }, given.imageSize);
  const { images, parts: found } = resolveOutputs(op, outputs, head, imageSize);
  const parts = partsOnHost(op, found);
  const read = cached(float32Values);
  const rows = (fields: readonly Field[]) => rowsOf(fields, images, read);
  const objectness = parts.flatMap((part) => part.objectness ?? []);
  return {
    classes: rows(parts.map((part: Part) => part.classes)),
    boxes: rows(parts.map((part: Part) => part.boxes)),
    ...(objectness.length > 0 && { objectness: rows(objectness) }),
  };
}

type ReadValues = (source: Source) => Float32Array;

function rowsOf(fields: readonly Field[], images: number, read: ReadValues): AnchorMap {
  const [{ channels }] = fields;
  const anchors = fields.reduce((sum, field) => sum + field.anchors, 0);
  const data = new Float32Array(images * anchors * channels);
  let at = 0;
  for (let image = 0; image < images; image++) {
    for (const field of fields) {
      const end = at + field.anchors * channels;
      copyRows(field, image, read(field.source), data.subarray(at, end));
      at = end;
    }
  }
  return { data, dims: [images, anchors, channels] };
}

function copyRows(field: Field, image: number, values: Float32Array, rows: Float32Array): void {
  const { channels, anchors, channelsFirst } = field;
  const { start, pitch } = fieldRows(field, image);
  const [perAnchor, perChannel] = channelsFirst ? [1, pitch] : [pitch, 1];
  for (let anchor = 0; anchor < anchors; anchor++) {
    for (let channel = 0; channel < channels; channel++) {
      rows[anchor * channels + channel] = values[start + anchor * perAnchor + channel * perChannel];
    }
  }
}

/** Classes and boxes may be of one tensor, which is converted once. */
function cached(convert: ReadValues): ReadValues {
  const done = new Map<Source, Float32Array>();
  return (source) => {
    const values = done.get(source) ?? convert(source);
    done.set(source, values);
    return values;
  };
}
