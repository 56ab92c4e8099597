/**
 * Rounding to float32 with a direction.
 */

const oneFloat = new Float32Array(1);
const oneInt = new Int32Array(oneFloat.buffer);

/** The largest float32 that is at most the number: `x > floorToFloat(t)` decides x > t exactly for float32 x. */
export function floorToFloat(value: number): number {
  oneFloat[0] = value;
  if (!(oneFloat[0] > value)) return oneFloat[0];
  if (oneFloat[0] > 0) oneInt[0] -= 1;
  else oneInt[0] += 1;
  return oneFloat[0];
}
