/** Textures to the input of a network: bytes in a second, against a kernel that copies. */
import { type Engine, inputs, type InputSpec } from "densehead";
import type { Bench } from "./bench.ts";
import { measureBandwidth } from "./gpu_bandwidth.ts";
import type { Gpu } from "./gpu_device.ts";
import { seeded } from "./random.ts";

const SIZE = 640;
/** Of the copy's bandwidth. */
const TARGET = 0.6;

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
async function measure(bench: Bench, found: Gpu, engine: Engine, each: Case) {
  const { device, software } = found;
  const { width, height, resize } = each;
  const side = software ? SIZE / 4 : SIZE;
  const input = inputs.yolov8({ size: [side, side], resize });
  const title = `preprocess, ${width} × ${height} texture to ${side} × ${side}, ${resize}`;
  bench.report.heading(`gpu: ${title}${software ? ", software adapter only" : ""}`);
  const texture = noise(device, width, height);
  const resultBytes = 4 * 3 * side * side;
  const bytes = 4 * width * height + resultBytes;
  const call = async () => [(await engine.preprocess(texture, input)).tensor.gpuBuffer as GPUBuffer];
  await measureBandwidth(bench, found, { call, moved: bytes, resultBytes, least: TARGET });
  texture.destroy();
}

function noise(device: GPUDevice, width: number, height: number): GPUTexture {
  const uniform = seeded(width);
  const words = Uint32Array.from({ length: width * height }, () => uniform() * 2 ** 32);
  const texture = device.createTexture({ size: [width, height], format: "rgba8unorm", usage: USAGE });
  device.queue.writeTexture({ texture }, words, { bytesPerRow: 4 * width }, [width, height]);
  return texture;
}
