/** examples/own-criterion: a criterion out of public operations has the numbers of gflCriterion. */
// needs: examples/own-criterion
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { createEngine, heads } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { criterionScene, distributionsFor } from "../criterion_scene.ts";
import { random } from "../random.ts";
import { points } from "../reference/detect.ts";

const test = suite("examples/own-criterion");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const { criterion } = await import(pathToFileURL(join(root, "examples/own-criterion/criterion.js")).href);
const engine = await createEngine();

test("total and gradients are those of gflCriterion to 1e-6", () => {
  const r = random(91);
  const [numClasses, bins] = [5, 8];
  const head = heads.gfl({ numClasses, bins, strides: [8, 16, 32] });
  const grid = points(head, [96, 128]);
  for (const objects of [0, 1, 4]) {
    const scene = criterionScene(r, head, [96, 128], [objects]);
    const { cls, imageSize, gt: [gt], gtIndex: [gtIndex] } = scene;
    const dist = distributionsFor(r, scene, 0.3);
    const wanted = engine.sync.gflCriterion({
      cls: { data: cls, dims: [1, grid.length, numClasses] },
      dist: { data: dist, dims: [1, grid.length, 4 * bins] },
      head,
      imageSize,
      gt: [gt],
      gtIndex: [gtIndex],
    }, { grad: true });
    const anchors = grid.map(({ x, y, stride }) => [x, y, stride]);
    const found = criterion(engine, { cls, dist, points: anchors, classes: numClasses, bins, gt, gtIndex });
    assert.ok(Math.abs(found.total - wanted.total) <= 1e-6 * Math.max(1, wanted.total), `${objects}: ${found.total}`);
    assert.is(wanted.numPos > 0, objects > 0);
    for (const map of ["cls", "dist"]) {
      const [own, theirs] = [found.grad[map] as Float32Array, wanted.grad?.[map] as Float32Array];
      assert.is(own.length, theirs.length);
      own.forEach((value, i) => assert.ok(Math.abs(value - theirs[i]) <= 1e-6, `${objects}, ${map} ${i}: ${value}`));
    }
  }
});

test("its program prints both totals, and gradients that are next to each other", () => {
  const cwd = join(root, "examples/own-criterion");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["compare.js"], { cwd, encoding: "utf8" });
  assert.is(status, 0, stderr);
  const [, own, built] = /^own criterion (\S+), gflCriterion (\S+), \d+ positives$/m.exec(stdout) ?? [];
  assert.ok(Math.abs(Number(own) / Number(built) - 1) <= 1e-6, stdout);
  const gaps = [...stdout.matchAll(/at most (\S+) apart/g)].map(([, gap]) => Number(gap));
  assert.ok(gaps.length === 2 && Math.max(...gaps) <= 1e-6, stdout);
});

test.after(() => engine.dispose());
test.run();
