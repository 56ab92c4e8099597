/**
 * From a photograph to boxes: preprocess, a real network in onnxruntime-node, detect. The reference is the same way in NumPy and
 * OpenCV. Decoders of JPEG differ by a byte or two, and resizing by one.
 */
// needs: examples/onnxruntime
import { createEngine, heads, inputs } from "densehead";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { peer } from "../peer_packages.ts";
import { folder, missing, readJson, undecoded } from "../realdata.ts";
import { skip } from "../suite/skip.ts";

const test = suite("from a photograph to boxes");
const model = join(folder, "../models/yolox_nano.onnx");

interface Reference {
  params: { score_thr: number; iou_thr: number };
  dets: { cls: number; score: number; box_image: number[] }[];
}

interface Meta {
  input_size: [number, number];
  image: { file: string };
}

if (!existsSync(model)) {
  test("the detections of the reference", () => skip(missing));
} else {
  const engine = await createEngine();
  const sharp = peer("sharp");
  const { InferenceSession, Tensor } = peer("onnxruntime-node");

  for (const name of undecoded) {
    test(`${name}: the detections of the reference`, async () => {
      const { input_size: size, image } = readJson<Meta>(name, "meta.json");
      const { params, dets } = readJson<Record<string, Reference>>(name, "ref_dets.json")["demo_0.3_0.45"];
      const picture = sharp(join(folder, "images", image.file), { ignoreIcc: true }).raw();
      const { data, info: { width, height } } = await picture.toBuffer({ resolveWithObject: true });

      const { tensor, transform } = await engine.preprocess({ data, width, height }, inputs.yolox({ size }));
      const session = await InferenceSession.create(model);
      const outputs = await session.run({ images: new Tensor("float32", tensor.data, tensor.dims) });
      const [found] = await engine.detect(outputs, {
        head: heads.yolox(),
        imageSize: size,
        transform,
        scoreThreshold: params.score_thr,
        iouThreshold: params.iou_thr,
      });

      assert.equal([...found.classes], dets.map(({ cls }) => cls));
      for (const [i, { box, score }] of [...found].entries()) {
        assert.ok(Math.abs(score - dets[i].score) <= 0.02, `score ${i}: ${score}; wanted ${dets[i].score}`);
        const [x1, y1, x2, y2] = dets[i].box_image;
        const clipped = [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)];
        for (const [side, value] of box.entries()) {
          assert.ok(Math.abs(value - clipped[side]) <= 1.5, `box ${i}: ${box}; wanted ${clipped}`);
        }
      }
    });
  }
  test.after(() => engine.dispose());
}

test.run();
