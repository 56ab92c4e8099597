/**
 * The prototypes of masks among the tensors that a network gave.
 */
import type { HeadSpec } from "../types.ts";
import { type AnySource, describeTensor, type Place, type Source, tensorAnywhere, typeError } from "../validate.ts";
import type { GivenTensor } from "./given.ts";

/** (B, channels, height, width) where channels are first, else (B, height, width, channels). */
export interface Prototypes<S extends AnySource = Source> {
  /** Where the tensor was passed: "outputs[1]". */
  readonly argument: string;
  readonly source: S;
  readonly channelsFirst: boolean;
  /** As many as the head has mask coefficients. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Tensors with the one that is the prototypes apart from the rest; null where none is. */
export interface Split {
  readonly rest: readonly GivenTensor[];
  readonly prototypes: GivenTensor | null;
}

/**
 * The prototypes by name; else a tensor of four axes that is no level of the head, because `mostOf` says how many of its shape
 * are: the last where there are more.
 */
export function splitPrototypes(
  { op }: Place,
  given: readonly GivenTensor[],
  head: HeadSpec,
  mostOf: (dims: readonly number[]) => number,
): Split {
  const named = given.filter(({ role }) => role === "prototypes");
  if (named.length > 1) {
    throw typeError({ op, argument: "outputs.prototypes" }, `${named.length} tensors`, "one tensor");
  }
  const found = named.length > 0 ? named[0] : unnamedPrototypes(given, head, mostOf);
  if (found === null) return { rest: given, prototypes: null };
  if (!hasMasks(head)) throw typeError(found.place, "given", `none, because head ${head.name} has no maskCoefficients`);
  return { rest: given.filter((tensor) => tensor !== found), prototypes: found };
}

/** Whether the head's rows have coefficients of masks. */
export function hasMasks({ maskCoefficients = 0 }: HeadSpec): boolean {
  return maskCoefficients > 0;
}

function unnamedPrototypes(
  given: readonly GivenTensor[],
  head: HeadSpec,
  mostOf: (dims: readonly number[]) => number,
): GivenTensor | null {
  if (!hasMasks(head)) return null;
  const shaped = given.filter(({ role }) => role === null)
    .map((tensor) => ({ tensor, dims: shapeOfTensor(tensor) })).filter(({ dims }) => dims.length === 4);
  const odd = shaped.filter(({ dims }, i) => {
    const alike = (other: (typeof shaped)[number]) => String(other.dims) === String(dims);
    return shaped.slice(0, i + 1).filter(alike).length > mostOf(dims);
  });
  const fitting = odd.find(({ dims }) => dims[1] === head.maskCoefficients || dims[3] === head.maskCoefficients);
  return (fitting ?? odd[0])?.tensor ?? null;
}

/** A bare array has none. */
function shapeOfTensor({ place, value }: GivenTensor): readonly number[] {
  return tensorAnywhere(place, value, (length) => [length]).dims;
}

/** The tensor as prototypes of a batch: its channels are the axis that has the head's number of coefficients. */
export function readPrototypes({ place, value }: GivenTensor, head: HeadSpec, images: number): Prototypes<AnySource> {
  const { maskCoefficients: channels = 0 } = head;
  const source = tensorAnywhere(place, value, (length) => [length]);
  const dims = source.dims.length === 3 ? [1, ...source.dims] : source.dims;
  const channelsFirst = dims[1] === channels;
  if (dims.length !== 4 || !(channelsFirst || dims[3] === channels)) {
    throw typeError(
      place,
      describeTensor(value, source),
      `prototypes (B, ${channels}, height, width) or (B, height, width, ${channels}) for head ${head.name} with ${channels} mask coefficients`,
    );
  }
  if (dims[0] !== images) throw typeError(place, `a batch of ${dims[0]}`, `${images}, as in the other outputs`);
  const [height, width] = channelsFirst ? [dims[2], dims[3]] : [dims[1], dims[2]];
  return { argument: place.argument, source, channelsFirst, channels, height, width };
}
