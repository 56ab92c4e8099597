/**
 * What holds the parts together: the registry and its parts in every layer, one version everywhere.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { plans } from "../../src/webgpu/plans.ts";
import { shaders } from "../../src/webgpu/shaders.ts";
import { fixtureOf, ofKind, referenceOf, shaderOf } from "../conformance.ts";

const test = suite("structure");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const list = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

function exportsOf(build: string): WebAssembly.ModuleExportDescriptor[] {
  return WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(join(root, "build", build))));
}

for (const [name, operation] of Object.entries(operations)) {
  test(`${name} has its name, source and kernels, and its files by its stem: reference, fixture, shader`, () => {
    assert.is(operation.name, name);
    assert.is(operation.stem.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()), name, `stem of ${name}`);
    const sources = ["ops", "criteria", "detect", "pixels"].map((folder) => `src/${folder}/${operation.stem}.ts`);
    assert.ok(sources.some((source) => existsSync(join(root, source))), `none of ${sources} is there`);
    const exported = exportsOf("densehead.wasm").map((kernel) => kernel.name);
    for (const kernel of operation.kernels) assert.ok(exported.includes(kernel), `${name}: no kernel ${kernel}`);
    referenceOf(operation);
    fixtureOf(operation);
    shaderOf(operation);
  });
}

test("every routine is called by a suite", () => {
  // The suites of the other kinds call all of them.
  const suites = list("test/suite").map((file) => read("test/suite", file)).join("\n");
  for (const { name, stem } of ofKind("routine")) {
    const calls = new RegExp(`(sync|engine)\\.${name}\\(`).test(suites);
    assert.ok(calls, `no test calls ${name}: write test/suite/${stem}.test.ts`);
  }
});

test("every kernel belongs to an operation or to loading, and neither build imports anything", () => {
  // What assembly/index.ts adds to the operations' kernels.
  const loading = ["index.ts", "convert.ts"].flatMap((file) => {
    return [...read("assembly", file).matchAll(/^export function (\w+)\(/gm)].map(([, name]) => name);
  });
  assert.ok(loading.length > 0);
  const kernels = Object.values(operations).flatMap((operation) => [...operation.kernels]);
  const used = new Set(["memory", ...loading, ...kernels]);
  for (const build of ["densehead.wasm", "densehead-relaxed.wasm"]) {
    if (!WebAssembly.validate(readFileSync(join(root, "build", build)))) continue;
    for (const { name } of exportsOf(build)) assert.ok(used.has(name), `${build}: nobody uses ${name}`);
    const module = new WebAssembly.Module(readFileSync(join(root, "build", build)));
    assert.equal(WebAssembly.Module.imports(module), []);
  }
});

test("numbers of a kernel's table are loaded from one constant place", () => {
  for (const file of list("assembly")) {
    const found = read("assembly", file).match(/_splat\([A-Z_0-9]+, \d+\)/g);
    assert.is(found, null, `${file}: ${found}: write TABLE + 4, the offset of TABLE, 4 is one more instruction`);
  }
});

test("every shader is of an operation that is checked for any device", () => {
  for (const name of Object.keys(shaders)) assert.ok("check" in operations[name], name);
});

test("every criterion has a plan for WebGPU", () => {
  const criteria = list("src/criteria").map((file) => file.replace(".ts", ""));
  const checked = Object.values(operations).filter(({ stem, check }) => check !== undefined && criteria.includes(stem));
  assert.equal(Object.keys(plans).sort(), checked.map(({ name }) => name).sort());
});

test("only wasm/memory.ts touches the memory's buffer, and only entries know a runtime", () => {
  for (const file of list("src").filter((name) => !name.startsWith("cli"))) {
    const text = read("src", file);
    if (file !== "wasm/memory.ts") assert.ok(!/memory\.buffer/.test(text), `${file} touches memory.buffer`);
    if (!file.startsWith("entry/")) {
      assert.ok(!/\b(process|Deno|Bun|navigator|document)\./.test(text), `${file} knows a runtime`);
    }
  }
});

test("package.json, deno.json and the changelog agree", () => {
  const npm = JSON.parse(read("package.json"));
  const jsr = JSON.parse(read("deno.json"));
  assert.is(jsr.version, npm.version);
  assert.equal(npm.dependencies, undefined, "the published package needs nothing at run time");
  assert.ok(read("CHANGELOG.md").includes(`## ${npm.version}`));
  for (const version of Object.values({ ...npm.devDependencies })) assert.match(version as string, /^\d+\.\d+\.\d+$/);
  const scripts = Object.keys(jsr.exports);
  assert.equal(scripts, Object.keys(npm.exports).filter((key) => typeof npm.exports[key] === "object"));
});

test.run();
