/** Softmax and its expectation, in float64. */
import type { DflDecodeOptions } from "../../src/types.ts";
import { floats, type Random } from "../random.ts";

/** Infinite logits have their limit: equal shares of the largest. */
export function softmax(logits: ArrayLike<number>): number[] {
  const row = Array.from(logits);
  const peak = Math.max(...row);
  const exps = row.map((x) => x === peak ? 1 : Math.exp(x - peak));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / sum);
}

/** The value of a bin. Tables are float32 numbers. */
export function binValue(bin: number, { firstBin = 0, binStep = 1, binValues }: Partial<DflDecodeOptions>): number {
  return binValues === undefined ? firstBin + binStep * bin : Math.fround(binValues[bin]);
}

/** Σ W_i softmax(x)_i, W the bins' values: one value a side. */
export function dflDecode(
  dist: Float32Array,
  { bins = 16, layout = "rows", ...values }: Partial<DflDecodeOptions>,
): number[] {
  const rows = rowsOf(dist, bins, layout);
  const out: number[] = [];
  for (let i = 0; i < rows.length; i += bins) {
    const p = softmax(rows.subarray(i, i + bins));
    out.push(p.reduce((sum, share, bin) => sum + share * binValue(bin, values), 0));
  }
  return out;
}

/** (4·bins, N) from (N, 4·bins). */
export function channelsFirst(rows: Float32Array, channels: number): Float32Array<ArrayBuffer> {
  const anchors = rows.length / channels;
  return Float32Array.from({ length: rows.length }, (_, i) => rows[(i % anchors) * channels + Math.floor(i / anchors)]);
}

/** The rows (N, 4·bins) of one image in either layout. */
export function rowsOf(dist: Float32Array, bins: number, layout: string): Float32Array {
  return layout === "rows" ? dist : channelsFirst(dist, dist.length / (4 * bins));
}

/** D-FINE's 33 bins: 0, and on both sides sixteen that spread out (Peng et al. 2024, in the unit of its code). */
export const DFINE_VALUES = Array.from({ length: 33 }, (_, bin) => {
  const away = Math.abs(bin - 16);
  return Math.sign(bin - 16) * (away === 16 ? 4 : 3 ** (away / 15) - 1);
});

export function inputs(r: Random, rows: number, { bins }: Pick<DflDecodeOptions, "bins">) {
  return [floats(rows * 4 * bins, () => r.normal() * 3)];
}

export const settings = [
  { bins: 16 },
  ...[2, 3, 8, 17, 33, 64].map((bins) => ({ bins })),
  { bins: 5, layout: "channels-first" },
  { bins: 8, firstBin: -2, binStep: 0.5 },
  { bins: 33, binValues: DFINE_VALUES },
  { bins: 5, binValues: [-100, -1, 0, 0.001, 1e4], layout: "channels-first" },
] as const;

/** The range of the bins. */
export function unit(_: number, { bins, ...values }: Partial<DflDecodeOptions> & { bins: number }): number {
  return Math.abs(binValue(bins - 1, values) - binValue(0, values));
}
