/**
 * Made-up results for 100 images of COCO, against what pycocotools says of them. The data stay where they are; without them
 * the tests are skipped.
 */
import { type CocoDataset, cocoEvaluate, type EvalResult } from "densehead/eval";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import { close } from "../compare.ts";
import { skip } from "../suite/skip.ts";

const test = suite("evaluation of COCO");
const folder = join(process.env.DENSEHEAD_ROOT ?? ".", "..", "shared", "evaldata");
const missing = "no folder ../shared/evaldata beside the project";

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder, `instances_val2014_${name}.json`), "utf8"));
}

/** AP, AP50, AP75, APsmall, APmedium, APlarge, AR1, AR10, AR100, ARsmall, ARmedium, ARlarge. */
const STATS = {
  bbox: [
    ...[
      0.5045806987249628,
      0.6969727247299577,
      0.5729816669904824,
      0.5856257209410443,
      0.5193996948036719,
      0.5013978986347466,
    ],
    ...[0.38681277964578054, 0.5936795762842003, 0.595352982877607, 0.6398109626113442, 0.5664205978994309],
    0.5642905982905982,
  ],
  segm: [
    ...[0.3195452758576433, 0.5622883972521636, 0.29892653412086784, 0.3873740315997837, 0.31018272403369485],
    ...[0.3269339071005138, 0.2682297225711534, 0.41544868114906375, 0.4168394992198818, 0.4694498622754236],
    ...[0.37675922666197265, 0.3814715099715099],
  ],
} as const;

for (const [kind, stats] of Object.entries(STATS)) {
  test(`${kind}: the statistics are those of pycocotools`, () => {
    if (!existsSync(folder)) return skip(missing);
    const results = read<EvalResult[]>(`fake${kind}100_results`);
    const found = cocoEvaluate(read<CocoDataset>("100"), results, { kind: kind as keyof typeof STATS });
    close(Object.values(found.stats), stats, 1e-12);
  });
}

test.run();
