/** A network and what comes after it on one GPU device: the network's outputs stay where they were written. */
import { createEngine, type Detections, type DetectOptions, heads } from "densehead";
import * as ort from "onnxruntime-web/webgpu";

export const CLASSES = ["circle", "square", "triangle", "star"];

const OPTIONS: DetectOptions = {
  head: heads.gfl({ numClasses: CLASSES.length, bins: 8, strides: [8, 16] }),
  imageSize: [160, 160],
  scoreThreshold: 0.4,
};

// Threads would need a page that is cross-origin isolated.
ort.env.wasm.numThreads = 1;

export interface Detector {
  /** The network's outputs, on the GPU; whoever asked for them disposes them. */
  run(image: ImageBitmap): Promise<Record<string, ort.Tensor>>;
  /** Reads the outputs where they lie. */
  find(outputs: Record<string, ort.Tensor>): Promise<Detections>;
}

export async function openDetector(model: string): Promise<Detector> {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["webgpu"],
    preferredOutputLocation: "gpu-buffer",
  });
  // The first session makes the device; before that it is undefined.
  const engine = await createEngine({ gpuDevice: await ort.env.webgpu.device });
  return {
    async run(image) {
      return session.run({ image: await ort.Tensor.fromImage(image, {}) });
    },
    async find({ cls_s8, cls_s16, reg_s8, reg_s16 }) {
      const [found] = await engine.detect({ classes: [cls_s8, cls_s16], boxes: [reg_s8, reg_s16] }, OPTIONS);
      return found;
    },
  };
}
