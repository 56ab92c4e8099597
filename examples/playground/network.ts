/** The network of examples/shapes in onnxruntime-web: on WebGPU, with its outputs left there, or on WebAssembly. */
import type { InferenceSession, Tensor } from "onnxruntime-web";

export const SIZE = 160;
export const CLASSES = ["circle", "square", "triangle", "star"] as const;
export const STRIDES = [8, 16] as const;
export const BINS = 8;

export type Outputs = Readonly<Record<string, Tensor>>;

export interface Network {
  /** Where it runs and its outputs lie; null: on the host. */
  readonly device: GPUDevice | null;
  /** Runs it to its end on pixels of (3, SIZE, SIZE), RGB in [0, 1]. */
  run(pixels: Float32Array): Promise<Outputs>;
}

export async function openNetwork(): Promise<Network> {
  const adapter = await navigator.gpu?.requestAdapter();
  const ort = await (adapter ? import("onnxruntime-web/webgpu") : import("onnxruntime-web/wasm"));
  // Threads would need a page that is cross-origin isolated.
  ort.env.wasm.numThreads = 1;
  const where: InferenceSession.SessionOptions = adapter
    ? { executionProviders: ["webgpu"], preferredOutputLocation: "gpu-buffer" }
    : { executionProviders: ["wasm"] };
  const session = await ort.InferenceSession.create("shapes/shapes.onnx", where);
  // The first session makes the device.
  const device = adapter ? await ort.env.webgpu.device : null;
  return {
    device,
    async run(pixels) {
      const outputs = await session.run({ image: new ort.Tensor("float32", pixels, [1, 3, SIZE, SIZE]) });
      await device?.queue.onSubmittedWorkDone();
      return outputs;
    },
  };
}

export function dispose(outputs: Outputs): void {
  for (const tensor of Object.values(outputs)) tensor.dispose();
}
