/** What is told of the bench's results is what was measured. What was not measured yet is told nowhere. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { lossInput } from "../../bench/loss_inputs.ts";
import { LOSSES, type LossName } from "../../bench/loss_task.ts";
import { OBJECT_LOSSES } from "../../bench/object_losses.ts";
import { float32Values } from "../../bench/peers/float32_losses.ts";
import { formulaLoss } from "../../bench/peers/formula_losses.ts";
import { plainLoss } from "../../bench/peers/plain_losses.ts";
import type { Results } from "../../bench/results.ts";
import { resultsChart } from "../../bench/results_chart.ts";
import { readmeWith, resultsPage } from "../../bench/results_page.ts";
import { operations } from "../../src/registry.ts";

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

const SIZES = { anchors: 3, rows: 5, bins: 6, boxes: 7 };

test("every loss of the registry is measured, on an input that it takes", () => {
  const losses = Object.values(operations).filter(({ kind }) => kind.endsWith(" loss"));
  assert.equal([...LOSSES].sort(), losses.map(({ name }) => name).sort());
  for (const { name, check } of losses) {
    const { loss, pred, predDims, target, targetDims, options } = lossInput(name as LossName, SIZES);
    assert.is(loss, name);
    const given = [{ data: pred, dims: predDims }, { data: target, dims: targetDims }, options];
    (check as (...args: unknown[]) => void)(...given);
  }
  const others = Object.keys(operations).filter((name) =>
    name.endsWith("Loss") && !losses.some((loss) => loss.name === name)
  );
  assert.equal(Object.keys(OBJECT_LOSSES).sort(), others.sort());
});

test("a peer says that it has no such loss", () => {
  const input = { ...lossInput("giouLoss", SIZES), loss: "newLoss" as LossName };
  for (const grad of [false, true]) {
    assert.is(plainLoss({ ...input, grad }), null);
    assert.is(formulaLoss({ ...input, grad }), null);
  }
  assert.is(float32Values(input), null);
  assert.ok(plainLoss({ ...input, loss: "giouLoss", grad: false }));
});

test.run();
