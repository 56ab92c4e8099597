/** How arguments are taken where a call runs on WebGPU: any class of array, any buffer, and what happens while it is pending. */
import { createEngine, type Engine, type GpuTensor } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import {
  arraysOf,
  at,
  calls,
  constructorOf,
  deaf,
  inMemory,
  named,
  type Path,
  plain,
  replace,
  resizable,
  resizableCopy,
  type TypedArray,
} from "../argument_cases.ts";
import { rejects } from "../compare.ts";
import { ofKind } from "../conformance.ts";
import { newDevice, noDevice } from "./gpu.ts";
import { skip } from "./skip.ts";

const tests = suite("arguments on WebGPU");
const device = noDevice === null ? await newDevice() : null;
/** One for all tests: a software adapter takes longer to compile the shaders of all operations than to run them. */
const shared = device && await createEngine({ device: "webgpu", gpuDevice: device });

/** A test with the engine and its device, or a skipped one. */
function test(name: string, body: (engine: Engine, device: GPUDevice) => Promise<void>): void {
  tests(name, async () => device === null ? skip(noDevice as string) : await body(shared as Engine, device));
}

type Call = (...args: unknown[]) => Promise<unknown>;

const run = (on: Engine, op: string, args: unknown[]) => (on as unknown as Record<string, Call>)[op](...args);
/** Calls that WebGPU takes data on the host of. */
const here = calls.filter(({ op }) => "check" in operations[op] && !operations[op].staysOnHost?.always);

/** The first operation of every kind, and every routine: the others of a kind are read by the same code. */
const kindsOnly = here.filter(({ op }) => {
  const { kind, name } = operations[op];
  return kind === "routine" || name === ofKind(kind).find(({ check }) => check !== undefined)?.name;
});

/** Every array of the calls, with the right result. */
async function forEachArray(
  on: Engine,
  some: typeof here,
  body: (
    call: { op: string; given: unknown[]; path: Path; array: TypedArray; wanted: unknown; what: string },
  ) => Promise<void>,
): Promise<void> {
  for (const { op, what, args } of some) {
    const wanted = plain(await run(on, op, args()));
    for (const path of arraysOf(args())) {
      const given = args();
      await body({ op, given, path, array: at(given, path) as TypedArray, wanted, what: `${what}: ${named(path)}` });
    }
  }
}

function overShared(array: TypedArray): TypedArray {
  const copy = new (constructorOf(array))(new SharedArrayBuffer(array.byteLength));
  copy.set(array as never);
  return copy;
}

const kinds: Record<string, ((array: TypedArray) => TypedArray) | string> = {
  "subclasses whose constructors ignore their arguments": deaf,
  "arrays over shared buffers": typeof SharedArrayBuffer === "function" ? overShared : "no SharedArrayBuffer",
  "arrays over resizable buffers": resizable ? (array) => resizableCopy(array).copy : "no resizable ArrayBuffer",
};

for (const [name, make] of Object.entries(kinds)) {
  test(`${name} are read and written as what they are`, async (engine) => {
    if (typeof make === "string") return skip(make);
    await forEachArray(engine, here, async ({ op, given, path, array, wanted, what }) => {
      replace(given, path, make(array));
      assert.equal(plain(await run(engine, op, given)), wanted, what);
    });
  });
}

/** Bytes from which on an engine whose memory grows with each call is made anew. */
const LARGE = 16 * 1024 * 1024;

test("arrays in linear memory keep what was given while it grows under a pending call", async (engine, device) => {
  const fresh = () => createEngine({ device: "webgpu", gpuDevice: device });
  let own = await fresh();
  await forEachArray(engine, kindsOnly, async ({ op, given, path, array, wanted, what }) => {
    if (own.memory.reserved > LARGE) {
      own.dispose();
      own = await fresh();
    }
    const { array: view, tensor } = inMemory(own, array);
    replace(given, path, view);
    const pending = run(own, op, given);
    const { reserved } = own.memory;
    own.tensor([reserved / 4]);
    assert.ok(own.memory.reserved > reserved);
    if (!path.includes("out")) tensor.data.fill(0.25);
    assert.equal(plain(await pending), wanted, what);
    if (path.includes("out")) {
      assert.equal(plain(tensor.data), (wanted as Record<string, unknown>)[path.at(-1) as string], `${what} in memory`);
    }
  });
  own.dispose();
});

test("a tensor that is disposed under a pending call: what was given, or an error; no other tensor is touched", async (engine) => {
  let refused = 0;
  await forEachArray(engine, kindsOnly, async ({ op, given, path, array, wanted, what }) => {
    const { array: view, tensor } = inMemory(engine, array);
    replace(given, path, view);
    const pending = run(engine, op, given);
    tensor.dispose();
    using other = engine.tensor([...tensor.dims]);
    other.data.fill(7);
    if (path.includes("out")) {
      await rejects(pending, TypeError, `${op}: options.out.${path.at(-1)}`, "disposed meanwhile");
      refused++;
    } else {
      assert.equal(plain(await pending), wanted, what);
    }
    assert.ok(other.data.every((value) => value === 7), what);
  });
  assert.ok(refused > 5, `${refused} refused`);
});

test("a buffer that is transferred under a pending call: what was given, or an error that names the operation", async (engine) => {
  await forEachArray(engine, kindsOnly, async ({ op, given, array, wanted, what }) => {
    const pending = run(engine, op, given);
    structuredClone(array, { transfer: [array.buffer as ArrayBuffer] });
    await pending.then(
      (result) => assert.equal(plain(result), wanted, what),
      (error: Error) => assert.match(error.message, new RegExp(`^${op}: `), what),
    );
  });
});

test("what is no GPUBuffer is refused by every operation", async (engine) => {
  const fake = { gpuBuffer: { size: 1e6, usage: 0x80 }, dims: [8, 4] } as unknown as GpuTensor;
  for (const { op, args } of here) {
    const given = args();
    if (typeof given[0] !== "object" || given[0] === null || !("dims" in given[0])) continue;
    given[0] = { ...fake, dims: given[0].dims };
    await rejects(run(engine, op, given), TypeError, `${op}: `, "gpuBuffer is an object (Object); wanted a GPUBuffer");
  }
});

tests.run();
