/**
 * `detect` as a call. A device finds candidates; what is made of them is made on WASM.
 */
import type { HostArray } from "../arrays.ts";
import { type Call, type Division, NO_OUT, type SourceMap } from "../call.ts";
import { anchorsIn } from "../heads/levels.ts";
import { type Field, fieldsOf, mapPart } from "../heads/outputs.ts";
import type { Detections } from "../types.ts";
import type { AnySource, GpuSource } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { type CheckedDetect, op } from "./checked_detect.ts";
import { detectImages, findImages, hasDistant, withDistant } from "./detect_images.ts";
import { divisionOf } from "./detect_share.ts";
import { type CandidateSearch, type Searched, searchOf } from "./search.ts";

export class DetectCall implements Call {
  readonly op = op;
  readonly kind = "detect";
  readonly placement = "host";
  readonly out = NO_OUT;
  readonly checked: CheckedDetect;

  constructor(checked: CheckedDetect) {
    this.checked = checked;
  }

  /** Scores of classes. */
  get elements(): number {
    const { images, settings: { head, levels } } = this.checked;
    return images * anchorsIn(levels) * head.numClasses;
  }

  /** The fields of all parts. */
  get fields(): readonly Field<AnySource>[] {
    return this.checked.parts.flatMap(fieldsOf);
  }

  sources(): [string, AnySource][] {
    const { prototypes } = this.checked;
    const tensors = prototypes === null ? this.fields : [...this.fields, prototypes];
    return tensors.map(({ argument, source }) => [argument, source]);
  }

  /** A tensor that several fields share stays one. */
  withSources(map: SourceMap): DetectCall {
    const mapped = new Map<AnySource, AnySource>();
    const mapOnce = <T extends { readonly source: AnySource }>(tensor: T): T => {
      const source = mapped.get(tensor.source) ?? map(tensor.source);
      mapped.set(tensor.source, source);
      return { ...tensor, source };
    };
    const { parts, prototypes } = this.checked;
    return new DetectCall({
      ...this.checked,
      parts: parts.map((part) => mapPart(part, mapOnce)),
      prototypes: prototypes && mapOnce(prototypes),
    });
  }

  /** The search that another device runs. */
  search(): CandidateSearch {
    return searchOf(this.checked);
  }

  onWasm(backend: WasmBackend): Detections[] {
    return [...detectImages(backend, this.checked)];
  }

  /** With a signal there are turns of the event loop between images, in which the caller may change what was given. */
  inTurns(backend: WasmBackend): Detections[] | Promise<Detections[]> {
    const { signal, images } = this.checked;
    if (signal === undefined) return this.onWasm(backend);
    backend.memory.argumentsRead(op);
    const copied = <S extends HostArray | GpuSource>(source: S) =>
      "gpuBuffer" in source ? source : backend.copyOf(source as S & HostArray);
    const kept = images < 2 ? this : this.withSources(copied);
    return withTurns(detectImages(backend, kept.checked));
  }

  /** None with a signal: only between images of one thread is there a turn in which it may be given. */
  division(): Division | null {
    return this.checked.signal === undefined ? divisionOf(this.checked) : null;
  }

  finish(searched: Searched, backend: WasmBackend): Detections[] | Promise<Detections[]> {
    if (hasDistant(this.checked)) return this.#finishDistant(searched, backend);
    const detections = detectImages(backend, this.checked, searched.images);
    return this.checked.signal === undefined ? [...detections] : withTurns(detections);
  }

  async #finishDistant(searched: Searched, backend: WasmBackend): Promise<Detections[]> {
    const images = findImages(backend, this.checked, searched.images);
    const found = this.checked.signal === undefined ? [...images] : await withTurns(images);
    return await withDistant(backend, this.checked, searched, found);
  }
}

/** Only a turn of the event loop lets whoever holds the controller abort. */
async function withTurns<T>(images: Iterable<T>): Promise<T[]> {
  const results: T[] = [];
  for (const image of images) {
    results.push(image);
    await new Promise((resolve) => setTimeout(resolve));
  }
  return results;
}
