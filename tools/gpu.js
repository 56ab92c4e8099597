/**
 * What WebGPU does on this machine's adapter: conformance, then bandwidth, in one table. It needs no network.
 *
 *   npm run gpu                    packs and runs here
 *   npm run gpu -- --pack FOLDER   packs for a machine without network and npm: there, `node FOLDER/run.mjs`
 *   npm run gpu -- --write         puts the table into bench/GPU.md and bench/gpu.json too
 *
 * Options of run.mjs go on to it (tools/gpu_run.js): --quick, --software, --out FOLDER.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundleTests } from "../test/runtimes/bundle.js";
import { testFiles } from "../test/runtimes/files.js";
import { softwareFolder } from "../test/runtimes/runtimes.js";
import { ensureInstalled, ensureReady, Failure, npm, root, runMain } from "./ready.js";

const USAGE = `\
npm run gpu                    conformance and bandwidth on this machine's GPU: a table
  --pack FOLDER                packs only: copy FOLDER to a machine of the same platform that has Node, and there
                               node FOLDER/run.mjs (no network, no npm, no repository)
  --write                      puts the table into bench/GPU.md and bench/gpu.json too
  --out FOLDER                 where gpu.md, gpu.json and the logs go
  --quick                      a look at whether all runs: one suite, short measurements
  --software                   Chromium's software adapter, where the machine has one; figures are judged by nothing`;
/** The suites of WebGPU are those that ask test/suite/gpu.ts for a device. */
const ASKS_FOR_DEVICE = /from "\.\/gpu\.ts"/;
const WEBGPU = join(root, "test/runtimes/node_modules/webgpu");
const here = join(root, "build/gpu");

await runMain(async () => {
  const options = readArguments();
  const folder = resolve(options.pack ?? here);
  ensureReady();
  ensureInstalled("test/runtimes");
  await pack(folder, options.pack === undefined);
  if (options.pack !== undefined) return console.log(`packed into ${folder}; there: node run.mjs`);
  const out = resolve(options.out ?? join(here, "out"));
  const flags = ["quick", "software"].filter((name) => options[name]).map((name) => `--${name}`);
  const { status } = spawnSync(process.execPath, [join(folder, "run.mjs"), "--out", out, ...flags], {
    stdio: "inherit",
  });
  if (options.write && existsSync(join(out, "gpu.json"))) {
    copyFileSync(join(out, "gpu.md"), join(root, "bench/GPU.md"));
    copyFileSync(join(out, "gpu.json"), join(root, "bench/gpu.json"));
  }
  process.exitCode = status ?? 1;
});

function readArguments() {
  const flag = { type: "boolean", default: false };
  const text = { type: "string" };
  try {
    const { values } = parseArgs({
      options: { pack: text, out: text, write: flag, quick: flag, software: flag, help: flag },
    });
    if (values.help) throw new Failure(USAGE);
    return values;
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`${error.message}\n\n${USAGE}`);
  }
}

/** All that run.mjs needs. A folder that is not ours is left alone. */
async function pack(folder, replace) {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    if (!replace && !existsSync(join(folder, "run.mjs"))) {
      throw new Failure(`--pack: ${folder} is neither empty nor an earlier pack; name another folder`);
    }
    rmSync(folder, { recursive: true });
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  installPackage(folder);
  copyDawn(folder);
  copySoftwareAdapter(join(folder, "vulkan"));
  await bundleSuites(folder);
  await bundleBench(folder);
  copyFileSync(join(root, "tools/gpu_run.js"), join(folder, "run.mjs"));
}

/** The packed package; npm installs it without a network, as it depends on nothing. */
function installPackage(folder) {
  runNpm(root, "pack", "--ignore-scripts", "--pack-destination", folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  runNpm(folder, "install", "--offline", "--no-audit", "--no-fund", `./${tarball}`);
}

function runNpm(cwd, ...args) {
  const { status, output } = npm(cwd, args);
  if (status !== 0) throw new Failure(`npm ${args.join(" ")} failed\n${output}`);
}

/** WebGPU for Node, of this platform alone. */
function copyDawn(folder) {
  const target = join(folder, "node_modules/webgpu");
  const platform = `${process.platform}-${process.platform === "darwin" ? "universal" : process.arch}`;
  if (!existsSync(join(WEBGPU, "dist", platform))) throw new Failure(`npm's webgpu has nothing for ${platform}`);
  for (const part of ["index.js", "package.json", "LICENSE.md", join("dist", platform)]) {
    cpSync(join(WEBGPU, part), join(target, part), { recursive: true });
  }
}

/** Chromium's adapter and its loader, which a machine that has the driver alone lacks too. Without Chromium, nothing. */
function copySoftwareAdapter(target) {
  const folder = softwareFolder();
  if (folder === null) return;
  mkdirSync(target);
  const files = readdirSync(folder).filter((name) => /^(lib)?vk_swiftshader|^libvulkan\.so\.1$/.test(name));
  for (const name of files) copyFileSync(join(folder, name), join(target, name));
}

/** Each suite by itself: one that dies takes no other with it. */
async function bundleSuites(folder) {
  const suites = testFiles().filter(({ folder, path }) => {
    return folder === "suite" && ASKS_FOR_DEVICE.test(readFileSync(path, "utf8"));
  });
  for (const file of suites) {
    await bundleTests(join(folder, "suites", `${file.name}.js`), [file], "neutral", {
      external: ["densehead", "densehead/*"],
      sourcemap: false,
    });
  }
  copyFileSync(join(root, "test/runtimes/process.js"), join(folder, "suites/process.js"));
}

async function bundleBench(folder) {
  // Not above: the bundler itself may just have been installed.
  const { build } = await import("esbuild");
  await build({
    entryPoints: [join(root, "bench/main.ts")],
    outfile: join(folder, "bench.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    packages: "external",
    loader: { ".py": "text", ".c": "text" },
    logLevel: "warning",
  });
}
