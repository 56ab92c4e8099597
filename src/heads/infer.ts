/**
 * Which preset fits the shapes of some outputs.
 */
import { anchorsIn, levelsOf } from "./levels.ts";
import { channelsOf, resolveOutputs } from "./outputs.ts";
import type { HeadSpec, Outputs, TensorLike } from "../types.ts";
import { describe, integer, shapeOf, size, typeError } from "../validate.ts";
import { boxChannels, hasObjectness, preset, type PresetName, presets } from "./presets.ts";

const op = "heads.infer";

export interface InferHints {
  /** Network input, [height, width]; without it any multiple of the largest stride will do. */
  imageSize?: readonly number[];
  /** Number of classes; without it any. */
  numClasses?: number;
}

/** Two presets of one layout under two names. */
const ALIASES: readonly PresetName[] = ["yolo11"];

/**
 * The head that the shapes allow. Presets differ in number of levels, channels and layout; the number of classes follows
 * from the channels. An error lists the candidates where more than one fits, and what came where none does.
 */
export function infer(outputs: Outputs, hints: InferHints = {}): HeadSpec {
  if (typeof outputs !== "object" || outputs === null) {
    throw typeError({ op, argument: "outputs" }, describe(outputs), "a tensor, a list of tensors, or {classes, boxes}");
  }
  if (hints.imageSize !== undefined) size({ op, argument: "hints.imageSize" }, hints.imageSize);
  if (hints.numClasses !== undefined) integer({ op, argument: "hints.numClasses" }, hints.numClasses, 1);
  const shapes = shapesOf(outputs);
  const names = (Object.keys(presets) as PresetName[]).filter((name) => !ALIASES.includes(name));
  const natural = names.filter((name) => isApart(presets[name]) === comesApart(outputs));
  const found = firstFound([
    () => natural.flatMap((name) => candidates(name, outputs, shapes, hints, multipleSizes)),
    () => natural.flatMap((name) => candidates(name, outputs, shapes, hints, squareSizes)),
    () => names.flatMap((name) => candidates(name, outputs, shapes, hints, multipleSizes)),
    () => names.flatMap((name) => candidates(name, outputs, shapes, hints, squareSizes)),
  ]);
  if (found.length === 1) return found[0];
  const got = shapes.map(shapeOf).join(", ");
  if (found.length === 0) {
    throw new TypeError(
      `${op}: outputs of shape ${got}${told(hints)} fit no preset; wanted one of ${names.join(", ")}`,
    );
  }
  const list = found.map((head) => `${head.name} with ${head.numClasses} classes`).join(", ");
  throw new TypeError(`${op}: outputs of shape ${got}${told(hints)} fit ${list}; wanted hints that leave one`);
}

/** Whether the family gives classes and boxes in tensors of their own, and whether these outputs do. */
const isApart = (head: HeadSpec) => head.channelOrder === "separate";
const comesApart = (outputs: Outputs) => "classes" in outputs || (Array.isArray(outputs) && !isPerLevel(outputs));

/** One tensor per level has the same channels in each, and each level its own number of cells. */
function isPerLevel(outputs: readonly TensorLike[]): boolean {
  const sizes = outputs.map((t) => t instanceof Float32Array ? t.length : t.dims.reduce((a, b) => a * b, 1));
  return new Set(sizes).size === sizes.length && outputs.length !== 2;
}

/** The likeliest reading wins: the first that gives anything. */
function firstFound(readings: readonly (() => HeadSpec[])[]): HeadSpec[] {
  for (const reading of readings) {
    const found = reading();
    if (found.length > 0) return found;
  }
  return [];
}

function told({ imageSize, numClasses }: InferHints): string {
  const hints = [
    ...(imageSize === undefined ? [] : [`image size ${imageSize.join("×")}`]),
    ...(numClasses === undefined ? [] : [`${numClasses} classes`]),
  ];
  return hints.length === 0 ? "" : ` with ${hints.join(" and ")}`;
}

