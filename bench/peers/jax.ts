/** jax-js on one of its devices, on one thread. */

export type Jax = typeof import("@jax-js/jax");

export async function startJax(device: "wasm" | "webgpu"): Promise<{ jax: Jax; name: string }> {
  oneThread();
  const jax: Jax = await import("@jax-js/jax");
  const devices = await jax.init(device);
  if (!devices.includes(device)) throw new Error(`jax-js does not start on ${device} here`);
  jax.defaultDevice(device);
  return { jax, name: `jax-js (${device})` };
}

/**
 * It reads `navigator`, which Node has from version 21 on, and computes on one thread where there are no workers. That
 * must stay so: emscripten's modules, of which onnxruntime-web is one, define Worker in Node.
 */
function oneThread(): void {
  globalThis.navigator ??= { userAgent: "Node.js" } as Navigator;
  Object.defineProperty(globalThis, "Worker", { get: () => undefined, set() {} });
}
