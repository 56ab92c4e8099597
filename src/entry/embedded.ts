/**
 * The entry `densehead` for Node, Deno, Bun and browsers. It loads the kernels from a file beside it.
 *
 * @module
 */
import { makeEngine } from "../engine.ts";
import { detectionsFactory } from "../detect/detections.ts";
import { heads as presets } from "../heads/index.ts";
import type { Heads } from "../heads/index.ts";
import { inputs as inputPresets } from "../pixels/index.ts";
import type { Inputs } from "../pixels/index.ts";
import type { Detections as Found, DetectionsFactory, Engine, EngineOptions } from "../types.ts";
import { threads } from "./threads.ts";
import { webgpu } from "./webgpu.ts";

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

const kernels = () => import("./kernels.ts");

/**
 * Compiles the kernels for the runtime at hand and makes an engine.
 *
 * @example
 * ```ts
 * import { createEngine } from "densehead";
 *
 * const engine = await createEngine({ device: "wasm", maxMemory: 2 ** 25 });
 * console.log(engine.plan("giouLoss", 1000).device); // → "wasm"
 * console.log(await engine.dflDecode(new Float32Array(64), { bins: 16 })); // → [7.5, 7.5, 7.5, 7.5]
 * engine.dispose();
 * ```
 */
export function createEngine(options?: EngineOptions): Promise<Engine> {
  const builds = {
    baseline: async () => (await kernels()).baseline(),
    relaxed: async () => (await kernels()).relaxed(),
  };
  return makeEngine({ builds, webgpu, threads }, options);
}
