/** How the recorded networks' photographs were preprocessed: their transforms are ours. */
import { createEngine, inputs } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cases, missing, readJson, undecoded } from "../realdata.ts";
import { skip } from "../suite/skip.ts";

const test = suite("preprocessing of real networks");
const { sync } = await createEngine();

interface Meta {
  input_size: [number, number];
  image: { width: number; height: number };
  transform: { kind?: string; scale_x: number; scale_y: number; pad_x: number; pad_y: number };
}

/** By the folder's name up to the size. Recorded by demos that keep the ratio. */
const INPUTS = {
  nanodet: (size: [number, number]) => inputs.nanodet({ size, fit: "letterbox", resize: "area" }),
  nanodetplus: (size: [number, number]) => inputs.nanodet({ size, fit: "letterbox" }),
  picodet: (size: [number, number]) => inputs.picodet({ size }),
  yolox: (size: [number, number]) => inputs.yolox({ size }),
};

const all = [...cases, ...undecoded];
if (all.length === 0) test("transforms", () => skip(missing));

for (const name of all) {
  test(`${name}: scale and padding`, () => {
    const { input_size, image: { width, height }, transform: wanted } = readJson<Meta>(name, "meta.json");
    const input = INPUTS[name.split("_")[0] as keyof typeof INPUTS](input_size);
    assert.is(input.fit, wanted.kind ?? "top-left");
    const { transform } = sync.preprocess({ data: new Uint8Array(width * height), width, height }, input);
    const { scale_x, scale_y, pad_x, pad_y } = wanted;
    const clip = [height, width];
    assert.equal(transform, { scaleX: scale_x, scaleY: scale_y, padX: pad_x, padY: pad_y, clip });
  });
}

test.run();
