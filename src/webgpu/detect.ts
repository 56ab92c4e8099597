/**
 * The candidates of `detect`: a filter and a gather for each part of an image, in one submission. Lists come back; maps only
 * where the lists would be as large.
 */
import type { CandidateSearch, ListedCandidates, SearchedImage } from "../detect/search.ts";
import type { Part } from "../heads/outputs.ts";
import type { AnySource } from "../validate.ts";
import {
  CANDIDATE_WORDS,
  channelsShader,
  DETECT_LANES,
  filterShader,
  LIST_HEAD,
  sidesShader,
  sideWords,
} from "./detect_shaders.ts";
import type { Gpu } from "./gpu.ts";
import { itemGroups } from "./grid.ts";
import { shareOf, shareOnHost } from "./image_share.ts";
import { ImageTensors } from "./image_tensors.ts";
import { bytesOf, storageOf } from "./storage.ts";
import { Work } from "./work.ts";

/** Least capacity of a list, if there can be so many candidates: 128 KiB to read back. */
const MIN_CAPACITY = 4096;

/**
 * Maps are this many times as large as lists at the most. Beyond that it was faster to filter the maps on the host, because
 * listed candidates are sorted there: 33 600 of 672 000 scores took 0.33 s against 0.22 s on a software adapter.
 */
const MAPS_PER_LIST = 4;

/** First capacity of an image's list, by the candidates of the last search. */
export class ListCapacity {
  #most = 0;
  #all = 0;

  /** Twice an even share of all, so that one busy image does not make every list long; and at most what one image had. */
  of(images: number): number {
    const wanted = Math.min(this.#most, 2 * this.#all / images);
    return Math.max(MIN_CAPACITY, 2 ** Math.ceil(Math.log2(Math.max(wanted, 1))));
  }

  remember(counts: readonly number[]): void {
    this.#most = Math.max(0, ...counts);
    this.#all = counts.reduce((sum, count) => sum + count, 0);
  }
}

/**
 * The candidates of every image; all images are on their way at once. Crowded ones come to the host after that, one after
 * the other, so that one staging buffer is enough.
 */
export async function findCandidates(
  gpu: Gpu,
  search: CandidateSearch,
  lists: ListCapacity,
): Promise<SearchedImage[]> {
  if (search.onHost) return imagesOnHost(gpu, search);
  const capacity = lists.of(search.images);
  const listed = await Promise.all(Array.from({ length: search.images }, (_, image) => {
    return new ImageSearch(gpu, search, image).result(capacity);
  }));
  lists.remember(listed.map((image) => image === null ? 0 : image.anchors.length));
  const images: SearchedImage[] = [];
  for (const [i, image] of listed.entries()) images.push(image ?? await shareOnHost(gpu, search, i));
  return images;
}

/** One after the other, so that one staging buffer is enough. */
async function imagesOnHost(gpu: Gpu, search: CandidateSearch): Promise<SearchedImage[]> {
  const images: SearchedImage[] = [];
  for (let i = 0; i < search.images; i++) images.push(await shareOnHost(gpu, search, i));
  return images;
}

/** A part with its compiled shaders. */
interface CompiledPart {
  readonly part: Part<AnySource>;
  readonly filter: GPUComputePipeline;
  readonly sides: GPUComputePipeline;
  /** Null where boxes are not turned. */
  readonly angles: GPUComputePipeline | null;
}

interface Lists {
  readonly candidates: Uint32Array;
  readonly sides: Float32Array;
  readonly angles: Float32Array;
}

/** One image of a call. */
class ImageSearch {
  readonly #gpu: Gpu;
  readonly #search: CandidateSearch;
  readonly #work: Work;
  readonly #tensors: ImageTensors;

  constructor(gpu: Gpu, search: CandidateSearch, image: number) {
    this.#gpu = gpu;
    this.#search = search;
    this.#work = new Work(search.op, gpu.device, gpu.pool);
    this.#tensors = new ImageTensors(search.op, gpu.device, this.#work, image);
  }

