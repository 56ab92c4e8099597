/** TensorFlow.js on its WebAssembly backend, on one thread, where that starts and on its JavaScript one otherwise. */

export type Tensorflow = typeof import("@tensorflow/tfjs");

export async function tensorflow(): Promise<{ tf: Tensorflow; name: string }> {
  const tf = await import("@tensorflow/tfjs");
  const backend = await startWasm(tf) ? "wasm" : "cpu";
  if (backend === "cpu") await tf.setBackend(backend);
  await tf.ready();
  return { tf, name: `TensorFlow.js ${tf.version.tfjs} (${backend})` };
}

async function startWasm(tf: Tensorflow): Promise<boolean> {
  if (tf.getBackend() === "wasm") return true;
  try {
    await import("@tensorflow/tfjs-backend-wasm");
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    return await tf.setBackend("wasm");
  } catch {
    return false;
  }
}

/** On WebGPU. It makes its own backend only where there is a window. */
export async function tensorflowGpu(): Promise<{ tf: Tensorflow; name: string }> {
  const tf = await import("@tensorflow/tfjs");
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw new Error("no adapter");
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension },
  });
  tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => new WebGPUBackend(device, adapter.info));
  await tf.setBackend("webgpu");
  return { tf, name: `TensorFlow.js ${tf.version.tfjs} (webgpu)` };
}
