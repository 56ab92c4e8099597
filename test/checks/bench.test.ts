/** What is told of the bench's results is what was measured. What was not measured yet is told nowhere. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Results } from "../../bench/results.ts";
import { resultsChart } from "../../bench/results_chart.ts";
import { readmeWith, resultsPage } from "../../bench/results_page.ts";

const test = suite("bench");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const read = (path: string) => readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");
const results: Results = JSON.parse(read("bench/results.json"));

test("RESULTS.md, its drawing and the README are made of results.json", () => {
  assert.is(read("bench/RESULTS.md"), resultsPage(results));
  assert.is(read("bench/results.svg"), resultsChart(results));
  assert.ok(read("README.md").includes("<!-- results -->"));
  assert.is(read("README.md"), readmeWith(read("README.md"), results));
});

test("the bench's programs bundle, with every peer's file that they import", async () => {
  for (const entry of ["main.ts", "write.ts"]) {
    const { errors, warnings } = await build({
      entryPoints: [join(root, "bench", entry)],
      bundle: true,
      format: "esm",
      platform: "node",
      packages: "external",
      loader: { ".py": "text", ".c": "text" },
      write: false,
      logLevel: "silent",
    });
    assert.equal([...errors, ...warnings], [], entry);
  }
});

test.run();
