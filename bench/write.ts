/** Writes what is made of results: results.json, RESULTS.md, results.svg, and the README's lines. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machineName } from "./machine.ts";
import type { Results, Run } from "./results.ts";
import { resultsChart } from "./results_chart.ts";
import { readmeWith, resultsPage } from "./results_page.ts";

export function writeResults(root: string, runs: readonly Run[], quick: boolean): void {
  const results: Results = { date: new Date().toISOString().slice(0, 10), machine: machineName(), quick, runs };
  writeFileSync(join(root, "bench/results.json"), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(root, "bench/RESULTS.md"), resultsPage(results));
  writeFileSync(join(root, "bench/results.svg"), resultsChart(results));
  const readme = join(root, "README.md");
  writeFileSync(readme, readmeWith(readFileSync(readme, "utf8"), results));
}
