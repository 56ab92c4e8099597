import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { same, throws } from "../compare.ts";
import { boxes, floats, random } from "../random.ts";
import { batchedNms } from "../reference/batched_nms.ts";
import { nms } from "../reference/nms.ts";
import { times } from "./walk.ts";

const test = suite("nms, batchedNms");
const engine = await createEngine();
const { sync } = engine;

test("agrees with all pairs in float64, at every density and threshold", () => {
  const r = random(20);
  for (const count of [0, 1, 2, 5, 17, 130, 900]) {
    for (const extent of [50, 300, 2000]) {
      const corners = boxes(r, count, 90, extent);
      const scores = floats(count, () => r.uniform());
      for (const iouThreshold of [0, 0.01, 0.3, 0.6, 0.95, 1]) {
        same(
          sync.nms(corners, scores, { iouThreshold }),
          nms(corners, scores, { iouThreshold }),
          `${count}, ${iouThreshold}`,
        );
      }
    }
  }
});

test("classes of any value compete only among themselves", () => {
  const r = random(21);
  for (
    const values of [
      [0],
      [0, 1, 2],
      [-5, 2 ** 31 - 1, 7, 7 + 128, 7 - 128],
      Array.from({ length: 200 }, (_, i) => i),
    ]
  ) {
    const corners = boxes(r, 700, 90, 300);
    const scores = floats(700, () => r.uniform());
    const classes = Int32Array.from({ length: 700 }, () => values[r.integer(values.length)]);
    for (const iouThreshold of [0.1, 0.6]) {
      const got = sync.batchedNms(corners, scores, classes, { iouThreshold });
      same(got, batchedNms(corners, scores, classes, { iouThreshold }));
    }
  }
});

test("sizes from a pixel to the whole image share a grid", () => {
  const r = random(22);
  const corners = new Float32Array(4 * 1200);
  for (let i = 0; i < 1200; i++) {
    const side = 2 ** r.uniform(0, 10);
    const x = r.uniform(-500, 500);
    const y = r.uniform(-500, 500);
    corners.set([x, y, x + side * r.uniform(0.5, 2), y + side * r.uniform(0.5, 2)], 4 * i);
  }
  const scores = floats(1200, () => r.uniform());
  for (const iouThreshold of [0.05, 0.45, 0.7]) {
    same(sync.nms(corners, scores, { iouThreshold }), nms(corners, scores, { iouThreshold }));
  }
});

test("an IoU equal to the threshold stays, whatever float32 makes of it", () => {
  // Boxes of width 100 that share k columns have IoU k / (200 - k).
  for (const [shared, iouThreshold] of [[50, 1 / 3], [75, 0.6], [80, 2 / 3], [100, 1]] as const) {
    const pair = Float32Array.of(0, 0, 100, 10, 100 - shared, 0, 200 - shared, 10);
    same(sync.nms(pair, Float32Array.of(0.9, 0.8), { iouThreshold }), [0, 1], `IoU ${iouThreshold}`);
    if (shared < 100) same(sync.nms(pair, Float32Array.of(0.9, 0.8), { iouThreshold: iouThreshold - 1e-9 }), [0]);
  }
  const third = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 7);
  same(sync.nms(third, Float32Array.of(0.9, 0.8), { iouThreshold: 0.7 }), [0, 1], "IoU 0.7");
});

test("equal scores keep the lower index; zeros of both signs are equal; NaN never passes", () => {
  const apart = floats(24, (i) => 20 * Math.floor(i / 4) + (i % 4 < 2 ? 0 : 10));
  same(sync.nms(apart, Float32Array.of(0.5, 0.7, 0.5, NaN, 0.7, 0.5), { iouThreshold: 0.5 }), [1, 4, 0, 2, 5]);
  same(sync.nms(apart, Float32Array.of(-0, 0, -0, 0, NaN, -1), { iouThreshold: 0.5 }), [0, 1, 2, 3, 5]);
  const infinite = Float32Array.of(-Infinity, Infinity, 0, 1, -1, NaN);
  same(sync.nms(apart, infinite, { iouThreshold: 0.5 }), [1, 3, 2, 4, 0]);
});

