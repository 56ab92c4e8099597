/** maskLoss on WebGPU: against float64, in every packing and placement, its errors, and that its bits do not change. */
import { createEngine, type Engine, type GpuTensor, type Placement } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { close, rejects, same, throws } from "../compare.ts";
import { halfBits } from "../half.ts";
import { maskLoss, type MaskScene, maskScene } from "../reference/mask_loss.ts";
import { asHardware, bufferOf, floatsOf, hasSubgroups, newDevice, noDevice, watch } from "./gpu.ts";
import { skip } from "./skip.ts";
import { walk } from "./walk.ts";

const tests = suite("mask loss on WebGPU");
const device = noDevice === null ? await newDevice() : null;
const engine = device && await createEngine({ device: "webgpu", gpuDevice: device });
const { bounds } = operations.maskLoss;
const each = { reduction: "none", grad: true } as const;

/** A test with a device and its engine, or a skipped one. */
function test(title: string, body: (device: GPUDevice, engine: Engine) => Promise<void>): void {
  tests(title, async () => device === null ? skip(noDevice as string) : await body(device, engine as Engine));
}

const argumentsOf = ({ coefficients, prototypes, masks, boxes }: MaskScene) => {
  return [coefficients, prototypes, masks, boxes] as const;
};
const boxesOf = ({ boxes }: MaskScene) => ({ data: boxes, dims: [boxes.length / 4, 4] });

/** A tensor on the device. */
function there(device: GPUDevice, { data, dims }: { data: Float32Array | Uint16Array; dims: readonly number[] }) {
  const dataType = data instanceof Uint16Array ? "float16" : "float32";
  return { gpuBuffer: bufferOf(device, data), dims, dataType } as GpuTensor;
}

interface Found {
  readonly loss: Float32Array;
  readonly grad: { readonly coefficients: Float32Array; readonly prototypes: Float32Array };
}

/** Losses and gradients of a call with `each` are those of float64, within the bounds on WebGPU. */
function agrees(found: Found, scene: MaskScene, what: string): void {
  const wanted = maskLoss(scene, new Array<number>(scene.coefficients.dims[0]).fill(1));
  wanted.loss.forEach((value, i) => {
    close([found.loss[i]], [value], bounds.loss.webgpu * Math.max(1, value), `${what}, object ${i}`);
  });
  close(found.grad.coefficients, wanted.grad.coefficients, bounds.gradient.webgpu, `${what}, coefficients`);
  close(found.grad.prototypes, wanted.grad.prototypes, 2 * bounds.gradient.webgpu, `${what}, prototypes`);
}

const SIZES = [[1, 1, 1, 1], [3, 2, 5, 7], [9, 7, 20, 16], [12, 32, 33, 41], [7, 8, 9, 70], [40, 5, 80, 80]] as const;

test("random scenes, every remainder of widths and channels", async (_, engine) => {
  for (const [objects, channels, height, width] of walk(SIZES)) {
    const scene = maskScene(width, objects, channels, height, width);
    agrees(await engine.maskLoss(...argumentsOf(scene), each), scene, `${objects} of ${height} × ${width}`);
  }
});

test("sums through subgroups agree, too", async () => {
  if (!hasSubgroups) return skip("WebGPU: no subgroups");
  const own = await newDevice(["subgroups"]);
  {
    using engine = await createEngine({ device: "webgpu", gpuDevice: asHardware(own) });
    for (const [objects, channels, height, width] of walk(SIZES)) {
      const scene = maskScene(width, objects, channels, height, width);
      agrees(await engine.maskLoss(...argumentsOf(scene), each), scene, `${objects} of ${height} × ${width}`);
    }
  }
  own.destroy();
});

