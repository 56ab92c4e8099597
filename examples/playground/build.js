/** Makes the page in dist/; with --serve also serves it on localhost. */
import { createEngine, heads } from "densehead";
import { outputsByRole, readSafetensors } from "densehead/files";
import { context } from "esbuild";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const fileOf = (specifier) => fileURLToPath(import.meta.resolve(specifier));
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const builder = await context({
  absWorkingDir: here("."),
  entryPoints: ["main.ts", "page.css"],
  outdir: "dist",
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  target: "es2023",
});
rmSync(here("dist"), { recursive: true, force: true });
await builder.rebuild();

cpSync(here("index.html"), here("dist/index.html"));
const ponds = [1, 2, 3].flatMap((pond) => {
  return ["png", "masks.safetensors", "keypoints.safetensors", "turned.safetensors"].map((kind) =>
    `pond${pond}.${kind}`
  );
});
const scenes = ["shapes.onnx", "scene1.png", "scene2.png", "scene3.png", "scenes.coco.json"];
for (const name of [...scenes, ...ponds, "ponds.coco.json", "ponds.turned.coco.json"]) {
  cpSync(here(`../shapes/${name}`), here(`dist/shapes/${name}`));
}
writeFileSync(here("dist/shapes/results.json"), JSON.stringify(await resultsOfScenes()));
// onnxruntime-web fetches its WebAssembly from beside the script: with WebGPU, and without.
for (const name of ["ort-wasm-simd-threaded.asyncify.wasm", "ort-wasm-simd-threaded.wasm"]) {
  cpSync(fileOf(`onnxruntime-web/${name}`), here(`dist/${name}`));
}

if (process.argv.includes("--serve")) {
  const { port } = await builder.serve({ servedir: here("dist"), host: "127.0.0.1" });
  console.log(`http://localhost:${port}/`);
} else {
  await builder.dispose();
}

/** COCO results of the network's recorded outputs for the scenes. */
async function resultsOfScenes() {
  const engine = await createEngine();
  const options = { head: heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] }), imageSize: [160, 160] };
  const rows = [1, 2, 3].flatMap((id) => {
    const { tensors } = readSafetensors(readFileSync(here(`../shapes/scene${id}.safetensors`)));
    const [found] = engine.sync.detect(outputsByRole(tensors), { ...options, scoreThreshold: 0.05 });
    return found.toCoco(id, [1, 2, 3, 4]);
  });
  engine.dispose();
  return rows;
}
