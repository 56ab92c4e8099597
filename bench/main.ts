/** node tools/bench.js [--quick] [family …] */
import os from "node:os";
import process from "node:process";
import { createEngine } from "densehead";
import { accuracy } from "./accuracy.ts";
import type { Family } from "./bench.ts";
import { criteria } from "./criteria.ts";
import { decode } from "./decode.ts";
import { detect } from "./detect.ts";
import { gpu } from "./gpu.ts";
import { losses } from "./losses.ts";
import { nms } from "./nms.ts";
import { Report } from "./report.ts";
import { QUICK, Runner, THOROUGH } from "./runner.ts";

const FAMILIES: readonly Family[] = [detect, nms, decode, losses, criteria, gpu, accuracy];

const args = process.argv.slice(2);
const quick = args.includes("--quick");
const families = chosen(args.filter((arg) => arg !== "--quick"));
const report = new Report();
using engine = await createEngine({ device: "wasm" });
console.log(
  `${os.cpus()[0]?.model ?? os.arch()}, ${os.cpus().length} cores, ${os.platform()} ${os.arch()}`,
);
console.log(
  `Node ${process.versions.node} (V8 ${process.versions.v8}); WASM build: ${engine.capabilities.wasm}`,
);
console.log(
  "Medians [10th – 90th percentile]; ratios are of pairs measured one right after the other.",
);
const runner = new Runner(quick ? QUICK : THOROUGH, report);
for (const family of families) {
  await family.run({ engine, runner, report, quick });
}
console.log(
  `\n${report.missed} targets missed, ${report.differing} differing results`,
);
if (report.differing > 0) process.exitCode = 1;

function chosen(names: readonly string[]): readonly Family[] {
  const unknown = names.find((name) => !FAMILIES.some((family) => family.name === name));
  if (unknown !== undefined) {
    console.error(
      `unknown: ${unknown}; families: ${FAMILIES.map((family) => family.name).join(", ")}; option: --quick`,
    );
    process.exit(2);
  }
  return names.length === 0 ? FAMILIES : FAMILIES.filter((family) => names.includes(family.name));
}
