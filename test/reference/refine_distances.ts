/** distances · deltas, or distances · exp(deltas), in float64. */
export function refineDistances(distances: Float32Array, deltas: Float32Array, kind = "multiply"): number[] {
  return Array.from(distances, (distance, i) => distance * (kind === "exp" ? Math.exp(deltas[i]) : deltas[i]));
}
