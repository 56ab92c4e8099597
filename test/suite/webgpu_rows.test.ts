/** Operations on rows and pairs on WebGPU, against float64: numbers, every kind of input, chunks, and where they run. */
// kinds: row operation
import { createEngine, type Engine, type GpuTensor, type TensorLike } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import type { RowCall } from "../../src/ops/row_call.ts";
import { LARGE, RELATED } from "../box_cases.ts";
import { close, rejects, same, throws } from "../compare.ts";
import { ofKind, type Options, referenceOf, type RowOperationReference, settingsOf, shaderOf } from "../conformance.ts";
import { extremes, sweep, worstError } from "../distribution_cases.ts";
import { halfBits } from "../half.ts";
import { boxes, floats, random } from "../random.ts";
import { bbox2distance } from "../reference/bbox2distance.ts";
import { boxIou } from "../reference/box_iou.ts";
import { channelsFirst, dflDecode } from "../reference/dfl_decode.ts";
import { dflStatistics } from "../reference/dfl_statistics.ts";
import { distance2bbox } from "../reference/distance2bbox.ts";
import { generalizedBoxIou } from "../reference/generalized_box_iou.ts";
import { probIou } from "../reference/prob_iou.ts";
import { refineDistances } from "../reference/refine_distances.ts";
import { starDeformOffsets } from "../reference/star_deform_offsets.ts";
import { starPoints } from "../reference/star_points.ts";
import { arraysOf, checkRows } from "../row_cases.ts";
import { bufferOf, newDevice, noDevice, watch } from "./gpu.ts";
import { skip } from "./skip.ts";
import { walk } from "./walk.ts";

/** Error allowed, of the range of bins, of a union or of the value. */
const BOUND = Math.max(...ofKind("row operation").map(({ bounds }) => bounds.result.webgpu));
const STATISTICS = ["std", "entropy", "top", "saturation", "excess"] as const;
const LENGTHS = [0, 1, 63, 64, 65, 1000];

const tests = suite("rows on WebGPU");
const r = random(300);

/** A test with a device and an engine on it, or a skipped one. */
function test(title: string, body: (engine: Engine, device: GPUDevice) => Promise<void>): void {
  tests(title, async () => {
    if (noDevice !== null) return skip(noDevice);
    const device = await newDevice();
    using engine = await createEngine({ device: "webgpu", gpuDevice: device });
    await body(engine, device);
    device.destroy();
  });
}

const rounded = (values: readonly number[]) => values.map(Math.fround);

/** Both layouts of the same distributions. */
function layouts(rows: Float32Array, bins: number) {
  const anchors = rows.length / (4 * bins);
  return [
    { dist: { data: rows, dims: [anchors, 4 * bins] }, layout: "rows" },
    { dist: { data: channelsFirst(rows, 4 * bins), dims: [4 * bins, anchors] }, layout: "channels-first" },
  ] as const;
}

async function checkDistributions(engine: Engine, rows: Float32Array, bins: number): Promise<void> {
  const bound = BOUND * (bins - 1);
  const wanted = dflStatistics(rows, { bins });
  for (const { dist, layout } of layouts(rows, bins)) {
    const what = `${bins} bins, ${layout}`;
    close(await engine.dflDecode(dist, { bins, layout }), dflDecode(rows, { bins }), bound, what);
    const got = await engine.dflStatistics(dist, { bins, layout });
    for (const name of STATISTICS) close(got[name], wanted[name], bound, `${what}, ${name}`);
  }
}

test("distributions: bin counts, lengths, both layouts", async (engine) => {
  for (const bins of [2, 3, 8, 17, 33, 64]) {
    await checkDistributions(engine, floats(37 * 4 * bins, () => r.normal() * 3), bins);
  }
  for (const anchors of walk(LENGTHS)) await checkDistributions(engine, floats(anchors * 64, () => r.normal() * 3), 16);
});

test("distributions: logits that overflow, vanish, saturate or are infinite", async (engine) => {
  const hard = [
    [0, 0, 0, 0],
    [-0, 1e-30, -1e-30, 0],
    [20, -20, 20, -20],
    [50, 0, 0, 0],
    [104, -104, 0, 104],
    [-104, -103, -102, -101],
    [1e4, 0, 0, 0],
    [-1e4, -1e4, -1e4, 1e4],
    [-1e4, -1e4, -1e4, -1e4 + 1],
    [3e38, 3e38, -3e38, 0],
    [2e38, 3e38, -3e38, 0],
    [Infinity, 0, 0, 0],
    [0, Infinity, Infinity, 0],
    [-Infinity, 0, 0, -Infinity],
    [-Infinity, -Infinity, -Infinity, -Infinity],
    [-Infinity, -Infinity, 5, Infinity],
    [NaN, 0, 0, 0],
    [0, 0, Infinity, NaN],
    [0, 10, 10, 0],
    [3, 2, 1, 0],
  ];
  await checkDistributions(engine, Float32Array.from(hard.flat()), 4);
});

