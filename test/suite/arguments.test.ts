/** How arguments are taken, for every operation: any class of array, read once, wherever it lies, and no unknown names. */
import { createEngine, type Engine, heads, type WasmTensor } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import {
  arraysOf,
  at,
  calls,
  cases,
  constructorOf,
  deaf,
  inMemory,
  isArray,
  named,
  type Path,
  pathsOf,
  plain,
  replace,
  resizable,
  resizableCopy,
  type TypedArray,
  whenRead,
} from "../argument_cases.ts";
import { close, rejects, same, throws } from "../compare.ts";
import { halfBits } from "../half.ts";
import { skip } from "./skip.ts";

const test = suite("arguments");
const engine = await createEngine();
const { sync } = engine;

type Call = (...args: unknown[]) => unknown;
const run = (on: Engine, op: string, args: unknown[]) => (on.sync as unknown as Record<string, Call>)[op](...args);
/** Results by the function that makes the arguments, and by the operation; each stands beside many changes of its call. */
const results = new Map<() => unknown[], Map<string, unknown>>();

function wantedOf(op: string, args: () => unknown[]): unknown {
  const byOperation = results.get(args) ?? new Map<string, unknown>();
  results.set(args, byOperation);
  if (!byOperation.has(op)) byOperation.set(op, plain(run(engine, op, args())));
  return byOperation.get(op);
}

/** Shared by the cases of `untouched`: to make an engine for each takes a runtime's collector minutes. */
let shared = await createEngine();
/** Bytes from which on it is made anew: some cases let its memory grow, by 256 KiB at least. */
const LARGE = 8 * 1024 * 1024;

/** An engine whose tensors around `body` keep their values. */
async function untouched(body: (on: Engine, canary: () => void) => void): Promise<void> {
  if (shared.memory.reserved > LARGE) {
    shared.dispose();
    shared = await createEngine();
  }
  const made: WasmTensor[] = [];
  const tensor = (dims: readonly number[]) => {
    made.push(shared.tensor(dims));
    return made[made.length - 1];
  };
  const canaries: WasmTensor[] = [];
  const canary = () => {
    const own = tensor([100]);
    own.data.fill(7);
    canaries.push(own);
  };
  canary();
  body(Object.create(shared, { tensor: { value: tensor } }), canary);
  for (const { data } of canaries) assert.ok(data.every((value) => value === 7), "a tensor was overwritten");
  for (const each of made) each.dispose();
}

/** Right, or an error that names the operation; and the engine works on. */
function rightOrRefused(
  on: Engine,
  op: string,
  args: unknown[],
  again: () => unknown[],
  what: string,
): "right" | "refused" {
  const wanted = wantedOf(op, again);
  let result: unknown;
  let refusal: Error | null = null;
  try {
    result = run(on, op, args);
  } catch (error) {
    refusal = error as Error;
  }
  if (refusal === null) assert.equal(plain(result), wanted, what);
  else assert.match(refusal.message, new RegExp(`^${op}: `), `${what}: ${refusal.stack}`);
  assert.equal(plain(run(on, op, again())), wanted, `${what}: afterwards`);
  return refusal === null ? "right" : "refused";
}

test("every operation has its calls here", () => {
  assert.equal(Object.keys(cases).sort(), Object.keys(operations).sort());
});

test("arrays of subclasses whose constructors ignore their arguments are read as what they are", async () => {
  for (const { op, what, args } of calls) {
    const wanted = wantedOf(op, args);
    for (const path of arraysOf(args())) {
      await untouched((on, canary) => {
        const given = args();
        replace(given, path, deaf(at(given, path) as TypedArray));
        on.tensor([4000]).dispose();
        canary();
        assert.equal(plain(run(on, op, given)), wanted, `${what}: ${named(path)}`);
      });
    }
  }
});

