/** The float64 references of the criteria against PyTorch's autograd and finite differences. */
import { heads } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import gflFixture from "../fixtures/gfl_criterion.json" with { type: "json" };
import vfnetFixture from "../fixtures/vfnet_criterion.json" with { type: "json" };
import yoloFixture from "../fixtures/yolo_criterion.json" with { type: "json" };
import { close, differences } from "../compare.ts";
import { type Criterion, positivesOf, type Scene } from "../reference/criterion.ts";
import { gflConstants, gflCriterion, type GflScene } from "../reference/gfl_criterion.ts";
import { vfnetConstants, vfnetCriterion, type VfnetScene } from "../reference/vfnet_criterion.ts";
import { yoloConstants, yoloCriterion, type YoloScene } from "../reference/yolo_criterion.ts";

const test = suite("criterion references");

interface Recorded {
  scene: { head: object; gt: { boxes: number[][]; labels: number[] }[] };
  results: { options: object; total: number; parts: object; numPos: number; grad: object }[];
}

function sceneOf({ scene }: Recorded, preset: typeof heads.gfl): Scene & { dist: number[] } {
  const { head, gt, ...rest } = scene;
  const boxes = gt.map((each) => ({ ...each, boxes: each.boxes.flat() }));
  return { ...rest, head: preset(head), gt: boxes } as unknown as Scene & { dist: number[] };
}

const gflScene: GflScene = sceneOf(gflFixture, heads.gfl);
const vfnetScene = sceneOf(vfnetFixture, heads.vfnet) as unknown as VfnetScene;

function agreesWithTorch(fixture: Recorded, run: (options: object) => Criterion): void {
  for (const { options, total, parts, numPos, grad } of fixture.results) {
    const got = run(options);
    assert.is(got.numPos, numPos);
    close([got.total], [total], 1e-12 * total, "total");
    for (const [name, value] of Object.entries(parts)) close([got.parts[name]], [value], 1e-12 * value, name);
    for (const [name, values] of Object.entries(grad) as [string, number[]][]) {
      close(got.grad[name], values, 1e-14, `gradient of ${name}`);
    }
  }
}

test("gfl_criterion agrees with PyTorch", () => {
  agreesWithTorch(gflFixture, (options) => gflCriterion(gflScene, options));
});

test("vfnet_criterion agrees with PyTorch", () => {
  agreesWithTorch(vfnetFixture, (options) => vfnetCriterion(vfnetScene, options));
});

for (const [kind, fixture] of Object.entries(yoloFixture)) {
  const scene: YoloScene = sceneOf(fixture, heads.yolov8);

  test(`yolo_criterion of ${kind} agrees with PyTorch`, () => {
    agreesWithTorch(fixture, (options) => yoloCriterion(scene, options));
  });

  test(`gradients are finite differences, yolo_criterion of ${kind}`, () => {
    for (const { options } of fixture.results) {
      const { grad } = yoloCriterion(scene, options);
      const held = yoloConstants(scene, options);
      for (const name of ["cls", "dist"] as const) {
        const total = (map: number[]) => yoloCriterion({ ...scene, [name]: map }, options, held).total;
        const places = placesIn(scene[name], { ...scene, gtIndex: held.gtIndex });
        checkSlopes(scene[name], places, total, grad[name], name);
      }
    }
  });
}

/** Differences of the total at some values of a map. */
function checkSlopes(
  map: ArrayLike<number>,
  places: number[],
  total: (changed: number[]) => number,
  grad: number[],
  what: string,
): void {
  const value = (values: number[]) => {
    const changed = Array.from(map);
    places.forEach((place, i) => changed[place] = values[i]);
    return total(changed);
  };
  const wanted = differences(value, places.map((place) => map[place]), 1e-3);
  assert.ok(wanted.some((slope) => slope !== 0));
  close(places.map((place) => grad[place]), wanted, 1e-9, `gradient of ${what}`);
}

/** Every seventh value, and those of the first positives. */
function placesIn(map: ArrayLike<number>, scene: Scene): number[] {
  const columns = map.length / scene.cls.length * scene.head.numClasses;
  const rows = positivesOf(scene).slice(0, 3).map(({ row }) => row);
  return Array.from(map, (_, i) => i).filter((i) => i % 7 === 0 || rows.includes(Math.floor(i / columns)));
}

for (const normalizer of ["paper", "mmdet"]) {
  test(`gradients are finite differences, normalizer "${normalizer}"`, () => {
    const options = { normalizer };
    const gfl = gflCriterion(gflScene, options);
    const gflFixed = gflConstants(gflScene);
    for (const name of ["cls", "dist"] as const) {
      const total = (map: number[]) => gflCriterion({ ...gflScene, [name]: map }, options, gflFixed).total;
      checkSlopes(gflScene[name], placesIn(gflScene[name], gflScene), total, gfl.grad[name], name);
    }
    const vfnet = vfnetCriterion(vfnetScene, options);
    const vfnetFixed = vfnetConstants(vfnetScene);
    for (const name of ["cls", "distances", "refined"] as const) {
      const total = (map: number[]) => vfnetCriterion({ ...vfnetScene, [name]: map }, options, vfnetFixed).total;
      checkSlopes(vfnetScene[name], placesIn(vfnetScene[name], vfnetScene), total, vfnet.grad[name], name);
    }
  });
}

test.run();
