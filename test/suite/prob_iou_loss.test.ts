/** The ProbIoU loss: float64, PyTorch, hard boxes, lengths and options, its bounds by search, and WebGPU. */
import { createEngine, type Engine, type TensorLike } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { close, differences, same, throws } from "../compare.ts";
import { fixtureOf } from "../conformance.ts";
import { rotatedBoxes } from "../reference/rotated_corners.ts";
import { floats, type Random, random } from "../random.ts";
import { probIouLoss } from "../reference/prob_iou_loss.ts";
import { worstOf } from "../search.ts";
import { engines } from "./builds.ts";
import { newDevice, noDevice } from "./gpu.ts";
import { note } from "./notes.ts";
import { skip } from "./skip.ts";
import { pairProbIou } from "../reference/prob_iou.ts";
import { times } from "./walk.ts";

const test = suite("prob iou loss");
const engine = await createEngine();
const { sync } = engine;
const { bounds } = operations.probIouLoss;
const each = { reduction: "none", grad: true } as const;
const rowOf = (boxes: ArrayLike<number>, i: number) => Array.from({ length: 5 }, (_, k) => boxes[5 * i + k]);

interface Found {
  readonly loss: Float32Array;
  readonly grad: Float32Array;
}

/** What a gradient's error is a share of; an angle's slope counts over the longer side. */
function errorOf(pred: readonly number[], got: readonly number[], wanted: readonly number[]): number {
  const side = Math.max(pred[2], pred[3]);
  const unit = (slope: number, member: number) => Math.abs(member === 4 ? slope / side : slope);
  const errors = wanted.map((slope, i) => unit(got[i] - slope, i));
  return Math.max(...errors) / Math.max(...wanted.map(unit), 1 / side);
}

/** Every pair within the bounds; returns the worst shares of them. */
function check(
  { loss, grad }: Found,
  pred: Float32Array,
  target: Float32Array,
  what: string,
  of: "wasm" | "webgpu" = "wasm",
): [number, number] {
  const worst: [number, number] = [0, 0];
  loss.forEach((value, i) => {
    const box = rowOf(pred, i);
    const wanted = probIouLoss(box, rowOf(target, i));
    const name = `${what}: (${box}) on (${rowOf(target, i)})`;
    worst[0] = Math.max(worst[0], close([value], [wanted.value], bounds.loss[of], name) / bounds.loss[of]);
    const error = errorOf(box, rowOf(grad, i), wanted.grad) / bounds.gradient[of];
    const isFlat = box[2] * box[3] === 0;
    if (isFlat) same(rowOf(grad, i), [0, 0, 0, 0, 0], name);
    else assert.ok(error <= 1, `${name}: gradient (${rowOf(grad, i)}), wanted (${wanted.grad}): ${error} of the bound`);
    worst[1] = Math.max(worst[1], isFlat ? 0 : error);
  });
  return worst;
}

/** Boxes by a share of their sides and of a radian from others. */
function nearby(r: Random, boxes: Float32Array, by: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(boxes, (v, i) => {
    const side = boxes[i - i % 5 + 2 + i % 2];
    return i % 5 < 2 ? v + by * side * r.normal() : i % 5 < 4 ? v * Math.exp(by * r.normal()) : v + by * r.normal();
  });
}

/** Identical, turned, thin at 45°, tiny, large, far, squares, and without area. */
const HARD = [
  [100, 100, 30, 20, 0.3],
  [100, 100, 20, 30, 0.3 + Math.PI / 2],
  [100, 100, 30, 20, 0.3 + Math.PI],
  [101, 99, 31, 19, 0.35],
  [100, 100, 20, 20, 0],
  [100, 100, 20, 20, Math.PI / 4],
  [105, 100, 20, 20, 1e3],
  [0, 0, 1000, 1, Math.PI / 4],
  [50, 50, 1000, 1, Math.PI / 4],
  [0, 0, 1000, 1.001, Math.PI / 4 + 1e-3],
  [0.25, -0.25, 1, 1000, -Math.PI / 4],
  [0, 0, 1e-3, 1e-3, 0.1],
  [1e-4, 0, 1e-3, 2e-3, 0.7],
  [0, 0, 1e6, 1e6, 0.2],
  [2e5, 1e5, 1e6, 5e5, 3],
  [1e6, 1e6, 30, 10, -1],
  [1e6, 1e6 + 3, 31, 11, -1.1],
  [100, 100, 0, 20, 0.3],
  [100, 100, 0, 0, 0.3],
  [100, 100, 30, -5, 0.3],
];