test("what an array says of itself does not matter", async () => {
  const lies = {
    length: 1e6,
    byteLength: 4e6,
    byteOffset: 64,
    buffer: new ArrayBuffer(8),
    constructor: Int8Array,
    subarray: () => new Float32Array(1e6),
    slice: () => new Float32Array(1e6),
    forEach: () => assert.unreachable("forEach"),
    [Symbol.toStringTag]: "Int8Array",
    [Symbol.iterator]: () => assert.unreachable("iterator"),
  };
  for (const { op, what, args } of calls) {
    const wanted = wantedOf(op, args);
    for (const path of arraysOf(args())) {
      await untouched((on) => {
        const given = args();
        const array = at(given, path) as TypedArray;
        for (const key of Reflect.ownKeys(lies)) {
          Object.defineProperty(array, key, { value: lies[key as keyof typeof lies], configurable: true });
        }
        const result = run(on, op, given);
        for (const key of Reflect.ownKeys(lies)) delete (array as never)[key];
        assert.equal(plain(result), wanted, `${what}: ${named(path)}`);
      });
    }
  }
});

test("a proxy of an array is refused", () => {
  for (const { op, what, args } of calls) {
    for (const path of arraysOf(args())) {
      const given = args();
      replace(given, path, new Proxy(at(given, path) as object, {}));
      assert.is(
        rightOrRefused(engine, op, given, args, `${what}: ${named(path)}`),
        "refused",
        `${what}: ${named(path)}`,
      );
    }
  }
});

/** Of another size from the second reading on, and longer than it says at first. */
function shifty(list: readonly number[]): number[] {
  const reads = new Map<PropertyKey, number>();
  return new Proxy([...list], {
    get(target, key, receiver) {
      const read = (reads.get(key) ?? 0) + 1;
      reads.set(key, read);
      const value = Reflect.get(target, key, receiver);
      return read > 1 && typeof value === "number" ? value * 1000 : value;
    },
  });
}

test("shapes, sizes, strides and lists are read once", async () => {
  const isNumbers = (value: unknown) => Array.isArray(value) && value.every((v) => typeof v === "number");
  for (const { op, what, args } of calls) {
    const lists = pathsOf(args(), isNumbers).filter((path) => !path.includes("head"));
    for (const path of lists) {
      await untouched((on) => {
        const given = args();
        replace(given, path, shifty(at(given, path) as number[]));
        const outcome = rightOrRefused(on, op, given, args, `${what}: ${named(path)}`);
        assert.is(outcome, "right", `${what}: ${named(path)}`);
      });
    }
  }
});

test("members of options and inputs are read once", async () => {
  for (const { op, what, args } of calls) {
    const members = pathsOf(args(), () => true).filter((path) => path.length > 1 && !path.includes("head"));
    for (const path of members) {
      if (Array.isArray(at(args(), path.slice(0, -1)))) continue;
      await untouched((on) => {
        const given = args();
        let reads = 0;
        whenRead(given, path, () => reads++);
        assert.equal(plain(run(on, op, given)), wantedOf(op, args), `${what}: ${named(path)}`);
        assert.is(reads, 1, `${what}: ${named(path)} is read ${reads} times`);
      });
    }
  }
});

/** What a getter may do to the array at a path, which it stands in for. */
type Deed = (on: Engine, array: TypedArray) => { array: TypedArray; deed: () => void };

const deeds: Record<string, Deed> = {
  "shrinks its buffer": (_, array) => {
    const { buffer, copy } = resizableCopy(array);
    return { array: copy, deed: () => buffer.resize(4) };
  },
  "transfers its buffer": (_, array) => ({
    array,
    deed: () => structuredClone(array, { transfer: [array.buffer as ArrayBuffer] }),
  }),
  "disposes its tensor": (on, array) => {
    const { array: view, tensor } = inMemory(on, array);
    return { array: view, deed: () => tensor.dispose() };
  },
  "disposes its tensor and makes another": (on, array) => {
    const { array: view, tensor } = inMemory(on, array);
    const deed = () => {
      tensor.dispose();
      on.tensor([...tensor.dims]).data.fill(0.25);
    };
    return { array: view, deed };
  },
  "lets the memory grow": (on, array) => {
    const deed = () => {
      const { reserved, used } = on.memory;
      // By no more than it must, so that many cases share an engine.
      on.tensor([(reserved - used) / 4 + 1]);
      assert.ok(on.memory.reserved > reserved);
    };
    return { array: inMemory(on, array).array, deed };
  },
};