test("distributions: logits from -130 to 130, huge and infinite ones in every combination", async (engine) => {
  for (const bins of walk([2, 17, 64])) await checkDistributions(engine, sweep(bins), bins);
  await checkDistributions(engine, extremes(), 4);
});

test("distributions: the worst that a search finds", async (engine) => {
  for (const bins of walk([2, 17, 33, 64])) {
    const decoded = await worstError(r, bins, async (rows) => {
      const got = await engine.dflDecode(rows, { bins });
      return dflDecode(rows, { bins }).map((value, i) => Math.abs(got[i] - value) / (bins - 1));
    });
    assert.ok(decoded <= BOUND, `dflDecode of ${bins} bins: ${decoded}`);
    const measured = await worstError(r, bins, async (rows) => {
      const got = await engine.dflStatistics(rows, { bins });
      const wanted = dflStatistics(rows, { bins });
      return wanted.std.map((_, i) => {
        return Math.max(...STATISTICS.map((name) => Math.abs(got[name][i] - wanted[name][i]))) / (bins - 1);
      });
    });
    assert.ok(measured <= BOUND, `dflStatistics of ${bins} bins: ${measured}`);
  }
});

test("distributions: a batch, first bin and step", async (engine) => {
  const rows = floats(3 * 5 * 32, () => r.normal() * 3);
  const options = { bins: 8, firstBin: -2, binStep: 0.5 };
  const wanted = dflDecode(rows, options);
  close(await engine.dflDecode({ data: rows, dims: [3, 5, 32] }, options), wanted, BOUND * 7);
  const images = [0, 1, 2].map((i) => channelsFirst(rows.subarray(160 * i, 160 * i + 160), 32));
  const columns = { data: Float32Array.from(images.flatMap((image) => [...image])), dims: [3, 32, 5] };
  close(await engine.dflDecode(columns, { ...options, layout: "channels-first" }), wanted, BOUND * 7);
});

test("NaN and hard anchors change nothing beside them", async (engine) => {
  const calm = floats(40 * 64, () => r.normal() * 3);
  for (const layout of ["rows", "channels-first"] as const) {
    const dims = layout === "rows" ? [40, 64] : [64, 40];
    const spot = layout === "rows" ? 5 * 64 + 2 * 16 + 3 : (2 * 16 + 3) * 40 + 5;
    const before = await engine.dflDecode({ data: calm, dims }, { bins: 16, layout });
    for (const value of [NaN, 1e4, -1e4, Infinity]) {
      const data = calm.slice();
      data[spot] = value;
      const after = await engine.dflDecode({ data, dims }, { bins: 16, layout });
      assert.ok(after.every((v, i) => i === 22 || Object.is(v, before[i])), String(value));
      assert.is(Number.isNaN(after[22]), Number.isNaN(value));
    }
  }
});

for (const operation of ofKind("row operation")) {
  const { name } = operation;
  type Run = (...args: unknown[]) => Promise<unknown>;
  const run = (engine: Engine, inputs: readonly TensorLike[], options: Options) => {
    return (engine as unknown as Record<string, Run>)[name](...inputs, options);
  };

  test(`${name}: every option, lengths around every block`, async (engine) => {
    shaderOf(operation);
    const c = referenceOf<RowOperationReference>(operation);
    for (const options of settingsOf(c)) {
      for (const rows of walk(LENGTHS)) {
        const inputs = c.file.inputs(r, rows, options);
        const found = await run(engine, inputs, options);
        checkRows(c, { inputs, options, found, on: "webgpu" }, `${rows} rows`);
      }
    }
  });

  test(`${name}: hard values are right, and change nothing beside their row`, async (engine) => {
    const c = referenceOf<RowOperationReference>(operation);
    for (const options of walk(settingsOf(c).filter((each) => each.layout === undefined))) {
      const calm = c.file.inputs(r, 21, options);
      const before = arraysOf(await run(engine, calm, options));
      const { checked } = (operation.check as unknown as (...args: unknown[]) => RowCall)(...calm, options);
      for (const [k, { columns, shared }] of checked.inputs.entries()) {
        if (shared) continue;
        for (const [i, value] of [0, -0, -1, 20, 104, 1e4, -1e4, Infinity, -Infinity, NaN].entries()) {
          const inputs = calm.map((array) => array.slice());
          inputs[k][7 * columns + i % columns] = value;
          const found = await run(engine, inputs, options);
          const what = `input ${k}, ${value}`;
          checkRows(c, { inputs, options, found, on: "webgpu", hard: value }, what);
          for (const [member, values] of Object.entries(arraysOf(found))) {
            const width = values.length / 21;
            const others = (array: ArrayLike<number>) =>
              Array.from(array).filter((_, at) => Math.floor(at / width) !== 7);
            same(others(values), others(before[member]), `${what}: ${member} of other rows`);
          }
        }
      }
    }
  });
}

