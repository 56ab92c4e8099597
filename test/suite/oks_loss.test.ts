/** The loss of keypoints: float64, PyTorch, hard numbers, constants, lengths and options, errors, and WebGPU. */
import { createEngine, type Engine, type TensorLike } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { close, differences, rejects, same, throws } from "../compare.ts";
import { fixtureOf } from "../conformance.ts";
import { floats } from "../random.ts";
import { keypointScene, oksLoss } from "../reference/oks_loss.ts";
import { engines } from "./builds.ts";
import { bufferOf, newDevice, noDevice } from "./gpu.ts";
import { skip } from "./skip.ts";

const test = suite("oks loss");
const engine = await createEngine();
const { sync } = engine;
const { bounds } = operations.oksLoss;
const each = { reduction: "none", grad: true } as const;
const COCO = [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89].map((sigma) => sigma / 1000);

interface Found {
  readonly loss: Float32Array;
  readonly grad: Float32Array;
}
type Scene = ReturnType<typeof keypointScene>;

/** Every row within the bounds. */
function check({ loss, grad }: Found, scene: Scene, sigmas: readonly number[], what: string, of: "wasm" | "webgpu") {
  const count = sigmas.length;
  const { pred, target, areas } = scene;
  loss.forEach((value, row) => {
    const points = pred.data.subarray(2 * count * row, 2 * count * (row + 1));
    const truth = target.data.subarray(3 * count * row, 3 * count * (row + 1));
    const wanted = oksLoss(points, truth, areas[row], sigmas);
    close([value], [wanted.value], bounds.loss[of], `${what}, row ${row}`);
    const visible = sigmas.filter((_, k) => truth[3 * k + 2] > 0).length;
    wanted.grad.forEach((slope, i) => {
      const unit = 1 / (2 * sigmas[i >> 1] * Math.sqrt(areas[row]) * Math.max(visible, 1));
      close([grad[2 * count * row + i]], [slope], bounds.gradient[of] * unit, `${what}, row ${row}, slope ${i}`);
    });
  });
}

const constants = (count: number) => count === 17 ? COCO : new Array<number>(count).fill(1 / count);

for (const { capabilities: { wasm: name }, sync } of engines) {
  test(`every number of keypoints is within the bounds, by default COCO's constants or 1 / K (${name})`, () => {
    for (const count of [1, 2, 3, 4, 5, 8, 16, 17, 18, 133]) {
      const scene = keypointScene(count, 70, count);
      const found = sync.oksLoss(scene.pred, scene.target, scene.areas, each);
      check(found, scene, constants(count), `${count} keypoints`, "wasm");
      const sigmas = Array.from({ length: count }, (_, k) => 0.01 + 0.002 * k);
      check(sync.oksLoss(scene.pred, scene.target, scene.areas, { ...each, sigmas }), scene, sigmas, "own", "wasm");
    }
  });
}

test("agrees with PyTorch, whose gradients are autograd's", () => {
  const fixture = fixtureOf<Record<"pred" | "target" | "value" | "grad", number[]>[]>(operations.oksLoss);
  assert.ok(!("none" in fixture));
  const [{ pred, target, value, grad }] = fixture;
  const rows = value.length;
  const truth = target.filter((_, i) => i % 52 < 51);
  const areas = target.filter((_, i) => i % 52 === 51);
  const found = sync.oksLoss(
    { data: Float32Array.from(pred), dims: [rows, 17, 2] },
    { data: Float32Array.from(truth), dims: [rows, 17, 3] },
    Float32Array.from(areas),
    each,
  );
  close(found.loss, value, bounds.loss.wasm);
  close(found.grad, grad, bounds.gradient.wasm);
  value.forEach((wanted, i) => {
    const [from, to] = [pred.slice(34 * i, 34 * i + 34), truth.slice(51 * i, 51 * i + 51)];
    const own = oksLoss(from, to, areas[i], COCO);
    close([own.value, ...own.grad], [wanted, ...grad.slice(34 * i, 34 * i + 34)], 1e-13);
    close(own.grad, differences((at) => oksLoss(at, to, areas[i], COCO).value, from, 1e-3), 1e-9);
  });
});

