/**
 * The entry `densehead/slim`, without kernels: the caller passes `densehead/densehead.wasm` or
 * `densehead/densehead-relaxed.wasm`.
 *
 * @module
 */
import { detectionsFactory } from "../detect/detections.ts";
import { ENGINE_OPTIONS, makeEngine } from "../engine.ts";
import { heads as presets } from "../heads/index.ts";
import type { Heads } from "../heads/index.ts";
import { inputs as inputPresets } from "../pixels/index.ts";
import type { Inputs } from "../pixels/index.ts";
import type { Detections as Found, DetectionsFactory, Engine, SlimEngineOptions } from "../types.ts";
import { describe, options as checkOptions, typeError } from "../validate.ts";
import { compile } from "./compile.ts";
import { checkModule, isModule, MAGIC } from "./module.ts";
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

const place = { op: "createEngine", argument: "options.wasm" };
const SLIM_OPTIONS = [...ENGINE_OPTIONS, "wasm"];

/**
 * Makes an engine from a `WebAssembly.Module`, its bytes, a `Response` with them, or a promise of one of these.
 *
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { createEngine } from "densehead/slim";
 *
 * const wasm = readFile(new URL(import.meta.resolve("densehead/densehead.wasm")));
 * const { sync } = await createEngine({ wasm });
 * console.log(sync.distance2bbox(Float32Array.of(8, 8), Float32Array.of(1, 2, 3, 4))); // → [7, 6, 11, 12]
 * ```
 */
export async function createEngine(options: SlimEngineOptions): Promise<Engine> {
  const { wasm } = checkOptions("createEngine", options, SLIM_OPTIONS, true);
  const module = checkModule(await toModule(await wasm));
  const builds = { baseline: () => module, relaxed: () => null };
  return makeEngine({ builds, webgpu, threads }, options, SLIM_OPTIONS);
}

async function toModule(source: unknown): Promise<WebAssembly.Module> {
  if (isModule(source)) return source;
  if (isResponse(source)) return await fetched(source);
  const bytes = bytesOf(source);
  if (bytes === null) throw typeError(place, describe(source), "a WebAssembly.Module, its bytes, or a Response");
  if (!isWasm(bytes)) {
    throw typeError(place, `${describe(source)} that begins with ${startOf(bytes)}`, "densehead.wasm");
  }
  return await compile(bytes);
}

/** A server that does not know an address may answer with its page. */
async function fetched(response: Response): Promise<WebAssembly.Module> {
  const { url, status } = response;
  const from = url === "" ? "" : ` from ${url}`;
  if (!response.ok) {
    throw new Error(`createEngine: options.wasm is a Response${from} with status ${status}; wanted 200`);
  }
  if (response.bodyUsed) throw typeError(place, `a Response${from} whose body was read already`, "one to read");
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (isWasm(bytes)) return await compile(bytes);
  const type = response.headers.get("content-type") ?? "no content-type";
  throw typeError(place, `a Response${from} of ${type} that begins with ${startOf(bytes)}`, "densehead.wasm");
}

function isResponse(value: unknown): value is Response {
  return Object.prototype.toString.call(value) === "[object Response]";
}

/** A copy, because not every host compiles what is shared. */
function bytesOf(value: unknown): Uint8Array<ArrayBuffer> | null {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  const isBuffer = /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value));
  return isBuffer ? new Uint8Array(new Uint8Array(value as ArrayBuffer)) : null;
}

function isWasm(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

function startOf(bytes: Uint8Array): string {
  return bytes.length === 0 ? "nothing" : JSON.stringify(String.fromCharCode(...bytes.subarray(0, 16)));
}
