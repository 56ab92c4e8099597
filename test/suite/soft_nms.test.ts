import { createEngine } from "densehead";
import { suite } from "uvu";
import { close, same, throws } from "../compare.ts";
import { boxes, floats, random } from "../random.ts";
import { softNms } from "../reference/soft_nms.ts";

const test = suite("softNms");
const engine = await createEngine();
const { sync } = engine;

test("agrees with float64 for both methods", () => {
  const r = random(30);
  for (const count of [0, 1, 2, 40, 200]) {
    const corners = boxes(r, count, 90, 150);
    const scores = floats(count, () => r.uniform());
    for (const method of ["linear", "gaussian"] as const) {
      for (const options of [{}, { sigma: 0.2, iouThreshold: 0.5, minScore: 0.05 }]) {
        const got = sync.softNms(corners, scores, { method, ...options });
        const wanted = softNms(corners, scores, { method, ...options });
        same(got.indices, wanted.indices);
        close(got.scores, wanted.scores, 1e-6);
      }
    }
  }
});

test("defaults are gaussian, sigma 0.5; a limit; NaN never is kept", async () => {
  const pair = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 10, 0, 0, 10, 10);
  const scores = Float32Array.of(1, 0.5, NaN);
  const got = await engine.softNms(pair, scores);
  same(got.indices, [0, 1]);
  close(got.scores, [1, 0.5 * Math.exp(-2)], 1e-7);
  same(sync.softNms(pair, scores, { maxDetections: 1 }).indices, [0]);
});

test("float64 decides where float32 overflows, underflows or has but denormals", () => {
  const F = 3.4028234663852886e38;
  const pairs = [
    [0, 0, 1.5e19, 1.5e19, 0, 0, 1.5e19, 1.2e19],
    [-F, -F, F, F, 0, -F, F, F],
    [0, 0, 4e-23, 4e-23, 0, 0, 4e-23, 3e-23],
    [0, 0, 6e-45, 6e-45, 0, 0, 6e-45, 4e-45],
    [10, 10, 0, 0, 0, 0, 10, 10],
    [-Infinity, 0, Infinity, 10, -Infinity, 0, Infinity, 10],
    [NaN, 0, 10, 10, 0, 0, 10, 10],
  ];
  for (const corners of pairs) {
    for (const method of ["linear", "gaussian"] as const) {
      for (const iouThreshold of [0, 0.3, 0.8, 1]) {
        const options = { method, iouThreshold, minScore: 0 };
        const got = sync.softNms(Float32Array.from(corners), Float32Array.of(0.9, 0.8), options);
        const wanted = softNms(Float32Array.from(corners), [0.9, 0.8], options);
        same(got.indices, wanted.indices, `${corners}`);
        close(got.scores, wanted.scores, 1e-6);
      }
    }
  }
});

test("wrong input", () => {
  const corners = new Float32Array(4);
  const score = new Float32Array(1);
  throws(() => sync.softNms(corners, score, { sigma: 0 }), RangeError, "softNms", "options.sigma", "0");
  throws(() => sync.softNms(corners, score, { iouThreshold: -0.1 }), RangeError, "softNms", "options.iouThreshold");
  // @ts-expect-error a method that is none
  throws(() => sync.softNms(corners, score, { method: "cubic" }), TypeError, "softNms", "options.method", "cubic");
});

test.run();