test("score threshold and limit", () => {
  const apart = floats(20, (i) => 20 * Math.floor(i / 4) + (i % 4 < 2 ? 0 : 10));
  const scores = Float32Array.of(0.1, 0.5, 0.3, 0.9, 0.7);
  same(sync.nms(apart, scores, { iouThreshold: 0.5, scoreThreshold: Math.fround(0.3) }), [3, 4, 1]);
  same(sync.nms(apart, scores, { iouThreshold: 0.5, maxDetections: 2 }), [3, 4]);
  same(sync.nms(apart, scores, { iouThreshold: 0.5, maxDetections: 0 }), []);
  same(sync.nms(apart, scores, { iouThreshold: 0.5, scoreThreshold: 1 }), []);
});

test("empty, inverted and non-finite boxes neither go nor suppress", () => {
  const odd = Float32Array.from([
    [0, 0, 10, 10],
    [5, 5, 5, 5],
    [5, 5, 5, 5],
    [10, 10, 0, 0],
    [NaN, 0, 10, 10],
    [-Infinity, 0, Infinity, 10],
    [0, 0, 10, 10],
  ].flat());
  const scores = floats(7, (i) => 0.9 - i * 0.1);
  same(sync.nms(odd, scores, { iouThreshold: 0.5 }), [0, 1, 2, 3, 4, 5]);
  const huge = Float32Array.of(-3e38, -3e38, 3e38, 3e38, -3e38, -3e38, 3e38, 3e38, 0, 0, 1e20, 1e20, 0, 0, 1e20, 1e20);
  same(sync.nms(huge, floats(4, (i) => 1 - i / 10), { iouThreshold: 0.5 }), [0, 2]);
});

/** Boxes of which few or none overlap, row by row. */
function tiles(count: number): Float32Array<ArrayBuffer> {
  const side = Math.ceil(Math.sqrt(count));
  return floats(4 * count, (i) => {
    const [x, y] = [2 * ((i >> 2) % side), 2 * Math.floor((i >> 2) / side)];
    return [x, y, x + 1, y + 1][i & 3];
  });
}

test("boxes that spoil a grid: far out, huge, thin, of all sizes, in far classes, at low and high thresholds", () => {
  const count = times(1000);
  const r = random(24);
  const one = (box: number[]) => {
    const corners = tiles(count);
    corners.set(box, 4 * Math.floor(count / 2));
    return corners;
  };
  const each = (box: (i: number) => number[]) =>
    Float32Array.from(Array.from({ length: count }, (_, i) => box(i)).flat());
  const around = (x: number, y: number) => [-x, -y, x, y];
  const cases: [string, Float32Array, number, ((i: number) => number)?][] = [
    ["one far out", one([1e6, 1e6, 1e6 + 1, 1e6 + 1]), 0.5],
    ["one at the end of float32", one([2e38, 2e38, 3e38, 3e38]), 0.5],
    ["one of 2e8 pixels", one([-1e8, 0, 1e8, 1]), 0.5],
    ["one of all there is", one([-3e38, -3e38, 3e38, 3e38]), 0.3],
    [
      "every tenth as large as the image",
      each((i) => {
        const [x, y] = [r.uniform(0, 80), r.uniform(0, 80)];
        return i % 10 === 0 ? [x - 40, y - 40, x + 40, y + 40] : [x, y, x + 1, y + 1];
      }),
      0.5,
    ],
    ["lines that cross", each((i) => i % 2 === 0 ? [0, i, count, i + 1] : [i, 0, i + 1, count]), 0.5],
    ["lines above each other", each((i) => [0, i, count, i + 1.5]), 0.3],
    [
      "all sizes",
      each(() => {
        const [x, y] = [r.uniform(0, 500), r.uniform(0, 500)];
        return [x, y, x + 2 ** r.uniform(0, 12), y + 2 ** r.uniform(0, 12)];
      }),
      0.01,
    ],
    ["one centre", each(() => around(2 ** r.uniform(0, 1), 2 ** r.uniform(0, 1))), 0.99],
    ["hardly different", each(() => around(1 + r.uniform(0, 1e-4), 1 + r.uniform(0, 1e-4))), 0.99999],
    [
      "places that double",
      each((i) => {
        const [x, side] = [2 ** (i / 25), 2 ** (i / 25) / 30];
        return [x, 0, x + side, side];
      }),
      0.2,
    ],
    ["classes of one bucket", each(() => [0, 0, 10, 10]), 0.5, (i) => 128 * (i % 700)],
    [
      "classes at the ends of their type",
      each((i) => around(1 + i % 3, 1)),
      0.6,
      (i) => [2 ** 31 - 1, -(2 ** 31)][i & 1],
    ],
    ["a low threshold", boxes(r, count, 90, 600), 0.001],
    ["no overlap at all", boxes(r, count, 90, 600), 0],
    ["equal boxes at 1", each(() => [0, 0, 10, 10]), 1],
  ];
  for (const [name, corners, iouThreshold, classOf] of cases) {
    for (const scores of [floats(count, () => r.uniform()), floats(count, (i) => i / count)]) {
      const classes = Int32Array.from({ length: count }, (_, i) => classOf?.(i) ?? 0);
      const wanted = batchedNms(corners, scores, classes, { iouThreshold });
      same(sync.batchedNms(corners, scores, classes, { iouThreshold }), wanted, name);
      if (classOf === undefined) same(sync.nms(corners, scores, { iouThreshold }), wanted, name);
    }
  }
});

