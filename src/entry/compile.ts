/**
 * Bytes to a module; where the host refuses, the error says what to do instead.
 */
const WAYS_OUT = [
  'in Cloudflare Workers bundle with the condition "workerd", or import densehead/densehead.wasm and pass it to ' +
  "createEngine of densehead/slim",
  "a page with a Content-Security-Policy needs 'wasm-unsafe-eval' in its script-src",
  "densehead-relaxed.wasm needs a host with relaxed SIMD, densehead.wasm any with SIMD",
];

export async function compile(bytes: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    const { message } = cause as Error;
    const text = `createEngine: this host does not compile the kernels: ${message}; ways out: ${WAYS_OUT.join("; ")}`;
    throw Object.assign(new WebAssembly.CompileError(text), { cause });
  }
}
