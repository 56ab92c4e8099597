/** Tensors and results of onnxruntime are taken as they are, and it takes inputs. It is compiled, never run. */
import { createEngine, heads, inputs } from "densehead";
import type { Pixels, TensorLike } from "densehead";
import { type InferenceSession, Tensor } from "onnxruntime-common";

declare const session: InferenceSession;
declare const pixels: Pixels;

const engine = await createEngine();
const { tensor: images, transform } = await engine.preprocess(pixels, inputs.yolov8({ size: [640, 640] }));
const results = await session.run({ images: new Tensor(images.data, images.dims) });
const [found] = await engine.detect(Object.values(results), { head: heads.yolov8(), imageSize: [640, 640] });
for (const { box, score } of found) console_(...box, score);

// The array of the dtype, and one transform for each image of a batch.
const halves = engine.sync.preprocess([pixels], inputs.yolox({ size: [416, 416], dtype: "float16" }));
await session.run({ images: new Tensor("float16", halves.tensor.data, halves.tensor.dims) });
const bytes = engine.sync.preprocess(pixels, { name: "mine", size: [96, 96], fit: "stretch", dtype: "uint8" });
await session.run({ images: new Tensor(bytes.tensor.data, bytes.tensor.dims) });
const transforms = [...halves.transform, transform];
await engine.detect(results, { head: heads.yolov8(), imageSize: [640, 640], transform: transforms });

const { output0 } = results;
if (output0 !== undefined) {
  const tensor: TensorLike = output0;
  await engine.detect(output0, { head: heads.infer(output0, { imageSize: [640, 640] }), imageSize: [640, 640] });
  engine.sync.dflDecode(tensor, { bins: 16 });
  engine.sync.qualityFocalLoss(output0, tensor, { weight: output0 });
}

/** No `console` without the DOM's declarations. */
declare function console_(...values: number[]): void;
