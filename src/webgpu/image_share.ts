/**
 * An image's share of a batch's tensors: where a shader finds it, and how it comes to the host.
 */
import { ownArray, partOf, type Place } from "../arrays.ts";
import type { CandidateSearch, CrowdedImage } from "../detect/search.ts";
import type { Field } from "../heads/outputs.ts";
import type { Prototypes } from "../heads/prototypes.ts";
import { type AnySource, type GpuSource, rangeError, type Source } from "../validate.ts";
import type { Gpu } from "./gpu.ts";
import { eachItem, itemGroups } from "./grid.ts";
import { paramsBlock, paramsText } from "./params.ts";
import { bytesOf, elementsBefore } from "./storage.ts";
import { Work } from "./work.ts";

/** Elements of a tensor that a binding holds: those of the image, and `first` that lie before them. */
export interface Share {
  readonly start: number;
  readonly first: number;
  readonly length: number;
}

export function shareOf({ source, allChannels, allAnchors }: Field<AnySource>, image: number): Share {
  return shareOfLength(source, allChannels * allAnchors, image);
}

/** Of so many elements for each image. */
export function shareOfLength(source: AnySource, length: number, image: number): Share {
  const start = image * length;
  const first = elementsBefore(source, start);
  return { start: start - first, first, length: first + length };
}

/** Whether an image's share of every field's tensor fits a binding. */
export function fitBindings(
  fields: readonly Field<AnySource>[],
  { maxStorageBufferBindingSize }: GPUSupportedLimits,
): boolean {
  return fields.every((field) => bytesOf(field.source, shareOf(field, 0).length) <= maxStorageBufferBindingSize);
}

/** The share for a shader, uploaded or where it lies; RangeError where it does not fit a binding. */
export function bindShare(
  work: Work,
  place: Place,
  source: AnySource,
  { start, length }: Share,
  { maxStorageBufferBindingSize: limit }: GPUSupportedLimits,
): GPUBufferBinding {
  const bytes = bytesOf(source, length);
  if (bytes > limit) throw rangeError(place, `of ${bytes} bytes an image`, `at most ${limit} on this device`);
  return work.input(source, start, length);
}

/** The image's prototypes, on the host. */
export async function prototypesOnHost(
  gpu: Gpu,
  { op, prototypes }: CandidateSearch,
  image: number,
): Promise<Prototypes> {
  const { source, channels, height, width, argument } = prototypes as Prototypes<AnySource>;
  const share = shareOfLength(source, channels * height * width, image);
  const moved = source.kind === "gpu"
    ? await readShare(gpu, { op, argument }, source, share)
    : partOf(source, share.start, share.length);
  return { ...prototypes as Prototypes<AnySource>, source: moved };
}

/** The image's share of every tensor of the search but prototypes, on the host. */
export async function shareOnHost(gpu: Gpu, search: CandidateSearch, image: number): Promise<CrowdedImage> {
  const hosted = new Map<AnySource, Source>();
  const host = async ({ source, argument }: Tensor, share: Share) => {
    if (hosted.has(source)) return;
    const place = { op: search.op, argument };
    hosted.set(
      source,
      source.kind === "gpu" ? await readShare(gpu, place, source, share) : partOf(source, share.start, share.length),
    );
  };
  for (const field of search.fields) await host(field, shareOf(field, image));
  return { parts: search.partsWith((source) => hosted.get(source) as Source) };
}

type Tensor = Pick<Field<AnySource>, "source" | "argument">;

const counts = { items: 0 };

/** A copy by a shader: a tensor's buffer need not be one to copy from. */
const copyShader = /* wgsl */ `
${paramsText({ counts, parameters: {} })}
@group(0) @binding(1) var<storage, read> tensor: array<u32>;
@group(0) @binding(2) var<storage, read_write> copy: array<u32>;
${eachItem("copy[i] = tensor[i];")}`;

async function readShare(gpu: Gpu, place: Place, source: GpuSource, { start, first, length }: Share): Promise<Source> {
  const { op } = place;
  const words = new Uint32Array(Math.ceil(bytesOf(source, length) / 4));
  const pipeline = await gpu.pipelines.get(op, copyShader);
  const work = new Work(op, gpu.device, gpu.pool);
  try {
    work.submit((encoder) => {
      const params = work.uniform(paramsBlock({ counts: { items: words.length }, parameters: {} }));
      const copy = work.storage(words.byteLength);
      work.dispatch(encoder, pipeline, [params, work.input(source, start, length), copy], itemGroups(words.length));
      work.copyBack(encoder, copy, words);
    });
    await work.read();
  } finally {
    work.release();
  }
  const { buffer } = words;
  const [kind, data] = source.half
    ? ["f16" as const, new Uint16Array(buffer, 2 * first, length - first)]
    : ["f32" as const, new Float32Array(buffer, 4 * first, length - first)];
  return { ...ownArray(place, data), kind, dims: [data.length], scale: 1, zeroPoint: 0 };
}
