/** The networks of the ponds in onnxruntime-node: they give the outputs that lie beside them. */
// needs: examples/onnxruntime
import { createEngine, inputs } from "densehead";
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { peer } from "../peer_packages.ts";
import { type HeadName, HEADS, outputsOf, pathOf, PONDS } from "../ponds.ts";

const test = suite("networks of masks, keypoints and turned boxes");
const engine = await createEngine();
test.after(() => engine.dispose());
const sharp = peer("sharp");
const { InferenceSession, Tensor } = peer("onnxruntime-node");
const LARGEST = 500_000;

for (const head of Object.keys(HEADS) as HeadName[]) {
  test(`${head}.onnx gives the outputs of the ponds, and is small`, async () => {
    const model = readFileSync(pathOf(`${head}.onnx`));
    assert.ok(model.length <= LARGEST, `${model.length} bytes`);
    const session = await InferenceSession.create(model);
    for (const pond of PONDS) {
      const { data, info: { width, height } } = await sharp(pathOf(`${pond}.png`)).raw().toBuffer({
        resolveWithObject: true,
      });
      const { tensor } = engine.sync.preprocess({ data, width, height }, inputs.yolov8({ size: [160, 160] }));
      const outputs = await session.run({ images: new Tensor("float32", tensor.data, tensor.dims) });
      const wanted = outputsOf(pond, head);
      assert.equal(Object.keys(outputs), [...wanted.keys()]);
      for (const [name, { data, dims }] of wanted) {
        assert.equal([...outputs[name].dims], [...dims]);
        const largest = data.reduce((most: number, value: number) => Math.max(most, Math.abs(value)), 0);
        const worst = data.reduce((most: number, value: number, i: number) => {
          return Math.max(most, Math.abs(value - outputs[name].data[i]));
        }, 0);
        assert.ok(worst <= 1e-5 * largest, `${pond}, ${name}: ${worst} of ${largest}`);
      }
    }
  });
}

test.run();
