/**
 * What the package is to those who install it: what an uncaught error prints, what a bundler keeps, what is inside.
 */
// needs: test/runtimes
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/registry.ts";
import { PRESETS } from "../presets.ts";

const test = suite("package");
const root = process.env.DENSEHEAD_ROOT ?? ".";
/** Tests run in the folder of a project that has installed the package. */
const folder = mkdtempSync(join(process.cwd(), "package-"));
test.after(() => rmSync(folder, { recursive: true }));

function script(name: string, code: string): string {
  const file = join(folder, name);
  writeFileSync(file, code);
  return file;
}

// ── Sizes and contents ──────────────────────────────────────────────────────────

const packed = join(dirname(createRequire(join(process.cwd(), "x.js")).resolve("densehead/package.json")), "dist");

test("both builds of the kernels are under 62 000 bytes of brotli together", () => {
  const sizes = ["densehead.wasm", "densehead-relaxed.wasm"].map((file) => {
    return brotliCompressSync(readFileSync(join(packed, file))).length;
  });
  assert.ok(sizes[0] + sizes[1] < 62_000, `${sizes.join(" + ")} bytes`);
});

test("the library has no texts of the documentation in it", () => {
  const { iouLoss, detect } = operations;
  const texts = [iouLoss.summary, iouLoss.source, iouLoss.errorBound, detect.summary, detect.tensors];
  for (const file of readdirSync(packed).filter((name) => name.endsWith(".js") && name !== "cli.js")) {
    const code = readFileSync(join(packed, file), "utf8");
    for (const text of texts) assert.not.ok(code.includes(text), `${file}: ${text}`);
  }
});

// ── Uncaught errors ─────────────────────────────────────────────────────────────

/** Ways in which a call fails at top level, and what the message has to say. */
const UNCAUGHT = {
  "a head": {
    code: `import { heads } from "densehead"; heads.yolov8({ bins: 1 });`,
    message: "RangeError: heads.yolov8: options.bins is 1",
    frame: "at checkHead (",
  },
  "a synchronous call": {
    code: `import { createEngine } from "densehead";
const { sync } = await createEngine();
sync.nms(new Float32Array(5), new Float32Array(1), { iouThreshold: 0.5 });`,
    message: "TypeError: nms: boxes is Float32Array(5)",
    frame: "at Object.nms (",
  },
  "a rejected call": {
    code: `import { createEngine } from "densehead";
const engine = await createEngine();
await engine.boxIou(new Float32Array(3), new Float32Array(4));`,
    message: "TypeError: boxIou: a is Float32Array(3)",
    frame: "at pairwise (",
  },
};

for (const [name, { code, message, frame }] of Object.entries(UNCAUGHT)) {
  test(`an uncaught error of ${name} prints its message and frames, through a pipe too`, () => {
    const file = script("uncaught.mjs", code);
    const { stdout } = spawnSync("sh", ["-c", `"$0" "$1" 2>&1 | cat`, process.execPath, file], { encoding: "utf8" });
    assert.ok(stdout.includes(message), `"${message}" is not in: ${stdout.slice(0, 2000)}`);
    assert.ok(stdout.includes(frame), `"${frame}" is not in: ${stdout.slice(0, 2000)}`);
    assert.ok(stdout.length < 2000, `${stdout.length} characters`);
  });
}

test("so it is in a bundle that esbuild makes", async () => {
  const { code, message } = UNCAUGHT["a rejected call"];
  const outfile = join(folder, "bundle.mjs");
  await build({ entryPoints: [script("entry.mjs", code)], outfile, bundle: true, format: "esm", platform: "node" });
  const { stderr } = spawnSync(process.execPath, [outfile], { encoding: "utf8" });
  assert.ok(stderr.includes(message), stderr.slice(0, 2000));
  assert.ok(stderr.length < 2000, `${stderr.length} characters`);
});