for (const [name, doing] of Object.entries(deeds)) {
  test(`a getter that ${name}: the right result or an error that names the operation`, async () => {
    if (name.startsWith("shrinks") && !resizable) return skip("no resizable ArrayBuffer");
    let outcomes = 0;
    for (const { op, what, args } of calls) {
      const arrays = arraysOf(args());
      const getters = pathsOf(args(), () => true)
        .filter((path) => path.length > 1 && !path.includes("head") && !Array.isArray(at(args(), path.slice(0, -1))));
      for (const path of arrays) {
        for (const getter of getters) {
          await untouched((on, canary) => {
            const given = args();
            const { array, deed } = doing(on, at(given, path) as TypedArray);
            canary();
            replace(given, path, array);
            let done = false;
            whenRead(given, getter, () => {
              if (!done) deed();
              done = true;
            });
            rightOrRefused(on, op, given, args, `${what}: ${named(path)}, when ${named(getter)} is read`);
            outcomes++;
          });
        }
      }
    }
    assert.ok(outcomes > 500, `${outcomes} cases`);
  });
}

test("a getter that ends the engine: an error that says so", async () => {
  for (const { op, args } of calls) {
    const on = await createEngine();
    const given = args();
    const last = pathsOf(given, () => true).filter((path) => path.length > 1).at(-1) as Path;
    whenRead(given, last, () => on.dispose());
    if (operations[op as keyof typeof operations].kernels.length === 0) continue;
    throws(() => run(on, op, given), Error, `${op}: the engine is disposed`);
  }
});

test("arrays in linear memory are read and written where they lie, also when the call makes it grow", async () => {
  let grown = 0;
  for (const { op, what, args } of calls) {
    const wanted = wantedOf(op, args);
    for (const path of arraysOf(args())) {
      await untouched((on, canary) => {
        const given = args();
        const { array, tensor } = inMemory(on, at(given, path) as TypedArray);
        canary();
        replace(given, path, array);
        on.tensor([(on.memory.reserved - on.memory.used - 256) >> 2]);
        const { reserved } = on.memory;
        const result = run(on, op, given);
        assert.equal(plain(result), wanted, `${what}: ${named(path)}`);
        if (on.memory.reserved > reserved) grown++;
        if (path.includes("out")) {
          const values = at(wanted, path.at(-1) === "out" ? ["tensor", "data"] : path.slice(-1)) as number[];
          const { buffer, byteOffset } = tensor.data;
          const written = new (constructorOf(array))(buffer, byteOffset, values.length);
          same(written, values, `${what}: ${named(path)} in memory`);
        }
      });
    }
  }
  assert.ok(grown > 80, `memory grew in ${grown} calls`);
});

test("a view of a tensor that was disposed is refused, read or written", async () => {
  for (const { op, what, args } of calls) {
    if (operations[op as keyof typeof operations].kernels.length === 0) continue;
    for (const path of arraysOf(args())) {
      await untouched((on) => {
        const given = args();
        const { array, tensor } = inMemory(on, at(given, path) as TypedArray);
        on.tensor([10]);
        tensor.dispose();
        replace(given, path, array);
        const outcome = rightOrRefused(on, op, given, args, `${what}: ${named(path)}`);
        const copied = path.includes("gt") || path.includes("gtIndex") || (op === "taskAlignedAssign" && path[0] === 3);
        if (!copied) assert.is(outcome, "refused", `${what}: ${named(path)}`);
      });
    }
  }
});

