/**
 * What a network's input has for a byte: a table of 256 values for each channel. Every device uses these tables, so that all
 * have the same bits.
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

/** (3, 256), channels in the input's order: (byte · scale − mean) / std in float64, rounded once. */
export function valueTable({ dtype, scale, mean, std }: CheckedInput): Values {
  const values = Array.from({ length: 3 * 256 }, (_, i) => {
    const channel = i >> 8;
    return dtype === "uint8" ? i & 255 : ((i & 255) * scale - mean[channel]) / std[channel];
  });
  return dtype === "float16" ? Uint16Array.from(values, halfBits) : ARRAYS[dtype].from(values);
}

/** Bits of the nearest half float, ties to even. */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (!(size < Infinity)) return sign | (size === Infinity ? 0x7c00 : 0x7e00);
  // Halves from 2^e on are 2^(e − 10) apart; those under 2^−14 as much as those at it.
  const exponent = Math.max(-14, Math.min(16, Math.floor(Math.log2(size))));
  const steps = roundHalfToEven(size / 2 ** (exponent - 10));
  const bits = (exponent + 14) * 1024 + steps;
  return sign | Math.min(bits, 0x7c00);
}