test("NaN and infinities stay in what is made of them", async (engine) => {
  const points = Float32Array.of(1, 2, NaN, 2, -0, 1e30);
  const sides = Float32Array.of(NaN, Infinity, 3, -Infinity, 1, 2, 3, 4, 0, 1e30, 1e-30, -0);
  close(await engine.distance2bbox(points, sides), rounded(distance2bbox(points, sides)), 0);
  const maxShape = [300, 500] as const;
  const clamped = engine.sync.distance2bbox(points, sides, { maxShape });
  close(await engine.distance2bbox(points, sides, { maxShape }), clamped, 0);
  close(await engine.bbox2distance(points, sides), rounded(bbox2distance(points, sides)), 0);
  const near = engine.sync.bbox2distance(points, sides, { maxDistance: 16 });
  close(await engine.bbox2distance(points, sides, { maxDistance: 16 }), near, 0);
  close(await engine.starPoints(points, sides), rounded(starPoints(points, sides)), 0);
  close(await engine.starDeformOffsets(sides, { stride: 8 }), rounded(starDeformOffsets(sides, { stride: 8 })), 1e23);
  for (let at = 0; at < 8; at++) {
    const [a, b] = [Float32Array.of(0, 0, 2, 2), Float32Array.of(1, 1, 3, 3)];
    (at < 4 ? a : b)[at % 4] = NaN;
    same(await engine.boxIou(a, b), [NaN]);
    same(await engine.generalizedBoxIou(a, b), [NaN]);
  }
});

test("quantised values are those of WASM to the bit: every byte, many scales and zero points", async (engine) => {
  // Around the origin a box has its distances as they are.
  const points = new Float32Array(2 * 64);
  for (const [type, first] of [[Int8Array, -128], [Uint8Array, 0]] as const) {
    const data = type.from({ length: 256 }, (_, i) => first + i);
    for (const scale of walk([1 / 255, 1 / 256, 0.0039, 1 / 127, 0.1, 1e-30, 1.7, -0.02])) {
      for (const zeroPoint of walk([0, -128, 3, 255, 127.5, 0.1])) {
        const sides = { data, dims: [64, 4], scale, zeroPoint };
        const what = `${type.name}, scale ${scale}, zero point ${zeroPoint}`;
        same(await engine.distance2bbox(points, sides), engine.sync.distance2bbox(points, sides), what);
      }
    }
  }
});

test("exponentials over all of float32, and past its ends", async (engine) => {
  const deltas = floats(8000, (i) => -87 + i * (175.7 / 8000));
  for (const distance of [1, 200]) {
    const distances = new Float32Array(8000).fill(distance);
    const wanted = refineDistances(distances, deltas, { kind: "exp" });
    const got = await engine.refineDistances(distances, deltas, { kind: "exp" });
    const largest = 3.4028235e38;
    got.forEach((v, i) => close([v], [wanted[i] > largest ? Infinity : wanted[i]], BOUND * wanted[i], `${deltas[i]}`));
  }
  const ends = Float32Array.of(0, -0, 89, Infinity, -104, -Infinity, NaN, 0);
  const ones = new Float32Array(8).fill(1);
  same(await engine.refineDistances(ones, ends, { kind: "exp" }), [1, 1, Infinity, Infinity, 0, 0, NaN, 1]);
  const zeros = Float32Array.of(0, -0, NaN, 2);
  for (const kind of ["multiply", "exp"] as const) {
    close(await engine.refineDistances(zeros, Float32Array.of(5, 5, 1, NaN), { kind }), [0, -0, NaN, NaN], 0);
  }
});