const product = (): [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>] => [
  Float32Array.from(HARD.flatMap((box) => HARD.flatMap(() => box))),
  Float32Array.from(HARD.flatMap(() => HARD.flat())),
];

for (const { capabilities: { wasm: name }, sync } of engines) {
  const run = (pred: TensorLike, target: TensorLike) => sync.probIouLoss(pred, target, each);

  test(`random and hard pairs are within the bounds (${name})`, () => {
    const r = random(1);
    const boxes = rotatedBoxes(r, 3000);
    const worst = [1, 0.3, 1e-2, 1e-4, 1e-6].map((by) => {
      const target = nearby(r, boxes, by);
      return check(run(boxes, target), boxes, target, `by ${by}`);
    });
    note(`probIouLoss: ${worst.map((shares) => shares.map((share) => share.toFixed(2)).join(" and ")).join(", ")}`);
    const [pred, target] = product();
    check(run(pred, target), pred, target, "hard");
  });
}

test("agrees with PyTorch, whose gradients are autograd's", () => {
  const fixture = fixtureOf<Record<"pred" | "target" | "value" | "grad", number[]>[]>(operations.probIouLoss);
  assert.ok(!("none" in fixture));
  const [{ pred, target, value, grad }] = fixture;
  const [p, t] = [Float32Array.from(pred), Float32Array.from(target)];
  const found = sync.probIouLoss(p, t, each);
  close(found.loss, value, bounds.loss.wasm);
  value.forEach((wanted, i) => {
    const own = probIouLoss(rowOf(pred, i), rowOf(target, i));
    close([own.value, ...own.grad], [wanted, ...rowOf(grad, i)], 1e-9 * Math.max(1, ...rowOf(grad, i).map(Math.abs)));
    assert.ok(errorOf(rowOf(pred, i), rowOf(found.grad, i), rowOf(grad, i)) <= bounds.gradient.wasm, `pair ${i}`);
  });
});

test("the reference's gradient is its finite differences, and its value 1 − probIou", () => {
  const r = random(2);
  const boxes = rotatedBoxes(r, 100);
  const target = nearby(r, boxes, 0.2);
  for (let i = 0; i < 100; i++) {
    const [p, t] = [rowOf(boxes, i), rowOf(target, i)];
    const { value, grad } = probIouLoss(p, t);
    close([value], [1 - pairProbIou(p, t)], 1e-14);
    close(grad, differences((box) => probIouLoss(box, t).value, p, 1e-3), 1e-6, `pair ${i}`);
  }
});

test("equal boxes have neither loss nor gradient; squares are blind to their angles", () => {
  const boxes = rotatedBoxes(random(3), 50);
  const equal = sync.probIouLoss(boxes, boxes, each);
  assert.ok([...equal.loss, ...equal.grad].every((v) => v === 0));
  const squares = boxes.map((v, i) => i % 5 === 3 ? boxes[i - 1] : v);
  const turned = sync.probIouLoss(squares, squares.map((v, i) => i % 5 === 4 ? v + 0.7 : v), each);
  assert.ok([...turned.loss, ...turned.grad].every((v) => v === 0));
  const flat = Float32Array.of(5, 5, 0, 9, 1, 5, 5, 0, 9, 1, 5, 5, 3, 9, 1);
  const others = Float32Array.of(5, 5, 0, 9, 1, 5, 6, 0, 9, 1, 5, 5, 3, 0, 1);
  assert.equal([...sync.probIouLoss(flat, others, { reduction: "none" }).loss], [0, 1, 1]);
});

test("finite for all finite and infinite boxes, in [0, 1]", () => {
  const numbers = [0, 1e-40, 1e-20, 1, 1e10, 3e38, Infinity];
  const boxes = numbers.flatMap((x) => numbers.flatMap((w) => numbers.map((h) => [x, -x, w, h, w === 1 ? 1e30 : 0.5])));
  const pred = Float32Array.from(boxes.flatMap((box) => [...box, ...box, ...box]));
  const others = boxes.flatMap((box, i) => [...box, ...boxes[(i * 7 + 3) % boxes.length], 3, 4, 5, 6, 7]);
  const { loss, grad } = sync.probIouLoss(pred, Float32Array.from(others), each);
  loss.forEach((v, i) => assert.ok(v >= 0 && v <= 1, `loss of (${rowOf(pred, i)}) on (${rowOf(others, i)}) is ${v}`));
  grad.forEach((v, i) => assert.ok(Number.isFinite(v), `gradient ${i % 5} of (${rowOf(pred, (i / 5) | 0)}) is ${v}`));
});

