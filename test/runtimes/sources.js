/** Tests with `densehead` bundled from src/: no package is packed, and kernels are compiled only where they changed. */
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureKernels, kernelText } from "../../tools/kernels.js";
import { root } from "../../tools/ready.js";
import { workerText } from "../../tools/worker_text.js";
import { bundleTests } from "./bundle.js";

export const sources = join(root, ".test/sources");

const ENTRIES = {
  densehead: "src/entry/embedded.ts",
  "densehead/slim": "src/entry/slim.ts",
  "densehead/files": "src/files/index.ts",
  "densehead/eval": "src/eval/index.ts",
};

const entries = {
  name: "entries",
  setup({ onResolve }) {
    onResolve({ filter: /^densehead(\/(slim|files|eval))?$/ }, ({ path }) => ({ path: join(root, ENTRIES[path]) }));
  },
};

/** Bundles the files into suite.js, which needs nothing of Node, and node.js; returns the sources of both. */
export async function prepareSources(files) {
  rmSync(sources, { recursive: true, force: true });
  mkdirSync(sources, { recursive: true });
  copyFileSync(join(root, "test/runtimes/process.js"), join(sources, "process.js"));
  const kernels = await ensureKernels();
  const options = {
    external: ["esbuild"],
    plugins: [entries, kernelText, workerText],
    define: { KERNELS: JSON.stringify(kernels) },
  };
  const suite = files.filter(({ folder }) => folder === "suite");
  const others = files.filter(({ folder }) => folder !== "suite");
  return [
    ...await bundleTests(join(sources, "suite.js"), suite, "neutral", options),
    ...await bundleTests(join(sources, "node.js"), others, "node", options),
  ];
}
