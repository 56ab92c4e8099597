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
    const { setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
    setThreadsCount(1);
    return await tf.setBackend("wasm");
  } catch {
    return false;
  }
}
