/**
 * The part of a backend that its calls use.
 */
import type { BufferPool } from "./buffers.ts";
import type { Pipelines } from "./pipelines.ts";

export interface Gpu {
  readonly device: GPUDevice;
  readonly pool: BufferPool;
  readonly pipelines: Pipelines;
  /** Whether sums go through subgroups. */
  readonly subgroups: boolean;
  /** Whether the adapter is a software one. */
  readonly software: boolean;
}
