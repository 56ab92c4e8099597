/**
 * Parameters in words: unit and range behind the first clause, no range where any finite number will do.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { defaultOf, meaningOf, outsideOf } from "../../src/param_text.ts";
import {
  atLeastZero,
  booleanParam,
  integerParam,
  numberParam,
  optionalChoice,
  optionalNumber,
  type Param,
  requiredInteger,
  requiredSize,
} from "../../src/params.ts";

const test = suite("param_text");

const SIDE = numberParam("side; the anchor is square", 8, { min: 1e-6, max: 1e6, unit: "strides" });
const WEIGHT = numberParam("weight. A negative one is none", 0.25, { min: -Number.MAX_VALUE, max: 1 });

test("unit and range stand behind the first clause", () => {
  const cases: [Param, string][] = [
    [atLeastZero("exponent of |y − σ|", 2), "exponent of |y − σ|, at least 0"],
    [SIDE, "side, in strides, 1e-6 to 1e6; the anchor is square"],
    [WEIGHT, "weight, at most 1. A negative one is none"],
    [numberParam("IoU: of boxes", 0.5, { min: 0, max: 1 }), "IoU, in [0, 1]: of boxes"],
    [numberParam("step", 1, { over: 0, max: 4 }), "step, over 0, at most 4"],
    [numberParam("offset", 0, { min: -1e6, max: 300 }), "offset, −1e6 to 300"],
    [numberParam("value 0.5 of a bin", 0), "value 0.5 of a bin"],
  ];
  for (const [param, wanted] of cases) assert.is(meaningOf(param), wanted);
});

test("the condition of the RangeError is the range turned round", () => {
  const cases: [Param, string | undefined][] = [
    [atLeastZero("", 2), "is under 0"],
    [SIDE, "is outside 1e-6…1e6"],
    [WEIGHT, "is over 1"],
    [numberParam("", 0.5, { min: 0, max: 1 }), "is outside [0, 1]"],
    [numberParam("", 1, { over: 0, max: 4 }), "is not over 0 or is over 4"],
    [requiredInteger("", { min: 2, max: 64 }), "is outside 2…64"],
    [requiredSize(""), "is not positive"],
    [booleanParam("", true), undefined],
    [numberParam("", 0), undefined],
  ];
  for (const [param, wanted] of cases) assert.is(outsideOf(param), wanted);
});

test("defaults are as code has them, or in words", () => {
  const cases: [Param, string | undefined, boolean?][] = [
    [numberParam("", 1e-7), "1e-7", false],
    [numberParam("", 0.001), "0.001", false],
    [integerParam("", 30000, { min: 0 }), "30000", false],
    [integerParam("", Infinity, { min: 0 }), "no limit", true],
    [booleanParam("", false), "false", false],
    [optionalChoice("", ["a", "b"], "b with labels"), "b with labels", true],
    [optionalNumber(""), undefined],
    [requiredInteger("", { min: 1 }), undefined],
  ];
  for (const [param, text, inWords] of cases) {
    assert.equal(defaultOf(param), text === undefined ? undefined : { text, inWords });
  }
});

test.run();
