import { createEngine } from "densehead";
import { suite } from "uvu";
import { same } from "../compare.ts";

const test = suite("binaryCrossEntropyWithLogits");
const { sync } = await createEngine();
const each = { reduction: "none", grad: true } as const;

test("targets at half of a logit of 0 lose nothing", () => {
  const y = Float32Array.of(0.4999999, 0.5 - 2 ** -25, 0.3, 0.123456, 1e-9, 0.50000006, 0.7);
  for (const x of [0, -0]) {
    const { grad } = sync.binaryCrossEntropyWithLogits(y.map(() => x), y, each);
    same(grad, y.map((v) => 0.5 - v));
  }
});

test.run();
