/** Every routine by its record: its reference, how it is called, and PyTorch. */
// kinds: routine
import { createEngine } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { argumentCasesOf, fixtureOf, ofKind, type Reference, referenceOf } from "../conformance.ts";
import { testPyTorch } from "../row_cases.ts";
import { note } from "./notes.ts";

const test = suite("routines");
const { sync } = await createEngine();

for (const operation of ofKind("routine")) {
  test(`${operation.name}: reference and arguments`, () => {
    referenceOf(operation);
    assert.ok(argumentCasesOf(operation).length > 0);
  });

  test(`${operation.name}: what PyTorch finds`, () => {
    const fixture = fixtureOf<{ inputs?: unknown }[]>(operation);
    // Assignments and criteria have scenes, which their own suites read.
    const isCalls = "none" in fixture || (Array.isArray(fixture) && "inputs" in fixture[0]);
    if (isCalls) testPyTorch(operation, sync, referenceOf<Reference<(...args: never[]) => unknown>>(operation), note);
  });
}

test.run();
