/** The range of targets of generalizedFocalLoss, and that it has no labels. */
import { createEngine } from "densehead";
import { suite } from "uvu";
import { throws } from "../compare.ts";

const test = suite("generalizedFocalLoss");
const { sync } = await createEngine();

test("a range without values and labels are refused", () => {
  const x = { data: new Float32Array(6), dims: [2, 3] };
  const labels = Int32Array.of(0, 1);
  throws(() => sync.generalizedFocalLoss(x, x, { yLeft: 1, yRight: 1 }), RangeError, "options.yRight", "1");
  throws(() => sync.generalizedFocalLoss(x, x, { yLeft: 2, yRight: 1 }), RangeError, "options.yRight", "over yLeft, 2");
  // @ts-expect-error labels
  throws(() => sync.generalizedFocalLoss(x, { labels }), TypeError, "generalizedFocalLoss", "target", "data and dims");
});

test.run();
