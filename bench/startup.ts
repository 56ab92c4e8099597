/** What a start costs: bytes that are shipped, and the time to a first result in a fresh process of each runtime. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Bench, Family } from "./bench.ts";
import { runtimeName } from "./machine.ts";
import { attempt } from "./peers/load.ts";
import { significant, spread } from "./statistics.ts";

/** At least five; a start of a runtime is noisy. */
const STARTS = 15;
const QUICK_STARTS = 5;

/** A result from a head of one object: the least that a start must do. */
const DETECT = `
const logits = new Float32Array(144 * 8400).fill(-6);
logits[(64 + 7) * 8400 + 100] = 3;
export const found = (engine, heads) => engine.sync.detect(logits, { head: heads.yolov8(), imageSize: [640, 640] })[0].length;
`;
const WANTED = 1;

export const startup: Family = {
  name: "startup",
  async run(bench) {
    if (!runtimeName().startsWith("Node ")) {
      return bench.report.absent("startup", "it starts every runtime itself; run it in Node");
    }
    const root = process.env.DENSEHEAD_ROOT;
    if (root === undefined) throw new Error("startup is run by tools/bench.js");
    await measureBytes(bench, root);
    await measureStarts(bench, root);
  },
};

/** What a user of each entry ships: one file of it and their code, minified, and the files that it loads. */
async function measureBytes({ report }: Bench, root: string): Promise<void> {
  report.heading("startup: bytes shipped (raw, gzip, brotli)");
  const dist = (file: string) => readFileSync(join(root, "dist", file));
  const shipped = {
    "densehead, bundled and minified": [await bundled(root, "index.js")],
    "densehead in a Worker, with one build": [await bundled(root, "workerd.js"), dist("densehead-relaxed.wasm")],
    "densehead/slim, with one build": [await bundled(root, "slim.js"), dist("densehead-relaxed.wasm")],
    "WebGPU, loaded when asked for": filesOf(root, /^webgpu-/).map(dist),
  };
  for (const [name, files] of Object.entries(shipped)) report.figure(name, sizes(files));
}

/** Files of dist/ by the beginning of their names, which end in a hash. */
function filesOf(root: string, name: RegExp): string[] {
  return readdirSync(join(root, "dist")).filter((file) => name.test(file));
}

async function bundled(root: string, entry: string): Promise<Uint8Array> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    stdin: {
      contents: `export { createEngine, heads } from ${JSON.stringify(join(root, "dist", entry))};`,
      resolveDir: root,
    },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    external: ["*.wasm", "*/webgpu-*.js"],
    logLevel: "warning",
  });
  return outputFiles[0].contents;
}

function sizes(files: readonly Uint8Array[]): string {
  const total = (size: (file: Uint8Array) => number) => {
    return `${(files.reduce((sum, file) => sum + size(file), 0) / 1000).toFixed(1)} kB`.padStart(8);
  };
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  return [
    total((file) => file.length),
    total((file) => gzipSync(file, { level: 9 }).length),
    total((file) => brotliCompressSync(file, quality).length),
  ].join("  ");
}

/** Milliseconds from nothing to the result, and to the end of a script that does nothing. */
interface Start {
  readonly name: string;
  first(): Promise<number>;
  empty(): Promise<number>;
}

async function measureStarts(bench: Bench, root: string): Promise<void> {
  bench.report.heading("startup: a fresh process to the detections of a 144 × 8400 head, beside an empty script");
  const folder = mkdtempSync(join(tmpdir(), "densehead-bench-"));
  try {
    for (const start of processStarts(root, folder)) await measureStart(bench, start);
    const workerd = await attempt("workerd", () => workerdStart(root));
    if ("absent" in workerd) bench.report.absent(workerd.name, workerd.absent);
    else await measureStart(bench, workerd);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measureStart({ report, quick }: Bench, { name, first, empty }: Start): Promise<void> {
  const [firsts, empties]: number[][] = [[], []];
  for (let i = 0; i < (quick ? QUICK_STARTS : STARTS); i++) {
    firsts.push(await first());
    empties.push(await empty());
  }
  const [ours, theirs] = [firsts, empties].map((times) => spread(times).median);
  report.figure(name, `${significant(ours)} ms, empty script ${significant(theirs)} ms`);
}

function processStarts(root: string, folder: string): Start[] {
  const index = pathToFileURL(join(root, "dist/index.js")).href;
  const [script, nothing] = ["first.mjs", "empty.mjs"].map((file) => join(folder, file));
  writeFileSync(
    script,
    `import { createEngine, heads } from ${
      JSON.stringify(index)
    };${DETECT}console.log(found(await createEngine(), heads));`,
  );
  writeFileSync(nothing, `console.log(${WANTED});`);
  return commands().map(([name, ...command]) => ({
    name,
    first: () => timeOf([...command, script]),
    empty: () => timeOf([...command, nothing]),
  }));
}

/** Runtimes that tools/bench.js has found, by name. */
function commands(): string[][] {
  const { node, deno, bun, node24 } = JSON.parse(process.env.DENSEHEAD_RUNTIMES ?? "{}");
  return [
    ["Node", node],
    ["Node 24", node24],
    ["Deno", deno, "run", "--no-prompt", "--no-config", "--allow-read"],
    ["Bun", bun, "--no-install"],
  ].filter(([, path]) => path !== undefined);
}

async function timeOf([path, ...args]: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(path, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (text) => output += text);
  await once(child, "close");
  const time = performance.now() - start;
  if (Number(output) !== WANTED) throw new Error(`${path}: ${output.trim()} detections instead of ${WANTED}`);
  return time;
}

/** Of a Worker in miniflare: from its start to the answer of the first request. */
async function workerdStart(root: string): Promise<Start> {
  const resolve = createRequire(join(root, "test/runtimes/package.json")).resolve;
  const { Miniflare } = await import(pathToFileURL(resolve("miniflare")).href);
  const contents = (file: string) => readFileSync(join(root, "dist", file));
  const respond = (answer: string) => `export default { fetch: async () => Response.json(${answer}) };`;
  const head = 'import { createEngine, heads } from "./workerd.js";';
  const ours = [
    {
      type: "ESModule",
      path: "worker.js",
      contents: `${head}${DETECT}${respond("found(await createEngine(), heads)")}`,
    },
    ...filesOf(root, /^workerd\.js$|^chunk-/).map((path) => ({
      type: "ESModule",
      path,
      contents: contents(path).toString(),
    })),
    ...["densehead.wasm", "densehead-relaxed.wasm"].map((path) => ({
      type: "CompiledWasm",
      path,
      contents: contents(path),
    })),
  ];
  const nothing = [{ type: "ESModule", path: "worker.js", contents: respond(`${WANTED}`) }];
  const time = async (modules: object[]) => {
    const start = performance.now();
    // Without cf: false it would be fetched from the network.
    const worker = new Miniflare({ modules, compatibilityDate: "2026-01-01", cf: false });
    try {
      const found = await (await worker.dispatchFetch("http://localhost/")).json();
      if (found !== WANTED) throw new Error(`workerd: ${found} detections instead of ${WANTED}`);
      return performance.now() - start;
    } finally {
      await worker.dispose();
    }
  };
  return { name: "workerd, by miniflare", first: () => time(ours), empty: () => time(nothing) };
}
