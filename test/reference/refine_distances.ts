/** distances · deltas, or distances · exp(deltas), in float64. */
import { floats, type Random } from "../random.ts";

export function refineDistances(distances: Float32Array, deltas: Float32Array, { kind = "multiply" } = {}): number[] {
  return Array.from(distances, (distance, i) => distance * (kind === "exp" ? Math.exp(deltas[i]) : deltas[i]));
}

export function inputs(r: Random, rows: number) {
  return [floats(rows * 4, () => r.uniform(0, 200)), floats(rows * 4, () => r.uniform(-3, 3))];
}
