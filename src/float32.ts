/**
 * Neighbours of numbers, rounding to float32 with a direction, and values of other kinds as float32.
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

const oneDouble = new Float64Array(1);
const oneBigInt = new BigInt64Array(oneDouble.buffer);

/** The largest float64 under a positive number. */
export function numberBefore(value: number): number {
  oneDouble[0] = value;
  oneBigInt[0] -= 1n;
  return oneDouble[0];
}

/** The values of IEEE-754 half bits. */
export function halvesToFloat32(bits: ArrayLike<number>): Float32Array {
  return Float32Array.from(bits, halfToFloat32);
}

/** The value of one. */
export function halfToFloat32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = bits >> 10 & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}

/** (q − zeroPoint) · scale, each step rounded to float32. */
export function dequantise(values: ArrayLike<number>, scale: number, zeroPoint: number): Float32Array {
  const step = Math.fround(scale);
  return Float32Array.from(values, (q) => Math.fround(q - zeroPoint) * step);
}
