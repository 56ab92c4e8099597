/**
 * Cloudflare Workers: bytes may not be compiled there, so the modules are imported and arrive compiled.
 *
 * @module
 */
import * as baseline from "module:densehead.wasm";
import * as relaxed from "module:densehead-relaxed.wasm";
import { makeEngine } from "../engine.ts";
import { detectionsFactory } from "../detect/detections.ts";
import { heads as presets } from "../heads/index.ts";
import type { Heads } from "../heads/index.ts";
import { inputs as inputPresets } from "../pixels/index.ts";
import type { Inputs } from "../pixels/index.ts";
import type { Detections as Found, DetectionsFactory, Engine, EngineOptions } from "../types.ts";
import { isModule } from "./module.ts";

export { anchorRows } from "../heads/anchor_rows.ts";
export { toSvg } from "../svg/to_svg.ts";
export type * from "../index.ts";
/** Presets of well-known heads, and `heads.infer`. */
export const heads: Heads = presets;
/** Inputs of well-known networks, for `preprocess`. */
export const inputs: Inputs = inputPresets;
/** Detections of one image. */
export type Detections = Found;
/** Restores detections from plain data. */
export const Detections: DetectionsFactory = detectionsFactory;

/** Makes an engine on the imported kernels. */
export async function createEngine(options?: EngineOptions): Promise<Engine> {
  const builds = { baseline: () => compiled(baseline), relaxed: () => compiled(relaxed) };
  return await makeEngine({ builds, webgpu: null, threads: "Cloudflare Workers have no threads" }, options);
}

/** Other bundlers instantiate what they import, or give its address. */
function compiled(imported: { readonly default?: unknown }): WebAssembly.Module {
  if (isModule(imported.default)) return imported.default;
  throw new Error(
    "createEngine: densehead.wasm was not imported as a WebAssembly.Module, as wrangler and Cloudflare's plugin for Vite " +
      `do it; with another bundler leave out the condition "workerd" or, in a Worker, pass the module to createEngine of ` +
      "densehead/slim",
  );
}
