/**
 * What the runner tells the suite; see test/runtimes/.
 */
const globals = globalThis as unknown as {
  DENSEHEAD_RUNTIME: "node" | "deno" | "bun" | "workerd" | "chromium";
  DENSEHEAD_GPU?: GPU;
  DENSEHEAD_THIN?: boolean;
  DENSEHEAD_WASM: { baseline: WebAssembly.Module | Uint8Array<ArrayBuffer>; relaxed: typeof wasm.baseline };
};

/** The runtime at hand. */
export const runtime = globals.DENSEHEAD_RUNTIME;

/** `densehead/densehead.wasm` and `densehead/densehead-relaxed.wasm`: modules in workerd, bytes elsewhere. */
export const wasm = globals.DENSEHEAD_WASM;

/** The platform's WebGPU, or npm's where there is none. */
export const gpu = globals.DENSEHEAD_GPU;

/** Does another runtime take the long walks? See walk.ts. */
export const thin = globals.DENSEHEAD_THIN === true;
