/** The loss of prototype masks: float64, PyTorch, windows, options, memory and errors. */
import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { close, differences, same, throws } from "../compare.ts";
import { fixtureOf } from "../conformance.ts";
import { maskLoss, type MaskScene, maskScene } from "../reference/mask_loss.ts";
import { engines } from "./builds.ts";

const test = suite("mask loss");
const { sync } = await createEngine();
const { bounds } = operations.maskLoss;
const each = { reduction: "none", grad: true } as const;
const ones = ({ coefficients: { dims } }: MaskScene) => new Array<number>(dims[0]).fill(1);
const argumentsOf = ({ coefficients, prototypes, masks, boxes }: MaskScene) => {
  return [coefficients, prototypes, masks, boxes] as const;
};

for (const { capabilities: { wasm: name }, sync } of engines) {
  test(`random scenes, every remainder of widths and channels (${name})`, () => {
    for (
      const [objects, channels, height, width] of [[1, 1, 1, 1], [3, 2, 5, 7], [9, 7, 20, 16], [12, 32, 33, 41], [
        7,
        8,
        9,
        70,
      ]]
    ) {
      const scene = maskScene(width, objects, channels, height, width);
      const found = sync.maskLoss(...argumentsOf(scene), each);
      const wanted = maskLoss(scene, ones(scene));
      wanted.loss.forEach((value, i) => {
        close([found.loss[i]], [value], 4 * bounds.loss.wasm * Math.max(1, value), `${width}, object ${i}`);
      });
      close(found.grad.coefficients, wanted.grad.coefficients, 4 * bounds.gradient.wasm);
      close(found.grad.prototypes, wanted.grad.prototypes, 8 * bounds.gradient.wasm);
    }
  });
}

test("agrees with PyTorch, whose gradients are autograd's", () => {
  const fixture = fixtureOf<MaskScene & { loss: number[]; grad: Record<"coefficients" | "prototypes", number[]> }>(
    operations.maskLoss,
  );
  assert.ok(!("none" in fixture));
  const tensor = ({ data, dims }: { data: ArrayLike<number>; dims: readonly number[] }) => {
    return { data: Float32Array.from(data), dims };
  };
  const scene = {
    coefficients: tensor(fixture.coefficients),
    prototypes: tensor(fixture.prototypes),
    masks: Uint8Array.from(fixture.masks),
    boxes: Float32Array.from(fixture.boxes),
  } as MaskScene;
  const found = sync.maskLoss(...argumentsOf(scene), each);
  close(found.loss, fixture.loss, 2e-6);
  close(found.grad.coefficients, fixture.grad.coefficients, 2e-6);
  close(found.grad.prototypes, fixture.grad.prototypes, 2e-6);
  const own = maskLoss(scene, ones(scene));
  close(own.loss, fixture.loss, 1e-12);
  close(own.grad.coefficients, fixture.grad.coefficients, 1e-12);
  close(own.grad.prototypes, fixture.grad.prototypes, 1e-12);
});

test("the reference's gradients are its finite differences", () => {
  const scene = maskScene(5, 2, 3, 4, 5);
  const { grad } = maskLoss(scene, [1, 0.5]);
  for (const part of ["coefficients", "prototypes"] as const) {
    const total = (data: number[]) => {
      const { loss } = maskLoss({ ...scene, [part]: { ...scene[part], data } }, [1, 0.5]);
      return loss[0] + 0.5 * loss[1];
    };
    close(grad[part], differences(total, [...scene[part].data], 1e-3), 1e-9);
  }
});

test("a window has the pixels from the box's low edges on, and not those on its high ones", () => {
  const prototypes = { data: Float32Array.from({ length: 30 }, (_, i) => i % 6 - 2), dims: [1, 5, 6] };
  const masks = new Uint8Array(30);
  for (
    const box of [[0, 0, 6, 5], [1, 1, 3, 2], [0.4, 0, 2.6, 3], [-3, -2, 2, 2], [4, 4, 40, 40], [2.1, 0, 2.9, 5], [
      9,
      9,
      12,
      12,
    ]]
  ) {
    const boxes = Float32Array.from(box);
    const scene = { coefficients: { data: Float32Array.of(1.5), dims: [1, 1] }, prototypes, masks, boxes } as MaskScene;
    const { loss, grad } = sync.maskLoss(...argumentsOf(scene), each);
    const wanted = maskLoss(scene, [1]);
    close(loss, wanted.loss, 1e-6);
    grad.prototypes.forEach((v, i) => assert.is(v === 0, wanted.grad.prototypes[i] === 0, `${box}: pixel ${i}`));
  }
});

test("what lies outside of the windows is not read: NaN there, and bytes that are no mask", () => {
  const scene = maskScene(7, 1, 3, 9, 19);
  const boxes = Float32Array.of(2, 3, 11, 7);
  const inside = (at: number) => at % 19 >= 2 && at % 19 < 11 && at / 19 >= 3 && Math.floor(at / 19) < 7;
  const prototypes = { ...scene.prototypes, data: scene.prototypes.data.map((v, i) => inside(i % 171) ? v : NaN) };
  const masks = scene.masks.map((v, i) => inside(i) ? v : 255);
  const wanted = sync.maskLoss(...argumentsOf({ ...scene, boxes }), each);
  const found = sync.maskLoss(...argumentsOf({ ...scene, boxes, prototypes, masks }), each);
  same(found.loss, wanted.loss);
  same(found.grad.coefficients, wanted.grad.coefficients);
  same(found.grad.prototypes, wanted.grad.prototypes);
});

