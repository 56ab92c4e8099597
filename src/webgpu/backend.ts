/**
 * A device with its buffers and pipelines, and the calls that are on it.
 */
import type { CandidateSearch, FoundImage } from "../detect/found.ts";
import type { Field } from "../heads/outputs.ts";
import type { Call } from "../ops/call.ts";
import type { AnySource } from "../validate.ts";
import { BufferPool } from "./buffers.ts";
import { runCriterion } from "./criterion.ts";
import { findCandidates, ListCapacity } from "./detect.ts";
import { later, type OpenedDevice, soon } from "./device.ts";
import { fitBindings } from "./image_share.ts";
import { runLoss } from "./loss.ts";
import { Pipelines } from "./pipelines.ts";
import { runRows, tooLarge } from "./rows.ts";

export class GpuBackend {
  readonly device: GPUDevice;
  readonly description: string;
  readonly pool: BufferPool;
  readonly pipelines: Pipelines;
  readonly subgroups: boolean;
  readonly #own: boolean;
  readonly #lists = new ListCapacity();
  readonly #pending = new Set<(reason: string) => void>();
  #lost: string | null = null;

  constructor({ device, description, software, own }: OpenedDevice) {
    this.device = device;
    this.description = description;
    this.pool = new BufferPool(device);
    this.pipelines = new Pipelines(device);
    this.subgroups = device.features.has("subgroups") && !software;
    this.#own = own;
    device.lost.then(({ message, reason }) => this.#lose(`the GPU device was lost: ${message || reason}`));
  }

  /** Why nothing runs here any more, or null. */
  get lost(): string | null {
    return this.#lost;
  }

  /** Does each of the call's tensors fit a binding, whole or cut by rows? */
  holds(call: Call): boolean {
    return !("inputs" in call) || tooLarge(call, this.device.limits) === undefined;
  }

  /** Does an image's share of each field's tensor? */
  holdsImages(fields: readonly Field<AnySource>[]): boolean {
    return fitBindings(fields, this.device.limits);
  }

  run(call: Call): Promise<unknown> {
    return this.#watch(call.op, this.#start(call), buffersOf);
  }

  #start(call: Call): Promise<unknown> {
    if ("inputs" in call) return runRows(this, call);
    return "kernel" in call ? runLoss(this, call) : runCriterion(this, call);
  }

  /** The candidates of each image. */
  find(search: CandidateSearch): Promise<FoundImage[]> {
    return this.#watch(search.op, findCandidates(this, search, this.#lists), () => []);
  }

  /**
   * A call's result; a lost device or a disposed engine rejects it at once. Until the result is the caller's, `staying`, its
   * buffers on the device, are the pool's, which destroys them when it closes.
   */
  #watch<T>(op: string, result: Promise<T>, staying: (result: T) => GPUBuffer[]): Promise<T> {
    return new Promise((resolve, reject) => {
      const lose = (reason: string) => reject(new Error(`${op}: ${reason}`));
      const deliver = (value: T) => {
        for (const buffer of staying(value)) this.pool.handOver(buffer);
        resolve(value);
      };
      this.#pending.add(lose);
      result
        .then((value) => staying(value).length === 0 ? deliver(value) : soon().then(() => deliver(value)))
        .catch((error) => later().then(() => reject(error)))
        .finally(() => this.#pending.delete(lose));
    });
  }

  close(): void {
    this.#lose("the engine is disposed");
    if (this.#own) this.device.destroy();
  }

  #lose(reason: string): void {
    if (this.#lost !== null) return;
    this.#lost = reason;
    for (const lose of this.#pending) lose(reason);
    this.pool.close(reason);
  }
}

/** The buffers of a result that stay on the device. */
function buffersOf(result: unknown): GPUBuffer[] {
  if (typeof result !== "object" || result === null || ArrayBuffer.isView(result)) return [];
  return "gpuBuffer" in result ? [result.gpuBuffer as GPUBuffer] : Object.values(result).flatMap(buffersOf);
}