test("results that overlap what is read, or each other, are refused; over all of it they are right", async () => {
  const n = 40000;
  const room = new Float32Array(2 * n);
  const values = Float32Array.from({ length: n }, (_, i) => Math.sin(i));
  const target = Float32Array.from({ length: n }, (_, i) => i % 2);
  const wanted = sync.qualityFocalLoss(values, target, { reduction: "none", grad: true });
  const on = await createEngine();
  const tensor = on.tensor([2 * n]);
  for (const floatsOf of [() => room, () => tensor.data]) {
    const view = (start: number) => floatsOf().subarray(start, start + n);
    for (const name of ["grad", "loss"] as const) {
      for (const offset of [0, 16, 200, n - 1, n]) {
        view(0).set(values);
        const call = () =>
          on.sync.qualityFocalLoss(view(0), target, { reduction: "none", grad: true, out: { [name]: view(offset) } });
        if (offset > 0 && offset < n) throws(call, TypeError, `qualityFocalLoss: options.out.${name}`, "overlaps pred");
        else same(call()[name], wanted[name], `${name} at ${offset}`);
      }
    }
    const both = { reduction: "none", grad: true, out: { loss: view(0), grad: view(1) } } as const;
    throws(
      () => on.sync.qualityFocalLoss(values, target, both),
      TypeError,
      "options.out.loss",
      "overlaps options.out.grad",
    );
  }
});

test("results that overlap what was read before the memory grew are refused too", async () => {
  const on = await createEngine();
  const tensor = on.tensor([2000]);
  const view = (start: number) => tensor.data.subarray(start, start + 1000);
  const options = (start: number) => ({
    grad: true as const,
    get out() {
      on.tensor([on.memory.reserved >> 2]);
      return { grad: view(start) };
    },
  });
  const run = (start: number) => () => on.sync.qualityFocalLoss(view(0), new Float32Array(1000), options(start));
  throws(run(200), TypeError, "qualityFocalLoss: options.out.grad", "overlaps pred");
  for (const start of [1000, 0]) close(run(start)().grad, new Float32Array(1000).fill(0.000298287), 1e-9);
});

test("lists, maps and promises are no options, empty ones too", async () => {
  const lists = () => [[], [1], new Map([["c", 3]]), new Set(), new Float32Array(0), Promise.resolve({})];
  for (const { op, what, args } of calls) {
    const last = args().length - 1;
    const options = args()[last];
    if (Object.getPrototypeOf(Object(options)) !== Object.prototype || "dims" in (options as object)) continue;
    for (const list of lists()) {
      const given = args();
      given[last] = list;
      throws(() => run(engine, op, given), TypeError, `${op}: `);
    }
    assert.equal(plain(run(engine, op, args())), wantedOf(op, args), `${what}: afterwards`);
  }
  const [pred, target] = [Float32Array.of(0, 0, 4, 4), Float32Array.of(1, 0, 5, 4)];
  const nwd = (options?: unknown) => sync.nwdLoss(pred, target, options as never).loss;
  throws(() => nwd([]), TypeError, "nwdLoss: options is an array of 0; wanted an object");
  throws(() => nwd(new Map([["c", 3]])), TypeError, "nwdLoss: options is an object (Map); wanted an object");
  throws(() => nwd({ out: [] }), TypeError, "nwdLoss: options.out is an array of 0; wanted an object");
  throws(() => sync.dflDecode(new Float32Array(8), [] as never), TypeError, "wanted an object with bins");
  throws(() => sync.detect([], [] as never), TypeError, "detect: ");
  await rejects(createEngine([] as never), TypeError, "createEngine: options is an array of 0; wanted an object");
  // 1 − exp(−1 / c), whoever made the object.
  close([nwd()], [1 - Math.exp(-1 / 12.8)], 1e-6);
  for (
    const made of [
      Object.assign(Object.create(null), { c: 3 }),
      Object.create({ c: 3 }),
      new (class {
        c = 3;
      })(),
    ]
  ) {
    close([nwd(made)], [1 - Math.exp(-1 / 3)], 1e-6);
  }
});

