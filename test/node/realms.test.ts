/** Arrays and lists of another realm, as Jest, iframes and `vm` have them, for every operation; and tensors of onnxruntime. */
// needs: test/runtimes
import { createRequire } from "node:module";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { createEngine, heads } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { arraysOf, at, calls, named, pathsOf, plain, replace, type TypedArray } from "../argument_cases.ts";
import { rejects, throws } from "../compare.ts";

const test = suite("realms");
const engine = await createEngine();
type Call = (...args: unknown[]) => unknown;
const run = (op: string, args: unknown[]) => (engine.sync as unknown as Record<string, Call>)[op](...args);

const foreign = runInNewContext(
  "({ copy: (name, values) => new globalThis[name](values), list: (values) => Array.from(values) })",
) as { copy(name: string, values: number[]): TypedArray; list(values: unknown[]): unknown[] };

test("typed arrays of another realm", () => {
  for (const { op, what, args } of calls) {
    const wanted = plain(run(op, args()));
    for (const path of arraysOf(args())) {
      const given = args();
      const array = at(given, path) as TypedArray;
      const other = foreign.copy(array.constructor.name, Array.from(array));
      assert.not.ok(other instanceof array.constructor);
      replace(given, path, other);
      assert.equal(plain(run(op, given)), wanted, `${what}: ${named(path)}`);
    }
  }
});

test("shapes, sizes and lists of another realm", () => {
  for (const { op, what, args } of calls) {
    const wanted = plain(run(op, args()));
    for (const path of pathsOf(args(), Array.isArray)) {
      const given = args();
      replace(given, path, foreign.list(at(given, path) as unknown[]));
      assert.equal(plain(run(op, given)), wanted, `${what}: ${named(path)}`);
    }
  }
});

interface Onnx {
  Tensor: {
    new (type: string, data: unknown, dims: number[]): { readonly dims: readonly number[]; dispose(): void };
    fromGpuBuffer(buffer: object, options: object): object;
  };
}
const root = process.env.DENSEHEAD_ROOT ?? ".";
const { Tensor } = createRequire(join(root, "test/runtimes/package.json"))("onnxruntime-common") as Onnx;

test("a tensor of onnxruntime wherever a tensor is taken", () => {
  for (const { op, what, args } of calls) {
    const wanted = plain(run(op, args()));
    const isTensor = (value: unknown) => typeof value === "object" && value !== null && "dims" in value;
    for (const path of pathsOf(args(), isTensor)) {
      const given = args();
      const { data, dims } = at(given, path) as { data: Float32Array; dims: number[] };
      replace(given, path, new Tensor("float32", data, dims));
      assert.equal(plain(run(op, given)), wanted, `${what}: ${named(path)}`);
    }
  }
});

test("tensors of onnxruntime that are quantised, on a GPU, or disposed: an error that says what to do", async () => {
  const { sync } = engine;
  const boxes = Float32Array.of(0, 0, 1, 1);
  const words = new Tensor("uint16", new Uint16Array(4), [1, 4]);
  throws(() => sync.boxIou(words as never, boxes), TypeError, "boxIou: a.scale", "uint16", `type "float16"`);
  const gpuBuffer = { size: 16, usage: 0x80, mapAsync() {} };
  const there = Tensor.fromGpuBuffer(gpuBuffer, { dataType: "float32", dims: [1, 4] });
  throws(() => sync.boxIou(there as never, boxes), TypeError, "boxIou: a is a GpuTensor", "host data");
  const gone = new Tensor("float32", boxes, [1, 4]);
  gone.dispose();
  throws(() => sync.boxIou(gone as never, boxes), Error, "boxIou: a.data cannot be read", "disposed");
  const options = { head: heads.yolov8Decoded(), imageSize: [32, 32] };
  await rejects(engine.detect({ output0: gone } as never, options), Error, "detect: outputs.output0");
});

test.run();
