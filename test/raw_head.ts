/** Random raw outputs of a head, and the ways in which exports pack them into tensors. */
import type { HeadSpec, HostTensor, Outputs } from "densehead";
import { type Attachment, attachmentsOf, boxChannels, hasObjectness, readChannels } from "../src/heads/channels.ts";
import { anchorsPerCell } from "../src/heads/levels.ts";
import { isListed } from "../src/heads/listed_rows.ts";
import { floats, type Random } from "./random.ts";
import type { RawHead } from "./reference/detect.ts";

/** Values of one image or a batch: (B, A, channels) each. */
export interface RawValues {
  readonly images: number;
  readonly anchors: number;
  /** Height, width and anchors of a cell, of each level. */
  readonly cells: readonly (readonly [number, number, number])[];
  readonly classes: Float32Array<ArrayBuffer>;
  readonly boxes: Float32Array<ArrayBuffer>;
  readonly objectness: Float32Array<ArrayBuffer> | null;
  /** Attachments that the head has, in the order of their channels. */
  readonly attached: readonly (readonly [Attachment, Float32Array<ArrayBuffer>])[];
}

/** Rows of heads that list detections or queries. */
const LISTED_ROWS = 120;

/** About one anchor in `rarity` has a class over the threshold of 0.25. */
export function randomHead(
  r: Random,
  head: HeadSpec,
  [height, width]: readonly [number, number],
  images = 1,
  rarity = 4,
): RawValues {
  const levels = head.strides.map((stride, level) => {
    return [Math.ceil(height / stride), Math.ceil(width / stride), anchorsPerCell(head, level)] as const;
  });
  const cells = isListed(head) ? [[1, LISTED_ROWS, 1] as const] : levels;
  const anchors = cells.reduce((sum, [h, w, n]) => sum + h * w * n, 0);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const score = () => {
    const x = r.integer(rarity * head.numClasses) === 0 ? r.uniform(-1, 4) : r.uniform(-9, -3);
    return head.scores === "probabilities" ? sigmoid(x) : x;
  };
  const isSelected = head.selection === "selected";
  const scoreOrClass = (i: number) => isSelected && i % 2 === 1 ? r.integer(head.numClasses) : score();
  const span = head.boxUnit === "image" && isListed(head) ? 128 : 1;
  const box = (i: number) => {
    if (head.boxes === "distribution") return r.normal() * 3;
    if (head.boxes === "distances") return r.uniform(0, 60);
    if (head.boxes === "log-size" || head.boxes === "anchor-exp") return r.uniform(-1.5, 1.5);
    if (head.boxes === "anchor-sigmoid") return r.uniform(-3, 3);
    if (head.boxes === "xyxy") return i % 4 < 2 ? r.uniform(0, 60) : r.uniform(60, 128);
    return i % 4 < 2 ? r.uniform(0, 128) : r.uniform(4, 60);
  };
  const rows = images * anchors;
  return {
    images,
    anchors,
    cells,
    classes: floats(rows * readChannels(head, "classes"), scoreOrClass),
    boxes: floats(rows * boxChannels(head), (i) => box(i) / span),
    objectness: hasObjectness(head)
      ? floats(rows, () => head.scores === "logits" ? r.uniform(-2, 4) : r.uniform())
      : null,
    attached: attachmentsOf(head).map((role) => {
      return [role, floats(rows * readChannels(head, role), (i) => attachedValue(r, head, role, i))] as const;
    }),
  };
}

function attachedValue(r: Random, { keypoints, angle, boxUnit }: HeadSpec, role: Attachment, i: number): number {
  if (role === "maskCoefficients") return r.normal();
  if (role === "angles") return angle === "radians" ? r.uniform(-0.78, 2.35) : r.uniform(-3, 3);
  const isPixel = keypoints?.coding === "pixel";
  if (keypoints?.dims === 3 && i % 3 === 2) return isPixel ? r.uniform() : r.uniform(-5, 5);
  return isPixel ? r.uniform(-5, 140) / (boxUnit === "image" ? 128 : 1) : r.uniform(-1.5, 1.5);
}

/** The values of one image, as the reference reads them. */
export function imageOf(raw: RawValues, image: number): RawHead {
  const { classes, boxes, objectness, attached } = raw;
  const [c, b] = [classes, boxes].map((values) => values.length / (raw.images * raw.anchors));
  const row = (anchor: number) => image * raw.anchors + anchor;
  return {
    rows: raw.anchors,
    classes: (anchor, label) => classes[row(anchor) * c + label],
    boxes: (anchor, channel) => boxes[row(anchor) * b + channel],
    ...(objectness === null ? {} : { objectness: (anchor: number) => objectness[row(anchor)] }),
    attached: Object.fromEntries(attached.map(([role, values]) => {
      const channels = values.length / (raw.images * raw.anchors);
      return [role, (anchor: number) => values.subarray(row(anchor) * channels, (row(anchor) + 1) * channels)];
    })),
  };
}

/** A score that no detection may have: it stands where nothing is read. */
const UNREAD = 0.99;

/** Anchors [first, first + count) of (B, A, C) values, joined along channels, as a tensor in the head's layout. */
export function pack(
  head: HeadSpec,
  raw: RawValues,
  roles: readonly Float32Array[],
  first = 0,
  count = raw.anchors,
): HostTensor {
  const read = roles.map((values) => values.length / (raw.images * raw.anchors));
  const widths = roles.map((values, i) => read[i] + (values === raw.classes ? head.unusedClasses ?? 0 : 0));
  const channels = widths.reduce((a, b) => a + b, 0);
  const data = new Float32Array(raw.images * count * channels);
  const rows = head.layout === "rows";
  const stacked = head.anchors === undefined || rows ? 1 : levelAt(raw, first).cells[2];
  const columns = count / stacked;
  for (let image = 0; image < raw.images; image++) {
    for (let row = 0; row < count; row++) {
      const [index, column] = stacked === 1 ? [0, row] : stackedPlace(raw, first, row);
      let channel = 0;
      roles.forEach((values, role) => {
        for (let i = 0; i < widths[role]; i++, channel++) {
          const value = i < read[role] ? values[(image * raw.anchors + first + row) * read[role] + i] : UNREAD;
          const line = image * stacked * channels + index * channels + channel;
          data[rows ? (image * count + row) * channels + channel : line * columns + column] = value;
        }
      });
    }
  }
  return { data, dims: rows ? [raw.images, count, channels] : [raw.images, stacked * channels, columns] };
}

