/**
 * Worker threads, which load when an engine is to have more than one thread.
 */
import type { Threads } from "../threads/index.ts";

export const threads: Threads = {
  open: async (...options) => (await import("./workers.ts")).openPool(...options),
};