test("every pair of boxes", async (engine) => {
  const sizes = [[0, 3], [3, 0], [1, 1], [7, 9], [3, 257], [300, 17]];
  const pairs = sizes.map(([n, m]) => [boxes(r, n), boxes(r, m)]);
  for (const [a, b] of [...pairs, [RELATED, RELATED]]) {
    close(await engine.boxIou(a, b), boxIou(a, b), BOUND);
    close(await engine.generalizedBoxIou(a, b), generalizedBoxIou(a, b), BOUND);
  }
});

test("pairs of boxes of 1e-15 to infinity, in their ranges", async (engine) => {
  const small = LARGE.map((v) => v * 1e-34);
  for (const list of [LARGE, small]) {
    const ious = await engine.boxIou(list, list);
    const gious = await engine.generalizedBoxIou(list, list);
    close(ious, boxIou(list, list), BOUND);
    close(gious, generalizedBoxIou(list, list), BOUND);
    assert.ok(ious.every((v) => v >= 0 && v <= 1) && gious.every((v) => v >= -1 && v <= 1));
  }
  const infinite = Float32Array.of(-Infinity, -Infinity, Infinity, Infinity, 0, 0, Infinity, 10, 5, 0, Infinity, 5);
  close(await engine.boxIou(infinite, infinite), engine.sync.boxIou(infinite, infinite), BOUND);
  close(await engine.generalizedBoxIou(infinite, infinite), engine.sync.generalizedBoxIou(infinite, infinite), BOUND);
});

test("distances and strides at the ends of float32", async (engine) => {
  const points = Float32Array.of(3e38, -3e38, 1, 2);
  const sides = Float32Array.of(3e38, 3e38, 3e38, 3e38, -3e38, 3e38, 1e38, 1e-30);
  const maxShape = [300, 500] as const;
  close(await engine.distance2bbox(points, sides), rounded(distance2bbox(points, sides)), 0);
  close(
    await engine.distance2bbox(points, sides, { maxShape }),
    rounded(distance2bbox(points, sides, { maxShape })),
    0,
  );
  close(await engine.bbox2distance(points, sides), rounded(bbox2distance(points, sides)), 0);
  close(
    await engine.bbox2distance(points, sides, { maxDistance: 16, eps: 0 }),
    rounded(bbox2distance(points, sides, { maxDistance: 16, eps: 0 })),
    0,
  );
  close(await engine.starPoints(points, sides), rounded(starPoints(points, sides)), 0);
  for (const stride of [1e38, 1e20, 1e-20, 1e-36]) {
    const near = floats(8, (i) => (i - 3) / 2 * Math.fround(stride));
    close(
      await engine.starDeformOffsets(near, { stride }),
      starDeformOffsets(near, { stride: Math.fround(stride) }),
      5 * BOUND,
    );
  }
});

test("products with exponentials hold the bound wherever they are normal numbers", async (engine) => {
  const distances = floats(4000, () => Math.exp(r.uniform(-87, 88)));
  const deltas = floats(4000, (i) => [r.uniform(-86, 88), -86, 88.5][i % 3] - Math.log(distances[i]));
  const wanted = refineDistances(distances, deltas, { kind: "exp" });
  const got = await engine.refineDistances(distances, deltas, { kind: "exp" });
  got.forEach((v, i) => close([v], [wanted[i]], BOUND * wanted[i], `${distances[i]} · e^${deltas[i]}`));
  const large = await engine.refineDistances(new Float32Array(4).fill(3e38), new Float32Array(4).fill(-1.94), {
    kind: "exp",
  });
  close(large, Array(4).fill(Math.fround(3e38) * Math.exp(Math.fround(-1.94))), 4.3e37 * BOUND);
});

/** The calls of row operations by the registry, with the shapes of their inputs. */
interface ShapedCall {
  readonly title: string;
  readonly run: (engine: Engine, inputs: readonly TensorLike[]) => Promise<Record<string, ArrayLike<number>>>;
  readonly shapes: readonly (readonly number[])[];
}