test("large logits are finite and right; NaN stays with its object", () => {
  const scene = maskScene(8, 3, 4, 6, 6);
  scene.boxes.set([0, 0, 3, 3, 3, 3, 6, 6, 0, 3, 3, 6]);
  for (const size of [1e3, 1e30]) {
    const coefficients = { ...scene.coefficients, data: scene.coefficients.data.map((v) => v * size) };
    const { loss, grad } = sync.maskLoss(...argumentsOf({ ...scene, coefficients }), each);
    const wanted = maskLoss({ ...scene, coefficients }, [1, 1, 1]);
    wanted.loss.forEach((value, i) => close([loss[i]], [value], 1e-6 * value));
    assert.ok(grad.coefficients.every(Number.isFinite) && grad.prototypes.every(Number.isFinite));
  }
  scene.coefficients.data[5] = NaN;
  const { loss, grad } = sync.maskLoss(...argumentsOf(scene), each);
  assert.equal([...loss].map(Number.isNaN), [false, true, false]);
  grad.prototypes.forEach((v, i) => {
    const [x, y] = [i % 6, Math.floor(i % 36 / 6)];
    assert.is(Number.isNaN(v), x >= 3 && y >= 3, `pixel ${i}`);
  });
});

test("reductions, weights and their gradients; nothing costs nothing", () => {
  const scene = maskScene(9, 6, 5, 14, 17);
  const found = sync.maskLoss(...argumentsOf(scene), each);
  const weight = Float32Array.of(0, 1, 2, 0.5, 1, 3);
  const factors = [...weight].map((v) => v * 2 / 7);
  const mean = sync.maskLoss(...argumentsOf(scene), { weight, lossWeight: 2, avgFactor: 7, grad: true });
  const wanted = maskLoss(scene, factors);
  close([mean.loss], [factors.reduce((sum, factor, i) => sum + factor * found.loss[i], 0)], 1e-5);
  close(mean.grad.coefficients, wanted.grad.coefficients, 1e-5);
  close(mean.grad.prototypes, wanted.grad.prototypes, 1e-5);
  close([sync.maskLoss(...argumentsOf(scene)).loss], [found.loss.reduce((a, b) => a + b, 0) / 6], 1e-6);
  const none = { ...scene, coefficients: { data: new Float32Array(0), dims: [0, 5] as [number, number] } };
  const nothing = sync.maskLoss(none.coefficients, scene.prototypes, new Uint8Array(0), new Float32Array(0), {
    reduction: "sum",
    grad: true,
  });
  assert.is(nothing.loss, 0);
  assert.ok(nothing.grad.prototypes.every((v) => v === 0) && nothing.grad.coefficients.length === 0);
});

test("wrong input", () => {
  const scene = maskScene(10, 2, 3, 4, 5);
  const { coefficients, prototypes, masks, boxes } = scene;
  boxes.set([0, 0, 4, 4, 1, 1, 5, 4]);
  const run = (...args: unknown[]) => () => (sync.maskLoss as (...args: unknown[]) => unknown)(...args);
  throws(run(coefficients, prototypes.data, masks, boxes), TypeError, "maskLoss", "prototypes", "(channels, h, w)");
  throws(run(new Float32Array(7), prototypes, masks, boxes), TypeError, "maskLoss", "coefficients", "(N, 3)");
  throws(run(coefficients, prototypes, masks, boxes.slice(4)), TypeError, "maskLoss", "boxes", "(2, 4)");
  throws(run(coefficients, prototypes, masks.slice(1), boxes), TypeError, "maskLoss", "masks", "Uint8Array(40)");
  throws(run(coefficients, prototypes, new Float32Array(40), boxes), TypeError, "masks");
  throws(run(coefficients, prototypes, masks, boxes, { weight: new Float32Array(3) }), TypeError, "options.weight");
  throws(run(coefficients, prototypes, masks, boxes, { placement: "gpu" }), TypeError, "maskLoss", "placement");
  for (const wrong of [[1, 1, 1, 4], [4, 1, 1, 4], [0, 0, NaN, 4], [0, 0, Infinity, 4]]) {
    const bad = Float32Array.from([0, 0, 4, 4, ...wrong]);
    throws(run(coefficients, prototypes, masks, bad), RangeError, "maskLoss", "boxes[1]", String(wrong[2]));
  }
  const bad = masks.slice();
  bad[20 + 7] = 2;
  throws(run(coefficients, prototypes, bad, boxes), RangeError, "maskLoss", "masks[27]", "2", "0 or 1");
  assert.ok(Number.isFinite(sync.maskLoss(...argumentsOf(scene)).loss), "the engine works on");
});

test.run();
