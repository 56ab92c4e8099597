import { createEngine, heads, inputs } from "densehead";
import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";

const { data, info } = await sharp("../shapes/photo.jpg").raw().toBuffer({ resolveWithObject: true });
const session = await InferenceSession.create("../shapes/shapes.onnx");
const engine = await createEngine();

const input = inputs.yolov8({ size: [160, 160] }); // letterbox, RGB, 0 to 1
const image = { data, width: info.width, height: info.height };
const { tensor, transform } = await engine.preprocess(image, input);
const outputs = await session.run({ image: new Tensor(tensor.data, tensor.dims) });
const head = heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] });
const [found] = await engine.detect(outputs, { head, imageSize: input.size, transform, scoreThreshold: 0.4 });

const names = ["circle", "square", "triangle", "star"];
for (const { box, score, classId } of found) console.log(names[classId], score.toFixed(2), box.map(Math.round));
