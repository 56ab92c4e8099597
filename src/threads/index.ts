/**
 * What the engine knows of threads.
 */
import type { Start } from "./messages.ts";
import type { Pool } from "./pool.ts";

export type { Pool };

/** What an entry knows of threads. */
export interface Threads {
  /** So many threads, with the caller's, or as many as the host has processors; or why there are none. */
  open(threads: number | "auto", kernels: Pick<Start, "module" | "maxMemory">): Promise<Pool | string>;
}