test("float64 decides where float32 overflows, underflows or has but denormals", () => {
  const pairs: [string, number[], number[], number, boolean][] = [
    ["areas past float32", [0, 0, 1.5e19, 1.5e19], [0, 0, 1.5e19, 1.2e19], 0.5, true],
    ["the same, under the threshold", [0, 0, 1.5e19, 1.5e19], [0, 0, 1.5e19, 1.2e19], 0.81, false],
    ["all of float32", [-F, -F, F, F], [-F, -F, F, F], 0.99, true],
    ["half of it", [-F, -F, F, F], [0, -F, F, F], 0.49, true],
    ["half of it", [-F, -F, F, F], [0, -F, F, F], 0.51, false],
    ["areas of 0 in float32", [0, 0, 4e-23, 4e-23], [0, 0, 4e-23, 3e-23], 0.5, true],
    ["denormal sides", [0, 0, 6e-45, 6e-45], [0, 0, 6e-45, 4e-45], 0.5, true],
    ["the least side", [0, 0, 1e-45, 1e-45], [0, 0, 1e-45, 1e-45], 0.9, true],
    ["denormal and huge", [0, 0, 1e-45, 3e38], [0, 0, 1e-45, 2.9e38], 0.9, true],
    ["an overlap of 0 in float32", [-10, -10, 1e-30, 1e-30], [0, 0, 10, 10], 0, true],
    ["only touching", [-10, -10, 0, 0], [-0, -0, 10, 10], 0, false],
  ];
  for (const [name, better, worse, iouThreshold, goes] of pairs) {
    const pair = Float32Array.of(...better, ...worse);
    same(sync.nms(pair, Float32Array.of(0.9, 0.8), { iouThreshold }), goes ? [0] : [0, 1], name);
    same(nms(pair, [0.9, 0.8], { iouThreshold }), goes ? [0] : [0, 1], `${name}, reference`);
  }
});

/** The largest float32. */
const F = 3.4028234663852886e38;
const HARD = [
  0,
  -0,
  1,
  -1,
  1e-45,
  -3e-45,
  1e-40,
  1.2e-38,
  4e-23,
  1e-19,
  1e19,
  1.5e19,
  -1.2e19,
  1e30,
  F,
  -F,
  NaN,
  Infinity,
  -Infinity,
];

