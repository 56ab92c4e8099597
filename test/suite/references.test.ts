/** The float64 references of the losses against PyTorch's autograd, finite differences and what the papers say. */
// kinds: element loss, row loss, box loss
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { LossRecord } from "../../src/ops/loss_call.ts";
import type { Operation } from "../../src/registry.ts";
import { differences } from "../compare.ts";
import {
  type BoxReference,
  type ElementReference,
  fixtureOf,
  ofKind,
  type Options,
  referenceOf,
  requiredOf,
  type RowReference,
  settingsOf,
} from "../conformance.ts";
import { endsOf } from "../element_bounds.ts";
import { random } from "../random.ts";
import { binaryCrossEntropyWithLogits } from "../reference/binary_cross_entropy_with_logits.ts";
import { diouLoss } from "../reference/diou_loss.ts";
import { distributionFocalLoss } from "../reference/distribution_focal_loss.ts";
import { generalizedFocalLoss } from "../reference/generalized_focal_loss.ts";
import { giouLoss } from "../reference/giou_loss.ts";
import { iouLoss } from "../reference/iou_loss.ts";
import { qualityFocalLoss } from "../reference/quality_focal_loss.ts";
import { sigmoidFocalLoss } from "../reference/sigmoid_focal_loss.ts";
import { angle, siouLoss } from "../reference/siou_loss.ts";
import { varifocalLoss } from "../reference/varifocal_loss.ts";
import { note } from "./notes.ts";

const test = suite("references");

interface Row {
  value: number;
  grad: number | number[];
}

interface FixtureSet {
  options: Options;
  /** Numbers of `pred` and `grad` for one value. */
  width: number;
  pred: number[];
  target: number[];
  value: number[];
  grad: number[];
}

type RowLoss = (pred: number[], target: number[], options: Options) => Row;

/** The reference of a loss of any kind, on arrays of one row. */
function rowLossOf(operation: Operation): RowLoss {
  if (operation.kind === "element loss") {
    const { reference } = referenceOf<ElementReference>(operation);
    return ([x], [y], options) => reference(x, y, options);
  }
  if (operation.kind === "row loss") {
    const { reference } = referenceOf<RowReference>(operation);
    return (pred, [y], options) => reference(pred, y, options);
  }
  const { reference } = referenceOf<BoxReference>(operation);
  const required = requiredOf(operation);
  return (pred, target, options) => reference(pred, target, { ...required, ...options });
}

const { abs, exp, log, log1p, max, min, PI, sqrt } = Math;
const sigma = (x: number) => 1 / (1 + exp(-x));
const logitOf = (p: number) => log(p / (1 - p));

function near(got: number, wanted: number, relative: number, absolute: number, what: string): void {
  const good = Object.is(got, wanted) || abs(got - wanted) <= relative * abs(wanted) + absolute;
  if (!good) assert.unreachable(`${what} is ${got}; wanted ${wanted}`);
}

function nearRow(got: Row, wanted: Row, relative: number, absolute: number, what: string): void {
  near(got.value, wanted.value, relative, absolute, `${what}: value`);
  const gradients = [wanted.grad].flat();
  [got.grad].flat().forEach((grad, i) => near(grad, gradients[i], relative, absolute, `${what}: gradient ${i}`));
}

/** Every row of a fixture: its numbers. */
function eachRow(
  fixture: readonly FixtureSet[],
  check: (pred: number[], target: number[], options: Options, wanted: Row) => void,
): void {
  for (const { options, width, pred, target, value, grad } of fixture) {
    const part = (column: number[], row: number) => {
      const size = column.length / value.length;
      return column.slice(row * size, (row + 1) * size);
    };
    assert.is(pred.length, width * value.length);
    value.forEach((wanted, row) =>
      check(part(pred, row), part(target, row), options, { value: wanted, grad: part(grad, row) })
    );
  }
}

