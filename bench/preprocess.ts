/** Photographs to the input of a network, against plain JavaScript and OpenCV. */
import { inputs, type InputSpec, type Pixels } from "densehead";
import { differentValues } from "./agreement.ts";
import type { Bench, Family } from "./bench.ts";
import { attempt } from "./peers/load.ts";
import script from "./peers/opencv_preprocess.py";
import { plainLetterbox } from "./peers/plain_preprocess.ts";
import { type PythonProcess, startPython } from "./peers/python_process.ts";
import { seeded } from "./random.ts";
import type { Absent, Entrant, Rival } from "./runner.ts";

const SIZE = 640;

interface Case {
  readonly width: number;
  readonly height: number;
  readonly resize: NonNullable<InputSpec["resize"]>;
  readonly targets: { readonly plain?: number; readonly opencv?: number };
}

const CASES: readonly Case[] = [
  { width: 1920, height: 1080, resize: "bilinear", targets: { plain: 5, opencv: 4 } },
  { width: 1280, height: 720, resize: "bilinear", targets: {} },
  { width: 4000, height: 3000, resize: "area", targets: { opencv: 2 } },
  { width: 1920, height: 1080, resize: "bicubic", targets: {} },
];

/** Of a byte: OpenCV multiplies floats, and a byte may differ by one where it is not bilinear. */
const TOLERANCES = { bilinear: 1e-6, area: 1.001 / 255, bicubic: 1.001 / 255 };

/**
 * glibc gives large arrays memory of their own, from the system, until one has been freed that is as large: then it keeps some.
 * The bytes of an image that came through a pipe are such an array, and OpenCV takes 2.9 ms in place of 8.5. With this it stays
 * with new memory, as a program has it that reads no larger arrays.
 */
const NEW_MEMORY = { MALLOC_MMAP_THRESHOLD_: "131072" };

/** OpenCV with new memory for every call, and with the memory of the call before. */
interface OpenCv {
  readonly fresh: PythonProcess | Absent;
  readonly warm: PythonProcess | Absent;
}

export const preprocess: Family = {
  name: "preprocess",
  async run(bench) {
    const opencv = {
      fresh: await attempt("OpenCV, new memory", () => startPython(script, "OpenCV", NEW_MEMORY)),
      warm: await attempt("OpenCV, the same memory", () => startPython(script, "OpenCV")),
    };
    try {
      for (const each of CASES) await measure(bench, each, opencv);
    } finally {
      for (const each of Object.values(opencv)) if ("close" in each) each.close();
    }
  },
  async check(bench) {
    const absent = { name: "OpenCV", absent: "not checked" };
    await measure(bench, CASES[0], { fresh: absent, warm: absent });
  },
};

async function measure(
  { engine, runner, report }: Bench,
  { width, height, resize, targets }: Case,
  opencv: OpenCv,
): Promise<void> {
  const image = picture(width, height);
  const input = inputs.yolov8({ size: [SIZE, SIZE], resize });
  const out = new Float32Array(3 * SIZE * SIZE);
  report.heading(`preprocess: ${width} × ${height} RGBA to ${SIZE} × ${SIZE}, ${resize}`);
  const difference = differentValues(TOLERANCES[resize]);
  const ours = (name: string, options: { out?: Float32Array }): Entrant<Float32Array> => {
    return { name, run: () => engine.sync.preprocess(image, input, options).tensor.data };
  };
  const plain = (out?: Float32Array): Rival<Float32Array>[] => {
    if (resize !== "bilinear") return [];
    const run = () => plainLetterbox(image.data as Uint8Array, width, height, SIZE, out);
    return [{ name: "plain JavaScript", target: targets.plain, run }];
  };
  const fresh = await rivalOf(opencv.fresh, "new memory", image, resize, targets.opencv);
  const warm = await rivalOf(opencv.warm, "the same memory", image, resize, targets.opencv);
  await runner.race({ ours: ours("ours, into a new array", {}), rivals: [...plain(), fresh], difference });
  await runner.race({
    ours: ours("ours, into a given array", { out }),
    rivals: [...plain(out.slice()), warm],
    difference,
  });
}

async function rivalOf(
  opencv: PythonProcess | Absent,
  memory: string,
  { data, width, height }: Pixels,
  resize: string,
  target: number | undefined,
): Promise<Rival<Float32Array> | Absent> {
  if ("absent" in opencv) return opencv;
  const inputs = [{ data: data as Uint8Array, dims: [height, width, 4] }];
  const prepared = await opencv.prepare("letterbox", { resize, size: SIZE }, inputs);
  return {
    name: `${opencv.name}, ${memory}`,
    target,
    clock: prepared.clock,
    run: async () => (await prepared.run()).arrays[0],
  };
}

/** Noise: bytes of which none follows from its neighbours. */
function picture(width: number, height: number): Pixels {
  const uniform = seeded(width);
  const words = Uint32Array.from({ length: width * height }, () => uniform() * 2 ** 32);
  return { data: new Uint8Array(words.buffer), width, height };
}
