/** Box sides from the distributions of a whole head. */
import { differentValues } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { sideLogits } from "./inputs.ts";
import { plainDecode } from "./peers/plain_decode.ts";
import { ANCHORS, BINS } from "./yolov8.ts";

const TARGET = 15;
/** Ours is within 5e-7 of the range of bins; the other rounds its result to float32. */
const TOLERANCE = 1e-6 * BINS;

type Layout = "rows" | "channels-first";

export const decode: Family = {
  name: "decode",
  async run(bench) {
    for (const layout of ["rows", "channels-first"] as const) {
      await measure(bench, layout);
    }
  },
};

async function measure(
  { engine, runner, report }: Bench,
  layout: Layout,
): Promise<void> {
  const lie = { anchors: ANCHORS, bins: BINS, layout };
  const logits = sideLogits(ANCHORS, BINS, layout, 1);
  using tensor = engine.tensor(
    layout === "rows" ? [ANCHORS, 4 * BINS] : [4 * BINS, ANCHORS],
  );
  tensor.data.set(logits);
  report.heading(`decode: ${ANCHORS} anchors × 4 × ${BINS} bins, ${layout}`);
  const rivals = [{
    name: "plain JavaScript",
    target: TARGET,
    run: () => plainDecode(logits, lie),
  }];
  const entrants = [
    {
      name: "ours, in memory",
      run: () => engine.sync.dflDecode(tensor, { bins: BINS, layout }),
    },
    {
      name: "ours, host array",
      run: () => engine.sync.dflDecode(logits, { bins: BINS, layout }),
    },
  ];
  for (const ours of entrants) {
    await runner.race<Float32Array>({
      ours,
      rivals,
      difference: differentValues(TOLERANCE),
    });
  }
}
