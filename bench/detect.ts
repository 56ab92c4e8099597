/** Whole detection from the raw output of a YOLOv8 head, against what else does that in JavaScript. */
import { heads } from "densehead";
import { differentDetections, type Found } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { headScene, type Scene } from "./inputs.ts";
import { carefulDetect } from "./peers/careful_detect.ts";
import { copiedDetect } from "./peers/copied_detect.ts";
import { attempt } from "./peers/load.ts";
import { type OnnxDetector, onnxNode, onnxWeb } from "./peers/onnx_runtime.ts";
import { asFound } from "./peers/plain_boxes.ts";
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
const SCENES = [() => headScene(12, 11, 1), () => headScene(60, 14, 2)] as const;

export const detect: Family = {
  name: "detect",
  async run(bench) {
    const onnx = [
      await attempt("onnxruntime-web", onnxWeb),
      await attempt("onnxruntime-node", onnxNode),
    ];
    for (const scene of SCENES) await measureScene(bench, scene(), onnx);
  },
  async check(bench) {
    for (const scene of SCENES) await measureScene(bench, scene(), []);
  },
};

type Targets = (typeof TARGETS)[keyof typeof TARGETS];

function rivalsOf(
  logits: Float32Array,
  onnx: readonly (OnnxDetector | Absent)[],
  targets: Targets,
): (Rival<Found> | Absent)[] {
  const copied = copiedDetect();
  const careful = carefulDetect();
  return [
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
  onnx: readonly (OnnxDetector | Absent)[],
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
    rivals: rivalsOf(logits, onnx, TARGETS.memory),
    difference,
  });
  await runner.race({
    ours: host,
    rivals: rivalsOf(logits, onnx, TARGETS.host),
    difference,
  });
}