for (const operation of ofKind("element loss", "row loss", "box loss")) {
  test(`${operation.name} agrees with PyTorch`, (): void => {
    const fixture = fixtureOf<FixtureSet[]>(operation);
    if ("none" in fixture) return note(`${operation.name}: no fixture, ${fixture.none}`);
    const loss = rowLossOf(operation);
    const { kind, targetRange } = operation as Operation & Pick<LossRecord, "targetRange">;
    const isShare = kind === "element loss" && targetRange?.every((end) => typeof end === "number");
    eachRow(fixture, (pred, target, options, wanted) => {
      // The torch formulas cancel but where a target of 0 or 1 is written out.
      const exact = isShare && target[0] % 1 === 0;
      const what = `(${pred}), (${target}), ${JSON.stringify(options)}`;
      nearRow(loss(pred, target, options), wanted, 1e-12, exact ? 0 : 2e-15, what);
    });
  });
}

function checkSlopes(f: (x: number[]) => number, x: number[], grad: number | number[], what: string): void {
  const wanted = differences(f, x, 1e-3);
  const scale = max(...wanted.map(abs));
  [grad].flat().forEach((got, i) => near(got, wanted[i], 1e-6, 1e-6 * scale + 1e-11, `${what}, gradient ${i}`));
}

for (const operation of ofKind("element loss")) {
  test(`${operation.name}: the gradient is its finite differences`, () => {
    const c = referenceOf<ElementReference>(operation);
    const r = random(1);
    for (const options of settingsOf(c)) {
      const [low, high] = endsOf(c, options);
      for (let i = 0; i < 60; i++) {
        const [x, share] = [r.normal() * 4, i % 3 === 2 ? r.uniform() : i % 3];
        // |d|^β has its kink at σ = y.
        if (abs(sigma(x) - share) < 0.02 && i % 3 === 2) continue;
        const y = low + share * (high - low);
        const value = c.file.heldAt?.(x, y, options) ?? ((at) => c.reference(at, y, options).value);
        checkSlopes(
          ([at]) => value(at),
          [x],
          c.reference(x, y, options).grad,
          `${x}, ${y}, ${JSON.stringify(options)}`,
        );
      }
    }
  });

  test(`${operation.name}: NaN stays`, () => {
    const { reference } = referenceOf<ElementReference>(operation);
    for (const [x, y] of [[NaN, 0], [NaN, 1], [NaN, 0.5], [1, NaN], [0, NaN]]) {
      const { value, grad } = reference(x, y, {});
      assert.ok(Number.isNaN(value) && Number.isNaN(grad), `${x}, ${y}`);
    }
  });
}

for (const operation of ofKind("row loss")) {
  test(`${operation.name}: the gradient is its finite differences`, () => {
    const c = referenceOf<RowReference>(operation);
    const r = random(2);
    for (const options of settingsOf(c)) {
      for (const columns of [2, 3, 8, 17].filter((columns) => c.file.columns.includes(columns))) {
        for (const share of [0, 1, 1 - 0.25 / (columns - 1), r.uniform()]) {
          const y = c.file.targetAt(share, columns, options);
          const logits = Array.from({ length: columns }, () => r.normal() * 3);
          const { grad } = c.reference(logits, y, options);
          checkSlopes((z) => c.reference(z, y, options).value, logits, grad, `${columns} columns, ${y}`);
        }
      }
    }
  });
}

for (const operation of ofKind("box loss")) {
  test(`${operation.name}: the gradient is its finite differences`, () => {
    const { reference, file, ...c } = referenceOf<BoxReference>(operation);
    const r = random(3);
    const box = () => {
      const [x, y] = [r.uniform(0, 20), r.uniform(0, 20)];
      return [x, y, x + r.uniform(2, 20), y + r.uniform(2, 20)];
    };
    for (const options of settingsOf({ ...c, reference, file })) {
      for (let i = 0; i < 60; i++) {
        const [pred, target] = [box(), box()];
        // Edges, centres and sizes that are equal are kinks.
        const apart = pred.flatMap((edge, k) => [edge - target[k], edge - target[k ^ 2]]);
        const measures = [0, 1].flatMap((k) =>
          [-1, 1].map((sign) => {
            return pred[k + 2] + sign * pred[k] - target[k + 2] - sign * target[k];
          })
        );
        if ([...apart, ...measures].some((by) => abs(by) < 0.01)) continue;
        const value = file.heldAt?.(pred, target, options) ?? ((at) => reference(at, target, options).value);
        checkSlopes(value, pred, reference(pred, target, options).grad, `(${pred}), (${target})`);
      }
    }
  });
}

