/** Makes the page in dist/; with --serve also serves it on localhost. */
import { context } from "esbuild";
import { cpSync, rmSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const builder = await context({
  absWorkingDir: here("."),
  entryPoints: ["page.js"],
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2023",
});
rmSync(here("dist"), { recursive: true, force: true });
await builder.rebuild();

cpSync(here("index.html"), here("dist/index.html"));
cpSync(here("../shapes/shapes.onnx"), here("dist/shapes.onnx"));
// onnxruntime-web fetches its WebAssembly from beside the script.
const wasm = "ort-wasm-simd-threaded.wasm";
cpSync(fileURLToPath(import.meta.resolve(`onnxruntime-web/${wasm}`)), here(`dist/${wasm}`));

if (process.argv.includes("--serve")) {
  const { port } = await builder.serve({ servedir: here("dist"), host: "127.0.0.1" });
  console.log(`http://localhost:${port}/`);
} else {
  await builder.dispose();
}
