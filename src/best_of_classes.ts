/**
 * Fast NMS at a threshold of 0, which is no overlap that boxes must be over: any better box of finite numbers will do.
 */

/**
 * Indices of the kept boxes (N, columns), best first. `order` has them by score; `labels` is null where classes do not matter.
 */
export function bestOfClasses(
  boxes: Float32Array,
  columns: number,
  labels: Int32Array | null,
  order: Int32Array,
  limit: number,
): Int32Array {
  const found = new Set<number>();
  return order.filter((index) => {
    const isFinite = boxes.subarray(columns * index, columns * (index + 1)).every(Number.isFinite);
    const label = labels === null ? 0 : labels[index];
    if (isFinite && found.has(label)) return false;
    if (isFinite) found.add(label);
    return true;
  }).slice(0, limit);
}
