/** TensorFlow.js's nonMaxSuppression. */
import type { ScoredBoxes } from "../inputs.ts";
import { tensorflow } from "./tensorflow.ts";

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
  const { tf, name } = await tensorflow();
  return {
    name,
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