function shapedCalls(): ShapedCall[] {
  return ofKind("row operation").flatMap(({ name, check, ...operation }) => {
    const c = referenceOf<RowOperationReference>({ name, check, ...operation });
    const settings = settingsOf(c);
    return [...new Set([settings[0], settings.at(-1) as Options])].map((options) => {
      // Neither a multiple of a workgroup nor of four.
      const inputs = c.file.inputs(r, 301, options);
      const { checked } = (check as unknown as (...args: unknown[]) => RowCall)(...inputs, options);
      type Run = (...args: unknown[]) => Promise<unknown>;
      return {
        title: `${name} ${JSON.stringify(options)}`,
        run: async (engine: Engine, given: readonly TensorLike[]) => {
          return arraysOf(await (engine as unknown as Record<string, Run>)[name](...given, options));
        },
        // Maps are cut between images of channels; what a side has stands beside them. The operation may add inputs of its own.
        shapes: inputs.map((_, i) => {
          if (options.layout !== "channels-first") return checked.inputs[i].source.dims;
          return [[7, 4 * Number(options.bins), 53], [7, 53, 4]][i];
        }),
      };
    });
  });
}

function sameArrays(got: Record<string, ArrayLike<number>>, wanted: Record<string, ArrayLike<number>>, what: string) {
  for (const [member, values] of Object.entries(wanted)) same(got[member], values, `${what}: ${member}`);
}

/** Exact in halves and in bytes of a quarter. */
const quarters = (dims: readonly number[]) => {
  return { data: floats(dims.reduce((product, d) => product * d), () => r.integer(100) / 4 - 12), dims };
};

test("ProbIoU of boxes of up to 100 : 1, all but equal, far from the origin, at angles of a million", async (engine) => {
  const { webgpu } = operations.probIou.bounds.result;
  for (const aspect of [1, 20, 100]) {
    for (const [centre, turn] of [[0, 3], [1e5, 1e6]]) {
      const boxes = floats(150, () => 0);
      const others = floats(150, () => 0);
      for (let i = 0; i < 150; i += 5) {
        const short = r.uniform(2, 20);
        const sides = r.integer(2) === 0 ? [short * aspect, short] : [short, short * aspect];
        const [x, y, angle] = [centre + r.uniform(0, 500), centre + r.uniform(0, 500), r.uniform(-turn, turn)];
        boxes.set([x, y, ...sides, angle], i);
        const by = 10 ** -r.uniform(0, 5);
        const [u, v] = sides.map((side) => by * side * r.normal());
        const [cos, sin] = [Math.cos(boxes[i + 4]), Math.sin(boxes[i + 4])];
        const near = [boxes[i] + u * cos - v * sin, boxes[i + 1] + u * sin + v * cos];
        others.set([...near, ...sides.map((side) => side * Math.exp(by * r.normal())), boxes[i + 4]], i);
      }
      close(await engine.probIou(boxes, others), probIou(boxes, others), webgpu, `${aspect} : 1, about ${centre}`);
    }
  }
});

test("every kind of input, on the host and on the GPU, gives the same", async (engine, device) => {
  const kinds: ((data: Float32Array, dims: readonly number[]) => TensorLike)[] = [
    (data, dims) => ({ data: Float64Array.from(data), dims }),
    (data, dims) => ({ data: Uint16Array.from(data, halfBits), dims }),
    (data, dims) => ({ data: Int8Array.from(data, (v) => v * 4), dims, scale: 1 / 4 }),
    (data, dims) => ({ data: Uint8Array.from(data, (v) => v * 4 + 60), dims, scale: 1 / 4, zeroPoint: 60 }),
    (data, dims) => ({ gpuBuffer: bufferOf(device, data), dims }),
    (data, dims) => ({ gpuBuffer: bufferOf(device, Uint16Array.from(data, halfBits)), dims, dataType: "float16" }),
    (data, dims) => {
      const resident = engine.tensor(dims);
      resident.data.set(data);
      return resident;
    },
  ];
  for (const { title, run, shapes } of shapedCalls()) {
    const inputs = shapes.map(quarters);
    const wanted = await run(engine, inputs);
    for (const [i, kind] of kinds.entries()) {
      const others = inputs.map(({ data, dims }) => kind(data, dims));
      sameArrays(await run(engine, others), wanted, `${title}, kind ${i}`);
    }
  }
});

test("maps larger than a binding are cut, tensors on the GPU where no binding can begin", async (engine, device) => {
  const limits = { maxStorageBufferBindingSize: 8192, maxComputeWorkgroupsPerDimension: 3 };
  const { device: watched, live } = watch(device, limits);
  const small = await createEngine({ device: "webgpu", gpuDevice: watched });
  for (const { title, run, shapes } of shapedCalls()) {
    const inputs = shapes.map(quarters);
    const wanted = await run(engine, inputs);
    sameArrays(await run(small, inputs), wanted, title);
    const before = live();
    sameArrays(await run(small, inputs), wanted, title);
    assert.is(live(), before);
    const floats = inputs.map(({ data, dims }) => ({ gpuBuffer: bufferOf(device, data), dims }));
    sameArrays(await run(small, floats), wanted, `${title} on the GPU`);
    const halves = inputs.map(({ data, dims }) => {
      return { gpuBuffer: bufferOf(device, Uint16Array.from(data, halfBits)), dims, dataType: "float16" as const };
    });
    sameArrays(await run(small, halves), wanted, `${title} on the GPU, halves`);
  }
  small.dispose();
  assert.is(live(), 0);
});