const logits = [-1e4, -104, -88, -20, -3, -0.25, -1e-30, -0, 0, 1e-30, 0.5, 4, 20, 88, 104, 1e4];

test("generalized focal loss is focal and quality focal loss", () => {
  for (const x of logits) {
    for (const beta of [0, 0.5, 1, 2, 3]) {
      const what = `${x}, ${beta}`;
      for (const y of [0, 1]) {
        const focal = sigmoidFocalLoss(x, y, { alpha: -1, gamma: beta });
        nearRow(generalizedFocalLoss(x, y, { beta }), focal, 1e-14, 0, what);
      }
      for (const y of [0, 1e-6, 0.3, 1]) {
        nearRow(generalizedFocalLoss(x, y, { beta }), qualityFocalLoss(x, y, { beta }), 1e-14, 0, what);
      }
    }
  }
});

test("without modulation the losses are the cross-entropy", () => {
  for (const x of [...logits, Infinity, -Infinity]) {
    for (const t of [0, 0.3, 1]) {
      const wanted = binaryCrossEntropyWithLogits(x, t);
      nearRow(qualityFocalLoss(x, t, { beta: 0 }), wanted, 0, 0, `${x}, ${t}`);
      nearRow(generalizedFocalLoss(x, t, { beta: 0 }), wanted, 0, 0, `${x}, ${t}`);
      nearRow(sigmoidFocalLoss(x, t, { alpha: -1, gamma: 0 }), wanted, 0, 0, `${x}, ${t}`);
      nearRow(varifocalLoss(x, t, { alpha: 1, gamma: 0, iouWeighted: false }), wanted, 0, 0, `${x}, ${t}`);
    }
  }
});

test("saturated logits keep their digits", () => {
  for (const x of [17, 40, 104, 700]) {
    near(binaryCrossEntropyWithLogits(x, 1).value, log1p(exp(-x)), 1e-15, 0, "value");
    near(binaryCrossEntropyWithLogits(-x, 0).grad, exp(-x) / (1 + exp(-x)), 1e-15, 0, "gradient");
    near(qualityFocalLoss(x, 1, { beta: 0.5 }).value, exp(-x) ** 0.5 * exp(-x), 1e-7, 0, "quality");
  }
});

test("infinite logits have their limits", () => {
  const limits: [Row, number, number][] = [
    [binaryCrossEntropyWithLogits(Infinity, 1), 0, 0],
    [binaryCrossEntropyWithLogits(Infinity, 0), Infinity, 1],
    [binaryCrossEntropyWithLogits(-Infinity, 0.25), Infinity, -0.25],
    [sigmoidFocalLoss(Infinity, 1), 0, 0],
    [sigmoidFocalLoss(-Infinity, 1), Infinity, -0.25],
    [sigmoidFocalLoss(Infinity, 0), Infinity, 0.75],
    [sigmoidFocalLoss(-Infinity, 1, { alpha: 0 }), 0, 0],
    [sigmoidFocalLoss(Infinity, 0.5), Infinity, 0.0625],
    [qualityFocalLoss(Infinity, 1, { beta: 0.5 }), 0, 0],
    [qualityFocalLoss(-Infinity, 0.5), Infinity, -0.125],
    [varifocalLoss(Infinity, 0), Infinity, 0.75],
    [varifocalLoss(-Infinity, 0, { gamma: 0.5 }), 0, 0],
    [varifocalLoss(-Infinity, 0.5), Infinity, -0.25],
    [generalizedFocalLoss(Infinity, 3, { yLeft: 2, yRight: 3 }), 0, 0],
    [generalizedFocalLoss(-Infinity, 3, { yLeft: 2, yRight: 3, beta: 1 }), Infinity, -1],
  ];
  limits.forEach(([got, value, grad], i) => nearRow(got, { value, grad }, 1e-15, 0, `limit ${i}`));
});

test("|d|^β has no gradient at d = 0", () => {
  for (const beta of [0, 0.5, 1, 2]) {
    const { value, grad } = qualityFocalLoss(0, 0.5, { beta });
    near(value, beta === 0 ? log(2) : 0, 1e-15, 0, "value");
    assert.is(grad, 0);
  }
});