  /** Searches with that capacity; if there are more candidates, again for all of them, or null if that does not pay. */
  async result(firstCapacity: number): Promise<ListedCandidates | null> {
    try {
      const parts = await Promise.all(this.#search.parts.map((part) => this.#compile(part)));
      const most = this.#maxListed();
      const capacity = Math.min(firstCapacity, this.#all(), most);
      const lists = await this.#run(parts, capacity);
      this.#checkScores(lists);
      const [count] = lists.candidates;
      if (count <= capacity) return sorted(lists, count, this.#search);
      if (count > most) return null;
      const again = await this.#run(parts, count);
      // No more than the capacity, should the tensors have changed meanwhile.
      return sorted(again, Math.min(again.candidates[0], count), this.#search);
    } finally {
      this.#work.release();
    }
  }

  /** Refuses what the filter met among probabilities that is none. */
  #checkScores({ candidates }: Lists): void {
    const [, outside, address] = candidates;
    if (outside === 0) return;
    const { parts, scoreError } = this.#search;
    const part = parts.findLast(({ firstAnchor }) => firstAnchor <= address >>> 1) ?? parts[0];
    const { argument } = address % 2 === 1 && part.objectness !== null ? part.objectness : part.classes;
    throw scoreError(argument, new Float32Array(candidates.buffer)[3]);
  }

  /** Candidates that there can be. */
  #all(): number {
    const { parts, multiLabel, numClasses } = this.#search;
    const anchors = parts.reduce((sum, part) => sum + part.anchors, 0);
    return multiLabel ? anchors * numClasses : anchors;
  }

  /** The most candidates whose lists fit a binding and are short beside the maps. */
  #maxListed(): number {
    const { fields, uncertainty } = this.#search;
    const { maxStorageBufferBindingSize } = this.#gpu.device.limits;
    const words = [CANDIDATE_WORDS, sideWords(uncertainty)];
    const fitting = (maxStorageBufferBindingSize / 4 - LIST_HEAD) / Math.max(...words);
    const maps = new Map(fields.map((field) => [field.source, shareOf(field, 0).length]));
    const mapBytes = [...maps].reduce((sum, [source, length]) => sum + bytesOf(source, length), 0);
    const paying = mapBytes / MAPS_PER_LIST / (4 * (words[0] + words[1]));
    return Math.floor(Math.min(fitting, Math.max(paying, MIN_CAPACITY)));
  }

  async #compile(part: Part<AnySource>): Promise<CompiledPart> {
    const { op, logits, range, bins, multiLabel, uncertainty } = this.#search;
    const { classes, boxes, objectness, angles: turned } = part;
    const joined = objectness && storageOf(objectness.source);
    const [filter, sides, angles = null] = await Promise.all([
      filterShader({ classes: storageOf(classes.source), objectness: joined, logits, range, multiLabel }),
      sidesShader({ boxes: storageOf(boxes.source), distribution: bins > 0, uncertainty }),
      ...turned === null ? [] : [channelsShader({ values: storageOf(turned.source), listed: true })],
    ].map((code) => this.#gpu.pipelines.get(op, code)));
    return { part, filter, sides, angles };
  }

  async #run(parts: readonly CompiledPart[], capacity: number): Promise<Lists> {
    const work = this.#work;
    const { uncertainty, rotated } = this.#search;
    const lists = {
      candidates: new Uint32Array(LIST_HEAD + capacity * CANDIDATE_WORDS),
      sides: new Float32Array(capacity * sideWords(uncertainty)),
      angles: new Float32Array(rotated ? capacity : 0),
    };
    work.submit((encoder) => {
      const [list, sides] = [lists.candidates, lists.sides].map(({ byteLength }) => work.storage(byteLength));
      const angles = rotated ? work.storage(lists.angles.byteLength) : null;
      encoder.clearBuffer(list.buffer, 0, LIST_HEAD * 4);
      for (const { part, filter } of parts) {
        const others = [part.classes, part.objectness].filter((field) => field !== null);
        const bindings = [
          this.#filterParams(part, capacity),
          list,
          ...others.map((field) => this.#tensors.bind(field)),
        ];
        work.dispatch(encoder, filter, bindings, itemGroups(part.anchors, DETECT_LANES));
      }
      for (const { part, sides: pipeline } of parts) {
        const bindings = [this.#sidesParams(part, capacity), list, sides, this.#tensors.bind(part.boxes)];
        work.dispatch(encoder, pipeline, bindings, itemGroups(capacity * 4, DETECT_LANES));
      }
      work.copyBack(encoder, list, lists.candidates);
      work.copyBack(encoder, sides, lists.sides);
      if (angles === null) return;
      for (const { part, angles: pipeline } of parts) {
        if (pipeline === null || part.angles === null) continue;
        const params = this.#tensors.params(part, 1, capacity, [part.angles]);
        const bindings = [params, list, angles, this.#tensors.bind(part.angles)];
        work.dispatch(encoder, pipeline, bindings, itemGroups(capacity, DETECT_LANES));
      }
      work.copyBack(encoder, angles, lists.angles);
    });
    await work.read();
    return lists;
  }

  #filterParams(part: Part<AnySource>, capacity: number): GPUBufferBinding {
    const { numClasses, threshold } = this.#search;
    return this.#tensors.params(part, numClasses, capacity, [part.classes, part.objectness], threshold);
  }

  #sidesParams(part: Part<AnySource>, capacity: number): GPUBufferBinding {
    return this.#tensors.params(part, this.#search.bins, capacity, [part.boxes]);
  }
}

/** Candidates by anchor and class: the shader lists them in any order. */
function sorted({ candidates, sides, angles }: Lists, count: number, search: CandidateSearch): ListedCandidates {
  const floats = new Float32Array(candidates.buffer);
  const at = (i: number) => LIST_HEAD + i * CANDIDATE_WORDS;
  // Whole numbers under 2^53, each with its place in the list.
  const keys = Float64Array.from({ length: count }, (_, i) => {
    return (candidates[at(i)] * search.numClasses + candidates[at(i) + 1]) * count + i;
  });
  const order = Uint32Array.from(keys.sort(), (key) => key % count);
  const column = (first: number, source: Float32Array | Uint32Array) => (i: number) => source[at(i) + first];
  const words = sideWords(search.uncertainty);
  const four = (first: number) => {
    const values = new Float32Array(count * 4);
    order.forEach((from, i) => values.set(sides.subarray(from * words + first, from * words + first + 4), 4 * i));
    return values;
  };
  const none = new Float32Array(0);
  return {
    anchors: Int32Array.from(order, column(0, candidates)),
    labels: Int32Array.from(order, column(1, candidates)),
    values: Float32Array.from(order, column(2, floats)),
    objectness: Float32Array.from(order, column(3, floats)),
    sides: four(0),
    std: search.uncertainty ? four(4) : none,
    saturation: search.uncertainty ? four(8) : none,
    excess: search.uncertainty ? four(12) : none,
    angles: search.rotated ? Float32Array.from(order, (from) => angles[from]) : none,
  };
}
