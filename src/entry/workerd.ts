/**
 * Cloudflare Workers: bytes may not be compiled there, so the modules are imported and arrive compiled.
 */
import baseline from "module:densehead.wasm";
import relaxed from "module:densehead-relaxed.wasm";
import { makeEngine } from "../engine.ts";
import type { Engine, EngineOptions } from "../types.ts";

export * from "../index.ts";

/** Makes an engine on the imported kernels. */
export function createEngine(options?: EngineOptions): Promise<Engine> {
  return makeEngine({ baseline: () => baseline, relaxed: () => relaxed }, options);
}
