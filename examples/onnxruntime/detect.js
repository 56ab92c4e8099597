import { readFile } from "node:fs/promises";
import { createEngine, heads } from "densehead";
import { decode } from "fast-png";
import { InferenceSession, Tensor } from "onnxruntime-node";

const shapes = (name) => readFile(new URL(`../shapes/${name}`, import.meta.url));

// What this network wants to see: a plane each of red, green and blue, from 0 to 1.
const { data, channels, width, height } = decode(await shapes("scene1.png"));
const pixels = width * height;
const planes = Float32Array.from({ length: 3 * pixels }, (_, i) => {
  return data[i % pixels * channels + Math.floor(i / pixels)] / 255;
});
const image = new Tensor("float32", planes, [1, 3, height, width]);

const session = await InferenceSession.create(await shapes("shapes.onnx"));
const engine = await createEngine();

const outputs = await session.run({ image });
const head = heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] });
const [found] = await engine.detect(outputs, { head, imageSize: [height, width] });

const names = ["circle", "square", "triangle", "star"];
for (const { box, score, classId } of found) console.log(names[classId], score.toFixed(2), box.map(Math.round));
