/**
 * What a network's input has for a byte. Every device has these values, to the bit.
 */
import { roundHalfToEven } from "./geometry.ts";
import type { CheckedInput } from "./input.ts";

export type Values = Float32Array | Uint16Array | Uint8Array;
export type Dtype = CheckedInput["dtype"];

const ARRAYS = { float32: Float32Array, float16: Uint16Array, uint8: Uint8Array } as const;

/** The type of a result's array. */
export function arrayTypeOf(dtype: Dtype): (typeof ARRAYS)[Dtype] {
  return ARRAYS[dtype];
}

/** (3, 256), channels in the input's order: (byte · scale − mean) · (1 / std) in float64, rounded once; for "uint8" the bytes. */
export function valueTable({ dtype, scale, mean, std }: CheckedInput): Values {
  const table = new (arrayTypeOf(dtype))(3 * 256);
  const round = dtype === "float16" ? halfBits : (value: number) => value;
  for (let channel = 0; channel < 3; channel++) {
    const inverse = 1 / std[channel];
    for (let byte = 0; byte < 256; byte++) {
      table[256 * channel + byte] = dtype === "uint8" ? byte : round((byte * scale - mean[channel]) * inverse);
    }
  }
  return table;
}

/** Factors of the channels as sums of two floats each. */
export interface SplitFactors {
  readonly coarse: readonly number[];
  readonly fine: readonly number[];
}

/**
 * Factors whose products with a byte, added in float32, are the table's values to the bit: so it is for most inputs without mean.
 * Null where it is not so.
 */
export function splitFactors(input: CheckedInput): SplitFactors | null {
  const { fround } = Math;
  const factors = input.std.map((each) => input.scale * (1 / each));
  const coarse = factors.map(coarsely);
  const fine = factors.map((factor, channel) => fround(factor - coarse[channel]));
  const isSame = valueTable(input).every((value, i) => {
    const [channel, byte] = [i >> 8, i & 255];
    return Object.is(fround(fround(byte * coarse[channel]) + fround(byte * fine[channel])), value);
  });
  return isSame ? { coarse, fine } : null;
}

/** A number with its first 16 bits: so many that float32 has its products with bytes. */
function coarsely(value: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 15);
  return Math.fround(Math.round(value / unit) * unit);
}

/** Bits of the nearest half float, ties to even. */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  // Halves from 2^e on are 2^(e − 10) apart; those under 2^−14 as much as those at it.
  const exponent = Math.max(-14, Math.min(16, Math.floor(Math.log2(size))));
  const steps = roundHalfToEven(size / 2 ** (exponent - 10));
  return sign | Math.min((exponent + 14) * 1024 + steps, 0x7c00);
}