test("every packing of every tensor, uploaded or there, in one submission and with the same bits", async (device) => {
  const { device: watched, submitted } = watch(device);
  using engine = await createEngine({ device: "webgpu", gpuDevice: watched });
  const scene = maskScene(21, 5, 6, 12, 21);
  // Halves are exact, so that all packings hold the same values.
  const coarse = (data: Float32Array<ArrayBuffer>) => data.map((v) => Math.round(v * 16) / 16);
  const exact = {
    ...scene,
    coefficients: { ...scene.coefficients, data: coarse(scene.coefficients.data) },
    prototypes: { ...scene.prototypes, data: coarse(scene.prototypes.data) },
    boxes: coarse(scene.boxes),
  };
  const weight = { data: Float32Array.of(1, 2, 0, 0.5, 1), dims: [5] };
  const tensors = [exact.coefficients, exact.prototypes, boxesOf(exact), weight];
  const wanted = await engine.maskLoss(...argumentsOf(exact), { ...each, weight });
  const packings = [
    (tensor: typeof weight) => ({ ...tensor, data: Float64Array.from(tensor.data) }),
    (tensor: typeof weight) => ({ ...tensor, data: Uint16Array.from(tensor.data, halfBits) }),
    (tensor: typeof weight) => there(device, tensor),
    (tensor: typeof weight) => there(device, { ...tensor, data: Uint16Array.from(tensor.data, halfBits) }),
  ];
  for (const [k, packed] of packings.entries()) {
    for (const changed of [[0], [1], [2], [3], [0, 1, 2, 3]]) {
      const [coefficients, prototypes, boxes, weight] = tensors.map((tensor, i) => {
        return changed.includes(i) ? packed(tensor as never) : tensor;
      });
      const before = submitted();
      const found = await engine.maskLoss(coefficients, prototypes, exact.masks, boxes, { ...each, weight });
      assert.is(submitted() - before, 1);
      same(found.loss, wanted.loss, `packing ${k} of ${changed}`);
      same(found.grad.coefficients, wanted.grad.coefficients, `packing ${k} of ${changed}`);
      same(found.grad.prototypes, wanted.grad.prototypes, `packing ${k} of ${changed}`);
    }
  }
});

test("reductions, weights, factors and no gradient are those of WASM", async (_, engine) => {
  const scene = maskScene(22, 6, 5, 14, 17);
  const weight = Float32Array.of(0, 1, 2, 0.5, 1, 3);
  for (
    const options of [
      {},
      { reduction: "sum" },
      { reduction: "none" },
      { weight, lossWeight: 2, avgFactor: 7 },
      { reduction: "none", weight, lossWeight: 0.5 },
      { lossWeight: 0 },
    ] as const
  ) {
    const what = JSON.stringify(options);
    for (const grad of [false, true]) {
      const wanted = engine.sync.maskLoss(...argumentsOf(scene), { ...options, grad });
      const found = await engine.maskLoss(...argumentsOf(scene), { ...options, grad });
      const [values, others] = [found, wanted].map(({ loss }) => typeof loss === "number" ? [loss] : loss);
      close(values, others, 1e-5, what);
      assert.is("grad" in found, grad, what);
      if (!("grad" in found)) continue;
      const [own, other] = [found, wanted] as unknown as Found[];
      close(own.grad.coefficients, other.grad.coefficients, 1e-5, what);
      close(own.grad.prototypes, other.grad.prototypes, 1e-5, what);
    }
  }
});

test("results stay on the device", async (device, engine) => {
  const scene = maskScene(23, 4, 6, 10, 13);
  const wanted = await engine.maskLoss(...argumentsOf(scene), each);
  const options = { ...each, placement: "gpu" as Placement as "gpu" };
  const { loss, grad } = await engine.maskLoss(...argumentsOf(scene), options);
  assert.equal([loss, grad.coefficients, grad.prototypes].map(({ dims }) => dims), [[4], [4, 6], [6, 10, 13]]);
  const kept = async ({ gpuBuffer }: GpuTensor, length: number) => {
    return (await floatsOf(device, gpuBuffer as GPUBuffer)).subarray(0, length);
  };
  same(await kept(loss, 4), wanted.loss);
  same(await kept(grad.coefficients, 24), wanted.grad.coefficients);
  same(await kept(grad.prototypes, 780), wanted.grad.prototypes);
  const sum = await engine.maskLoss(...argumentsOf(scene), { placement: "gpu" });
  assert.equal(sum.loss.dims, []);
  close(await kept(sum.loss, 1), [wanted.loss.reduce((all, value) => all + value, 0) / 4], 1e-6);
  throws(() => engine.sync.maskLoss(...argumentsOf(scene), options), TypeError, "maskLoss", "options.placement");
});