function shapesOf(outputs: Outputs): (readonly number[])[] {
  const tensors: TensorLike[] = Array.isArray(outputs)
    ? outputs
    : "classes" in outputs
    ? [outputs.classes, outputs.boxes, outputs.objectness ?? []].flat() as TensorLike[]
    : [outputs as TensorLike];
  return tensors.map((t) => {
    if (t instanceof Float32Array || typeof t !== "object" || t === null || !Array.isArray(t.dims)) {
      throw typeError(
        { op, argument: "outputs" },
        describe(t),
        "tensors with dims: a bare array has no shape to infer from",
      );
    }
    return t.dims;
  });
}

/** The preset with the number of classes that the channels leave, if everything then fits. */
function candidates(
  name: PresetName,
  outputs: Outputs,
  shapes: readonly (readonly number[])[],
  hints: InferHints,
  sizesOf: typeof multipleSizes,
): HeadSpec[] {
  return classCounts(presets[name], outputs, shapes, hints)
    .map((numClasses) => preset(name, { numClasses }))
    .filter((head) =>
      fits(
        head,
        outputs,
        hints.imageSize === undefined
          ? sizesOf(head, shapes)
          : [size({ op, argument: "hints.imageSize" }, hints.imageSize)],
      )
    );
}

/** Numbers of classes to try: channels of any tensor, less the box and objectness channels where they share one. */
function classCounts(
  head: HeadSpec,
  outputs: Outputs,
  shapes: readonly (readonly number[])[],
  hints: InferHints,
): number[] {
  if (hints.numClasses !== undefined) return [hints.numClasses];
  const together = head.channelOrder !== "separate" && !("classes" in outputs);
  const others = together ? boxChannels(head) + (hasObjectness(head) ? 1 : 0) : 0;
  const counts = shapes.flatMap((dims) => channelAxes(dims, head)).map((channels) => channels - others);
  return [...new Set(counts)].filter((count) => count > 0 && (together || count !== boxChannels(head)));
}

/** The axes that can be the channels, as `readings` of the outputs sees them. */
function channelAxes(dims: readonly number[], head: HeadSpec): number[] {
  if (head.layout === "rows") return dims.slice(-1);
  return dims.length === 3 ? dims.slice(0, 2) : dims.length === 4 ? [dims[1]] : dims.slice(0, 1);
}

function fits(head: HeadSpec, outputs: Outputs, sizes: readonly (readonly [number, number])[]): boolean {
  return sizes.some((imageSize) => {
    try {
      return resolveOutputs(op, outputs, head, levelsOf(head, imageSize)).parts.length > 0;
    } catch {
      return false;
    }
  });
}

/**
 * Image sizes whose levels could have the shapes: all multiples of the largest stride with that many anchors, as one row of
 * cells (which of the equal counts it is does not matter here).
 */
function multipleSizes(head: HeadSpec, shapes: readonly (readonly number[])[]): (readonly [number, number])[] {
  const largest = Math.max(...head.strides);
  const perCell = anchorsIn(levelsOf(head, [largest, largest]));
  const finest = (largest / Math.min(...head.strides)) ** 2;
  const widths = new Set(channelsOf(head).values());
  const extents = shapes.flatMap((dims) => extentsOf(dims)).filter((n) => !widths.has(n) || n > perCell);
  const cells = new Set(extents.flatMap((n) => [n / perCell, n / finest]).filter((n) => Number.isInteger(n) && n > 0));
  return [...cells].map((n) => [largest, n * largest]);
}

/** Square image sizes, multiples of the smallest stride, whose levels or all of whose anchors are as many as a shape says. */
function squareSizes(head: HeadSpec, shapes: readonly (readonly number[])[]): (readonly [number, number])[] {
  const finest = Math.min(...head.strides);
  const extents = new Set(shapes.flatMap((dims) => extentsOf(dims)));
  const sizes: (readonly [number, number])[] = [];
  const most = Math.sqrt(Math.max(0, ...extents));
  for (let cells = 1; cells <= most; cells++) {
    const size = [cells * finest, cells * finest] as const;
    const anchors = anchorsIn(levelsOf(head, size));
    if (extents.has(anchors) || extents.has(cells * cells)) sizes.push(size);
  }
  return sizes;
}

/** Every number of anchors that a shape could mean. */
function extentsOf(dims: readonly number[]): number[] {
  const pairs = dims.slice(1).map((d, i) => d * dims[i]);
  return [...dims, ...pairs];
}
