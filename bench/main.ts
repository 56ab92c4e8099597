/** Measures in this process: `main.js [--quick] [--check] [--save file] [family …]`. See tools/bench.js. */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { createEngine } from "densehead";
import { accuracy } from "./accuracy.ts";
import type { Family } from "./bench.ts";
import { criteria } from "./criteria.ts";
import { decode } from "./decode.ts";
import { detect } from "./detect.ts";
import { gpu } from "./gpu.ts";
import { growth } from "./growth.ts";
import { headsFamily } from "./heads.ts";
import { losses } from "./losses.ts";
import { masks } from "./masks.ts";
import { engineName, machineName, runtimeName } from "./machine.ts";
import { memory } from "./memory.ts";
import { nms } from "./nms.ts";
import { preprocess } from "./preprocess.ts";
import { Report } from "./report.ts";
import { describeRun, FLOOR, floorOf, type Results, type Run, runLike } from "./results.ts";
import { CHECK, QUICK, Runner, THOROUGH } from "./runner.ts";
import { rotated } from "./rotated.ts";
import { startup } from "./startup.ts";
import { threads } from "./threads.ts";

const FAMILIES: readonly Family[] = [
  detect,
  headsFamily,
  nms,
  rotated,
  decode,
  losses,
  criteria,
  masks,
  preprocess,
  threads,
  gpu,
  startup,
  memory,
  growth,
  accuracy,
];

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    /** RESULTS.md's figures, which ratios are held to. */
    check: { type: "string" },
    save: { type: "string" },
  },
});
const report = new Report();
using engine = await createEngine({ device: "wasm" });
const build = engine.capabilities.wasm;
console.log(machineName());
console.log(`${runtimeName()} (${engineName()}); WASM build: ${build}`);
if (options.check === undefined) await measure();
else await checkAgainst(JSON.parse(readFileSync(options.check, "utf8")));

async function measure(): Promise<void> {
  console.log("Medians [10th – 90th percentile]; ratios are of pairs measured one right after the other.");
  const runner = new Runner(options.quick ? QUICK : THOROUGH, report);
  for (const family of chosen()) await family.run({ engine, runner, report, quick: options.quick });
  console.log(`\n${report.missed} targets missed, ${report.differing} differing results`);
  if (report.differing > 0) process.exitCode = 1;
  if (options.save !== undefined) writeFileSync(options.save, JSON.stringify(saved()));
}

function chosen(): readonly Family[] {
  const unknown = names.find((name) => !FAMILIES.some((family) => family.name === name));
  if (unknown !== undefined) {
    throw new Error(`no family ${unknown}; there are ${FAMILIES.map((family) => family.name).join(", ")}`);
  }
  return names.length === 0 ? FAMILIES : FAMILIES.filter((family) => names.includes(family.name));
}

function saved(): Run {
  const { races, figures, skipped } = report;
  return { runtime: runtimeName(), build, races, figures, skipped };
}

/** Fails where a ratio against plain JavaScript falls short of the one that was written down. */
async function checkAgainst(results: Results): Promise<void> {
  const run = runLike(results, runtimeName(), build);
  if (run === undefined) throw new Error(`RESULTS.md has nothing of ${runtimeName()} with the build ${build}`);
  console.log(`Ratios are held to ${100 * FLOOR} % of those of ${results.date}, ${describeRun(run)}.`);
  const runner = new Runner(CHECK, report, floorOf(run));
  for (const family of FAMILIES) await family.check?.({ engine, runner, report, quick: true });
  const noise = `${(100 * report.noise).toFixed(0)} %`;
  console.log(`\nThe peers' times vary by ${noise} (10th to 90th percentile; under 10 % is a quiet machine).`);
  console.log(`${report.missed} ratios too low, ${report.differing} differing results`);
  if (report.missed > 0 || report.differing > 0) process.exitCode = 1;
}
