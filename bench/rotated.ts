/** Overlaps of rotated boxes, of every pair, and suppression: boxes in clusters, as a detector gives them, and boxes all over an image. */
import { differentIndices, differentValues } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { clusteredBoxes, spreadBoxes } from "./inputs.ts";
import { carefulRotatedIou, plainProbIou, plainRotatedIou, plainRotatedNms } from "./peers/plain_rotated.ts";
import { seeded } from "./random.ts";

const COUNT = 1000;
/** Boxes of NMS. */
const MANY = 10_000;
const IOU_THRESHOLD = 0.5;
/** Contracted is 1e-6; others round nothing but their result. */
const TOLERANCE = 1e-6;

export const rotated: Family = {
  name: "rotated",
  async run(bench) {
    await measurePolygons(bench, "in 2 clusters", clusteredBoxes(COUNT, 2, 4));
    await measurePolygons(bench, "in clusters of 50", clusteredBoxes(COUNT, 50, 5));
    await measurePolygons(bench, "on 4000 × 4000 px", spreadBoxes(COUNT, 4000, 6));
    await measureGaussians(bench);
    await measureNms(bench);
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

async function measureNms({ engine, runner, report }: Bench): Promise<void> {
  const boxes = clusteredBoxes(MANY, MANY / 20, 7);
  const scores = Float32Array.from({ length: MANY }, seeded(MANY));
  const run = () => engine.sync.rotatedNms(boxes, scores, { iouThreshold: IOU_THRESHOLD });
  report.heading(`rotated: NMS of ${MANY} boxes in clusters of 20, ${run().length} kept`);
  await runner.race<ArrayLike<number>>({
    ours: { name: "ours", run },
    rivals: [
      { name: "plain JavaScript", target: 40, run: () => plainRotatedNms(boxes, scores, IOU_THRESHOLD, false) },
      { name: "with a test of the boxes around", run: () => plainRotatedNms(boxes, scores, IOU_THRESHOLD, true) },
    ],
    difference: differentIndices,
  });
}