test("NaN and infinite angles stay in their row", () => {
  const r = random(4);
  const boxes = rotatedBoxes(r, 13);
  const target = nearby(r, boxes, 0.1);
  const calm = sync.probIouLoss(boxes, target, each);
  for (let at = 0; at < 10; at++) {
    for (const value of at % 5 === 4 ? [NaN, Infinity] : [NaN]) {
      const [p, t] = [boxes.slice(), target.slice()];
      (at < 5 ? p : t)[5 * 6 + at % 5] = value;
      const { loss, grad } = sync.probIouLoss(p, t, each);
      close(loss, calm.loss.map((v, i) => i === 6 ? NaN : v), 0);
      close(grad, calm.grad.map((v, i) => Math.floor(i / 5) === 6 ? NaN : v), 0);
    }
  }
});

test("every length, reduction, weight and kind of input", async () => {
  using small = await createEngine({ maxMemory: 512 * 1024 });
  const r = random(5);
  const all = rotatedBoxes(r, 4100);
  const others = nearby(r, all, 0.2);
  for (const n of [...Array(10).keys(), 31, 32, 33, 511, 512, 513, 4100]) {
    const dims = [n, 5];
    const [pred, target] = [all.slice(0, 5 * n), others.slice(0, 5 * n)];
    const weight = floats(n, (i) => i % 3);
    const found = sync.probIouLoss(pred, target, each);
    same(sync.probIouLoss(pred, target, { reduction: "none" }).loss, found.loss, "without gradient");
    const weighed = sync.probIouLoss(pred, target, { ...each, weight, lossWeight: 2 });
    close(weighed.loss, found.loss.map((v, i) => 2 * weight[i] * v), 1e-6);
    close(weighed.grad, found.grad.map((v, i) => 2 * weight[Math.floor(i / 5)] * v), 1e-5);
    const sum = sync.probIouLoss(pred, target, { reduction: "sum", grad: true });
    assert.ok(Math.abs(sum.loss - found.loss.reduce((a, b) => a + b, 0)) <= 1e-6 * n);
    same(sum.grad, found.grad);
    using residentPred = engine.tensor(dims);
    using residentTarget = engine.tensor(dims);
    using residentGrad = engine.tensor(dims);
    residentPred.data.set(pred);
    residentTarget.data.set(target);
    const out = { grad: residentGrad.data };
    const resident = sync.probIouLoss(residentPred, residentTarget, { reduction: "sum", grad: true, out });
    assert.is(resident.loss, sum.loss);
    same(residentGrad.data, found.grad);
    const doubles = { data: Float64Array.from(pred), dims };
    same(small.sync.probIouLoss(doubles, { data: target, dims }, each).grad, found.grad);
  }
});

test("wrong input", () => {
  const boxes = new Float32Array(10);
  throws(() => sync.probIouLoss(new Float32Array(8), boxes), TypeError, "probIouLoss", "pred", "8", "(N, 5)");
  throws(() => sync.probIouLoss(boxes, new Float32Array(5)), TypeError, "probIouLoss", "target", "5", "(2, 5)");
  throws(() => sync.probIouLoss(boxes, boxes, { weight: boxes }), TypeError, "options.weight", "one per row");
  throws(() => sync.probIouLoss(boxes, boxes, { eps: 1 } as object), TypeError, "probIouLoss", "eps");
});

/** Pairs on which a formula may cancel: thin, all but equal, exchanged sides, mirrored angles, any size. */
function pairStart(r: Random): number[] {
  const size = [1, r.uniform(1, 1000), 10 ** r.uniform(-3, 6)][r.integer(3)];
  const thin = [1, 10 ** -r.uniform(0, 1), 10 ** -r.uniform(0, 3)][r.integer(3)];
  const sides = r.integer(2) === 0 ? [size, size * thin] : [size * thin, size];
  const target = [r.normal() * size * [0, 1, 1000][r.integer(3)], r.normal() * size, ...sides, r.uniform(-4, 4)];
  const by = 10 ** -r.uniform(0, 6);
  const [cos, sin] = [Math.cos(target[4]), Math.sin(target[4])];
  const [along, across] = sides.map((side) => side * r.normal() * by * r.integer(2));
  const [w, h] = sides.map((side) => side * Math.exp(by * r.normal() * r.integer(2)));
  const x = target[0] + along * cos - across * sin;
  const y = target[1] + along * sin + across * cos;
  const angle = target[4] + by * r.normal() * r.integer(2);
  const other = 10 ** r.uniform(-1, 1) * size;
  const preds = [
    [x, y, w, h, angle],
    [x, y, w, h, target[4] + r.integer(4) * Math.PI / 4],
    [x, y, h, w, angle + Math.PI / 2],
    [x, y, other, other * 10 ** -r.uniform(0, 3), r.uniform(-4, 4)],
    [x, y, w, h, -angle],
  ];
  return [...preds[r.integer(5)], ...target].map(Math.fround);
}

