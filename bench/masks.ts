/** Masks of a picture's detections, from rows and prototypes to bitmaps and run lengths. */
import { type DetectOptions, heads, type Outputs } from "densehead";
import type { Bench, Family } from "./bench.ts";
import { attempt } from "./peers/load.ts";
import { byWholeMap, byWindow, type MaskScene, runLengths } from "./peers/plain_masks.ts";
import type { PythonProcess } from "./peers/python_process.ts";
import script from "./peers/torch_masks.py";
import { startTorch } from "./peers/torch_process.ts";
import { seeded } from "./random.ts";
import type { Absent, Rival } from "./runner.ts";

const COUNT = 100;
const CHANNELS = 32;
const SAMPLES = 160;
const [WIDTH, HEIGHT] = [640, 480];
const INPUT = 640;
/** Bitmaps that are compared. */
const EVERY = 25;
/** Of their pixels, those whose logit is 0 but for roundings. */
const DIFFERENT = 1e-5;

export const masks: Family = {
  name: "masks",
  async run(bench) {
    const torch = await attempt("PyTorch", () => startTorch(script));
    try {
      await measure(bench, torch);
    } finally {
      if ("close" in torch) torch.close();
    }
  },
  async check(bench) {
    await measure(bench, { name: "PyTorch", absent: "not checked" });
  },
};

async function measure({ engine, runner, report }: Bench, torch: PythonProcess | Absent): Promise<void> {
  const scene = sceneOf(7);
  const { outputs, options } = detectionsOf(scene);
  const side = mean(scene, (w, h) => Math.sqrt(w * h)).toFixed(0);
  const what = `${COUNT} masks of ${CHANNELS} × ${SAMPLES} × ${SAMPLES}, boxes of 24 to 384 px, mean ${side}`;
  report.heading(`masks: ${what}, to bitmaps of ${WIDTH} × ${HEIGHT}`);
  const out = new Uint8Array(WIDTH * HEIGHT);
  const bitmaps = (bitmap: (i: number) => Uint8Array) => {
    const kept: Uint8Array[] = [];
    for (let i = 0; i < COUNT; i++) {
      const made = bitmap(i);
      if (i % EVERY === 0) kept.push(made.slice());
    }
    return kept;
  };
  const ours = () => {
    const found = engine.sync.detect(outputs, options)[0].masks;
    return bitmaps((i) => found?.bitmap(i, out) ?? out);
  };
  await runner.race<readonly ArrayLike<number>[]>({
    ours: { name: "ours, with detect", run: ours },
    rivals: [
      { name: "plain JavaScript by window", target: 15, run: () => bitmaps((i) => byWindow(scene, i, out)) },
      { name: "JavaScript over the whole map", target: 40, run: () => bitmaps((i) => byWholeMap(scene, i, out)) },
      torchRival(torch, "masks", "one by one", scene),
      torchRival(torch, "together", "all together", scene),
    ],
    difference: differentBitmaps,
  });
  report.heading(`masks: ${what}, to run lengths of ${WIDTH} × ${HEIGHT}`);
  const texts = (text: (i: number) => string) => Array.from({ length: COUNT }, (_, i) => text(i));
  await runner.race<readonly string[]>({
    ours: {
      name: "ours, with detect",
      run: () => {
        const found = engine.sync.detect(outputs, options)[0].masks;
        return texts((i) => found?.rle(i).counts ?? "");
      },
    },
    rivals: [{
      name: "plain JavaScript by window",
      target: 5,
      run: () => texts((i) => runLengths(byWindow(scene, i, out), WIDTH, HEIGHT)),
    }],
    difference: (a, b) => {
      const different = a.filter((text, i) => text !== b[i]).length;
      // A pixel on the other side changes a text.
      return different > COUNT / 20 ? `${different} texts` : null;
    },
  });
}

