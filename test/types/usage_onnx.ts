/** Tensors and results of onnxruntime are taken as they are. It is compiled, never run. */
import { createEngine, heads } from "densehead";
import type { TensorLike } from "densehead";
import type { InferenceSession, Tensor } from "onnxruntime-common";

declare const session: InferenceSession;
declare const feeds: Record<string, Tensor>;

const engine = await createEngine();
const results = await session.run(feeds);
const [found] = await engine.detect(Object.values(results), { head: heads.yolov8(), imageSize: [640, 640] });
for (const { box, score } of found) console_(...box, score);

const { output0 } = results;
if (output0 !== undefined) {
  const tensor: TensorLike = output0;
  await engine.detect(output0, { head: heads.infer(output0, { imageSize: [640, 640] }), imageSize: [640, 640] });
  engine.sync.dflDecode(tensor, { bins: 16 });
  engine.sync.qualityFocalLoss(output0, tensor, { weight: output0 });
}

/** No `console` without the DOM's declarations. */
declare function console_(...values: number[]): void;