function pairNear(pair: readonly number[], r: Random): number[] {
  const moved = [...pair];
  const at = r.integer(10);
  const side = at % 5 === 4 ? 1 : moved[(at > 4 ? 7 : 2) + r.integer(2)];
  const kind = r.integer(4);
  if (kind === 0) moved[at] += moved[at] * 2 ** -23 * (r.integer(5) - 2);
  else if (kind === 1) moved[at] = moved[(at + 5) % 10];
  else moved[at] += side * r.normal() * 10 ** -r.uniform(0, 6);
  return moved.map((v, i) => Math.fround(i % 5 === 2 || i % 5 === 3 ? Math.max(Math.abs(v), 1e-4) : v));
}

test("the worst that a search finds is within the bounds", async () => {
  for (const part of ["loss", "gradient"] as const) {
    const errors = (pairs: readonly number[][]) => {
      const [pred, target] = [0, 5].map((at) => Float32Array.from(pairs.flatMap((pair) => pair.slice(at, at + 5))));
      const { loss, grad } = sync.probIouLoss(pred, target, each);
      return pairs.map((pair, i) => {
        const wanted = probIouLoss(pair.slice(0, 5), pair.slice(5));
        if (part === "loss") return Math.abs(loss[i] - wanted.value) / bounds.loss.wasm;
        return errorOf(pair, rowOf(grad, i), wanted.grad) / bounds.gradient.wasm;
      });
    };
    const search = { width: 300, rounds: times(40), start: pairStart, near: pairNear, errors };
    const { error, input } = await worstOf(search, random(6));
    assert.ok(error > 0.02 && error <= 1, `${part}: ${error} of the bound at ${input}`);
    note(`probIouLoss ${part}: ${error.toFixed(2)} of its bound`);
  }
});

test("WebGPU: random pairs, hard boxes, reductions, NaN", async () => {
  if (noDevice !== null) return skip(noDevice);
  const device = await newDevice();
  {
    using gpu: Engine = await createEngine({ device: "webgpu", gpuDevice: device });
    const r = random(7);
    const boxes = rotatedBoxes(r, 600).map((v, i, all) => i % 5 === 3 ? Math.max(v, all[i - 1] / 8) : v);
    for (const by of [1, 0.3, 1e-2, 1e-3]) {
      const target = nearby(r, boxes, by);
      check(await gpu.probIouLoss(boxes, target, each), boxes, target, `by ${by}`, "webgpu");
    }
    const [pred, target] = product();
    const { loss, grad } = await gpu.probIouLoss(pred, target, each);
    loss.forEach((v, i) => assert.ok(v >= 0 && v <= 1, `loss ${i} is ${v}`));
    assert.ok(grad.every(Number.isFinite));
    const equal = await gpu.probIouLoss(boxes, boxes, each);
    assert.ok([...equal.loss, ...equal.grad].every((v) => v === 0));
    const weight = floats(600, (i) => i % 3);
    const others = nearby(r, boxes, 0.2);
    others[5 * 7 + 2] = NaN;
    const wanted = sync.probIouLoss(boxes, others, { ...each, weight });
    const got = await gpu.probIouLoss(boxes, others, { ...each, weight });
    close(got.loss, wanted.loss, 2 * bounds.loss.webgpu);
    assert.ok(got.grad.subarray(35, 40).every(Number.isNaN) && !got.grad.subarray(40).some(Number.isNaN));
    const [p, t] = [boxes.subarray(40), others.subarray(40)];
    assert.ok(Math.abs((await gpu.probIouLoss(p, t)).loss - sync.probIouLoss(p, t).loss) < 1e-5);
  }
  device.destroy();
});

test.run();
