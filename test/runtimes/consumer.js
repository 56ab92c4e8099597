/** A project that has installed the packed package, so that the tests go through its exports as any user does. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npm, root } from "../../tools/ready.js";

/** Inside the repository, but a package of its own: `densehead` is resolved in its node_modules. */
export const consumer = join(root, ".test/consumer");

/** Packs and installs the package, and puts the bundled tests (all, or those named) and the pages that run them beside it. */
export async function prepareConsumer(names = []) {
  rmSync(consumer, { recursive: true, force: true });
  mkdirSync(consumer, { recursive: true });
  writeJson("package.json", { name: "densehead-consumer", private: true, type: "module" });
  // Keeps Deno from the repository's own configuration.
  writeJson("deno.json", { nodeModulesDir: "manual" });
  await installPackage();
  for (const file of ["process.js", "worker.js", "worker_globals.js", "page.js"]) {
    copyFileSync(join(root, "test/runtimes", file), join(consumer, file));
  }
  cpSync(join(root, "test/types"), join(consumer, "types"), { recursive: true });
  addOnnxTypes();
  await bundleTests("suite", testFiles("suite", names), { platform: "neutral", mainFields: ["module", "main"] });
  for (const folder of ["node", "examples"]) {
    await bundleTests(folder, testFiles(folder, names), {
      platform: "node",
      // For dependencies in CommonJS.
      banner: {
        js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
      },
    });
  }
}

/** The types of onnxruntime, under the names that the README imports it by. */
function addOnnxTypes() {
  const modules = join(consumer, "node_modules");
  const common = "onnxruntime-common";
  symlinkSync(join(root, "test/runtimes/node_modules", common), join(modules, common), "junction");
  for (const [name, entry] of [["onnxruntime-node", "."], ["onnxruntime-web", "./webgpu"]]) {
    mkdirSync(join(modules, name));
    writeFileSync(join(modules, name, "index.d.ts"), `export * from "${common}";\n`);
    const exports = { [entry]: { types: "./index.d.ts" } };
    writeFileSync(join(modules, name, "package.json"), JSON.stringify({ name, type: "module", exports }));
  }
}

/** The test files of test/suite, test/node or test/examples: all, or those of the given names. */
export function testFiles(folder, names = []) {
  const path = join(root, "test", folder);
  if (!existsSync(path)) return [];
  const wanted = (file) => names.length === 0 || names.includes(file.replace(".test.ts", ""));
  return readdirSync(path).filter((file) => file.endsWith(".test.ts") && wanted(file)).sort()
    .map((file) => join(path, file));
}

function installPackage() {
  // Already built, so prepack is left out.
  run(root, "pack", "--ignore-scripts", "--pack-destination", consumer);
  const tarball = readdirSync(consumer).find((name) => name.endsWith(".tgz"));
  run(consumer, "install", "--offline", "--no-audit", "--no-fund", `./${tarball}`);
}

function run(cwd, ...args) {
  const { status, output } = npm(cwd, args);
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed\n${output}`);
}

/** One module that exports `run`, with everything in it but the package under test. */
async function bundleTests(name, files, options) {
  const { build } = await import("esbuild");
  const imports = files.map((path) => `import ${JSON.stringify(path)};`);
  await build({
    stdin: {
      contents: ['export { run } from "./index.ts";', ...imports].join("\n"),
      resolveDir: join(root, "test/suite"),
    },
    outfile: join(consumer, `${name}.js`),
    bundle: true,
    // The package is free of side effects; its tests are not.
    ignoreAnnotations: true,
    format: "esm",
    target: "es2023",
    external: ["densehead", "densehead/*", "esbuild"],
    loader: { ".wasm": "binary", ".md": "text" },
    sourcemap: "inline",
    logLevel: "warning",
    ...options,
  });
}

function writeJson(name, value) {
  writeFileSync(join(consumer, name), JSON.stringify(value, null, 2));
}