test("quality focal loss is least at σ = y", () => {
  for (const y of [0.1, 0.5, 0.83]) {
    for (const beta of [1, 2, 3]) {
      const at = (x: number) => qualityFocalLoss(x, y, { beta });
      const x = logitOf(y);
      near(at(x).value, 0, 0, 1e-15, "least value");
      for (const step of [0.01, 0.5, 5]) {
        assert.ok(at(x - step).grad < 0 && at(x + step).grad > 0, `${y}, ${beta}, ${step}`);
      }
    }
  }
});

test("varifocal loss leaves positives unscaled by alpha", () => {
  for (const x of logits) {
    for (const q of [1e-6, 0.4, 1]) {
      const wanted = varifocalLoss(x, q, { alpha: 0.75 });
      nearRow(varifocalLoss(x, q, { alpha: 0.1, gamma: 1 }), wanted, 0, 0, `${x}, ${q}`);
      const { value, grad } = binaryCrossEntropyWithLogits(x, q);
      nearRow(wanted, { value: q * value, grad: q * grad }, 0, 0, `${x}, ${q}`);
    }
    near(varifocalLoss(x, 0, { alpha: 0.5 }).value, 2 * varifocalLoss(x, 0, { alpha: 0.25 }).value, 0, 0, "negative");
  }
});

test("distribution focal loss is least at the label's weights on its two bins", () => {
  const r = random(4);
  const options = { firstBin: -2, binStep: 0.5 };
  for (const [y, left, weights] of [[-1.875, 0, [0.75, 0.25]], [0.25, 4, [0.5, 0.5]], [1, 5, [0, 1]]] as const) {
    const row = new Array<number>(7).fill(-Infinity);
    weights.forEach((weight, i) => row[left + i] = log(weight));
    const least = distributionFocalLoss(row, y, options);
    const entropy = weights.reduce<number>((sum, weight) => weight === 0 ? sum : sum - weight * log(weight), 0);
    nearRow(least, { value: entropy, grad: row.map(() => 0) }, 1e-14, 1e-15, `${y}`);
    for (let i = 0; i < 20; i++) {
      const other = row.map(() => r.normal() * 3);
      assert.ok(distributionFocalLoss(other, y, options).value > least.value);
    }
  }
});

test("distribution focal loss: last bin, infinite logits, NaN", () => {
  const cost = log1p(exp(-1) + exp(-2));
  near(distributionFocalLoss([1, 2, 3], 2).value, cost, 1e-15, 0, "last bin");
  near(distributionFocalLoss([3, 2, 1], 0).value, cost, 1e-15, 0, "first bin");
  nearRow(distributionFocalLoss([0, -Infinity, 0], 0), { value: log(2), grad: [-0.5, 0, 0.5] }, 1e-15, 0, "next to it");
  nearRow(distributionFocalLoss([0, -Infinity, 0], 0.5), { value: Infinity, grad: [0, -0.5, 0.5] }, 1e-15, 1e-15, "in");
  nearRow(distributionFocalLoss([Infinity, 0, 0], 0), { value: 0, grad: [0, 0, 0] }, 0, 0, "certain");
  const tie = distributionFocalLoss([Infinity, Infinity, 0], 1);
  nearRow(tie, { value: log(2), grad: [0.5, -0.5, 0] }, 1e-15, 0, "tie");
  const none = distributionFocalLoss([-Infinity, -Infinity], 0);
  nearRow(none, { value: log(2), grad: [0.5 - 1, 0.5] }, 1e-15, 1e-16, "all least");
  for (const { value, grad } of [distributionFocalLoss([0, NaN, 0], 2), distributionFocalLoss([0, 1, 0], NaN)]) {
    assert.ok([value, ...grad].every(Number.isNaN));
  }
});

const degenerate = [
  [0, 0, 0, 0],
  [5, 5, 5, 5],
  [5, 5, 5, 9],
  [5, 5, 9, 5],
  [5, 5, 9, 9],
  [6, 6, 8, 8],
  [9, 5, 12, 9],
  [9, 9, 12, 12],
  [9, 9, 5, 5],
  [9, 5, 5, 9],
  [30, 30, 31, 31],
  [1e-30, 1e-30, 2e-30, 3e-30],
  [0, 0, 1e-12, 1e-7],
  [-1e18, -1e18, 1e18, 1e18],
  [1e18, 1e18, -1e18, -1e18],
  [0, 0, 1e18, 1e-6],
];

