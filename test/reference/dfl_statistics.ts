/** Shape of distributions, in float64. */
import { softmax } from "./dfl_decode.ts";

export interface Statistics {
  std: number[];
  entropy: number[];
  top: number[];
  saturation: number[];
  excess: number[];
}

export function dflStatistics(rows: Float32Array, bins: number): Statistics {
  const out: Statistics = { std: [], entropy: [], top: [], saturation: [], excess: [] };
  for (let i = 0; i < rows.length; i += bins) {
    const p = softmax(rows.subarray(i, i + bins));
    const mean = p.reduce((sum, value, bin) => sum + value * bin, 0);
    const variance = p.reduce((sum, value, bin) => sum + value * (bin - mean) ** 2, 0);
    const fraction = mean - Math.floor(mean);
    out.std.push(Math.sqrt(variance));
    out.excess.push(Math.sqrt(Math.max(0, variance - fraction * (1 - fraction))));
    out.entropy.push(p.reduce((sum, value) => sum - (value === 0 ? 0 : value * Math.log(value)), 0));
    out.top.push(p.some(Number.isNaN) ? NaN : Math.max(...p));
    out.saturation.push(p[bins - 1]);
  }
  return out;
}
