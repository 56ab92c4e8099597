/** Sides from distributions that are on the device: what crosses to the host with them counts against us. */
import type { Engine } from "densehead";
import type { Bench } from "./bench.ts";
import { measureBandwidth } from "./gpu_bandwidth.ts";
import { type Gpu, repeated } from "./gpu_device.ts";
import { sideLogits } from "./inputs.ts";
import { BINS } from "./yolov8.ts";

const ANCHORS = 268_800;
/** What a software adapter gets done. */
const SOFTWARE_ANCHORS = 2000;
/** Of the copy's bandwidth. */
const TARGET = 0.6;

/** Of a batch of 32 images. */
export async function measureDecode(bench: Bench, found: Gpu, engine: Engine): Promise<void> {
  const { device, software } = found;
  const anchors = software ? SOFTWARE_ANCHORS : ANCHORS;
  const logits = sideLogits(SOFTWARE_ANCHORS, BINS, "rows", 1);
  const bytes = 4 * anchors * 4 * BINS;
  const gpuBuffer = repeated(device, logits, bytes);
  bench.report.heading(
    `gpu: decode, ${anchors} × 4 × ${BINS}, sides to the host${software ? ", software adapter only" : ""}`,
  );
  const call = async () => {
    await engine.dflDecode({ gpuBuffer, dims: [anchors, 4 * BINS] }, { bins: BINS });
    return [];
  };
  const sideBytes = 4 * anchors * 4;
  await measureBandwidth(bench, found, { call, moved: bytes + sideBytes, resultBytes: sideBytes, least: TARGET });
  gpuBuffer.destroy();
}
