/**
 * Cloudflare Workers: bytes may not be compiled there, so the modules are imported and arrive compiled.
 */
import baseline from "module:densehead.wasm";
import relaxed from "module:densehead-relaxed.wasm";
import { makeEngine } from "../engine.ts";
import { heads as presets } from "../heads/index.ts";
import type { Heads } from "../heads/index.ts";
import type { Engine, EngineOptions } from "../types.ts";

export type * from "../index.ts";
/** The well-known layouts. */
export const heads: Heads = presets;

/** Makes an engine on the imported kernels. */
export function createEngine(options?: EngineOptions): Promise<Engine> {
  return makeEngine({ baseline: () => baseline, relaxed: () => relaxed }, null, options);
}
