/** TensorFlow.js's nonMaxSuppression, on its WebAssembly backend where that starts and on its JavaScript one otherwise. */
import type { ScoredBoxes } from "../inputs.ts";

export interface TensorflowNms {
  readonly name: string;
  /** Suppression of tensors that were made outside the measurement. */
  prepare(
    input: ScoredBoxes,
    iouThreshold: number,
    limit: number,
  ): () => ArrayLike<number>;
}

export async function tensorflowNms(): Promise<TensorflowNms> {
  const tf = await import("@tensorflow/tfjs");
  const backend = await startWasm(tf) ? "wasm" : "cpu";
  if (backend === "cpu") await tf.setBackend(backend);
  await tf.ready();
  return {
    name: `TensorFlow.js ${tf.version.tfjs} (${backend})`,
    prepare({ count, boxes, scores }, iouThreshold, limit) {
      // It expects y before x; overlaps are the same either way.
      const corners = tf.tensor2d(boxes, [count, 4]);
      const ranks = tf.tensor1d(scores);
      const most = Math.min(limit, count);
      return () => {
        const kept = tf.image.nonMaxSuppression(
          corners,
          ranks,
          most,
          iouThreshold,
        );
        const indices = kept.dataSync();
        kept.dispose();
        return indices;
      };
    },
  };
}

async function startWasm(
  tf: typeof import("@tensorflow/tfjs"),
): Promise<boolean> {
  try {
    await import("@tensorflow/tfjs-backend-wasm");
    return await tf.setBackend("wasm");
  } catch {
    return false;
  }
}