test("unknown names are refused, with the nearest known one", async () => {
  for (const { op, what, args } of calls) {
    const isOptions = (value: unknown) =>
      typeof value === "object" && value !== null && !isArray(value) && !Array.isArray(value) && !("dims" in value);
    for (const path of pathsOf(args(), isOptions).filter((path) => !path.includes("head"))) {
      const given = args();
      // Tensors by any names, and images as others have them, with whatever else they say.
      if ((op === "detect" || op === "preprocess") && path[0] === 0) continue;
      const options = at(given, path) as Record<string, unknown>;
      const known = Object.keys(options)[0];
      for (const value of [1, undefined]) {
        replace(given, path, { ...options, [`${known}s`]: value });
        const message = `${known}s is unknown; did you mean ${known}? known: `;
        throws(() => run(engine, op, given), TypeError, `${op}: `, message, known);
      }
      replace(given, path, Object.assign(Object.create({ inherited: 1 }), options));
      assert.equal(plain(run(engine, op, given)), wantedOf(op, args), `${what}: inherited`);
      const hidden = Object.entries(options).map(([name, value]): [string, PropertyDescriptor] => [name, { value }]);
      replace(given, path, Object.defineProperties({}, Object.fromEntries(hidden)));
      assert.equal(plain(run(engine, op, given)), wantedOf(op, args), `${what}: not enumerable`);
      replace(
        given,
        path,
        new Proxy({}, { get: (_, name) => options[name as string], has: (_, name) => name in options }),
      );
      assert.equal(plain(run(engine, op, given)), wantedOf(op, args), `${what}: a proxy that lists none`);
    }
  }
  const pair = Float32Array.of(0, 0, 1, 1);
  const nms = (options: object) => () => sync.nms(pair, Float32Array.of(1), { iouThreshold: 0.5, ...options } as never);
  throws(nms({ scoreTreshold: 0.5 }), TypeError, "nms: options.scoreTreshold", "did you mean scoreThreshold?");
  throws(nms({ IOUTHRESHOLD: 0.5 }), TypeError, "did you mean iouThreshold?");
  throws(nms({ zzz: 0.5 }), TypeError, "options.zzz is unknown; known: iouThreshold, scoreThreshold, maxDetections");
  await rejects(createEngine({ maxMemroy: 1 } as never), TypeError, "createEngine: options.maxMemroy", "maxMemory");
  await rejects(engine.nms(pair, pair, { iouTreshold: 1 } as never), TypeError, "did you mean iouThreshold?");
});

test("thresholds outside [0, 1] are refused everywhere", () => {
  const boxes = Float32Array.of(0, 0, 1, 1);
  const scores = Float32Array.of(1);
  const [outputs, options] = cases.detect[0]() as never[];
  const takes: [string, string[], (change: object) => unknown][] = [
    ["nms", ["iouThreshold", "scoreThreshold"], (c) => sync.nms(boxes, scores, { iouThreshold: 0.5, ...c })],
    ["batchedNms", ["iouThreshold", "scoreThreshold"], (c) => {
      return sync.batchedNms(boxes, scores, new Int32Array(1), { iouThreshold: 0.5, ...c });
    }],
    ["rotatedNms", ["iouThreshold", "scoreThreshold"], (c) => {
      return sync.rotatedNms(new Float32Array(5), scores, { iouThreshold: 0.5, ...c });
    }],
    ["softNms", ["iouThreshold", "minScore"], (c) => sync.softNms(boxes, scores, c)],
    [
      "detect",
      ["iouThreshold", "scoreThreshold"],
      (c) => sync.detect(outputs, { ...options as object, ...c } as never),
    ],
  ];
  for (const [op, names, take] of takes) {
    for (const name of names) {
      for (const value of [-0.01, 1.01, NaN, Infinity, -Infinity]) {
        throws(() => take({ [name]: value }), RangeError, `${op}: options.${name}`, String(value), "from 0 to 1");
      }
      for (const value of [0, 1]) take({ [name]: value });
    }
  }
  throws(() => sync.qualityFocalLoss(scores, scores, { beta: -1 }), RangeError, "a finite number of at least 0");
});

const quantised = [Uint16Array, Int16Array, Uint8Array, Int8Array] as const;

