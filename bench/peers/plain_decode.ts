/** Box sides from distributions in JavaScript: for each side the highest logit, then Math.exp of all others against it. */

/** Where a side's bins lie. */
export interface Lie {
  readonly anchors: number;
  readonly bins: number;
  readonly layout: "rows" | "channels-first";
}

/** Sides (anchors, 4). */
export function plainDecode(
  logits: Float32Array,
  { anchors, bins, layout }: Lie,
): Float32Array {
  const rows = layout === "rows";
  const step = rows ? 1 : anchors;
  const sides = new Float32Array(anchors * 4);
  for (let anchor = 0; anchor < anchors; anchor++) {
    for (let side = 0; side < 4; side++) {
      const first = rows ? (4 * anchor + side) * bins : side * bins * anchors + anchor;
      sides[4 * anchor + side] = expectation(logits, first, step, bins);
    }
  }
  return sides;
}

function expectation(
  logits: Float32Array,
  first: number,
  step: number,
  bins: number,
): number {
  let top = -Infinity;
  for (let i = 0; i < bins; i++) top = Math.max(top, logits[first + i * step]);
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < bins; i++) {
    const weight = Math.exp(logits[first + i * step] - top);
    sum += weight;
    weighted += i * weight;
  }
  return weighted / sum;
}