test(
  "what lies outside of the windows is not read, large logits are finite, NaN stays with its object",
  async (_, engine) => {
    const scene = maskScene(7, 1, 3, 9, 19);
    const boxes = Float32Array.of(2, 3, 11, 7);
    const inside = (at: number) => at % 19 >= 2 && at % 19 < 11 && at / 19 >= 3 && Math.floor(at / 19) < 7;
    const prototypes = { ...scene.prototypes, data: scene.prototypes.data.map((v, i) => inside(i % 171) ? v : NaN) };
    const masks = scene.masks.map((v, i) => inside(i) ? v : 255);
    const found = await engine.maskLoss(...argumentsOf({ ...scene, boxes, prototypes, masks }), each);
    agrees(found, { ...scene, boxes }, "one window");
    const three = maskScene(8, 3, 4, 6, 6);
    three.boxes.set([0, 0, 3, 3, 3, 3, 6, 6, 0, 3, 3, 6]);
    for (const size of [1e3, 1e30]) {
      const coefficients = { ...three.coefficients, data: three.coefficients.data.map((v) => v * size) };
      const { loss, grad } = await engine.maskLoss(...argumentsOf({ ...three, coefficients }), each);
      const wanted = maskLoss({ ...three, coefficients }, [1, 1, 1]);
      wanted.loss.forEach((value, i) => close([loss[i]], [value], 4e-6 * value));
      assert.ok(grad.coefficients.every(Number.isFinite) && grad.prototypes.every(Number.isFinite));
    }
    three.coefficients.data[5] = NaN;
    const { loss, grad } = await engine.maskLoss(...argumentsOf(three), each);
    assert.equal([...loss].map(Number.isNaN), [false, true, false]);
    grad.prototypes.forEach((v, i) => {
      const [x, y] = [i % 6, Math.floor(i % 36 / 6)];
      assert.is(Number.isNaN(v), x >= 3 && y >= 3, `pixel ${i}`);
    });
  },
);

test(
  "a weight of 0 leaves nothing of an infinite loss; infinite logits that are right cost nothing",
  async (_, engine) => {
    const scene = {
      coefficients: { data: Float32Array.of(1, 1, 1), dims: [3, 1] as [number, number] },
      prototypes: { data: Float32Array.of(Infinity, -Infinity, 0), dims: [1, 1, 3] as [number, number, number] },
      masks: Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
      boxes: Float32Array.of(0, 0, 2, 1, 0, 0, 2, 1, 0, 0, 1, 1),
    };
    for (const weight of [[1, 1, 1], [1, 0, 0]]) {
      const options = { reduction: "none", weight: Float32Array.from(weight) } as const;
      const wanted = engine.sync.maskLoss(...argumentsOf(scene), options);
      const { loss } = await engine.maskLoss(...argumentsOf(scene), options);
      assert.equal([...loss], [...wanted.loss]);
      assert.is(loss[1], weight[1] === 0 ? 0 : Infinity);
    }
  },
);

test("huge boxes around the map, and boxes beside it", async (_, engine) => {
  const scene = maskScene(24, 4, 3, 6, 8);
  scene.boxes.set([-1e20, -1e20, 1e20, 1e20, -4, -4, 8, 6, 9, 9, 12, 12, 2.1, 0, 2.9, 5]);
  agrees(await engine.maskLoss(...argumentsOf(scene), each), scene, "boxes");
});

