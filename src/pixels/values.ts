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

/** A channel's value is byte · factor + offset. */
export interface Scaling {
  readonly factor: number;
  readonly offset: number;
}

/** (byte · scale − mean) / std for each channel, in the input's order. */
export function scalingsOf({ scale, mean, std }: CheckedInput): Scaling[] {
  return mean.map((each, channel) => ({ factor: scale / std[channel], offset: -each / std[channel] }));
}

/** (3, 256), channels in the input's order: byte · factor + offset in float64, rounded once; for "uint8" the bytes. */
export function valueTable(input: CheckedInput): Values {
  const table = new (arrayTypeOf(input.dtype))(3 * 256);
  const round = input.dtype === "float16" ? halfBits : (value: number) => value;
  scalingsOf(input).forEach(({ factor, offset }, channel) => {
    for (let byte = 0; byte < 256; byte++) {
      table[256 * channel + byte] = input.dtype === "uint8" ? byte : round(byte * factor + offset);
    }
  });
  return table;
}

/** A factor of bytes as the sum of two floats: the first has 16 bits, so that its products with bytes are exact. */
export function splitFactor(factor: number): readonly [number, number] {
  const coarse = factor === 0 ? 0 : 2 ** (Math.floor(Math.log2(Math.abs(factor))) - 15);
  const first = coarse === 0 ? 0 : Math.fround(Math.round(factor / coarse) * coarse);
  return [first, Math.fround(factor - first)];
}

/** Do the two products in float32 have the values of a channel's table, to the bit? So they do for most factors without offset. */
export function splitIsExact([first, second]: readonly [number, number], table: Values): boolean {
  const { fround } = Math;
  return table.every((value, byte) => Object.is(fround(fround(byte * first) + fround(byte * second)), value));
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