test("what belongs together and fits no binding runs on WASM, if the host has it", async (_, device) => {
  const small = watch(device, { maxStorageBufferBindingSize: 8192 }).device;
  using engine = await createEngine({ device: "webgpu", gpuDevice: small });
  const wide = { data: floats(20 * 100, () => r.normal()), dims: [20, 100] };
  const options = { bins: 5, layout: "channels-first" } as const;
  same(await engine.dflDecode(wide, options), engine.sync.dflDecode(wide, options), "dflDecode");
  const decoded = engine.dflDecode({ gpuBuffer: bufferOf(device, wide.data), dims: wide.dims }, options);
  await rejects(decoded, RangeError, "dflDecode", "dist", "2000 values", "at most 1984");
  const [one, many] = [floats(4, () => r.uniform()), floats(2000, () => r.uniform())];
  same(await engine.boxIou(one, many), engine.sync.boxIou(one, many), "boxIou");
  const pairs = engine.boxIou(one, { gpuBuffer: bufferOf(device, many), dims: [500, 4] });
  await rejects(pairs, RangeError, "boxIou", "b", "2000 values", "at most 1984");
});

test("where they run: host data stay on WASM by themselves", async (engine, device) => {
  assert.is(engine.plan("dflDecode", 1).device, "webgpu");
  using auto = await createEngine({ gpuDevice: device });
  const { device: planned, reason } = auto.plan("dflDecode", 1e9);
  assert.is(planned, "wasm");
  assert.match(reason, /offloadThreshold/);
  assert.match(auto.plan("giouLoss", 1e9).reason, /not measured before/);
  const logits = floats(2 ** 17, () => r.normal());
  same(await auto.dflDecode(logits, { bins: 16 }), auto.sync.dflDecode(logits, { bins: 16 }));
  using offloading = await createEngine({ gpuDevice: device, offloadThreshold: 5000 });
  assert.is(offloading.plan("dflDecode", 4999).device, "wasm");
  assert.is(offloading.plan("boxIou", 5000).device, "webgpu");
  const onGpu: GpuTensor = { gpuBuffer: bufferOf(device, logits), dims: [2048, 64] };
  const wanted = await engine.dflDecode(logits, { bins: 16 });
  for (const other of [auto, offloading]) same(await other.dflDecode(onGpu, { bins: 16 }), wanted);
  same(await offloading.dflDecode(logits, { bins: 16 }), wanted);
  using wasm = await createEngine({ device: "wasm" });
  await rejects(wasm.dflDecode(onGpu, { bins: 16 }), TypeError, "dflDecode", "dist", "a GpuTensor", "no GPU device");
});

test("wrong input is told as on WASM, and a tensor may be disposed of at once", async (engine, device) => {
  const points = new Float32Array(8);
  const wrongs: ((ops: unknown) => unknown)[] = [
    (ops) => (ops as Engine).dflDecode(points, { bins: 1 }),
    (ops) => (ops as Engine).dflStatistics(points, { bins: 8 }),
    (ops) => (ops as Engine).distance2bbox(points, points),
    (ops) => (ops as Engine).starDeformOffsets(points, { stride: 0 }),
    (ops) => (ops as Engine).boxIou(points, points.subarray(1)),
  ];
  for (const call of wrongs) {
    const error = await (call(engine) as Promise<unknown>).then(() => undefined, (thrown) => thrown);
    throws(() => call(engine.sync), error.constructor, error.message);
  }
  const onGpu = { gpuBuffer: bufferOf(device, points), dims: [2, 4] };
  throws(() => engine.sync.boxIou(points, onGpu), TypeError, "boxIou", "b", "GpuTensor");
  const resident = engine.tensor([2, 4]);
  resident.data.fill(3);
  const pending = engine.refineDistances(points.fill(2), resident);
  resident.dispose();
  engine.tensor([2, 4]).data.fill(9);
  same(await pending, new Float32Array(8).fill(6));
});

tests.run();
