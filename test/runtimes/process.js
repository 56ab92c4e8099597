/** Runs a bundle of tests in Node, Deno or Bun: `process.js suite.js`. The last line that it writes is the report. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { runtime, version } = hosts().find(({ version }) => version !== undefined);
globalThis.DENSEHEAD_RUNTIME = runtime;
globalThis.DENSEHEAD_WASM = {
  baseline: await fileOf("densehead/densehead.wasm"),
  relaxed: await fileOf("densehead/densehead-relaxed.wasm"),
};
globalThis.DENSEHEAD_GPU = globalThis.navigator?.gpu ?? (await dawn());
const { run } = await import(`./${process.argv[2]}`);
const report = await run();
console.log(`\nREPORT ${JSON.stringify({ version, ...report })}`);

/** Deno and Bun also call themselves Node. */
function hosts() {
  return [
    { runtime: "deno", version: globalThis.Deno?.version.deno },
    { runtime: "bun", version: globalThis.Bun?.version },
    { runtime: "node", version: process.versions.node },
  ];
}

/** WebGPU for runtimes that have none of their own. */
async function dawn() {
  const path = join(process.env.DENSEHEAD_ROOT, "test/runtimes/node_modules/webgpu/index.js");
  const { create } = await import(pathToFileURL(path));
  return create([]);
}

async function fileOf(specifier) {
  // A copy: Node reads small files into a buffer that others share.
  return new Uint8Array(await readFile(new URL(import.meta.resolve(specifier))));
}
