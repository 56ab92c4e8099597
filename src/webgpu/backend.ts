/**
 * A device with its buffers and pipelines, and the calls that are on it.
 */
import type { Call, CallKind } from "../call.ts";
import type { CriterionCall } from "../criteria/criterion_call.ts";
import type { DetectCall } from "../detect/detect_call.ts";
import type { Searched } from "../detect/search.ts";
import type { LossCall } from "../ops/loss_call.ts";
import type { MaskLossCall } from "../ops/mask_loss_call.ts";
import type { RowCall } from "../ops/row_call.ts";
import type { PreprocessCall } from "../pixels/preprocess_call.ts";
import { gatherAttached } from "./attached.ts";
import { BufferPool } from "./buffers.ts";
import { runCriterion } from "./criterion.ts";
import { findCandidates, ListCapacity } from "./detect.ts";
import { later, type OpenedDevice, soon } from "./device.ts";
import { fitBindings, prototypesOnHost } from "./image_share.ts";
import { runLoss } from "./loss.ts";
import { runMaskLoss, tooLarge as tooLargeMasks } from "./mask_loss.ts";
import { findMasks } from "./masks.ts";
import { Pipelines } from "./pipelines.ts";
import { plans } from "./plans.ts";
import { fitsMatches } from "./plans/yolo_criterion.ts";
import { runPreprocess } from "./preprocess.ts";
import { runRows, tooLarge } from "./rows.ts";

interface Runner<C> {
  run(gpu: GpuBackend, call: C): Promise<unknown>;
  /** Whether each of the call's tensors fits a binding, whole or cut by rows. */
  holds(call: C, limits: GPUSupportedLimits): boolean;
}

/** The calls of each kind. */
interface Calls extends Record<CallKind, Call> {
  readonly loss: LossCall;
  readonly "mask loss": MaskLossCall;
  readonly rows: RowCall;
  readonly criterion: CriterionCall;
  readonly detect: DetectCall;
  readonly preprocess: PreprocessCall;
}

const always = () => true;

const runners: { readonly [K in CallKind]: Runner<Calls[K]> } = {
  loss: { run: (gpu, { checked }) => runLoss(gpu, checked), holds: always },
  "mask loss": {
    run: (gpu, { checked }) => runMaskLoss(gpu, checked),
    holds: ({ checked }, limits) => tooLargeMasks(checked, limits) === undefined,
  },
  rows: {
    run: (gpu, { checked }) => runRows(gpu, checked),
    holds: ({ checked }, limits) => tooLarge(checked, limits) === undefined,
  },
  criterion: {
    run: (gpu, { checked }) => runCriterion(gpu, checked, plans[checked.op]),
    holds: ({ checked }, limits) => fitsMatches(checked.pairs?.() ?? 0, limits),
  },
  detect: {
    run: runSearch,
    holds: ({ fields }, limits) => fitBindings(fields, limits),
  },
  preprocess: { run: (gpu, { checked }) => runPreprocess(gpu, checked), holds: ({ placement }) => placement === "gpu" },
};

async function runSearch(gpu: GpuBackend, call: DetectCall): Promise<Searched> {
  const search = call.search();
  return {
    images: await findCandidates(gpu, search, gpu.lists),
    attached: (requests) => gpu.watch(search.op, gatherAttached(gpu, search, requests)),
    masks: (requests) => gpu.watch(search.op, findMasks(gpu, search, requests)),
    prototypes: (image) => gpu.watch(search.op, prototypesOnHost(gpu, search, image)),
  };
}

export class GpuBackend {
  readonly device: GPUDevice;
  readonly description: string;
  readonly pool: BufferPool;
  readonly pipelines: Pipelines;
  readonly subgroups: boolean;
  readonly software: boolean;
  readonly lists = new ListCapacity();
  readonly #own: boolean;
  readonly #pending = new Set<(reason: string) => void>();
  #lost: string | null = null;

  constructor({ device, description, software, own }: OpenedDevice) {
    this.device = device;
    this.description = description;
    this.pool = new BufferPool(device);
    this.pipelines = new Pipelines(device);
    this.software = software;
    this.subgroups = device.features.has("subgroups") && !software;
    this.#own = own;
    device.lost.then(({ message, reason }) => this.#lose(`the GPU device was lost: ${message || reason}`));
  }

  /** Why nothing runs here any more, or null. */
  get lost(): string | null {
    return this.#lost;
  }

  /** Whether the device can bind the call's tensors. */
  holds(call: Call): boolean {
    return runnerOf(call).holds(call, this.device.limits);
  }

  run(call: Call): Promise<unknown> {
    return this.watch(call.op, runnerOf(call).run(this, call));
  }

  /**
   * A call's result; a lost device or a disposed engine rejects it at once. Until the result is the caller's, its
   * buffers on the device are the pool's, which destroys them when it closes.
   */
  watch<T>(op: string, result: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const lose = (reason: string) => reject(new Error(`${op}: ${reason}`));
      if (this.#lost !== null) lose(this.#lost);
      const deliver = (value: T, staying: readonly GPUBuffer[]) => {
        for (const buffer of staying) this.pool.handOver(buffer);
        resolve(value);
      };
      this.#pending.add(lose);
      result
        .then((value) => {
          const staying = buffersOf(value);
          return staying.length === 0 ? deliver(value, staying) : soon().then(() => deliver(value, staying));
        })
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

function runnerOf({ kind }: Call): Runner<Call> {
  return runners[kind] as Runner<Call>;
}

/** The buffers of a result that stay on the device. */
function buffersOf(result: unknown): GPUBuffer[] {
  if (typeof result !== "object" || result === null || ArrayBuffer.isView(result)) return [];
  if ("mapAsync" in result) return [result as GPUBuffer];
  return Object.values(result).flatMap(buffersOf);
}
