/**
 * Floats as unsigned numbers in the same order, by which shaders compare exactly: `key_of` in detect_shaders.ts.
 */

/** A float's key. */
export function keyOf(value: number): number {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer);
  return (bits > 0x80000000 ? ~bits : bits | 0x80000000) >>> 0;
}