test("no objects", async (device, engine) => {
  const prototypes = maskScene(25, 1, 5, 4, 3).prototypes;
  const none = [new Float32Array(0), prototypes, new Uint8Array(0), new Float32Array(0)] as const;
  const nothing = await engine.maskLoss(...none, { reduction: "sum", grad: true });
  assert.is(nothing.loss, 0);
  assert.ok(nothing.grad.prototypes.every((v) => v === 0) && nothing.grad.coefficients.length === 0);
  assert.ok(Number.isNaN((await engine.maskLoss(...none)).loss));
  assert.is((await engine.maskLoss(...none, { reduction: "none" })).loss.length, 0);
  const { grad } = await engine.maskLoss(...none, { grad: true, placement: "gpu" });
  assert.ok((await floatsOf(device, grad.prototypes.gpuBuffer as GPUBuffer)).every((v) => v === 0));
});

test("wrong boxes and bytes are the errors of WASM; the engine works on and keeps nothing", async (device) => {
  const { device: watched, live } = watch(device);
  {
    using engine = await createEngine({ device: "webgpu", gpuDevice: watched });
    const scene = maskScene(10, 2, 3, 4, 5);
    const { coefficients, prototypes, masks, boxes } = scene;
    boxes.set([0, 0, 4, 4, 1, 1, 5, 4]);
    const refused = async (boxes: Float32Array, masks: Uint8Array<ArrayBuffer>, ...words: string[]) => {
      for (const placement of ["host", "gpu"] as const) {
        const options = { grad: true, placement };
        await rejects(engine.maskLoss(coefficients, prototypes, masks, boxes, options), RangeError, ...words);
      }
      throws(() => engine.sync.maskLoss(coefficients, prototypes, masks, boxes), RangeError, ...words);
    };
    const bad = masks.slice();
    bad.set([3, 2], 20 + 7);
    for (const wrong of [[1, 1, 1, 4], [4, 1, 1, 4], [0, 0, NaN, 4], [0, 0, Infinity, 4]]) {
      const words = ["maskLoss: boxes[1]", `(${wrong.join(", ")})`, "finite corners around an area over 0"];
      await refused(Float32Array.from([0, 0, 4, 4, ...wrong]), bad, ...words);
    }
    await refused(boxes, bad, "maskLoss: masks[27]", "3", "0 or 1");
    const beside = there(device, { data: Float32Array.of(0, 0, 4, 4, 1, 1, 1, 4), dims: [2, 4] });
    await rejects(engine.maskLoss(coefficients, prototypes, masks, beside), RangeError, "maskLoss: boxes[1]");
    const flat = there(device, { ...prototypes, dims: [3, 20] });
    await rejects(engine.maskLoss(coefficients, flat, masks, boxes), TypeError, "maskLoss", "(channels, h, w)");
    throws(
      () => engine.sync.maskLoss(coefficients, there(device, prototypes), masks, boxes),
      TypeError,
      "maskLoss: prototypes is a GpuTensor",
    );
    agrees(await engine.maskLoss(...argumentsOf(scene), each), scene, "afterwards");
  }
  assert.is(live(), 0);
});

test("what no binding holds stays on WASM, or says so", async (device) => {
  const scene = maskScene(26, 9, 2, 16, 16);
  const { device: small } = watch(device, { maxStorageBufferBindingSize: 8192 });
  using engine = await createEngine({ device: "webgpu", gpuDevice: small });
  const wanted = engine.sync.maskLoss(...argumentsOf(scene), each);
  const found = await engine.maskLoss(...argumentsOf(scene), each);
  same(found.grad.prototypes, wanted.grad.prototypes);
  const call = engine.maskLoss(...argumentsOf(scene), { ...each, placement: "gpu" });
  await rejects(call, RangeError, "maskLoss: masks is of 2304 values", "at most 2048");
});

test("auto takes it there by its prototypes", async (device) => {
  using auto = await createEngine({ gpuDevice: device, offloadThreshold: 200 });
  assert.is(auto.plan("maskLoss", 200).device, "webgpu");
  const scene = maskScene(27, 2, 2, 10, 10);
  agrees(await auto.maskLoss(...argumentsOf(scene), each), scene, "auto");
});

tests.run();
