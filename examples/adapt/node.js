/** The program for Node: prints the table, and writes the curve and some of the held-out pictures. */
import { createEngine } from "densehead";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { adapt, rowsOf } from "./adapt.js";
import { curveSvg, sceneSvg } from "./pictures.js";
import { pngOf } from "./png.js";
import { SIZE } from "./drawing.js";

/** How many held-out pictures are drawn. */
const DRAWN = 6;
const { values } = parseArgs({
  options: { learn: { type: "string", default: "row" }, steps: { type: "string", default: "150" } },
});

const start = performance.now();
const engine = await createEngine();
const result = await adapt(engine, readFileSync("../shapes/shapes.onnx"), open, {
  learn: values.learn,
  steps: Number(values.steps),
});
const { losses, before, after, scenes } = result;
console.log(`loss ${losses[0].toFixed(3)} at first, ${losses.at(-1).toFixed(3)} at last`);
console.log("class         AP50 before  after   AP before  after");
for (const { name, AP50, AP } of rowsOf(result)) {
  const [first, second, third, fourth] = [...AP50, ...AP].map((value) => value.toFixed(3));
  console.log(`${name.padEnd(12)}  ${first.padStart(11)}  ${second}   ${third.padStart(9)}  ${fourth}`);
}
mkdirSync("build", { recursive: true });
writeFileSync("build/curve.svg", curveSvg(result));
for (const [i, scene] of scenes.slice(0, DRAWN).entries()) {
  const image = pngOf(scene.pixels, SIZE);
  writeFileSync(`build/scene${i + 1}.before.svg`, sceneSvg(scene, before.found[i], image));
  writeFileSync(`build/scene${i + 1}.after.svg`, sceneSvg(scene, after.found[i], image));
}
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage();
console.log(
  `${seconds.toFixed(0)} s, ${((user + system) / 1e6).toFixed(0)} s of CPU; build/ has the curve and pictures`,
);
engine.dispose();

async function open(file) {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  return (planes) => session.run({ image: new Tensor("float32", planes, [1, 3, SIZE, SIZE]) });
}
