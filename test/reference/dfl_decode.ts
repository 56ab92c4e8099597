/** Softmax and its expectation, in float64. */

/** Infinite logits have their limit: equal shares of the largest. */
export function softmax(logits: ArrayLike<number>): number[] {
  const row = Array.from(logits);
  const peak = Math.max(...row);
  const exps = row.map((x) => x === peak ? 1 : Math.exp(x - peak));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / sum);
}

/** Σ (first + i·step) softmax(x)_i for rows (…, 4·bins): one value a side. */
export function dflDecode(rows: Float32Array, bins: number, first = 0, step = 1): number[] {
  const out: number[] = [];
  for (let i = 0; i < rows.length; i += bins) {
    const p = softmax(rows.subarray(i, i + bins));
    out.push(first + step * p.reduce((sum, value, bin) => sum + value * bin, 0));
  }
  return out;
}

/** (4·bins, N) from (N, 4·bins). */
export function channelsFirst(rows: Float32Array, channels: number): Float32Array<ArrayBuffer> {
  const anchors = rows.length / channels;
  return Float32Array.from({ length: rows.length }, (_, i) => rows[(i % anchors) * channels + Math.floor(i / anchors)]);
}
