import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close, same, throws } from "../compare.ts";
import { floats, random } from "../random.ts";
import { bbox2distance } from "../reference/bbox2distance.ts";
import { distance2bbox } from "../reference/distance2bbox.ts";

const test = suite("distance2bbox, bbox2distance");
const engine = await createEngine();
const { sync } = engine;
const r = random(8);
const input = (count: number) => ({
  points: floats(count * 2, () => r.uniform(0, 640)),
  sides: floats(count * 4, () => r.uniform(0, 200)),
});

test("boxes to distances, with and without the clamp", () => {
  const { points } = input(50);
  const boxes = floats(200, () => r.uniform(-100, 700));
  close(sync.bbox2distance(points, boxes), bbox2distance(points, boxes), 1e-4);
  const clamped = sync.bbox2distance(points, boxes, { maxDistance: 16 });
  close(clamped, bbox2distance(points, boxes, { maxDistance: 16 }), 1e-4);
  assert.is(Math.max(...clamped), Math.fround(15.9));
  close(
    sync.bbox2distance(points, boxes, { maxDistance: 16, eps: 0.5 }),
    bbox2distance(points, boxes, { maxDistance: 16, eps: 0.5 }),
    1e-4,
  );
});

test("there and back is the same box", () => {
  const points = floats(64, (i) => 8 * i);
  const sides = floats(128, (i) => (i * 7) % 31);
  same(sync.bbox2distance(points, sync.distance2bbox(points, sides)), sides);
});

test("NaN and infinities pass through their element", () => {
  const boxes = sync.distance2bbox(Float32Array.of(1, 2), Float32Array.of(NaN, Infinity, 3, 4));
  same(boxes, [NaN, -Infinity, 4, 6]);
});

test("sums past the ends of float32 are infinite, and clamped where there is a limit", () => {
  const points = Float32Array.of(3e38, -3e38, 1, 2);
  const sides = Float32Array.of(3e38, 3e38, 3e38, 3e38, -3e38, 3e38, 1e38, 1e-30);
  const rounded = (values: number[]) => values.map(Math.fround);
  same(sync.distance2bbox(points, sides), rounded(distance2bbox(points, sides)));
  close(
    sync.distance2bbox(points, sides, { maxShape: [300, 500] }),
    distance2bbox(points, sides, { maxShape: [300, 500] }),
    0,
  );
  same(sync.bbox2distance(points, sides), rounded(bbox2distance(points, sides)));
  close(
    sync.bbox2distance(points, sides, { maxDistance: 16, eps: 0 }),
    bbox2distance(points, sides, { maxDistance: 16, eps: 0 }),
    0,
  );
});

test("wrong input", () => {
  const { points, sides } = input(4);
  throws(() => sync.distance2bbox(points.subarray(2), sides), TypeError, "distance2bbox", "distances", "4 rows", "3");
  throws(() => sync.bbox2distance(points, sides.subarray(4)), TypeError, "bbox2distance", "boxes", "3 rows");
  throws(() => sync.bbox2distance(points, sides, { maxDistance: NaN }), RangeError, "options.maxDistance", "NaN");
  throws(() => sync.bbox2distance(points, sides, { eps: -1 }), RangeError, "options.eps");
  // @ts-expect-error one number
  throws(() => sync.distance2bbox(points, sides, { maxShape: 640 }), TypeError, "options.maxShape");
  throws(() => sync.distance2bbox(points, sides, { maxShape: [0, 5] }), RangeError, "options.maxShape");
});

test("every half is the number that its bits say, subnormals, infinities and NaN too", () => {
  // Sides to the right and below are added to a point at 0.
  const bits = Uint16Array.from({ length: 2 * 65536 }, (_, i) => i % 4 < 2 ? 0 : (i >> 2) * 2 + i % 2);
  const sides = { data: bits, dims: [bits.length / 4, 4] };
  const boxes = sync.distance2bbox(new Float32Array(bits.length / 2), sides);
  const valueOf = (half: number) => {
    const sign = half >> 15 === 0 ? 1 : -1;
    const [exponent, mantissa] = [(half >> 10) & 31, half & 1023];
    if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
    return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
  };
  same(boxes.filter((_, i) => i % 4 > 1), Array.from({ length: 65536 }, (_, half) => valueOf(half) + 0));
});

test.run();
