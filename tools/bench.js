/**
 * Measures densehead against its peers.
 *
 *   npm run bench -- [--quick] [--runtime node|node24|deno|bun] [family …]
 *   npm run bench -- --write [--quick]   all families, into bench/RESULTS.md, its drawing and the README
 *   npm run bench -- --check             again against plain JavaScript; fails where a ratio of RESULTS.md is far off
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { runtimes, softwareAdapter } from "../test/runtimes/runtimes.js";
import { ensureInstalled, ensureReady, root } from "./ready.js";

const bench = join(root, "bench");
/** Beside bench/node_modules, so that the peers resolve from there; Deno imports nothing of ours from inside it. */
const built = join(bench, "build");
const results = join(bench, "results.json");

/** The package as it is built, not as a part of the bundle. */
const builtPackage = {
  name: "built-package",
  setup({ onResolve }) {
    const path = pathToFileURL(join(root, "dist/index.js")).href;
    onResolve({ filter: /^densehead$/ }, () => ({ path, external: true }));
  },
};

const { values: options, positionals: families } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    runtime: { type: "string", default: "node" },
    write: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
  },
});
if (options.write && families.length > 0) throw new Error("--write measures all families; name none");

ensureReady();
// The check needs no peers.
if (!options.check) installPeers();
const programs = installedRuntimes();
const adapter = options.check || hasAdapter() ? {} : softwareAdapter();
const main = await bundled("main.ts");
if (options.write) await write();
else if (options.check) process.exitCode = measure(options.runtime, "--check", results);
else process.exitCode = measure(options.runtime, ...quick(), ...families);

/** A bench without its peers still measures us. */
function installPeers() {
  // The binary for the CPU is in the package; its script would fetch others.
  process.env.ONNXRUNTIME_NODE_INSTALL ??= "skip";
  for (const folder of [bench, join(root, "test/runtimes"), join(root, "test/runtimes/node24")]) {
    try {
      ensureInstalled(folder);
    } catch (error) {
      console.log(`what cannot be installed is skipped: ${error.message}`);
    }
  }
}

/** Programs by name; this Node is always there. */
function installedRuntimes() {
  const found = runtimes().map(({ name, command }) => [name.replace(" ", ""), command?.[0]]);
  const { node24, deno, bun } = Object.fromEntries(found);
  return { node: process.execPath, node24, deno, bun };
}

/** Is there a WebGPU adapter without Chromium's software one? */
function hasAdapter() {
  const script =
    'import("webgpu").then(({ create }) => create([]).requestAdapter()).then((found) => process.exit(found ? 0 : 1))';
  return spawnSync(process.execPath, ["-e", script], { cwd: bench }).status === 0;
}

async function bundled(entry) {
  mkdirSync(built, { recursive: true });
  // Not before: the bundler itself may just have been installed.
  const { build } = await import("esbuild");
  const outfile = join(built, entry.replace(".ts", ".mjs"));
  await build({
    entryPoints: [join(bench, entry)],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    packages: "external",
    plugins: [builtPackage],
    loader: { ".py": "text", ".c": "text" },
    logLevel: "warning",
  });
  return outfile;
}

/** Every family; in other runtimes those whose ratios depend on the runtime. onnxruntime-web on WebGPU needs Node 24. */
async function write() {
  const compared = ["detect", "heads", "nms", "decode", "losses", "criteria"];
  const once = ["startup", "memory", "growth", "accuracy"];
  const newer = programs.node24 && !process.versions.node.startsWith("24.");
  const plans = {
    node: newer ? [...compared, ...once] : [...compared, "gpu", ...once],
    ...(newer && { node24: [...compared, "gpu"] }),
    deno: ["detect", "decode"],
    bun: ["detect", "decode"],
  };
  const runs = [];
  for (const [runtime, names] of Object.entries(plans)) {
    if (!programs[runtime]) {
      console.log(`\n${runtime}: skipped, it is not installed`);
      continue;
    }
    const file = join(built, `run-${runtime}.json`);
    rmSync(file, { force: true });
    // A result that differs is told in RESULTS.md too.
    const status = measure(runtime, ...quick(), "--save", file, ...names);
    process.exitCode ||= status;
    runs.push(JSON.parse(readFileSync(file, "utf8")));
  }
  const { writeResults } = await import(pathToFileURL(await bundled("write.ts")).href);
  writeResults(root, runs, options.quick);
}

function quick() {
  return options.quick ? ["--quick"] : [];
}

/** Runs main.ts in a runtime; the exit status. */
function measure(runtime, ...args) {
  const program = programs[runtime];
  if (!program) throw new Error(`no ${runtime} here; there are ${Object.keys(programs).join(", ")}`);
  const flags = { deno: ["run", "--allow-all", "--v8-flags=--expose-gc"], bun: ["--no-install", "--expose-gc"] };
  const { status, error } = spawnSync(program, [
    ...(flags[runtime] ?? [...process.execArgv, "--expose-gc"]),
    main,
    ...args,
  ], {
    stdio: "inherit",
    env: {
      ...process.env,
      ...adapter,
      DENSEHEAD_ROOT: root,
      DENSEHEAD_RUNTIMES: JSON.stringify(programs),
    },
  });
  if (error) throw error;
  return status ?? 1;
}