test("integers with a scale are quantised, whatever their width, in every operation", () => {
  for (const { op, what, args } of calls) {
    for (const Integers of quantised) {
      const isTensor = (value: unknown) => typeof value === "object" && value !== null && "dims" in value;
      const given = args();
      const real = args();
      const zeroPoint = Integers === Uint16Array ? 32768 : Integers === Uint8Array ? 128 : -3;
      const scale = 0.03;
      for (const path of pathsOf(given, isTensor)) {
        const { data, dims } = at(given, path) as { data: Float32Array; dims: number[] };
        const bins = op === "distributionFocalLoss" && path[0] === 1;
        const most = bins ? 3 : op.endsWith("Loss") && path[0] === 1 && !op.includes("ou") ? 1 : 1e9;
        const q = Integers.from(data, (v) => {
          return Math.min(Math.max(Math.round(v / scale), -100), 100, Math.floor(most / scale)) + zeroPoint;
        });
        replace(given, path, { data: q, dims, scale, zeroPoint });
        const values = Float32Array.from(q, (v) => Math.fround(v - zeroPoint) * Math.fround(scale));
        replace(real, path, { data: values, dims });
      }
      assert.equal(plain(run(engine, op, given)), plain(run(engine, op, real)), `${what}: ${Integers.name}`);
    }
  }
});

test("all quantised values of 16 bits, in rows and columns of any length", () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  for (const [data, zeroPoint] of [[all, 0], [all, 40000], [new Int16Array(all.buffer), -7]] as const) {
    const scale = 1 / 65535;
    const wanted = Float32Array.from(data, (q) => Math.fround(q - zeroPoint) * Math.fround(scale));
    const ones = { data: new Float32Array(65536).fill(1), dims: [16384, 4] };
    same(sync.refineDistances({ data, dims: [16384, 4], scale, zeroPoint }, ones), wanted);
    for (let length = 4; length < 80; length += 4) {
      const some = { data: data.subarray(100, 100 + length), dims: [length / 4, 4], scale, zeroPoint };
      const unit = { data: ones.data.subarray(0, length), dims: some.dims };
      same(sync.refineDistances(some, unit), wanted.subarray(100, 100 + length), `${length} values`);
    }
  }
});

test("quantised uint16 outputs are detected", () => {
  const scores = { data: Uint16Array.of(58982), dims: [1, 1, 1], scale: 1 / 65535, zeroPoint: 0 };
  const boxes = { data: Uint16Array.of(32000, 32000, 10000, 6000), dims: [1, 4, 1], scale: 0.01, zeroPoint: 0 };
  const head = heads.yolov8Decoded({ numClasses: 1, strides: [640] });
  const [found] = sync.detect({ classes: scores, boxes }, { head, imageSize: [640, 640] });
  assert.is(found.length, 1);
  assert.ok(Math.abs(found.scores[0] - 58982 / 65535) < 1e-7);
  found.boxes.forEach((side, i) => assert.ok(Math.abs(side - [270, 290, 370, 350][i]) < 1e-3, `side ${i}: ${side}`));
  const a = { data: Uint16Array.of(0, 0, 100, 100), dims: [1, 4], scale: 0.1, zeroPoint: 0 };
  assert.ok(Math.abs(sync.boxIou(a, Float32Array.of(0, 0, 10, 10))[0] - 1) < 1e-6);
});

test("a scale where it means nothing, and integers without one, are refused", () => {
  const take = (tensor: object) => () => sync.boxIou(tensor as never, Float32Array.of(0, 0, 1, 1));
  const dims = [1, 4];
  for (const data of [new Float32Array(4), new Float64Array(4)]) {
    for (const member of ["scale", "zeroPoint"]) {
      throws(take({ data, dims, [member]: 0.5 }), TypeError, `boxIou: a.${member}`, "wanted none", "holds real values");
    }
  }
  const words = Uint16Array.from([0, 0, 1, 1], halfBits);
  same(take({ data: words, dims })(), [1]);
  same(take({ data: words, dims, type: "float16" })(), [1]);
  throws(
    take({ data: words, dims, type: "uint16" }),
    TypeError,
    "a.scale",
    "uint16",
    `half bits come as type "float16"`,
  );
  throws(take({ data: words, dims, type: "float16", scale: 1 }), TypeError, "a.scale", "float16");
  throws(take({ data: words, dims, zeroPoint: 3 }), TypeError, "a.zeroPoint", "half bits");
  throws(take({ data: new Int16Array(4), dims }), TypeError, "a.scale", "undefined", "Int16Array(4)");
  throws(take({ data: new Int8Array(4), dims, scale: "1" }), TypeError, "a.scale", '"1"');
  throws(take({ data: new Int8Array(4), dims, scale: 1, zero_point: 2 }), TypeError, "a.zero_point", "mean zeroPoint?");
  throws(take({ data: words, dims, scales: 2 }), TypeError, "a.scales is unknown", "did you mean scale?");
  throws(take({ data: new Int8Array(4), dims, scale: 0 }), RangeError, "a.scale is 0", "other than 0");
  throws(take({ data: new Int8Array(4), dims, scale: 1e-46 }), RangeError, "a.scale is 1e-46", "float32");
  throws(take({ data: new Int8Array(4), dims, scale: -1e39 }), RangeError, "a.scale is -1e+39", "float32");
  throws(
    take({ data: new Int16Array(4), dims, scale: Infinity }),
    RangeError,
    "a.scale",
    "Infinity",
    "a finite number",
  );
  throws(take({ data: words, dims, scale: 1, zeroPoint: NaN }), RangeError, "a.zeroPoint", "NaN");
  throws(take({ data: words, dims, scale: 1, zeroPoint: "0" }), TypeError, "a.zeroPoint", '"0"');
});

