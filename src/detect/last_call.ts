/**
 * What the last call found out about its head and the shapes of its outputs. A video asks the same for every frame, and to work
 * it out again would take twice as long as all else that a call of 300 rows does.
 */
import { checkHead } from "../heads/check.ts";
import { type GivenTensor, tensorsIn } from "../heads/given.ts";
import { type Level, type Plane, planesOf } from "../heads/levels.ts";
import { levelsIn } from "../heads/listed_rows.ts";
import { members } from "../heads/members.ts";
import { type Field, type Part, type ResolvedOutputs, resolveTensors } from "../heads/outputs.ts";
import type { Prototypes } from "../heads/prototypes.ts";
import type { HeadSpec, Outputs, TensorLike } from "../types.ts";
import { type AnySource, elementsOf, isBare, known, listOf, type Place, tensorAnywhere } from "../validate.ts";

/** Outputs that are understood, and where their anchors stand. */
export interface Understood extends ResolvedOutputs {
  readonly levels: readonly Level[];
  readonly planes: readonly Plane[];
}

const NAMES = Object.keys(members) as (keyof HeadSpec)[];

let lastHead: { readonly read: readonly unknown[]; readonly head: HeadSpec } | null = null;

/** The head, checked: the same object as at the last call where it has the same members. */
export function checkedHead(op: string, argument: string, given: HeadSpec): HeadSpec {
  if (typeof given !== "object" || given === null) return checkHead(op, argument, given);
  known(op, argument, given, NAMES);
  const read: unknown[] = [];
  for (const name of NAMES) read.push(copyOf(given[name]));
  if (lastHead !== null && isSame(read, lastHead.read)) return lastHead.head;
  const own = Object.fromEntries(NAMES.map((name, i) => [name, read[i]])) as unknown as HeadSpec;
  lastHead = { read, head: checkHead(op, argument, own) };
  return lastHead.head;
}

/** Lists and objects are the caller's, who may change them. */
function copyOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return listOf(value)?.map(copyOf) ?? { ...value };
}

/** Loops: with methods of arrays, to compare took as long as to check anew. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (!Array.isArray(a) || !Array.isArray(b)) return !Array.isArray(a) && !Array.isArray(b) && haveSame(a, b);
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !isSame(a[i], b[i])) return false;
  return true;
}

/** By name: lists of their entries took half as long again. */
function haveSame(a: object, b: object): boolean {
  const names = Object.keys(a) as (keyof typeof a)[];
  if (names.length !== Object.keys(b).length) return false;
  for (const name of names) if (!(name in b) || !isSame(a[name], b[name])) return false;
  return true;
}

/** A field without its tensor: that is the one of this index among those given. */
interface FieldPattern extends Omit<Field, "source"> {
  readonly tensor: number;
}

interface PartPattern {
  readonly firstAnchor: number;
  readonly anchors: number;
  readonly classes: FieldPattern;
  readonly boxes: FieldPattern;
  readonly objectness: FieldPattern | null;
  readonly maskCoefficients: FieldPattern | null;
  readonly keypoints: FieldPattern | null;
  readonly angles: FieldPattern | null;
}

interface PrototypesPattern extends Omit<Prototypes, "source"> {
  readonly tensor: number;
}

/** Where a tensor was passed, and its shape: of a bare array the one that the head gives to that many values. */
interface TensorPattern {
  readonly argument: string;
  readonly bare: boolean;
  readonly elements: number;
  readonly dims: readonly number[];
}

/** A question without its values, and the answer. */
interface Pattern {
  readonly head: HeadSpec;
  readonly imageSize: readonly [number, number];
  readonly tensors: readonly TensorPattern[];
  readonly images: number;
  readonly parts: readonly PartPattern[];
  readonly prototypes: PrototypesPattern | null;
  readonly levels: readonly Level[];
  readonly planes: readonly Plane[];
}

let lastPattern: Pattern | null = null;