test("degenerate boxes have finite losses and gradients; NaN stays", () => {
  for (const operation of ofKind("box loss")) {
    const [stem, loss] = [operation.stem, rowLossOf(operation)];
    for (const pred of degenerate) {
      for (const target of degenerate) {
        const { value, grad } = loss(pred, target, {});
        assert.ok([value, grad].flat().every(Number.isFinite), `${stem}, (${pred}), (${target}): ${value}, ${grad}`);
      }
    }
    for (let i = 0; i < 8; i++) {
      const boxes = [1, 2, 5, 9, 3, 4, 8, 7].map((edge, k) => k === i ? NaN : edge);
      const { value, grad } = loss(boxes.slice(0, 4), boxes.slice(4), {});
      assert.ok([value, grad].flat().every(Number.isNaN), `${stem}, coordinate ${i}: ${value}, ${grad}`);
    }
  }
});

test("identical boxes cost nothing and stay", () => {
  for (const operation of ofKind("box loss")) {
    nearRow(
      rowLossOf(operation)([1, 2, 31, 22], [1, 2, 31, 22], {}),
      { value: 0, grad: [0, 0, 0, 0] },
      0,
      1e-9,
      operation.stem,
    );
  }
});

test("box losses of boxes apart, and the bounds of SIoU", () => {
  const [a, b] = [[0, 0, 1, 1], [0, 1, 1, 2]];
  near(iouLoss(a, b).value, 1, 0, 0, "IoU");
  near(giouLoss(a, b).value, 1, 0, 1e-7, "GIoU");
  near(diouLoss(a, b).value, 1.2, 0, 1e-7, "DIoU");
  nearRow(diouLoss(a, b), { value: 1.2, grad: [0.04, -0.04, -0.04, -0.2] }, 0, 1e-7, "DIoU as in torchvision");
  const r = random(5);
  for (let i = 0; i < 200; i++) {
    const [dx, dy] = [r.normal(), r.normal() * 3];
    const sine = abs(dy) / sqrt(dx ** 2 + dy ** 2);
    near(angle(dx, dy).value, 1 - 2 * Math.sin(Math.asin(sine) - PI / 4) ** 2, 0, 1e-12, "angle as in the paper");
    const [x, y] = [r.uniform(0, 9), r.uniform(0, 9)];
    const pred = [x, y, x + r.uniform(0, 9), y + r.uniform(0, 9)];
    const { value } = siouLoss(pred, [2, 3, 7, 6]);
    assert.ok(value >= iouLoss(pred, [2, 3, 7, 6]).value && value <= 3, `distance cost of (${pred})`);
  }
});

const differ = (a: number, b: number) => assert.ok(abs(a - b) > 0.01 * min(a, b), `${a}, ${b}`);

test("misprint: quality focal loss with σ in the place of y", () => {
  const [x, y] = [0.8, 0.3];
  const s = sigma(x);
  const right = -(abs(y - s) ** 2) * ((1 - y) * log(1 - s) + y * log(s));
  near(qualityFocalLoss(x, y).value, right, 1e-14, 0, "value");
  differ(qualityFocalLoss(x, y).value, -(abs(y - s) ** 2) * ((1 - s) * log(1 - s) + s * log(s)));
});

test("misprint: generalized focal loss with p_l and p_r swapped is no focal loss", () => {
  const x = 0.8;
  const s = sigma(x);
  const generalized = (y: number, left: number, right: number) =>
    abs(y - right) ** 2 * ((1 - y) * -log(left) + y * -log(right));
  for (const y of [0, 1]) {
    const focal = sigmoidFocalLoss(x, y, { alpha: -1 }).value;
    near(generalized(y, 1 - s, s), focal, 1e-14, 0, "right");
    differ(generalized(y, s, 1 - s), focal);
  }
});

test("misprint: varifocal loss with alpha in the place of the weight", () => {
  // (logits, labels, alpha, gamma, iouWeighted) for (logits, labels, weight, alpha, gamma, iouWeighted).
  const shifted = (x: number, q: number) => 0.75 * varifocalLoss(x, q, { alpha: 2, gamma: 1 }).value;
  for (const q of [0, 0.6]) differ(varifocalLoss(0.8, q).value, shifted(0.8, q));
});

test.run();