test("a tensor that cannot be read names the operation and the argument", () => {
  const tensor = engine.tensor([1, 4]);
  tensor.dispose();
  throws(() => sync.boxIou(tensor, tensor), Error, "boxIou: a.data cannot be read", "dispose()");
  const elsewhere = {
    type: "float32",
    dims: [1, 4],
    location: "ml-tensor",
    get data() {
      throw new Error("The data is not on CPU.");
    },
  };
  throws(() => sync.boxIou(elsewhere as never, tensor), Error, "boxIou: a.data", "not on CPU");
});

test("with a signal, detect reads what was given when it was called", async () => {
  const head = heads.yolov8Decoded({ numClasses: 1, strides: [8] });
  const imageSize = [64, 64] as const;
  const fill = (data: Float32Array) => {
    for (let image = 0; image < 3; image++) {
      [30, 30, 10, 10, 0.9].forEach((v, channel) => data[(image * 5 + channel) * 64 + 5 + image] = v);
    }
  };
  const lost: Record<string, (on: Engine) => { outputs: unknown; lose(): void }> = {
    "a tensor is disposed": (on) => {
      const maps = on.tensor([3, 5, 64]);
      fill(maps.data);
      return { outputs: maps, lose: () => (maps.dispose(), on.tensor([3, 5, 64])) };
    },
    "values are overwritten": () => {
      const data = new Float32Array(3 * 5 * 64);
      fill(data);
      return { outputs: { data, dims: [3, 5, 64] }, lose: () => data.fill(0) };
    },
    "a buffer is transferred": () => {
      const data = new Float32Array(3 * 5 * 64);
      fill(data);
      return { outputs: { data, dims: [3, 5, 64] }, lose: () => structuredClone(data, { transfer: [data.buffer] }) };
    },
  };
  for (const [what, prepare] of Object.entries(lost)) {
    const on = await createEngine();
    const { outputs, lose } = prepare(on);
    const found = on.detect(outputs as never, { head, imageSize, signal: new AbortController().signal });
    lose();
    assert.equal((await found).map(({ anchors }) => [...anchors]), [[5], [6], [7]], what);
  }
  const on = await createEngine();
  const maps = { data: new Float32Array(3 * 5 * 64), dims: [3, 5, 64] };
  const found = on.detect(maps, { head, imageSize, signal: new AbortController().signal });
  on.dispose();
  await rejects(found, Error, "detect: the engine is disposed");
});

test("categories with holes are refused", () => {
  const [outputs, options] = cases.detect[1]() as never[];
  const [found] = sync.detect(outputs, options);
  assert.ok(found.classes.includes(1));
  // deno-lint-ignore no-sparse-arrays
  throws(() => found.toCoco(1, [0, , 2, 3] as number[]), RangeError, "toCoco: categoryIds[1] is undefined");
  assert.ok(found.toCoco(1, [10, 20, 30, 40]).every(({ category_id }) => category_id % 10 === 0));
});

test.run();