test("random boxes of any size, at any place, of any class and score", () => {
  const r = random(25);
  const pick = <T>(list: readonly T[]) => list[r.integer(list.length)];
  const makers: (() => number[])[] = [
    () => [0, 1, 2, 3].map(() => r.integer(20)),
    () => [0, 1, 2, 3].map(() => pick(HARD)),
    () => {
      const [x, y] = [r.uniform(0, 100), r.uniform(0, 100)];
      return [x, y, x + 2 ** r.uniform(-15, 15), y + 2 ** r.uniform(-15, 15)];
    },
    () => {
      const [x, y] = [2 ** r.uniform(-149, 127), 2 ** r.uniform(-149, 127)];
      return r.uniform() < 0.5
        ? [x, y, x * r.uniform(1, 2), y * r.uniform(1, 2)]
        : [-x, -y, x * r.uniform(), y * r.uniform()];
    },
  ];
  for (let round = 0; round < 300; round++) {
    const count = pick([1, 2, 5, 17, 60, 150]);
    const make = pick(makers);
    const scale = pick([1, 1, 2 ** -149, 2 ** -60, 2 ** 60, 2 ** 100]);
    const corners = new Float32Array(4 * count);
    for (let i = 0; i < count; i++) {
      const repeated = i > 0 && r.uniform() < 0.1;
      corners.set(repeated ? corners.subarray(4 * i - 4, 4 * i) : make().map((v) => v * scale), 4 * i);
    }
    const scores = floats(count, () => r.uniform() < 0.5 ? r.uniform() : pick([0, -0, 1, NaN, Infinity, -Infinity]));
    const labels = pick([[0], [0, 128, 256], [2 ** 31 - 1, -(2 ** 31), -1]]);
    const classes = Int32Array.from({ length: count }, () => pick(labels));
    const iouThreshold = pick([0, 1, 0.5, 1 / 3, 0.001, 1e-40, 0.999999, 1 - 2 ** -53, r.uniform()]);
    const wanted = batchedNms(corners, scores, classes, { iouThreshold });
    same(sync.batchedNms(corners, scores, classes, { iouThreshold }), wanted, `round ${round}`);
  }
});

test("half, quantised and in-memory input; promises", async () => {
  const corners = { data: Uint8Array.of(0, 0, 100, 100, 2, 2, 100, 100, 150, 150, 200, 200), dims: [3, 4], scale: 0.5 };
  const scores = { data: Uint16Array.of(0x3800, 0x3a00, 0x3c00), dims: [3] };
  const options = { iouThreshold: 0.5 };
  same(sync.nms(corners, scores, options), [2, 1]);
  using resident = engine.tensor([3]);
  resident.data.set([0.5, 0.75, 1]);
  same(await engine.nms(corners, resident, options), [2, 1]);
  same(await engine.batchedNms(corners, resident, Int32Array.of(1, 2, 1), options), [2, 1, 0]);
});

test("wrong input", () => {
  const corners = new Float32Array(8);
  const scores = new Float32Array(2);
  throws(
    () => sync.nms(corners, scores, { iouThreshold: 1.5 }),
    RangeError,
    "nms",
    "options.iouThreshold",
    "1.5",
    "0 to 1",
  );
  throws(() => sync.nms(corners, scores, undefined as never), TypeError, "options is undefined", "with iouThreshold");
  throws(() => sync.nms(corners, scores, { iouThreshold: NaN }), RangeError, "nms", "options.iouThreshold", "NaN");
  throws(() => sync.nms(corners, new Float32Array(3), { iouThreshold: 0.5 }), TypeError, "nms", "scores", "3", "(2)");
  const classes = new Int32Array(3);
  throws(
    () => sync.batchedNms(corners, scores, classes, { iouThreshold: 0.5 }),
    TypeError,
    "batchedNms",
    "classes",
    "Int32Array(2)",
  );
  const limit = { iouThreshold: 0.5, maxDetections: -1 };
  throws(() => sync.nms(corners, scores, limit), RangeError, "options.maxDetections", "-1");
  // @ts-expect-error no options
  throws(() => sync.nms(corners, scores), TypeError, "nms", "options", "undefined");
  same(sync.nms(corners, scores, { iouThreshold: 0.5 }), [0, 1]);
});

test("100 000 boxes fit the default memory and agree with a coarser grid's result", () => {
  const r = random(23);
  const corners = boxes(r, 100000, 60, 3000);
  const scores = floats(100000, () => r.uniform());
  const kept = sync.nms(corners, scores, { iouThreshold: 0.5 });
  const again = sync.batchedNms(corners, scores, new Int32Array(100000), { iouThreshold: 0.5 });
  same(again, kept);
  assert.ok(kept.length > 1000 && kept.length < 100000);
});

test.run();
