/** Measures densehead against its peers: `npm run bench -- [--quick] [family …]`. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureInstalled, ensureReady, root } from "./ready.js";

const bench = join(root, "bench");
/** Below bench/node_modules, so that the peers resolve from there. */
const bundle = join(bench, "node_modules/.cache/bench.mjs");

/** The package as it is built, not as a part of the bundle. */
const builtPackage = {
  name: "built-package",
  setup({ onResolve }) {
    const path = pathToFileURL(join(root, "dist/index.js")).href;
    onResolve({ filter: /^densehead$/ }, () => ({ path, external: true }));
  },
};

/** A bench without its peers still measures us. */
function installPeers() {
  // The binary for the CPU is in the package; its script would fetch others.
  process.env.ONNXRUNTIME_NODE_INSTALL ??= "skip";
  try {
    ensureInstalled(bench);
  } catch (error) {
    console.log(`peers that cannot be installed are skipped: ${error.message}`);
  }
}

ensureReady();
installPeers();
mkdirSync(dirname(bundle), { recursive: true });
// Not before: the bundler itself may just have been installed.
const { build } = await import("esbuild");
await build({
  entryPoints: [join(bench, "main.ts")],
  outfile: bundle,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "es2022",
  packages: "external",
  plugins: [builtPackage],
  loader: { ".py": "text" },
  logLevel: "warning",
});
const nodeArgs = [
  ...process.execArgv,
  "--expose-gc",
  bundle,
  ...process.argv.slice(2),
];
const { status, error } = spawnSync(process.execPath, nodeArgs, {
  stdio: "inherit",
});
if (error) throw error;
process.exitCode = status ?? 1;