test("values by hand: f = K / visible; what is not visible does not count, NaN or not", () => {
  const pred = { data: Float32Array.of(1, 0, 5, 5, 0, 0, 0, 0), dims: [2, 2, 2] };
  const target = { data: Float32Array.of(0, 0, 2, NaN, Infinity, 0, NaN, 0, 0, 0, 0, -1), dims: [2, 2, 3] };
  const { loss, grad } = sync.oksLoss(pred, target, Float32Array.of(0.5, -1), { ...each, sigmas: [0.5, 0.5] });
  close(loss, [1 - Math.exp(-1), 0], 1e-7);
  close(grad, [2 * Math.exp(-1), 0, 0, 0, 0, 0, 0, 0], 1e-6);
});

test("small distances keep their digits: nothing cancels", () => {
  for (const distance of [1e-1, 1e-3, 1e-6]) {
    const pred = { data: Float32Array.of(distance, 0), dims: [1, 1, 2] };
    const target = { data: Float32Array.of(0, 0, 1), dims: [1, 1, 3] };
    const { loss } = sync.oksLoss(pred, target, Float32Array.of(1), { reduction: "none", sigmas: [0.5] });
    const wanted = -Math.expm1(-(pred.data[0] ** 2) / 2);
    assert.ok(Math.abs(loss[0] / wanted - 1) < 5e-7, `${distance}: ${loss[0]}, wanted ${wanted}`);
  }
});

test("finite for all finite numbers, and for infinite distances; NaN stays in its row", () => {
  const numbers = [0, 1e-30, 1, 1e6, 3e38, -3e38, Infinity];
  const rows = numbers.length ** 2;
  const points = numbers.flatMap((x) => numbers.flatMap((t) => [[x, 0], [t, 1, 1]]));
  const pred = Float32Array.from(points.filter((_, i) => i % 2 === 0).flat());
  const target = Float32Array.from(points.filter((_, i) => i % 2 === 1).flat());
  for (const area of [1e-40, 1e-30, 1, 1e12, 3e38]) {
    const { loss, grad } = sync.oksLoss(pred, target, floats(rows, () => area), each);
    loss.forEach((v, i) => {
      const same = pred[2 * i] === Infinity && target[3 * i] === Infinity;
      assert.ok(same ? Number.isNaN(v) : v >= 0 && v <= 1, `loss ${i} is ${v} at ${area}`);
      if (!same) assert.ok([grad[2 * i], grad[2 * i + 1]].every(Number.isFinite), `gradient ${i} at ${area}`);
    });
  }
  const scene = keypointScene(3, 5, 6);
  const calm = sync.oksLoss(scene.pred, scene.target, scene.areas, each);
  for (const at of [0, 1, 2]) {
    const target = { ...scene.target, data: scene.target.data.slice() };
    target.data.set([1, 1, 1], 2 * 18 + 6);
    target.data[2 * 18 + 6 + at] = NaN;
    const { loss, grad } = sync.oksLoss(scene.pred, target, scene.areas, each);
    assert.ok(Number.isNaN(loss[2]) && Number.isNaN(grad[2 * 12 + 4]), `NaN at ${at}`);
    for (const row of [0, 1, 3, 4]) {
      assert.is(loss[row], calm.loss[row]);
      same(grad.subarray(12 * row, 12 * row + 12), calm.grad.subarray(12 * row, 12 * row + 12));
    }
  }
});

test("every length, reduction, weight and kind of input", async () => {
  using small = await createEngine({ maxMemory: 512 * 1024 });
  const count = 17;
  for (const rows of [0, 1, 2, 31, 32, 33, 64, 480, 481, 1500]) {
    const { pred, target, areas } = keypointScene(rows + 1, rows, count);
    const found = sync.oksLoss(pred, target, areas, each);
    same(sync.oksLoss(pred, target, areas, { reduction: "none" }).loss, found.loss, "without gradient");
    const weight = floats(rows, (i) => i % 3);
    const weighed = sync.oksLoss(pred, target, areas, { ...each, weight, lossWeight: 2 });
    close(weighed.loss, found.loss.map((v, i) => 2 * weight[i] * v), 1e-6);
    close(weighed.grad, found.grad.map((v, i) => 2 * weight[Math.floor(i / 2 / count)] * v), 1e-6);
    const sum = sync.oksLoss(pred, target, areas, { reduction: "sum", grad: true });
    assert.ok(Math.abs(sum.loss - found.loss.reduce((a, b) => a + b, 0)) <= 1e-6 * rows);
    same(sum.grad, found.grad);
    if (rows === 0) continue;
    assert.is(sync.oksLoss(pred, target, areas).loss, sum.loss * (1 / rows));
    using residentPred = engine.tensor([rows, count, 2]);
    using residentTarget = engine.tensor([rows, count, 3]);
    using residentAreas = engine.tensor([rows]);
    residentPred.data.set(pred.data);
    residentTarget.data.set(target.data);
    residentAreas.data.set(areas);
    const doubles = { data: Float64Array.from(pred.data), dims: pred.dims };
    const ways: [typeof sync, TensorLike, TensorLike, TensorLike][] = [
      [sync, residentPred, residentTarget, residentAreas],
      [small.sync, doubles, target, { data: Float64Array.from(areas), dims: [rows] }],
      [small.sync, pred.data, target.data, areas],
    ];
    for (const [on, ...tensors] of ways) {
      const again = on.oksLoss(...tensors, { reduction: "sum", grad: true });
      assert.is(again.loss, sum.loss);
      same(again.grad, sum.grad);
    }
  }
});

