/** Heads beside that of `detect`: raw maps of YOLOv5, and rows that are detections already, against plain JavaScript. */
import { heads } from "densehead";
import { differentDetections, type Found } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { asFound, type Box } from "./peers/plain_boxes.ts";
import { byIndex, tenLines } from "./peers/plain_rows.ts";
import { careful, copied, objectnessFirst } from "./peers/plain_yolov5.ts";
import { IMAGE, rawMaps, selectedRows } from "./yolov5.ts";
import { KEEP } from "./yolov8.ts";

const imageSize = [IMAGE, IMAGE];

/** Rows over the threshold: as many as an image has objects, and all. */
const OVER = [10, 300] as const;

export const headsFamily: Family = {
  name: "heads",
  async run(bench) {
    await measureRaw(bench);
    for (const over of OVER) await measureSelected(bench, over);
  },
  async check(bench) {
    await measureRaw(bench);
  },
};

/** Peers return objects; they become arrays only to be compared. */
type Result = Found | readonly Box[];

function difference(ours: Result, theirs: Result): string | null {
  const found = (result: Result) => Array.isArray(result) ? asFound(result) : result as Found;
  return differentDetections(found(ours), found(theirs));
}

async function measureRaw({ engine, runner, report }: Bench): Promise<void> {
  const maps = rawMaps(20, 3);
  const options = { head: heads.yolov5(), imageSize, ...KEEP };
  const outputs = maps.map((data, level) => {
    const side = [80, 40, 20][level];
    return { data, dims: [1, data.length / (side * side), side, side] };
  });
  const tensors = outputs.map(({ data, dims }) => {
    const tensor = engine.tensor(dims);
    tensor.data.set(data);
    return tensor;
  });
  report.heading(`heads: raw YOLOv5, 25 200 × 85, ${engine.sync.detect(outputs, options)[0].length} detections`);
  for (const [where, given] of [["in memory", tensors], ["host arrays", outputs]] as const) {
    await runner.race<Result>({
      ours: { name: `ours, ${where}`, run: () => engine.sync.detect(given, options)[0] },
      rivals: [
        { name: "copied JavaScript", target: 30, run: () => copied(maps) },
        { name: "careful JavaScript", target: 5, run: () => careful(maps) },
        { name: "objectness first", run: () => objectnessFirst(maps) },
      ],
      difference,
    });
  }
  for (const tensor of tensors) tensor.dispose();
}

async function measureSelected({ engine, runner, report }: Bench, over: number): Promise<void> {
  const rows = selectedRows(over, 5);
  const output = { data: rows, dims: [1, 300, 6] };
  const options = { head: heads.yolo26(), imageSize };
  report.heading(`heads: (1, 300, 6), ${over} over the threshold`);
  await runner.race<Result>({
    ours: { name: "ours, host array", run: () => engine.sync.detect(output, options)[0] },
    rivals: [
      { name: "ten lines of JavaScript", target: 1, run: () => tenLines(rows) },
      { name: "by index, unchecked", run: () => byIndex(rows) },
    ],
    difference,
  });
}
