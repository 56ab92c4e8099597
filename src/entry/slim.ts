/**
 * No kernels inside: the caller passes `densehead/densehead.wasm` or `densehead/densehead-relaxed.wasm`.
 *
 * @module
 */
import { makeEngine } from "../engine.ts";
import { heads as presets } from "../heads/index.ts";
import type { Heads } from "../heads/index.ts";
import type { Engine, SlimEngineOptions } from "../types.ts";
import { describe, options as checkOptions, typeError } from "../validate.ts";
import { webgpu } from "./webgpu.ts";

export type * from "../index.ts";
/** The well-known layouts. */
export const heads: Heads = presets;

/** Makes an engine from a `WebAssembly.Module`, its bytes, a `Response` with them, or a promise of one of these. */
export async function createEngine(options: SlimEngineOptions): Promise<Engine> {
  const { wasm } = checkOptions("createEngine", options, true);
  const module = await toModule(await wasm);
  return makeEngine({ baseline: () => module, relaxed: () => null }, webgpu, options);
}

async function toModule(source: unknown): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer) return await WebAssembly.compile(source);
  if (ArrayBuffer.isView(source)) {
    // Not every engine takes a DataView.
    const { buffer, byteOffset, byteLength } = source;
    return await WebAssembly.compile(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
  }
  if (typeof Response !== "undefined" && source instanceof Response) {
    if (!source.ok) {
      throw new Error(`createEngine: options.wasm is a Response with status ${source.status}; wanted 200`);
    }
    return await WebAssembly.compile(await source.arrayBuffer());
  }
  throw typeError(
    { op: "createEngine", argument: "options.wasm" },
    describe(source),
    "a WebAssembly.Module, its bytes, or a Response",
  );
}