test("wrong input: shapes, constants, and areas of rows that count", () => {
  const { pred, target, areas } = keypointScene(9, 3, 4);
  const run = (...args: unknown[]) => () => (sync.oksLoss as (...args: unknown[]) => unknown)(...args);
  throws(run(pred, target, new Float32Array(2)), TypeError, "oksLoss", "pred", "(3, 4, 2)", "(2, K, 2)");
  throws(run({ ...pred, dims: [3, 8] }, target, areas), TypeError, "oksLoss", "pred", "(3, 8)", "(3, K, 2)");
  throws(run(new Float32Array(18), target, areas), TypeError, "oksLoss", "target", "(3, 4, 3)", "(3, 3, 3)");
  throws(run(pred, target, { data: areas, dims: [3, 1] }), TypeError, "oksLoss", "areas", "(3, 1)", "(N)");
  throws(run(pred, target, areas, { sigmas: [1, 2, 3] }), RangeError, "oksLoss", "options.sigmas", "3 numbers", "4");
  throws(run(pred, target, areas, { sigmas: [1, 2, 0, 1] }), RangeError, "options.sigmas[2]", "0", "over 0");
  throws(run(pred, target, areas, { sigmas: [1, "2", 1, 1] }), TypeError, "options.sigmas[1]", '"2"');
  throws(run(pred, target, areas, { sigmas: 0.1 }), TypeError, "options.sigmas", "0.1");
  throws(run(pred, target, areas, { weight: new Float32Array(12) }), TypeError, "options.weight", "one per row");
  target.data.fill(1);
  for (const wrong of [0, -4, NaN]) {
    const bad = areas.map((area, i) => i === 1 ? wrong : area);
    throws(run(pred, target, bad), RangeError, "oksLoss", "areas[1]", String(wrong), "over 0");
    throws(run(pred, target, bad, each), RangeError, "areas[1]");
  }
  assert.ok(Number.isFinite(sync.oksLoss(pred, target, areas).loss), "the engine works on");
});

test("WebGPU: values, gradients, reductions, and its errors", async () => {
  if (noDevice !== null) return skip(noDevice);
  const device = await newDevice();
  {
    using gpu: Engine = await createEngine({ device: "webgpu", gpuDevice: device });
    for (const count of [1, 5, 17]) {
      const scene = keypointScene(50 + count, 300, count);
      const { pred, target, areas } = scene;
      check(await gpu.oksLoss(pred, target, areas, each), scene, constants(count), `${count} keypoints`, "webgpu");
      const weight = floats(300, (i) => i % 3);
      const options = { weight, avgFactor: 50, grad: true } as const;
      const [got, wanted] = [
        await gpu.oksLoss(pred, target, areas, options),
        sync.oksLoss(pred, target, areas, options),
      ];
      assert.ok(Math.abs(got.loss - wanted.loss) <= 1e-5 * wanted.loss);
      close(got.grad, wanted.grad, 1e-6);
      const onGpu = { gpuBuffer: bufferOf(device, areas), dims: [300] };
      close((await gpu.oksLoss(pred, target, onGpu, each)).loss, sync.oksLoss(pred, target, areas, each).loss, 4e-6);
    }
    const { pred, target, areas } = keypointScene(60, 5, 4);
    target.data.fill(1);
    areas[3] = 0;
    await rejects(gpu.oksLoss(pred, target, areas), RangeError, "oksLoss", "areas[3]", "is 0", "over 0");
  }
  device.destroy();
});

test.run();
