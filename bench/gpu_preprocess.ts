/** Textures to the input of a network: bytes in a second, against a kernel that copies. */
import { type Engine, inputs, type InputSpec } from "densehead";
import type { Bench } from "./bench.ts";
import { copying, entrant, type Gpu, timeOf } from "./gpu_device.ts";
import { seeded } from "./random.ts";

const SIZE = 640;

interface Case {
  readonly width: number;
  readonly height: number;
  readonly resize: NonNullable<InputSpec["resize"]>;
}

const CASES: readonly Case[] = [
  { width: 1920, height: 1080, resize: "bilinear" },
  { width: 1920, height: 1080, resize: "bicubic" },
  { width: 4000, height: 3000, resize: "area" },
];
/** What a software adapter gets done. */
const SOFTWARE_CASES: readonly Case[] = [{ width: 320, height: 180, resize: "bilinear" }];

/** GPUTextureUsage: TEXTURE_BINDING and COPY_DST. */
const USAGE = 0x4 | 0x2;

export async function measurePreprocess(bench: Bench, found: Gpu, engine: Engine): Promise<void> {
  const cases = found.software ? SOFTWARE_CASES : CASES;
  for (const each of cases) await measure(bench, found, engine, each);
}

/** Bytes are those of the texture and of the result, whether or not the method reads every texel. */
async function measure({ runner, report }: Bench, { device, software }: Gpu, engine: Engine, each: Case) {
  const { width, height, resize } = each;
  const side = software ? SIZE / 4 : SIZE;
  const input = inputs.yolov8({ size: [side, side], resize });
  const title = `preprocess, ${width} × ${height} texture to ${side} × ${side}, ${resize}`;
  report.heading(`gpu: ${title}${software ? ", software adapter only" : ""}`);
  const texture = noise(device, width, height);
  const resultBytes = 4 * 3 * side * side;
  const bytes = 4 * width * height + resultBytes;
  const call = async () => [(await engine.preprocess(texture, input)).tensor.gpuBuffer as GPUBuffer];
  const ours = entrant("ours", (calls) => timeOf(device, call, calls, resultBytes));
  // A copy reads and writes what it is given: half of the bytes.
  using copy = copying(device, Math.ceil(bytes / 32) * 16);
  const { time, ratio } = await runner.compare(ours, entrant("copy", copy.time));
  const rate = bytes / 1e6 / time.median;
  const share = (100 * ratio.median).toFixed(0);
  report.figure(
    "bandwidth",
    `${(rate * ratio.median).toFixed(1)} GB/s, ${share} % of a copy's ${rate.toFixed(1)} GB/s`,
  );
  texture.destroy();
}

function noise(device: GPUDevice, width: number, height: number): GPUTexture {
  const uniform = seeded(width);
  const words = Uint32Array.from({ length: width * height }, () => uniform() * 2 ** 32);
  const texture = device.createTexture({ size: [width, height], format: "rgba8unorm", usage: USAGE });
  device.queue.writeTexture({ texture }, words, { bytesPerRow: 4 * width }, [width, height]);
  return texture;
}