/** The outputs, checked against a head that {@link checkedHead} gave, and the image size. */
export function understand(
  op: string,
  outputs: Outputs,
  head: HeadSpec,
  imageSize: readonly [number, number],
): Understood {
  const place = { op, argument: "outputs" };
  const given = tensorsIn(place, outputs);
  const sources = given.map((tensor, i) => {
    return tensorAnywhere(tensor.place, tensor.value, (elements) => bareDims(lastPattern?.tensors[i], elements));
  });
  if (lastPattern !== null && fits(lastPattern, given, sources, head, imageSize)) return fill(lastPattern, sources);
  // Each is read once; what shape a bare array has is for the head to say.
  const read = given.map((tensor, i) => {
    return isBare(tensor.value) ? tensor : { ...tensor, value: sources[i] as unknown as TensorLike };
  });
  const found = resolve(place, read, head, imageSize);
  lastPattern = patternOf(found, given, head, imageSize);
  return found;
}

/** The shape that a bare array of that length had at the last call. */
function bareDims(last: TensorPattern | undefined, elements: number): readonly number[] {
  return last !== undefined && last.bare && last.elements === elements ? last.dims : [];
}

function resolve(
  place: Place,
  given: readonly GivenTensor[],
  head: HeadSpec,
  imageSize: readonly [number, number],
): Understood {
  const levels = levelsIn(head, imageSize, given);
  return { ...resolveTensors(place, given, head, levels), levels, planes: planesOf(levels) };
}

function fits(
  pattern: Pattern,
  given: readonly GivenTensor[],
  sources: readonly AnySource[],
  head: HeadSpec,
  [height, width]: readonly [number, number],
): boolean {
  const { tensors, imageSize } = pattern;
  return head === pattern.head && height === imageSize[0] && width === imageSize[1] &&
    given.length === tensors.length &&
    given.every(({ place, value }, i) => {
      const last = tensors[i];
      return last !== undefined && last.argument === place.argument && last.bare === isBare(value) &&
        isSame(last.dims, sources[i].dims);
    });
}

function patternOf(
  { images, parts, prototypes, levels, planes }: Understood,
  given: readonly GivenTensor[],
  head: HeadSpec,
  imageSize: readonly [number, number],
): Pattern {
  const tensors: TensorPattern[] = [];
  const emptied = <T extends { readonly argument: string; readonly source: AnySource }>({ source, ...rest }: T) => {
    const { argument } = rest;
    const tensor = given.findIndex(({ place }) => place.argument === argument);
    const { dims } = source;
    tensors[tensor] = { argument, bare: isBare(given[tensor].value), elements: elementsOf(dims), dims };
    return { ...rest, tensor };
  };
  const emptiedParts = parts.map((part) => ({
    ...part,
    classes: emptied(part.classes),
    boxes: emptied(part.boxes),
    objectness: part.objectness && emptied(part.objectness),
    maskCoefficients: part.maskCoefficients && emptied(part.maskCoefficients),
    keypoints: part.keypoints && emptied(part.keypoints),
    angles: part.angles && emptied(part.angles),
  }));
  const emptiedPrototypes = prototypes && emptied(prototypes);
  return { head, imageSize, tensors, images, parts: emptiedParts, prototypes: emptiedPrototypes, levels, planes };
}

/** Member by member: spreads would take a third of the time of the whole call. */
function fill({ images, parts, prototypes, levels, planes }: Pattern, sources: readonly AnySource[]): Understood {
  const filled = (field: FieldPattern): Field<AnySource> => ({
    argument: field.argument,
    source: sources[field.tensor],
    channelsFirst: field.channelsFirst,
    channels: field.channels,
    firstChannel: field.firstChannel,
    allChannels: field.allChannels,
    anchors: field.anchors,
    firstAnchor: field.firstAnchor,
    allAnchors: field.allAnchors,
  });
  const filledParts = parts.map((part): Part<AnySource> => ({
    firstAnchor: part.firstAnchor,
    anchors: part.anchors,
    classes: filled(part.classes),
    boxes: filled(part.boxes),
    objectness: part.objectness && filled(part.objectness),
    maskCoefficients: part.maskCoefficients && filled(part.maskCoefficients),
    keypoints: part.keypoints && filled(part.keypoints),
    angles: part.angles && filled(part.angles),
  }));
  const filledPrototypes = prototypes && { ...prototypes, source: sources[prototypes.tensor] };
  return { images, parts: filledParts, prototypes: filledPrototypes, levels, planes };
}
