/** Overlaps of rotated boxes, of every pair: boxes in clusters, as a detector gives them, and boxes all over an image. */
import { differentValues } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { clusteredBoxes, spreadBoxes } from "./inputs.ts";
import { carefulRotatedIou, plainProbIou, plainRotatedIou } from "./peers/plain_rotated.ts";

const COUNT = 1000;
/** Contracted is 1e-6; others round nothing but their result. */
const TOLERANCE = 1e-6;

export const rotated: Family = {
  name: "rotated",
  async run(bench) {
    await measurePolygons(bench, "in 2 clusters", clusteredBoxes(COUNT, 2, 4));
    await measurePolygons(bench, "in clusters of 50", clusteredBoxes(COUNT, 50, 5));
    await measurePolygons(bench, "on 4000 × 4000 px", spreadBoxes(COUNT, 4000, 6));
    await measureGaussians(bench);
  },
};

async function measurePolygons({ engine, runner, report }: Bench, what: string, boxes: Float32Array): Promise<void> {
  const run = () => engine.sync.rotatedBoxIou(boxes, boxes);
  const meet = run().filter((iou) => iou > 0).length / COUNT ** 2;
  report.heading(`rotated: IoU of ${COUNT} × ${COUNT} polygons, ${what}, ${(100 * meet).toFixed(0)} % meet`);
  await runner.race<Float32Array>({
    ours: { name: "ours", run },
    rivals: [
      { name: "plain JavaScript", target: 10, run: () => plainRotatedIou(boxes, boxes) },
      { name: "careful JavaScript", run: () => carefulRotatedIou(boxes, boxes) },
    ],
    difference: differentValues(TOLERANCE),
  });
}

async function measureGaussians({ engine, runner, report }: Bench): Promise<void> {
  const boxes = clusteredBoxes(COUNT, 50, 5);
  report.heading(`rotated: ProbIoU of ${COUNT} × ${COUNT} boxes, in clusters of 50`);
  await runner.race<Float32Array>({
    ours: { name: "ours", run: () => engine.sync.probIou(boxes, boxes) },
    rivals: [{ name: "plain JavaScript", run: () => plainProbIou(boxes, boxes) }],
    difference: differentValues(TOLERANCE),
  });
}
