import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import { floats, random } from "../random.ts";
import { starDeformOffsets } from "../reference/star_deform_offsets.ts";
import { starPoints } from "../reference/star_points.ts";

const test = suite("starPoints, starDeformOffsets");
const engine = await createEngine();
const { sync } = engine;
const r = random(12);
const input = (count: number) => ({
  points: floats(count * 2, () => r.uniform(0, 640)),
  sides: floats(count * 4, () => r.uniform(-5, 200)),
});

test("nine points in the paper's order, rounded once", () => {
  const stars = sync.starPoints(Float32Array.of(100, 200), Float32Array.of(1, 2, 3, 4));
  const sides = [99, 200, 100, 198, 103, 200, 100, 204];
  const corners = [99, 198, 103, 198, 99, 204, 103, 204];
  same(stars, [100, 200, ...sides, ...corners]);
});

test("the seventh point is the top right corner, not the misprinted (x + l, y − t)", () => {
  const [x, y, l, t, r, b] = [100, 200, 1, 2, 30, 40];
  const stars = sync.starPoints(Float32Array.of(x, y), Float32Array.of(l, t, r, b));
  const seventh = [...stars.subarray(12, 14)];
  assert.equal(seventh, [x + r, y - t]);
  assert.not.equal(seventh, [x + l, y - t]);
});

test("a box of one cell each way moves no tap, and each tap moves with its sides", () => {
  same(sync.starDeformOffsets(new Float32Array(4).fill(16), { stride: 16 }), new Float32Array(18));
  const [l, t, r, b] = [2, 3, 4, 5];
  const [left, top, right, bottom] = [1 - l, 1 - t, r - 1, b - 1];
  const rows = [top, left, top, 0, top, right, 0, left, 0, 0, 0, right, bottom, left, bottom, 0, bottom, right];
  same(sync.starDeformOffsets(Float32Array.of(l, t, r, b).map((d) => 8 * d), { stride: 8 }), rows);
});

test("every tap samples its star point: point + stride · (grid + offset)", () => {
  // Star points of the taps, row by row.
  const taps = [5, 2, 6, 1, 0, 3, 7, 4, 8];
  const [stride, count] = [16, 40];
  // Halves of a pixel, so that nothing is rounded.
  const points = floats(count * 2, () => r.integer(1280) / 2);
  const sides = floats(count * 4, () => r.integer(400) / 2);
  const stars = sync.starPoints(points, sides);
  const offsets = sync.starDeformOffsets(sides, { stride });
  for (let i = 0; i < count; i++) {
    for (const [tap, star] of taps.entries()) {
      const [dy, dx] = offsets.subarray(18 * i + 2 * tap);
      const [gridY, gridX] = [Math.floor(tap / 3) - 1, tap % 3 - 1];
      const sampled = [points[2 * i] + stride * (gridX + dx), points[2 * i + 1] + stride * (gridY + dy)];
      same(sampled, stars.subarray(18 * i + 2 * star, 18 * i + 2 * star + 2), `row ${i}, tap ${tap}`);
    }
  }
});

test("zeros, infinities and NaN stay in what is made of them", () => {
  const none = sync.starPoints(Float32Array.of(3, 4), new Float32Array(4));
  same(none, Float32Array.from({ length: 18 }, (_, i) => 3 + i % 2));
  const points = Float32Array.of(1, 2, NaN, 2, -0, 1e30);
  const sides = Float32Array.of(NaN, Infinity, 3, -Infinity, 1, 2, 3, 4, 0, 1e30, 1e-40, -0);
  same(sync.starPoints(points, sides), starPoints(points, sides).map(Math.fround));
  close(sync.starDeformOffsets(sides, { stride: 8 }), starDeformOffsets(sides, { stride: 8 }).map(Math.fround), 1e23);
});

test("wrong input", () => {
  const { points, sides } = input(4);
  throws(() => sync.starPoints(points.subarray(2), sides), TypeError, "starPoints", "distances", "4 rows", "3");
  throws(() => sync.starPoints(sides, { data: sides, dims: [8, 2] }), TypeError, "starPoints", "distances", "(N, 4)");
  throws(() => sync.starDeformOffsets(sides.subarray(1), { stride: 8 }), TypeError, "starDeformOffsets", "distances");
  for (const stride of [0, -8, NaN, Infinity, 1e-50, 1e39]) {
    throws(() => sync.starDeformOffsets(sides, { stride }), RangeError, "options.stride", String(stride));
  }
  // @ts-expect-error no stride
  throws(() => sync.starDeformOffsets(sides, {}), TypeError, "options.stride", "undefined");
  // @ts-expect-error no options
  throws(() => sync.starDeformOffsets(sides), TypeError, "starDeformOffsets", "options");
});

test.run();
