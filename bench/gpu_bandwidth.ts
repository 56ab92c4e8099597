/** Bytes that a call on the device reads and writes in a second, against those of a kernel that copies. */
import type { Bench } from "./bench.ts";
import { copying, entrant, type Gpu, timeOf } from "./gpu_device.ts";
import { significant } from "./statistics.ts";

export interface Moving {
  /** Its buffers are destroyed after the time is taken. */
  readonly call: () => Promise<GPUBuffer[]>;
  /** What a call reads and writes. */
  readonly moved: number;
  /** What its buffers hold. */
  readonly resultBytes: number;
  /** What the copy reads, and writes; without it, half of `moved`. */
  readonly copied?: number;
  /** The share that is wanted. */
  readonly least?: number;
}

/** A software adapter's share is kept, and held to nothing. */
export async function measureBandwidth(
  { runner, report }: Bench,
  { device, software }: Gpu,
  { call, moved, resultBytes, copied = Math.ceil(moved / 32) * 16, least }: Moving,
): Promise<void> {
  const ours = entrant("ours", (calls) => timeOf(device, call, calls, resultBytes));
  using copy = copying(device, copied);
  const { time, ratio } = await runner.compare(ours, entrant("copy", copy.time));
  const share = ratio.median * moved / (2 * copied);
  const rate = 2 * copied / 1e6 / time.median;
  const percent = (100 * share).toFixed(0);
  const text = `${significant(rate * share)} GB/s, ${percent} % of a copy's ${significant(rate)} GB/s`;
  report.share("bandwidth", text, share, software ? undefined : least);
}