/** Of a row of levels whose first anchor is `first`: the anchor in its cell, and the cell among those of these levels. */
function stackedPlace(raw: RawValues, first: number, row: number): [number, number] {
  const from = levelAt(raw, first);
  const { level, start, cells: [h, w] } = levelAt(raw, first + row);
  const before = raw.cells.slice(from.level, level).reduce((sum, [h, w]) => sum + h * w, 0);
  const inLevel = first + row - start;
  return [Math.floor(inLevel / (h * w)), before + inLevel % (h * w)];
}

/** The level of a row, with the first of its rows. */
function levelAt(
  { cells }: RawValues,
  row: number,
): { level: number; start: number; cells: RawValues["cells"][number] } {
  let [level, start] = [0, 0];
  const rowsOf = ([h, w, n]: RawValues["cells"][number]) => h * w * n;
  for (; start + rowsOf(cells[level]) <= row; level++) start += rowsOf(cells[level]);
  return { level, start, cells: cells[level] };
}

/** One tensor per level, with height and width as axes of their own, and anchors of a cell where rows have them. */
export function packLevels(head: HeadSpec, raw: RawValues, roles: readonly Float32Array[]): HostTensor[] {
  let first = 0;
  return raw.cells.map(([h, w, n]) => {
    const { data, dims } = pack(head, raw, roles, first, h * w * n);
    first += h * w * n;
    if (head.layout !== "rows") {
      const grid = head.anchors === undefined && n > 1 ? [n * h, w] : [h, w];
      return { data, dims: [raw.images, dims[1], ...grid] };
    }
    return { data, dims: [raw.images, ...n === 1 ? [] : [n], h, w, dims[2]] };
  });
}

/** The roles in the order of their channels in one tensor. */
export function inOrder(head: HeadSpec, raw: RawValues): Float32Array[] {
  const order: (Float32Array | null)[] = head.channelOrder === "class-first"
    ? [raw.classes, raw.objectness, raw.boxes]
    : [raw.boxes, raw.objectness, raw.classes];
  return [...order, ...raw.attached.map(([, values]) => values)].filter((values) => values !== null);
}

/** Every way in which the head's outputs can come. */
export function packings(head: HeadSpec, raw: RawValues): [string, Outputs][] {
  const { classes, boxes, objectness } = raw;
  const roles = {
    classes,
    boxes,
    ...(objectness === null ? {} : { objectness }),
    ...Object.fromEntries(raw.attached),
  };
  const each = (make: (values: Float32Array) => unknown) =>
    Object.fromEntries(Object.entries(roles).map(([role, values]) => [role, make(values)])) as unknown as Outputs;
  const named: [string, Outputs][] = [
    ["by name", each((values) => pack(head, raw, [values]))],
    ["by name and level", each((values) => packLevels(head, raw, [values]))],
  ];
  // Where rows are listed, a bare array is one image.
  const bare = !isListed(head) || raw.images === 1;
  if (bare) named.push(["by name, bare arrays", each((values) => pack(head, raw, [values]).data)]);
  if (head.channelOrder === "separate") {
    const levels = Object.values(roles).map((values) => packLevels(head, raw, [values]));
    const interleaved = levels[0].flatMap((_, i) => levels.map((list) => list[i]));
    return [...named, ["a list by role", levels.flat()], ["a list by level", interleaved]];
  }
  const together = inOrder(head, raw);
  const list = packLevels(head, raw, together);
  const rest = together.filter((values) => values !== classes);
  const attached = raw.attached.map(([, values]) => values);
  const joined = together.filter((values) => !attached.some((each) => each === values));
  const apart: [string, Outputs][] = [
    [
      "attachments apart, in a list",
      [joined, ...attached.map((values) => [values])].map((held) => pack(head, raw, held)),
    ],
    [
      "attachments apart, by level",
      [joined, ...attached.map((v) => [v])].flatMap((held) => packLevels(head, raw, held)),
    ],
    ["attachments by name", {
      rows: pack(head, raw, joined),
      ...Object.fromEntries(raw.attached.map(([role, values]) => [role, packLevels(head, raw, [values])])),
    }],
  ];
  return [
    ...named,
    ["rows", { rows: pack(head, raw, together) }],
    ["rows by level beside classes", { classes: packLevels(head, raw, [classes]), rows: packLevels(head, raw, rest) }],
    ["one tensor", pack(head, raw, together)],
    ...bare ? [["one bare array", pack(head, raw, together).data as Float32Array] as [string, Outputs]] : [],
    ...attached.length > 0 ? apart : [],
    ["one tensor per level", list],
    ["levels in reverse", [...list].reverse()],
  ];
}

/** Outputs with prototypes beside them: at the end of a list, or by name. */
export function withPrototypes(outputs: Outputs, prototypes: HostTensor): Outputs {
  if (Array.isArray(outputs)) return [...outputs, prototypes];
  const isTensor = ArrayBuffer.isView(outputs) || "dims" in outputs;
  return { ...isTensor ? { rows: outputs as HostTensor } : outputs, prototypes } as Outputs;
}