function torchRival(
  torch: PythonProcess | Absent,
  task: string,
  how: string,
  { prototypes, coefficients, boxes }: MaskScene,
): Rival<readonly ArrayLike<number>[]> | Absent {
  if ("absent" in torch) return torch;
  const inputs = [
    { data: prototypes, dims: [CHANNELS, SAMPLES, SAMPLES] },
    { data: coefficients, dims: [COUNT, CHANNELS] },
    { data: boxes, dims: [COUNT, 4] },
  ];
  const options = { height: HEIGHT, width: WIDTH, every: EVERY };
  return {
    name: `${torch.name}, ${how}`,
    target: 5,
    // It holds one task.
    clock: async (calls) => (await torch.prepare(task, options, inputs)).clock(calls),
    run: async () => (await (await torch.prepare(task, options, inputs)).run()).arrays,
  };
}

/** Smooth prototypes with a little noise, as trained ones are, and boxes of all sizes. */
function sceneOf(seed: number): MaskScene {
  const uniform = seeded(seed);
  const prototypes = new Float32Array(CHANNELS * SAMPLES * SAMPLES);
  for (let c = 0; c < CHANNELS; c++) {
    const waves = Array.from({ length: 3 }, () => [0.15, 0.15, 6.3, 1].map((most) => most * uniform()));
    for (let y = 0; y < SAMPLES; y++) {
      for (let x = 0; x < SAMPLES; x++) {
        const wave = waves.reduce((sum, [fx, fy, at, height]) => sum + height * Math.sin(fx * x + fy * y + at), 0);
        prototypes[(c * SAMPLES + y) * SAMPLES + x] = wave + 0.05 * (uniform() - 0.5);
      }
    }
  }
  const coefficients = Float32Array.from({ length: COUNT * CHANNELS }, () => 2 * uniform() - 1);
  const boxes = new Float32Array(COUNT * 4);
  for (let i = 0; i < COUNT; i++) {
    const size = 24 * Math.exp(uniform() * Math.log(16));
    const shape = Math.exp(0.5 * (uniform() - 0.5));
    const [w, h] = [Math.min(size * shape, WIDTH), Math.min(size / shape, HEIGHT)];
    const [x, y] = [uniform() * (WIDTH - w), uniform() * (HEIGHT - h)];
    boxes.set([x, y, x + w, y + h], 4 * i);
  }
  return { channels: CHANNELS, samples: SAMPLES, width: WIDTH, height: HEIGHT, prototypes, coefficients, boxes };
}

function mean({ boxes }: MaskScene, of: (width: number, height: number) => number): number {
  let sum = 0;
  for (let i = 0; i < boxes.length; i += 4) sum += of(boxes[i + 2] - boxes[i], boxes[i + 3] - boxes[i + 1]);
  return sum / COUNT;
}

/** The scene as a network without NMS gives it. */
function detectionsOf({ prototypes, coefficients, boxes }: MaskScene): { outputs: Outputs; options: DetectOptions } {
  const down = INPUT / HEIGHT;
  const rows = Array.from({ length: COUNT }, (_, i) => {
    const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
    return [
      x1,
      y1 * down,
      x2,
      y2 * down,
      0.9 - i / 1000,
      0,
      ...coefficients.subarray(CHANNELS * i, CHANNELS * (i + 1)),
    ];
  });
  return {
    outputs: {
      rows: { data: Float32Array.from(rows.flat()), dims: [1, COUNT, 6 + CHANNELS] },
      prototypes: { data: prototypes, dims: [1, CHANNELS, SAMPLES, SAMPLES] },
    },
    options: {
      head: heads.yolo26({ numClasses: 1, maskCoefficients: CHANNELS }),
      imageSize: [INPUT, INPUT],
      transform: { scaleX: 1, scaleY: down, padX: 0, padY: 0, clip: [HEIGHT, WIDTH] },
    },
  };
}

function differentBitmaps(ours: readonly ArrayLike<number>[], theirs: readonly ArrayLike<number>[]): string | null {
  if (ours.length !== theirs.length) return `${theirs.length} bitmaps`;
  let different = 0;
  ours.forEach((bitmap, i) => {
    for (let p = 0; p < bitmap.length; p++) if (bitmap[p] !== theirs[i][p]) different++;
  });
  return different > DIFFERENT * ours.length * WIDTH * HEIGHT ? `${different} pixels` : null;
}