test("no file of the library imports another for its side effects: bundlers of a linked package warn of it", () => {
  for (const file of readdirSync(packed).filter((name) => name.endsWith(".js") && !name.startsWith("cli"))) {
    const text = readFileSync(join(packed, file), "utf8");
    assert.not.match(text, /(^|[;\n])import\s*"/, file);
  }
});

// ── Bundlers ────────────────────────────────────────────────────────────────────

/** What people import alone; how many bytes it may have, minified; what it prints. */
const ALONE = {
  heads: {
    code: `import { heads } from "densehead"; console.log(heads.yolov8({ numClasses: 3 }));`,
    most: 17_500,
    prints: "numClasses: 3",
  },
  files: {
    code:
      `import { outputsByRole, readNpy, readSafetensors, toFloat32, writeNpy, writeSafetensors } from "densehead/files";
const { tensors } = readSafetensors(writeSafetensors({ a: { data: Uint16Array.of(0x3c00), dims: [1] } }));
console.log(toFloat32(readNpy(writeNpy(outputsByRole(tensors)[0]))));`,
    most: 13_500,
    prints: "Float32Array(1) [ 1 ]",
  },
  eval: {
    code: `import { cocoEvaluate, CocoEvaluator, rle } from "densehead/eval";
const dataset = { images: [{ id: 1 }], categories: [{ id: 1 }], annotations: [] };
console.log(cocoEvaluate(dataset, []).stats.AP, new CocoEvaluator([]).toJSON().images, rle.area({ size: [1, 1], counts: "01" }));`,
    most: 30_000,
    prints: "-1 [] 1",
  },
};

/** Code of a bundle of heads alone, by each bundler. */
const BUNDLERS: Record<string, (entry: string) => Promise<string>> = {
  async esbuild(entry) {
    const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false });
    return outputFiles.map(({ text }) => text).join("");
  },
  async Rollup(entry) {
    const { resolve } = createRequire(join(root, "test/runtimes/package.json"));
    const load = (name: string) => import(pathToFileURL(resolve(name)).href);
    const [{ rollup }, { nodeResolve }] = [await load("rollup"), await load("@rollup/plugin-node-resolve")];
    const bundle = await rollup({ input: entry, plugins: [nodeResolve()] });
    const { output } = await bundle.generate({ format: "es" });
    return output.map((chunk: { code?: string }) => chunk.code ?? "").join("");
  },
};

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  for (const [alone, { code, most, prints }] of Object.entries(ALONE)) {
    test(`${name} keeps no kernels and no engine for those who import ${alone}`, async () => {
      const bundled = await bundle(script(`${alone}.mjs`, code));
      const { outputFiles } = await build({ stdin: { contents: bundled }, minify: true, format: "esm", write: false });
      const bytes = outputFiles[0].contents.length;
      assert.not.ok(/AGFzbQ|WebAssembly|@compute/.test(bundled));
      assert.ok(bytes < most, `${bytes} bytes`);
      const { stdout } = spawnSync(process.execPath, [script("bundled.mjs", bundled)], { encoding: "utf8" });
      assert.ok(stdout.includes(prints), stdout);
    });
  }
}

const INFERENCE = `heads.infer({ data: new Float32Array(84 * 8400), dims: [1, 84, 8400] }, {
  imageSize: [640, 640],
  numClasses: 80,
}).name`;

test("a bundle infers heads where it has an engine, and else says what it lacks", async () => {
  const run = async (name: string, code: string) => {
    const bundle = await BUNDLERS.esbuild(script(`${name}.entry.mjs`, code));
    return spawnSync(process.execPath, [script(`${name}.mjs`, bundle)], { encoding: "utf8" });
  };
  const alone = await run("alone", `import { heads } from "densehead"; console.log(${INFERENCE});`);
  assert.match(alone.stderr, /Error: heads\.infer: this bundle has no code that reads tensors; wanted createEngine/);
  const whole = `import { createEngine, heads } from "densehead"; await createEngine(); console.log(${INFERENCE});`;
  assert.is((await run("whole", whole)).stdout, "yolov8Decoded\n");
});

