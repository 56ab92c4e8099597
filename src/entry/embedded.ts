/**
 * Node, Deno, Bun and browsers: the kernels are embedded as bytes.
 *
 * @module
 */
import baseline from "../../build/densehead.wasm";
import relaxed from "../../build/densehead-relaxed.wasm";
import { makeEngine } from "../engine.ts";
import { heads as presets } from "../heads/index.ts";
import type { Heads } from "../heads/index.ts";
import type { Engine, EngineOptions } from "../types.ts";
import { webgpu } from "./webgpu.ts";

export type * from "../index.ts";
/** The well-known layouts. */
export const heads: Heads = presets;

/** Compiles each build once per process. */
function once(bytes: Uint8Array<ArrayBuffer>): () => Promise<WebAssembly.Module> {
  let module: Promise<WebAssembly.Module> | undefined;
  return () => module ??= WebAssembly.compile(bytes);
}

const compileBaseline = once(baseline);
const compileRelaxed = once(relaxed);

/** Compiles the kernels for the runtime at hand and makes an engine. */
export function createEngine(options?: EngineOptions): Promise<Engine> {
  return makeEngine(
    {
      baseline: compileBaseline,
      relaxed: () => WebAssembly.validate(relaxed) ? compileRelaxed() : null,
    },
    webgpu,
    options,
  );
}
