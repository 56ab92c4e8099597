/**
 * Runs a bundle of tests in Node, Deno or Bun: `process.js suite.js [folder of the kernels] [--thin]`; without the folder
 * they are the installed package's; test/suite/walk.ts tells what is thin. The last line that it writes is the report.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = process.env.DENSEHEAD_ROOT;
const args = process.argv.slice(2);
const [bundle, kernels] = args.filter((arg) => arg !== "--thin");
const { runtime, version } = hosts().find(({ version }) => version !== undefined);
globalThis.DENSEHEAD_RUNTIME = runtime;
globalThis.DENSEHEAD_THIN = args.includes("--thin");
globalThis.DENSEHEAD_WASM = {
  baseline: await kernelsOf("densehead.wasm"),
  relaxed: await kernelsOf("densehead-relaxed.wasm"),
};
globalThis.DENSEHEAD_GPU = globalThis.navigator?.gpu ?? (await dawn());
const { run } = await import(`./${bundle}`);
const report = await run();
console.log(`\nREPORT ${JSON.stringify({ version, ...report })}`);
if (runtime === "node") endWithin(20);

/** What a failed test left open keeps nobody waiting. */
function endWithin(seconds) {
  setTimeout(() => {
    console.log(`still open: ${process.getActiveResourcesInfo().join(", ")}`);
    process.exit(1);
  }, 1000 * seconds).unref();
}

/** Deno and Bun also call themselves Node. */
function hosts() {
  return [
    { runtime: "deno", version: globalThis.Deno?.version.deno },
    { runtime: "bun", version: globalThis.Bun?.version },
    { runtime: "node", version: process.versions.node },
  ];
}

/** WebGPU for runtimes that have none of their own; test/suite/gpu.ts has it installed, and tools/gpu.js packs it. */
async function dawn() {
  const folders = ["test/runtimes/node_modules", "node_modules"];
  const path = folders.map((folder) => join(root, folder, "webgpu/index.js")).find(existsSync);
  if (path === undefined) return undefined;
  const { create } = await import(pathToFileURL(path));
  restBetweenPolls();
  return create([]);
}

/**
 * npm's webgpu polls from setImmediate without a rest, three million times in the tests of losses, on a core that the
 * software adapter needs: with a rest they take 23 s of CPU time instead of 37.
 */
function restBetweenPolls() {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const { setImmediate } = globalThis;
  globalThis.setImmediate = (callback, ...args) =>
    setImmediate(() => {
      Atomics.wait(cell, 0, 0, 0.2);
      callback(...args);
    });
}

async function kernelsOf(file) {
  const installed = () => new URL(import.meta.resolve(`densehead/${file}`));
  // A copy: Node reads small files into a buffer that others share.
  return new Uint8Array(await readFile(kernels === undefined ? installed() : join(root, kernels, file)));
}
