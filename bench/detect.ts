/** Whole detection from the raw output of a YOLOv8 head, against what else does that in JavaScript. */
import { createEngine, heads } from "densehead";
import { differentDetections, type Found } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { heapGrowth } from "./heap.ts";
import { headScene, type Scene } from "./inputs.ts";
import { carefulDetect } from "./peers/careful_detect.ts";
import { asFound, copiedDetect } from "./peers/copied_detect.ts";
import { attempt } from "./peers/load.ts";
import { onnxNode, onnxWeb } from "./peers/onnx_runtime.ts";
import type { Absent, Entrant, Rival } from "./runner.ts";
import { ANCHORS, CHANNELS, IMAGE, KEEP } from "./yolov8.ts";

const OPTIONS = {
  head: heads.yolov8(),
  imageSize: [IMAGE, IMAGE],
  ...KEEP,
} as const;
const TARGETS = {
  memory: { copied: 45, careful: 5, onnx: 20 },
  host: { copied: 30, careful: 3, onnx: 12 },
} as const;
const PEAK_MIB = 2;
const REPEATED_CALLS = 1000;
/** What one call may leave behind: less than the smallest object. */
const HEAP_SLACK = 8;

export const detect: Family = {
  name: "detect",
  async run(bench) {
    const load = await loadPeers();
    for (const scene of [headScene(12, 11, 1), headScene(60, 14, 2)]) {
      await measureScene(bench, scene, load);
    }
    await measureMemory(bench, headScene(60, 14, 2));
    await measureLeaks(bench, headScene(12, 11, 1));
  },
};

type Targets = (typeof TARGETS)[keyof typeof TARGETS];
type LoadedPeers = (
  logits: Float32Array,
  targets: Targets,
) => (Rival<Found> | Absent)[];

async function loadPeers(): Promise<LoadedPeers> {
  const copied = copiedDetect();
  const careful = carefulDetect();
  const onnx = [
    await attempt("onnxruntime-web", onnxWeb),
    await attempt("onnxruntime-node", onnxNode),
  ];
  return (logits, targets) => [
    {
      name: "copied JavaScript",
      target: targets.copied,
      run: () => asFound(copied(logits)),
    },
    {
      name: "careful JavaScript",
      target: targets.careful,
      run: () => careful(logits),
    },
    ...onnx.map((peer) =>
      "absent" in peer ? peer : { name: peer.name, target: targets.onnx, run: peer.prepare(logits) }
    ),
  ];
}

async function measureScene(
  { engine, runner, report }: Bench,
  scene: Scene,
  peers: LoadedPeers,
): Promise<void> {
  const { logits, survivors } = scene;
  using tensor = engine.tensor([1, CHANNELS, ANCHORS]);
  tensor.data.set(logits);
  const kept = engine.sync.detect(tensor, OPTIONS)[0].length;
  report.heading(
    `detect: ${survivors} anchors over the threshold, ${kept} detections`,
  );
  const memory: Entrant<Found> = {
    name: "ours, in memory",
    run: () => engine.sync.detect(tensor, OPTIONS)[0],
  };
  const host: Entrant<Found> = {
    name: "ours, host array",
    run: () => engine.sync.detect(logits, OPTIONS)[0],
  };
  const difference = differentDetections;
  await runner.race({
    ours: memory,
    rivals: peers(logits, TARGETS.memory),
    difference,
  });
  await runner.race({
    ours: host,
    rivals: peers(logits, TARGETS.host),
    difference,
  });
}

/** Peak of linear memory when host arrays are streamed. */
async function measureMemory(
  { report }: Bench,
  { logits, survivors }: Scene,
): Promise<void> {
  using engine = await createEngine({ device: "wasm" });
  engine.sync.detect(logits, OPTIONS);
  report.heading("detect: memory of a fresh engine, host array");
  const peak = engine.memory.peak / 2 ** 20;
  report.check(
    `peak, ${survivors} over the threshold`,
    `${peak.toFixed(2)} MiB`,
    peak <= PEAK_MIB,
    `≤ ${PEAK_MIB} MiB`,
  );
}

/** Does anything stay behind in linear memory or on the JavaScript heap? */
async function measureLeaks(
  { report, quick }: Bench,
  { logits }: Scene,
): Promise<void> {
  using engine = await createEngine({ device: "wasm" });
  const repeat = () => {
    for (let i = 0; i < REPEATED_CALLS; i++) {
      engine.sync.detect(logits, OPTIONS);
    }
  };
  repeat();
  const reserved = engine.memory.reserved;
  const growth = await heapGrowth(repeat, quick ? 3 : 6) / REPEATED_CALLS;
  const grown = engine.memory.reserved - reserved;
  report.check(
    `memory.reserved, ${REPEATED_CALLS} calls`,
    `+${grown} bytes`,
    grown === 0,
    "+0 bytes",
  );
  report.check(
    "JS heap, each call",
    `${growth.toFixed(1)} bytes`,
    growth < HEAP_SLACK,
    `< ${HEAP_SLACK} bytes`,
  );
}
