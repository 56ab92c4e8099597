/** Makes a checkout ready to run: dependencies installed and dist/ built, each only where it is missing or out of date. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What a tool ends with where its message says all: no stack is printed. */
export class Failure extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode || 1;
  }
}

/** Runs a tool's `main`; a `Failure` prints its message alone, and the bundler has printed its errors when it throws. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    const isBundler = error.message?.startsWith("Build failed with");
    if (!isBundler && !(error instanceof Failure)) throw error;
    if (!isBundler) console.error(error.message);
    process.exitCode = error.exitCode ?? 1;
  }
}

/** What dist/ is made from. */
const SOURCES = [
  "src",
  "assembly",
  "tools/build.js",
  "tools/kernels.js",
  "tools/worker_text.js",
  "asconfig.json",
  "tsconfig.json",
  "tsconfig.cli.json",
  "package.json",
];

/** Installs the dependencies and builds dist/. */
export function ensureReady() {
  ensureInstalled(root);
  ensureBuilt();
}

/** `npm ci` in a folder whose node_modules is missing or older than its lockfile. */
export function ensureInstalled(path) {
  const folder = resolve(root, path);
  const installed = modified(join(folder, "node_modules/.package-lock.json"));
  if (installed >= modified(join(folder, "package-lock.json"))) return;
  console.log(`installing ${folder.slice(root.length + 1) || "dependencies"} …`);
  // The second try is for registries that drop a connection.
  if (npm(folder, ["ci", "--no-audit", "--no-fund"]).status === 0) return;
  const { status, output } = npm(folder, ["ci", "--no-audit", "--no-fund"]);
  if (status !== 0) throw new Failure(`npm ci failed in ${folder}\n${output}`);
}

function ensureBuilt() {
  const dist = join(root, "dist");
  if (modified(join(dist, "index.js")) >= Math.max(...SOURCES.map((path) => newest(join(root, path))))) return;
  console.log("building dist …");
  const { status, output } = collect(process.execPath, [join(root, "tools/build.js")], { cwd: root });
  if (status !== 0) throw new Failure(output.trimEnd(), status);
}

/** Runs npm; the one that runs this script if there is one. */
export function npm(cwd, args) {
  const script = process.env.npm_execpath;
  if (script?.endsWith("npm-cli.js")) return collect(process.execPath, [script, ...args], { cwd });
  return collect("npm", args, { cwd, shell: process.platform === "win32" });
}

/** Runs a script of a dependency with the running Node: its status, and what it wrote to both streams. */
export function runScript(script, ...args) {
  const child = spawn(process.execPath, [join(root, "node_modules", script), ...args], { cwd: root });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output += text);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status: status ?? 1, output }));
  });
}

/** Runs a command to its end; output is what it wrote to both streams. */
function collect(command, args, options) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", ...options });
  return { status: error ? 1 : status, output: error ? error.message : stdout + stderr };
}

/** Milliseconds; 0 for what is not there. */
function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The newest file at a path. */
function newest(path) {
  if (!existsSync(path) || !statSync(path).isDirectory()) return modified(path);
  return Math.max(modified(path), ...readdirSync(path).map((name) => newest(join(path, name))));
}