/** A call on two threads: it prints how many there were and whether the result is that of one. Nothing ends the engine. */
const THREADED = `
const logits = new Float32Array(2 ** 22).map((_, i) => i % 9 - 4);
const { loss } = await engine.qualityFocalLoss(logits, logits, { reduction: "sum" });
console.log(engine.capabilities.threads, loss === engine.sync.qualityFocalLoss(logits, logits, { reduction: "sum" }).loss);`;

const ENTRIES_WITH_THREADS = {
  densehead: `import { createEngine } from "densehead";
const engine = await createEngine({ device: "wasm", threads: 2 });${THREADED}`,
  "densehead/slim": `import { createEngine } from "densehead/slim";
const { readFile } = await import(["node", "fs/promises"].join(":"));
const wasm = readFile(${JSON.stringify(join(process.cwd(), "node_modules/densehead/dist/densehead.wasm"))});
const engine = await createEngine({ wasm, device: "wasm", threads: 2 });${THREADED}`,
};

for (const [entry, code] of Object.entries(ENTRIES_WITH_THREADS)) {
  test(`a bundle of ${entry} finds its threads, and ends although they wait`, async () => {
    const bundle = await BUNDLERS.esbuild(script("threaded.entry.mjs", code));
    const options = { encoding: "utf8", timeout: 60_000 } as const;
    const { stdout, stderr } = spawnSync(process.execPath, [script("threaded.mjs", bundle)], options);
    assert.is(stdout, "2 true\n", stderr);
  });
}

// ── What is inside ──────────────────────────────────────────────────────────────

const installed = join(process.cwd(), "node_modules/densehead");

test("the package says where it is from, and brings its changes and an output to try the command on", () => {
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  for (const member of ["repository", "homepage", "bugs", "author", "license", "description"]) {
    assert.ok(manifest[member], `package.json has no ${member}`);
  }
  for (const file of ["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "dist/cli.licenses.txt"]) {
    assert.ok(existsSync(join(installed, file)), `${file} is not in the package`);
  }
  const scene = join(installed, "examples/shapes/scene1.safetensors");
  const command = [join(installed, "dist/cli.js"), "detect", scene];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  assert.is(status, 0, stderr);
  assert.match(stdout, /square +0\.9/);
});

/** A bundle and all that it imports at once. */
function codeOf(entry: string, seen = new Set<string>()): string {
  if (seen.has(entry)) return "";
  seen.add(entry);
  const code = readFileSync(join(installed, "dist", entry), "utf8");
  const imported = [...code.matchAll(/from"\.\/([\w-]+\.js)"/g)].map(([, file]) => codeOf(file, seen));
  return [code, ...imported].join("\n");
}

test("WebGPU and threads are loaded only when they are asked for, and not in Workers", () => {
  for (const entry of ["index.js", "slim.js"]) {
    assert.match(codeOf(entry), /import\("\.\/webgpu-\w+\.js"\)/);
    assert.match(codeOf(entry), /import\("\.\/workers-\w+\.js"\)/);
  }
  for (const entry of ["index.js", "slim.js", "workerd.js"]) {
    assert.not.ok(codeOf(entry).includes("@compute"), entry);
    assert.not.ok(codeOf(entry).includes("worker_threads"), entry);
  }
  assert.not.match(codeOf("workerd.js"), /(webgpu|workers|kernels)-\w+\.js/);
});

test("the declarations have the comment of each preset, for editors to show", () => {
  const declared = readFileSync(join(installed, "dist/heads/presets.d.ts"), "utf8");
  for (const name of PRESETS) {
    assert.match(declared, new RegExp(`\\*/\\s+${name}: Preset;`), `no comment of ${name}`);
  }
});

test("no line of the code is one that a terminal cannot show", () => {
  for (const file of readdirSync(join(installed, "dist")).filter((name) => name.endsWith(".js"))) {
    const longest = Math.max(
      ...readFileSync(join(installed, "dist", file), "utf8").split("\n").map(({ length }) => length),
    );
    assert.ok(longest <= 1000, `${file} has a line of ${longest} characters`);
  }
});

test.run();
