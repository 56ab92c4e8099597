/** The bench has every loss, and what is told of its results is what was measured. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BOX, CLASSIFICATION } from "../../bench/loss_task.ts";
import { HIGHLIGHTS, raceOf, type Results } from "../../bench/results.ts";
import { resultsChart } from "../../bench/results_chart.ts";
import { readmeWith, resultsPage } from "../../bench/results_page.ts";
import { operations } from "../../src/ops/index.ts";

const test = suite("bench");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const read = (path: string) => readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");
const results: Results = JSON.parse(read("bench/results.json"));

test("the bench has every loss of the registry", () => {
  const lossNames = Object.keys(operations).filter((name) => /Loss$|^binaryCrossEntropy/.test(name));
  assert.equal([...CLASSIFICATION, ...BOX, "distributionFocalLoss"].sort(), lossNames.sort());
  for (const run of results.runs.filter(({ runtime }) => runtime.startsWith("Node"))) {
    for (const { title } of HIGHLIGHTS) assert.ok(raceOf(run, title), `${run.runtime}: no ${title}`);
  }
});

test("RESULTS.md, its drawing and the README are made of results.json", () => {
  assert.is(read("bench/RESULTS.md"), resultsPage(results));
  assert.is(read("bench/results.svg"), resultsChart(results));
  assert.ok(read("README.md").includes("<!-- results -->"));
  assert.is(read("README.md"), readmeWith(read("README.md"), results));
});

test.run();
