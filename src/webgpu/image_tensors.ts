/**
 * The tensors of `detect` as its shaders find them: one image's share of each, bound once.
 */
import type { Field, Part } from "../heads/outputs.ts";
import type { AnySource } from "../validate.ts";
import { bindShare, shareOf } from "./image_share.ts";
import { keyOf } from "./keys.ts";
import type { Work } from "./work.ts";

/** A tensor's values of one image, and the element of the binding that they begin at. */
interface Bound {
  readonly binding: GPUBufferBinding;
  readonly first: number;
}

export class ImageTensors {
  readonly #op: string;
  readonly #limits: GPUSupportedLimits;
  readonly #work: Work;
  readonly #image: number;
  /** One tensor may serve several parts and roles. */
  readonly #bound = new Map<AnySource, Bound>();

  constructor(op: string, { limits }: GPUDevice, work: Work, image: number) {
    this.#op = op;
    this.#limits = limits;
    this.#work = work;
    this.#image = image;
  }

  /** The image's share of the field's tensor: uploaded, or where it lies. */
  bind(field: Field<AnySource>): GPUBufferBinding {
    return this.#bind(field).binding;
  }

  /** The block of `Params` in detect_shaders.ts. */
  params(
    { firstAnchor, anchors }: Part<AnySource>,
    channels: number,
    capacity: number,
    fields: readonly (Field<AnySource> | null)[],
    threshold = 0,
  ): GPUBufferBinding {
    const block = new ArrayBuffer(64);
    const words = new Uint32Array(block);
    words.set([firstAnchor, anchors, channels, capacity, keyOf(threshold)]);
    new Float32Array(block).set([loosened(threshold), NaN], 5);
    fields.forEach((field, i) => words.set(field === null ? [] : this.#layoutOf(field), 8 + 4 * i));
    return this.#work.uniform(block);
  }

  #bind(field: Field<AnySource>): Bound {
    const { source, argument } = field;
    const known = this.#bound.get(source);
    if (known !== undefined) return known;
    const share = shareOf(field, this.#image);
    const binding = bindShare(this.#work, { op: this.#op, argument }, source, share, this.#limits);
    const bound = { binding, first: share.first };
    this.#bound.set(source, bound);
    return bound;
  }

  #layoutOf(field: Field<AnySource>): readonly number[] {
    const { channelsFirst, firstChannel, firstAnchor, allChannels, allAnchors } = field;
    const { first } = this.#bind(field);
    return channelsFirst
      ? [first + firstChannel * allAnchors + firstAnchor, 1, allAnchors]
      : [first + firstAnchor * allChannels + firstChannel, allChannels, 1];
  }
}

/**
 * A product that float32 cannot have over the threshold though the exact one is. Where factors may leave float32's normal
 * range, everything passes.
 */
function loosened(threshold: number): number {
  return threshold > 1e-30 ? threshold * (1 - 1e-5) : 0;
}
