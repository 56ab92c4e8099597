/**
 * What a shader reads of its `params` is there. Without a device nobody compiles WGSL, and a wrong name would wait for one.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CheckedLoss } from "../../src/ops/checked_loss.ts";
import type { LossCall } from "../../src/ops/loss_call.ts";
import type { MaskLossCall } from "../../src/ops/mask_loss_call.ts";
import type { RowCall } from "../../src/ops/row_call.ts";
import { type Operation, operations } from "../../src/registry.ts";
import { filterShader, sidesShader } from "../../src/webgpu/detect_shaders.ts";
import type { Gpu } from "../../src/webgpu/gpu.ts";
import { runPreprocess } from "../../src/webgpu/preprocess.ts";
import { prepareLoss } from "../../src/webgpu/loss.ts";
import { runMaskLoss } from "../../src/webgpu/mask_loss.ts";
import { rowShader } from "../../src/webgpu/row_family.ts";
import { shaders } from "../../src/webgpu/shaders.ts";
import { cases } from "../argument_cases.ts";

const test = suite("shaders");

/** Names that a shader reads of `params` and that its struct lacks. */
function unknownIn(code: string): string[] {
  const fields = /struct Params \{([^}]*)\}/.exec(code.replaceAll(/\/\/.*$/gm, ""))?.[1] ?? "";
  const known = new Set([...fields.matchAll(/(\w+)\s*:/g)].map(([, name]) => name));
  const read = [...code.matchAll(/\bparams\.(\w+)/g)].map(([, name]) => name);
  return [...new Set(read)].filter((name) => !known.has(name));
}

/** The calls of an operation in the tests, checked. */
function callsOf<C>({ name, check }: Operation): C[] {
  assert.ok(cases[name], `test/argument_cases.ts has no call of ${name}`);
  return cases[name].map((args) => (check as (...args: unknown[]) => C)(...args()));
}

const ofKind = (...kinds: string[]) => Object.values(operations).filter(({ kind }) => kinds.includes(kind));
const losses = ofKind("element loss", "row loss", "box loss");

/** The shaders of a call. */
async function lossShaders(call: CheckedLoss, software: boolean): Promise<string[]> {
  const codes: string[] = [];
  const pipelines = { get: (_: string, code: string) => Promise.resolve(codes.push(code)) };
  await prepareLoss({ pipelines, subgroups: !software, software } as unknown as Gpu, call);
  return codes;
}

/** The same call with and without a gradient, as values and as a sum, of a length that leaves a rest. */
function variants(call: CheckedLoss): CheckedLoss[] {
  const { settings } = call;
  return [true, false].flatMap((grad) => [
    { ...call, settings: { ...settings, grad } },
    { ...call, rows: 1, columns: call.columns + 1, settings: { ...settings, grad, reduction: "sum" } },
  ]);
}

test("an unknown name is found, behind comments and in a struct of several lines", () => {
  const code =
    `struct Params {\n  a: f32, // of b: c\n  @align(16) d: Layout }\nfn f() { return params.a + params.b + params.d.e; }`;
  assert.equal(unknownIn(code), ["b"]);
  assert.equal(unknownIn("params.a"), ["a"]);
});

test("losses read the family's parameters and the record's fields", async () => {
  assert.ok(losses.length > 0);
  for (const loss of losses) {
    for (const { checked } of callsOf<LossCall>(loss)) {
      for (const call of variants(checked)) {
        for (const software of [true, false]) {
          for (const code of await lossShaders(call, software)) assert.equal(unknownIn(code), [], loss.name);
        }
      }
    }
  }
});

test("a loss's call has a value for each field of the record, and no other", () => {
  for (const loss of losses) {
    const { fields } = loss as unknown as { fields: object };
    for (const { checked } of callsOf<LossCall>(loss)) {
      assert.equal(Object.keys(checked.parameters).sort(), Object.keys(fields).sort(), loss.name);
    }
  }
});

test("row operations read the counts and parameters of the call, and the starts of its inputs", () => {
  const found = ofKind("row operation");
  assert.ok(found.length > 0);
  for (const operation of found) {
    for (const { checked } of callsOf<RowCall>(operation)) {
      assert.equal(unknownIn(rowShader(shaders[operation.name], checked)), [], operation.name);
    }
  }
});

test("the shaders of detect read what they declare", () => {
  for (const on of [true, false]) {
    const objectness = on ? "float16" : null;
    const filter = filterShader({ classes: "float32", objectness, logits: on, range: [0, 1], multiLabel: on });
    assert.equal(unknownIn(filter), []);
    for (const uncertainty of [true, false]) {
      assert.equal(unknownIn(sidesShader({ boxes: "float32", distribution: on, uncertainty })), []);
    }
  }
});

test("the shaders of maskLoss read their own parameters", async () => {
  const codes: string[] = [];
  const pipelines = { get: (_: string, code: string) => Promise.reject(codes.push(code)) };
  const limits = { maxStorageBufferBindingSize: 2 ** 27 };
  for (const { checked } of callsOf<MaskLossCall>(operations.maskLoss)) {
    await runMaskLoss({ pipelines, device: { limits } } as unknown as Gpu, checked).catch(() => {});
  }
  assert.is(codes.length, 5);
  for (const code of codes) assert.equal(unknownIn(code), []);
});

test("the shader of preprocess reads its own parameters", async () => {
  const codes: string[] = [];
  const pipelines = { get: (_: string, code: string) => Promise.reject(codes.push(code)) };
  const limits = { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };
  const gpu = { pipelines, device: { limits } } as unknown as Gpu;
  const texture = { ...{ format: "rgba8unorm", dimension: "2d", depthOrArrayLayers: 1, sampleCount: 1, usage: 4 } };
  const image = { ...texture, width: 30, height: 20, createView: () => null } as unknown as GPUTexture;
  for (const resize of ["bilinear", "area", "bicubic"] as const) {
    for (const dtype of ["float32", "uint8"] as const) {
      const input = { name: "own", size: [7, 9], fit: "letterbox", resize, dtype } as const;
      const { checked } = operations.preprocess.check(image, input);
      await runPreprocess(gpu, checked).catch(() => {});
    }
  }
  assert.is(codes.length, 6);
  for (const code of codes) assert.equal(unknownIn(code), []);
});

test.run();
