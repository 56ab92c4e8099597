/** Runs worker.js in workerd, with the kernels as compiled modules, as a deployed Worker has them. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

const consumer = process.argv[2];
const folder = join(consumer, "workerd");
const worker = join(folder, "worker.js");

/** An import of any *.wasm becomes one of the file of that name beside the bundle. */
const wasmModules = {
  name: "wasm-modules",
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: `./${path.split("/").at(-1)}`, external: true }));
  },
};

await build({
  entryPoints: [join(consumer, "worker.js")],
  outfile: worker,
  bundle: true,
  format: "esm",
  target: "es2023",
  conditions: ["workerd", "worker"],
  plugins: [wasmModules],
  logLevel: "warning",
});

const miniflare = new Miniflare({
  modulesRoot: folder,
  modules: [
    { type: "ESModule", path: worker, contents: readFileSync(worker, "utf8") },
    ...["densehead.wasm", "densehead-relaxed.wasm"].map((name) => ({
      type: "CompiledWasm",
      path: join(folder, name),
      contents: readFileSync(createRequire(worker).resolve(`densehead/${name}`)),
    })),
  ],
  compatibilityDate: "2026-01-01",
  // Else it is fetched from the network.
  cf: false,
});
try {
  const response = await miniflare.dispatchFetch("http://localhost/");
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  const { version } = createRequire(import.meta.url)("workerd/package.json");
  console.log(`\nREPORT ${JSON.stringify({ version, ...JSON.parse(text) })}`);
} finally {
  await miniflare.dispose();
}
