/** What is true of operations on rotated boxes alone: hand-worked values, extremes, and how one follows from another. */
import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { close, same, throws } from "../compare.ts";
import { type Random, random } from "../random.ts";
import { boxIou } from "../reference/box_iou.ts";
import { probIou } from "../reference/prob_iou.ts";
import { pairIou, rotatedBoxIou } from "../reference/rotated_box_iou.ts";
import { rotatedBoxes, rotatedCorners } from "../reference/rotated_corners.ts";
import { engines } from "./builds.ts";

const test = suite("rotated boxes");
const engine = await createEngine();
const { sync } = engine;
const BOUND = operations.rotatedBoxIou.bounds.result.wasm;
const QUARTER = Math.PI / 2;

const listOf = (...boxes: readonly number[][]) => ({ data: Float32Array.from(boxes.flat()), dims: [boxes.length, 5] });
const rowOf = (boxes: Float32Array, i: number) => boxes.subarray(5 * i, 5 * i + 5);

/** Boxes about others: a little beside them, of other sizes and angles. */
function nearby(r: Random, boxes: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(boxes, (v, i) => {
    const member = i % 5;
    const side = boxes[i - member + 2];
    if (member < 2) return v + side * r.normal() / 3;
    return member < 4 ? v * Math.exp(r.normal() / 2) : v + r.normal();
  });
}

/** The IoU by counting: the area of the intersection as a sum over fine rows, each of which is one piece of the polygon. */
function countedIou(a: ArrayLike<number>, b: ArrayLike<number>, rows: number): number {
  const spans = [a, b].map((box) => (y: number) => spanOf(box, a, y));
  const reach = Math.hypot(a[2], a[3]) / 2;
  let inner = 0;
  for (let i = 0; i < rows; i++) {
    const y = reach * ((2 * i + 1) / rows - 1);
    const [[low, high], [left, right]] = spans.map((span) => span(y));
    inner += Math.max(0, Math.min(high, right) - Math.max(low, left)) * 2 * reach / rows;
  }
  return inner / (a[2] * a[3] + b[2] * b[3] - inner);
}

/** Where a row at height y over `origin`'s centre enters and leaves a box: the row cut by the two strips that are the box. */
function spanOf(box: ArrayLike<number>, origin: ArrayLike<number>, y: number): [number, number] {
  const [cos, sin] = [Math.cos(box[4]), Math.sin(box[4])];
  const [cx, cy] = [box[0] - origin[0], box[1] - origin[1]];
  const strip = (slope: number, at: number, half: number): [number, number] => {
    if (slope === 0) return Math.abs(at) <= half ? [-Infinity, Infinity] : [Infinity, -Infinity];
    const ends = [(-half - at) / slope, (half - at) / slope];
    return [Math.min(...ends), Math.max(...ends)];
  };
  const [first, second] = [
    strip(cos, (y - cy) * sin - cx * cos, box[2] / 2),
    strip(-sin, (y - cy) * cos + cx * sin, box[3] / 2),
  ];
  return [Math.max(first[0], second[0]), Math.min(first[1], second[1])];
}

test("IoU by hand: squares turned by 45°, halves, quarters, nested and crossed boxes", () => {
  const square = [0, 0, 2, 2, 0];
  const cases: [number[], number[], number][] = [
    [square, [0, 0, 2, 2, Math.PI / 4], Math.SQRT1_2],
    [square, [1, 0, 2, 2, 0], 1 / 3],
    [square, [1, 0, 2, 2, QUARTER], 1 / 3],
    [square, [1, 1, 2, 2, 0], 1 / 7],
    [square, [0, 0, 1, 1, 0.3], 1 / 4],
    [[0, 0, 8, 2, 0.4], [0, 0, 8, 2, 0.4 + QUARTER], 4 / 28],
    // A corner of a diamond, a triangle of area 1, is beyond the edge of the square.
    [[0, 0, 4, 4, 0], [2, 0, Math.SQRT2, Math.SQRT2, Math.PI / 4], 1 / 17],
    [[3, 4, 6, 2, 0.7], [3, 4, 2, 6, 0.7 - QUARTER], 1],
    [[3, 4, 6, 2, 0.7], [3, 4, 6, 2, 0.7 + Math.PI], 1],
    [square, [5, 0, 2, 2, 1], 0],
  ];
  for (const [a, b, wanted] of cases) {
    close(sync.rotatedBoxIou(listOf(a), listOf(b)), [wanted], 2e-7, `${a} and ${b}`);
    close(sync.rotatedBoxIou(listOf(b), listOf(a)), [wanted], 2e-7, `${b} and ${a}`);
  }
});

