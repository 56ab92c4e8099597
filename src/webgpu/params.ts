/**
 * The uniform block of a shader: its struct, and its bytes.
 */

/** Members of `params`, in this order: whole numbers, then floats. */
export interface Fields {
  readonly counts: Readonly<Record<string, number>>;
  readonly parameters: Readonly<Record<string, number>>;
}

/** `params` at binding 0, with NaN and infinity, which WGSL has no words for. */
export function paramsText({ counts, parameters }: Fields): string {
  const fields = [...Object.keys(counts).map(typed("u32")), ...Object.keys(parameters).map(typed("f32"))];
  return [
    `struct Params { ${fields.join(", ")}, nan: f32, infinity: f32 }`,
    "@group(0) @binding(0) var<uniform> params: Params;",
  ].join("\n");
}

const typed = (type: string) => (name: string) => `${name}: ${type}`;

export function paramsBlock({ counts, parameters }: Fields): ArrayBuffer {
  const whole = Object.values(counts);
  const real = [...Object.values(parameters), NaN, Infinity];
  const block = new ArrayBuffer(Math.ceil((whole.length + real.length) / 4) * 16);
  new Uint32Array(block).set(whole);
  new Float32Array(block).set(real, whole.length);
  return block;
}
