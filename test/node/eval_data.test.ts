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

/** LRP, its localization, false positives and negatives; ECE, LaECE, rank correlation: by numpy and scipy from pycocotools' matches. */
const BEYOND = {
  bbox: [
    ...[0.5014869573946036, 0.13296868184053637, 0.1273558335022561, 0.23117362404660058],
    ...[0.39359945504087196, 0.39485643912929935, 0.02460261844152367],
  ],
  segm: [
    ...[0.6672703902671817, 0.2066301362667458, 0.19518193623122976, 0.3477887685389454],
    ...[0.3100544959128065, 0.36736693984899466, 0.033457708942492906],
  ],
} as const;

for (const [kind, stats] of Object.entries(STATS)) {
  test(`${kind}: the statistics are those of pycocotools, and what it has not, of numpy and scipy`, () => {
    if (!existsSync(folder)) return skip(missing);
    const results = read<EvalResult[]>(`fake${kind}100_results`);
    const found = cocoEvaluate(read<CocoDataset>("100"), results, { kind: kind as keyof typeof STATS });
    close(Object.values(found.stats), stats, 1e-12);
    const { lrp, calibration: { ECE, LaECE, rankCorrelation } } = found;
    const beyond = [lrp.oLRP, lrp.localization, lrp.falsePositive, lrp.falseNegative, ECE, LaECE, rankCorrelation];
    close(beyond, BEYOND[kind as keyof typeof STATS], 1e-12);
  });
}

test.run();
