/** Worst errors against float64 on a million random elements and hard inputs, printed and held. */
import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type BoxReference,
  type ElementReference,
  ofKind,
  referenceOf,
  requiredOf,
  type RowOperationReference,
  type RowReference,
  settingsOf,
} from "../conformance.ts";
import { boxes, floats, random } from "../random.ts";
import { arraysOf, checkRows } from "../row_cases.ts";
import { note } from "../suite/notes.ts";

const test = suite("accuracy");
const { sync } = await createEngine();
type Loss = (pred: Float32Array, target: Float32Array, options: object) => { loss: Float32Array; grad: Float32Array };
const losses = sync as unknown as Record<string, Loss>;
const each = { reduction: "none", grad: true } as const;
const ELEMENTS = 1_000_000;
const HARD = [0, -0, 1e-30, -1e-30, 20, -20, 88, -88, 104, -104, 1e4, -1e4];

/** Worst of a comparison: relative error, error in units of the last place of float32, absolute error. */
interface Worst {
  relative: number;
  ulp: number;
  absolute: number;
}

const bits = new Float32Array(1);
const integer = new Int32Array(bits.buffer);

/** The distance from |value| to the next float32. */
function ulpOf(value: number): number {
  bits[0] = Math.abs(value);
  const here = bits[0];
  integer[0] += 1;
  return bits[0] - here;
}

function worstOf(got: ArrayLike<number>, wanted: ArrayLike<number>): Worst {
  const worst = { relative: 0, ulp: 0, absolute: 0 };
  for (let i = 0; i < wanted.length; i++) {
    const error = Math.abs(got[i] - wanted[i]);
    assert.ok(error < Infinity || got[i] === wanted[i], `${i} is ${got[i]}; wanted ${wanted[i]}`);
    if (got[i] === wanted[i]) continue;
    worst.absolute = Math.max(worst.absolute, error);
    if (Math.abs(wanted[i]) < 1e-37) continue;
    worst.relative = Math.max(worst.relative, error / Math.abs(wanted[i]));
    worst.ulp = Math.max(worst.ulp, error / ulpOf(wanted[i]));
  }
  return worst;
}

function print(name: string, { relative, ulp, absolute }: Worst): void {
  const cell = (value: number) => value.toExponential(1).padStart(9);
  const ulps = ulp < 1000 ? ulp.toFixed(1) : ulp.toExponential(0);
  note(`${name.padEnd(46)} relative ${cell(relative)}  ulp ${ulps.padStart(6)}  absolute ${cell(absolute)}`);
}

for (const operation of ofKind("element loss")) {
  const { name } = operation;

  test(`${name}: targets 0 and 1 within 1e-6, targets between within 1e-6 of 1 or of themselves`, () => {
    const { reference } = referenceOf<ElementReference>(operation);
    const r = random(90);
    for (const soft of [false, true]) {
      const count = soft ? ELEMENTS / 5 : ELEMENTS;
      // Each hard logit with both targets.
      const x = floats(count, (i) => HARD[i >> 1] ?? r.normal() * 5);
      const y = floats(count, (i) => soft ? r.uniform() : i % 2);
      const { loss, grad } = losses[name](x, y, each);
      const wanted = Array.from(x, (logit, i) => reference(logit, y[i], {}));
      const value = worstOf(loss, wanted.map((w) => w.value));
      const slope = worstOf(grad, wanted.map((w) => w.grad));
      print(`${name}, ${soft ? "soft" : "hard"} targets: value`, value);
      print(`${name}, ${soft ? "soft" : "hard"} targets: gradient`, slope);
      if (soft) {
        // Relative to 1 + |x|: a cross-entropy of 10 000 has other last places than one of 1.
        const scaled = worstOf(
          loss.map((v, i) => v / (1 + Math.abs(x[i]))),
          wanted.map((w, i) => w.value / (1 + Math.abs(x[i]))),
        );
        assert.ok(scaled.absolute <= 1e-6, `value ${scaled.absolute}`);
      } else {
        assert.ok(
          value.relative <= 1e-6 && slope.relative <= 1e-6,
          `value ${value.relative}, gradient ${slope.relative}`,
        );
      }
    }
  });
}

for (const operation of ofKind("row loss")) {
  const { name, bounds } = operation;

  test(`${name} within its bounds`, () => {
    const { reference, file } = referenceOf<RowReference>(operation);
    const r = random(91);
    const rows = Math.floor(ELEMENTS / 16);
    const pred = floats(rows * 16, () => r.normal() * 4);
    const target = floats(rows, (i) => file.targetAt(i % 5 === 0 ? r.integer(16) / 15 : r.uniform(), 16, {}));
    const { loss, grad } = losses[name](pred, target, each);
    const wanted = Array.from(target, (y, i) => reference(pred.subarray(16 * i, 16 * i + 16), y, {}));
    const value = worstOf(loss, wanted.map((w) => w.value));
    const slope = worstOf(grad, wanted.flatMap((w) => w.grad));
    print(`${name}: value`, value);
    print(`${name}: gradient`, slope);
    assert.ok(value.relative <= 1e-6 || value.absolute <= bounds.loss.wasm, `${value.relative}, ${value.absolute}`);
    assert.ok(slope.absolute <= bounds.gradient.wasm, `gradient ${slope.absolute}`);
  });
}

for (const operation of ofKind("row operation")) {
  const { name } = operation;

  test(`${name} within its bound`, () => {
    const c = referenceOf<RowOperationReference>(operation);
    const [options] = settingsOf(c);
    const inputs = c.file.inputs(random(93), 5000, options);
    const found = (sync as unknown as Record<string, (...args: unknown[]) => unknown>)[name](...inputs, options);
    const got = arraysOf(found);
    const wanted = arraysOf(c.reference(...inputs, options));
    for (const [member, values] of Object.entries(wanted)) {
      print(member === "result" ? name : `${name}: ${member}`, worstOf(got[member], values));
    }
    checkRows(c, { inputs, options, found, on: "wasm" }, "random");
  });
}

test("box losses within 2e-6", () => {
  const r = random(92);
  const count = 50_000;
  const target = boxes(r, count, 200, 600);
  const pred = target.map((v) => v + r.normal() * 8);
  for (const operation of ofKind("box loss")) {
    const { name } = operation;
    const { reference } = referenceOf<BoxReference>(operation);
    const required = requiredOf(operation);
    const { loss, grad } = losses[name](pred, target, { ...required, ...each });
    const wanted = Array.from(
      { length: count },
      (_, i) => reference([...pred.subarray(4 * i, 4 * i + 4)], [...target.subarray(4 * i, 4 * i + 4)], required),
    );
    const value = worstOf(loss, wanted.map((w) => w.value));
    const slope = worstOf(grad, wanted.flatMap((w) => w.grad));
    print(`${name}: value`, value);
    print(`${name}: gradient`, slope);
    assert.ok(
      value.absolute <= 2e-6 && slope.absolute <= 2e-6,
      `${name}: value ${value.absolute}, gradient ${slope.absolute}`,
    );
  }
});

test.run();
