/** Shape of distributions, in float64. */
import { rowsOf, softmax } from "./dfl_decode.ts";

export interface Statistics {
  std: number[];
  entropy: number[];
  top: number[];
  saturation: number[];
  excess: number[];
}

export function dflStatistics(
  dist: Float32Array,
  { bins = 16, layout = "rows" }: { bins?: number; layout?: string },
): Statistics {
  const rows = rowsOf(dist, bins, layout);
  const out: Statistics = { std: [], entropy: [], top: [], saturation: [], excess: [] };
  for (let i = 0; i < rows.length; i += bins) {
    const p = softmax(rows.subarray(i, i + bins));
    const mean = p.reduce((sum, value, bin) => sum + value * bin, 0);
    const variance = p.reduce((sum, value, bin) => sum + value * (bin - mean) ** 2, 0);
    const below = Math.floor(mean);
    // Variance − f (1 − f), f the mean's fraction, without its cancelling.
    const excess = p.reduce((sum, value, bin) => sum + value * (bin - below) * (bin - below - 1), 0);
    out.std.push(Math.sqrt(variance));
    out.excess.push(Math.sqrt(excess));
    out.entropy.push(p.reduce((sum, value) => sum - (value === 0 ? 0 : value * Math.log(value)), 0));
    out.top.push(p.some(Number.isNaN) ? NaN : Math.max(...p));
    out.saturation.push(p[bins - 1]);
  }
  return out;
}

export { inputs, unit } from "./dfl_decode.ts";

export const settings = [
  { bins: 16 },
  ...[2, 3, 8, 17, 33, 64].map((bins) => ({ bins })),
  { bins: 5, layout: "channels-first" },
];
