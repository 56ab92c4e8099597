/** g·S_b·(W_b − E) of each side's distribution, in float64: S the softmax, W the bins' values, E their mean. */
import type { DflDecodeOptions } from "../../src/types.ts";
import { floats, type Random } from "../random.ts";
import { binValue, rowsOf, settings, softmax, unit as range } from "./dfl_decode.ts";

export { settings };

export function dflDecodeGradient(
  dist: Float32Array,
  grad: Float32Array,
  { bins = 16, layout = "rows", ...values }: Partial<DflDecodeOptions>,
): number[] {
  const rows = rowsOf(dist, bins, layout);
  const found = Array.from(grad, (slope, side) => {
    const shares = softmax(rows.subarray(side * bins, (side + 1) * bins));
    // From the likeliest bin, so that a certain distribution keeps its digits.
    const origin = binValue(shares.indexOf(Math.max(...shares)), values);
    const mean = shares.reduce((sum, share, bin) => sum + share * (binValue(bin, values) - origin), 0);
    return shares.map((share, bin) => slope * (share * (binValue(bin, values) - origin - mean)));
  }).flat();
  return layout === "rows" ? found : transposed(found, 4 * bins);
}

/** (4·bins, N) from (N, 4·bins). */
function transposed(rows: readonly number[], channels: number): number[] {
  const anchors = rows.length / channels;
  return rows.map((_, i) => rows[(i % anchors) * channels + Math.floor(i / anchors)]);
}

export function inputs(r: Random, rows: number, { bins }: Pick<DflDecodeOptions, "bins">) {
  return [floats(rows * 4 * bins, () => r.normal() * 3), floats(rows * 4, () => r.normal())];
}

/** The range of the bins times the side's gradient. */
export function unit(wanted: number, options: DflDecodeOptions, [, grad]: readonly Float32Array[], i: number): number {
  const { bins, layout } = options;
  const anchors = grad.length / 4;
  const side = layout === "channels-first" ? 4 * (i % anchors) + Math.floor(i / anchors / bins) : Math.floor(i / bins);
  return range(wanted, options) * Math.abs(grad[side]);
}