test("every pair agrees with crossings of edges and with sums over rows, around every block length", () => {
  const r = random(70);
  for (const [n, m] of [[0, 3], [3, 0], [1, 1], [2, 3], [5, 4], [7, 9], [3, 127], [2, 129], [60, 257]]) {
    const a = rotatedBoxes(r, n);
    const b = m === 9 ? Float32Array.of(...nearby(r, a), ...rotatedBoxes(r, 2)) : rotatedBoxes(r, m);
    for (const { sync } of engines) close(sync.rotatedBoxIou(a, b), rotatedBoxIou(a, b), 7e-8, `${n} × ${m}`);
  }
  const a = rotatedBoxes(r, 20);
  const b = nearby(r, a);
  for (let i = 0; i < 20; i++) {
    const counted = countedIou(rowOf(a, i), rowOf(b, i), 20_000);
    close(sync.rotatedBoxIou(rowOf(a, i), rowOf(b, i)), [counted], 1e-4, `box ${i}`);
  }
});

test("upright boxes have the IoU of boxIou", () => {
  const r = random(71);
  const a = rotatedBoxes(r, 40).map((v, i) => i % 5 === 4 ? 0 : Math.round(v));
  const b = nearby(r, a).map((v, i) => i % 5 === 4 ? 0 : Math.round(v));
  const corners = (boxes: Float32Array) => {
    const rows = Array.from({ length: boxes.length / 5 }, (_, i) => {
      const [x, y, w, h] = rowOf(boxes, i);
      return [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
    });
    return Float32Array.from(rows.flat());
  };
  close(sync.rotatedBoxIou(a, b), boxIou(corners(a), corners(b)), 7e-8);
});

test("equal boxes have exactly 1, touching ones exactly 0", () => {
  const r = random(72);
  const boxes = rotatedBoxes(r, 200).map((v, i) => i % 5 < 2 ? 1000 * v : i % 5 === 4 ? v * 10 ** r.uniform(0, 6) : v);
  for (let i = 0; i < 200; i++) {
    const box = rowOf(boxes, i);
    assert.is(sync.rotatedBoxIou(box, box)[0], 1, `${box}`);
    assert.is(sync.probIou(box, box)[0], 1, `${box}`);
    // Beside it, along its width.
    const [x, y, w, h, angle] = box;
    const moved = Float32Array.of(x, y, w, h, angle);
    const touching = [x + w * Math.cos(angle), y + w * Math.sin(angle)];
    moved.set(touching.map(Math.fround));
    close(sync.rotatedBoxIou(box, moved), [0], 2 * Math.max(...touching.map(Math.abs)) * 2 ** -23 / Math.min(w, h));
  }
  for (const angle of [0, QUARTER, 0.3, 1, -2]) {
    const [cos, sin] = [Math.cos(Math.fround(angle)), Math.sin(Math.fround(angle))];
    const edge = sync.rotatedBoxIou(listOf([0, 0, 2, 2, angle]), listOf([2 * cos, 2 * sin, 2, 2, angle]));
    close(edge, [0], 1e-7, `edge at ${angle}`);
  }
  assert.is(sync.rotatedBoxIou(listOf([0, 0, 2, 2, 0]), listOf([2, 0, 2, 2, 0]))[0], 0);
  assert.is(sync.rotatedBoxIou(listOf([0, 0, 2, 2, 0]), listOf([2, 2, 2, 2, 0]))[0], 0);
  assert.is(sync.rotatedBoxIou(listOf([0, 0, 2, 2, 0]), listOf([1 + Math.SQRT1_2, 0, 1, 1, Math.PI / 4]))[0], 0);
});

test("boxes without area: lines, points and negative sizes have 0, but for ProbIoU of equal ones", () => {
  const box = listOf([1, 2, 4, 3, 0.5]);
  const flat = [[1, 2, 0, 3, 0.5], [1, 2, 4, 0, 1], [1, 2, 0, 0, 0], [1, 2, -4, 3, 0.5], [1, 2, -4, -3, 0.5]];
  for (const each of flat) {
    for (const [a, b] of [[box, listOf(each)], [listOf(each), box], [listOf(each), listOf(each)]] as const) {
      assert.is(sync.rotatedBoxIou(a, b)[0], 0, `${each}`);
    }
    assert.is(sync.probIou(box, listOf(each))[0], 0, `${each}`);
    assert.is(sync.probIou(listOf(each), listOf(each))[0], 1, `${each}`);
  }
  assert.is(sync.probIou(listOf(flat[0]), listOf(flat[1]))[0], 0);
});

test("ProbIoU by hand, and by the paper's formula", () => {
  const square = [0, 0, 20, 20, 0];
  assert.is(sync.probIou(listOf(square), listOf([0, 0, 20, 20, Math.PI / 4]))[0], 1);
  close(sync.probIou(listOf(square), listOf([10, 0, 20, 20, 0])), [0.4407945626077767], 6e-8);
  // Equal shapes a side apart: N / (4 D) is 12 d² / (8 w²).
  close(sync.probIou(listOf(square), listOf([20, 0, 20, 20, 0])), [1 - Math.sqrt(1 - Math.exp(-1.5))], 6e-8);
  // A double width, same centre: D / (4 √(d d')) = (1 + 4) / (2 · 2).
  const wide = [0, 0, 40, 20, 0];
  close(sync.probIou(listOf(square), listOf(wide)), [1 - Math.sqrt(1 - Math.sqrt(4 / 5))], 6e-8);
  assert.is(sync.probIou(listOf(square), listOf([4000, 0, 20, 20, 0]))[0], 0);
  const r = random(73);
  const a = rotatedBoxes(r, 60);
  const b = nearby(r, a);
  for (const { sync } of engines) close(sync.probIou(a, b), probIou(a, b), 7e-8);
  close(probIou(a, b), paperProbIou(a, b), 1e-7);
});

/** Straight from the covariances. */
function paperProbIou(a: Float32Array, b: Float32Array): number[] {
  const gaussian = (boxes: Float32Array, i: number) => {
    const [x, y, w, h, angle] = rowOf(boxes, i);
    const [c, s, u, v] = [Math.cos(angle), Math.sin(angle), w * w / 12, h * h / 12];
    return { x, y, a: u * c * c + v * s * s, b: u * s * s + v * c * c, c: (u - v) * s * c, det: u * v };
  };
  const indices = Array.from({ length: a.length / 5 }, (_, i) => i);
  return indices.flatMap((i) =>
    indices.map((k) => {
      const [p, q] = [gaussian(a, i), gaussian(b, k)];
      const [A, B, C, dx, dy] = [p.a + q.a, p.b + q.b, p.c + q.c, p.x - q.x, p.y - q.y];
      const D = p.det + q.det + p.a * q.b + q.a * p.b - 2 * p.c * q.c;
      const distance = (A * dy * dy + B * dx * dx - 2 * C * dx * dy) / (4 * D) +
        Math.log(D / (4 * Math.sqrt(p.det * q.det))) / 2;
      return 1 - Math.sqrt(Math.max(0, -Math.expm1(-distance)));
    })
  );
}

test("small boxes far from the origin, large and tiny ones, thin ones, angles of a million", () => {
  const r = random(74);
  const places = [["far", 1e6, 1e-3], ["large", 0, 1e18], ["tiny", 0, 1e-20], ["huge", 0, 1e37]] as const;
  for (const [what, centre, size] of places) {
    const scaled = (boxes: Float32Array) =>
      boxes.map((v, i) => i % 5 < 2 ? Math.fround(centre + v * size) : i % 5 < 4 ? v * size : v);
    const shape = rotatedBoxes(r, 30, 8, centre === 0 ? 4 : 0);
    // About a far centre float32 has steps of 1/16: centres are equal, sizes and angles are not.
    const [a, b] = [scaled(shape), scaled(nearby(r, shape))];
    for (const op of ["rotatedBoxIou", "probIou"] as const) {
      const reference = { rotatedBoxIou, probIou }[op];
      close(sync[op](a, b), reference(a, b), 1e-7, `${op}, ${what}`);
    }
  }
  const thin = listOf([0, 0, 1e6, 1, 0.7]);
  close(sync.rotatedBoxIou(thin, thin), [1], 0);
  close(
    sync.rotatedBoxIou(thin, listOf([0, 0, 1e6, 1, 0.7 + 2 ** -24])),
    [pairIou([0, 0, 1e6, 1, Math.fround(0.7)], [0, 0, 1e6, 1, Math.fround(0.7 + 2 ** -24)])],
    BOUND,
  );
  for (const angle of [1e6, -1e6, 123456.7, 1e9, 3e38, Math.fround(Math.PI), 1e-30]) {
    const turned = Math.fround(angle);
    const [cos, sin] = [Math.cos(turned), Math.sin(turned)];
    const boxes = listOf([0, 0, 2, 0, angle]);
    close(sync.rotatedCorners(boxes), [cos, sin, cos, sin, -cos, -sin, -cos, -sin], 6e-8, `${angle}`);
    const small = listOf([3, 1, 5, 2, Math.atan2(sin, cos)]);
    close(sync.rotatedBoxIou(listOf([3, 1, 5, 2, angle]), small), [1], 1e-6, `${angle}`);
  }
});

test("NaN stays in its pairs, also far away; infinite sizes have their limits; an infinite angle is NaN", () => {
  const r = random(75);
  const boxes = rotatedBoxes(r, 12);
  const far = rotatedBoxes(r, 12).map((v, i) => i % 5 < 2 ? v + 1e5 : v);
  for (let member = 0; member < 5; member++) {
    const spoiled = far.slice();
    spoiled[5 * 7 + member] = NaN;
    for (const op of ["rotatedBoxIou", "probIou"] as const) {
      const found = [...sync[op](boxes, spoiled)].flatMap((v, i) => Number.isNaN(v) ? [i % 12] : []);
      assert.ok(found.length === 12 && found.every((column) => column === 7), `${op}, member ${member}`);
    }
  }
  const all = [0, 0, Infinity, Infinity, 0];
  assert.is(sync.rotatedBoxIou(listOf(all), listOf(all))[0], 1);
  close(sync.rotatedBoxIou(listOf(all), listOf([5, 5, 2, 2, 1])), [0], 1e-7);
  for (const op of ["rotatedBoxIou", "probIou"] as const) {
    const [value] = sync[op](listOf([0, 0, 1, 1, Infinity]), listOf([0, 0, 1, 1, 0]));
    assert.ok(Number.isNaN(value), `${op}: ${value}`);
  }
  const corners = sync.rotatedCorners(listOf([0, 0, 1, 1, Infinity], [0, 0, 1, 1, 0]));
  assert.ok(corners.subarray(0, 8).every(Number.isNaN) && corners.subarray(8).every(Number.isFinite));
});

test("boxes come back from their corners, from any corner and in either direction", () => {
  const r = random(76);
  const boxes = rotatedBoxes(r, 300).map((v, i) => i % 5 === 4 ? r.uniform(-0.785, 2.356) : v);
  const corners = sync.rotatedCorners(boxes);
  close(sync.cornersToRotated(corners), boxes, 1e-4);
  const far = boxes.map((v, i) => i % 5 < 2 ? v + 5000 : v);
  close(sync.cornersToRotated(sync.rotatedCorners(far)), far, 2e-3);
  for (const order of [[1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2], [3, 2, 1, 0], [0, 3, 2, 1]]) {
    const turned = corners.map((_, i) => corners[i - i % 8 + 2 * order[(i % 8) >> 1] + i % 2]);
    const found = sync.cornersToRotated(turned);
    const ious = Array.from({ length: 300 }, (_, i) => sync.rotatedBoxIou(rowOf(found, i), rowOf(boxes, i))[0]);
    close(ious, ious.map(() => 1), 1e-5, `${order}`);
    for (let i = 4; i < found.length; i += 5) {
      assert.ok(found[i] >= -Math.PI / 4 && found[i] < 3 * Math.PI / 4, `${found[i]}`);
    }
  }
});

test("angles of corners: exact on the axes, inside their range at its ends, and of lines and points", () => {
  const angleOf = (...box: number[]) => sync.cornersToRotated(sync.rotatedCorners(listOf(box)))[4];
  assert.is(angleOf(1, 2, 4, 2, 0), 0);
  same(sync.cornersToRotated(Float32Array.of(7, 19, 7, 21, 13, 21, 13, 19)), [10, 20, 6, 2, 0]);
  same(sync.cornersToRotated(Float32Array.of(13, 19, 13, 21, 7, 21, 7, 19)), [10, 20, 6, 2, 0]);
  close([angleOf(1, 2, 4, 2, QUARTER), angleOf(1, 2, 4, 2, -QUARTER)], [QUARTER, QUARTER], 1e-7);
  for (const [x, y] of [[1, -1], [-1, 1]]) {
    const line = Float32Array.of(x, y, x, y, -x, -y, -x, -y);
    const [, , width, height, angle] = sync.cornersToRotated(line);
    close([width, height], [2 * Math.SQRT2, 0], 3e-7);
    assert.ok(angle >= -Math.PI / 4 && angle < -0.7853);
  }
  // A height without width: the width would lie across it.
  close(sync.cornersToRotated(sync.rotatedCorners(listOf([5, 6, 0, 4, 0.25]))), [5, 6, 0, 4, 0.25], 1e-6);
  same(sync.cornersToRotated(new Float32Array(8).fill(3)), [3, 3, 0, 0, 0]);
  const r = random(77);
  for (let i = 0; i < 2000; i++) {
    const angle = angleOf(0, 0, 3, 2, -Math.PI / 4 + Math.PI * r.integer(2) + r.normal() * 1e-7);
    assert.ok(angle >= -Math.PI / 4 && angle < 3 * Math.PI / 4, `${angle}`);
  }
});

test("large products are streamed: a small memory gives the same bits, and takes no more for more boxes", async () => {
  const r = random(78);
  const a = rotatedBoxes(r, 700);
  const b = rotatedBoxes(r, 900);
  const small = await createEngine({ maxMemory: 512 * 1024 });
  for (const op of ["rotatedBoxIou", "probIou"] as const) {
    const whole = sync[op](a, b);
    same(small.sync[op](a, b), whole);
    same(await engine[op](a, b), whole);
    using resident = engine.tensor([700, 5]);
    resident.data.set(a);
    same(sync[op](resident, b), whole);
  }
});

test("wrong input", () => {
  throws(() => sync.rotatedBoxIou(new Float32Array(4), new Float32Array(5)), TypeError, "rotatedBoxIou", "a", "(N, 5)");
  const wide = { data: new Float32Array(8), dims: [2, 4] };
  throws(() => sync.probIou(new Float32Array(5), wide), TypeError, "probIou", "b", "(2, 4)", "(N, 5)");
  throws(() => sync.rotatedCorners(wide), TypeError, "rotatedCorners", "boxes", "(2, 4)");
  throws(() => sync.cornersToRotated(new Float32Array(9)), TypeError, "cornersToRotated", "corners", "(N, 8)");
  close(sync.rotatedCorners(listOf([0, 0, 2, 2, 0])), rotatedCorners(Float32Array.of(0, 0, 2, 2, 0)), 1e-7);
});

test.run();
