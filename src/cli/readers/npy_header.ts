/**
 * The header of a .npy file: magic, version, length, and a Python dictionary of dtype, order and shape. It is read before
 * anything else, so that only what is known is ever unpacked.
 */

/** What the header says. */
export interface NpyHeader {
  /** NumPy's code, such as "<f4". */
  readonly dtype: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the values begin. */
  readonly start: number;
}

/** NumPy writes 128 bytes for most arrays; it needs more only for structured dtypes. */
const LONGEST = 65536;

/** Reads the header; an error says what is wrong with it. */
export function readNpyHeader(bytes: Uint8Array): NpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [magic, version] = [[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], bytes[6]];
  if (bytes.length < 12 || !magic.every((byte, i) => bytes[i] === byte)) throw new Error("Not an .npy file");
  if (version < 1 || version > 3) throw new Error(`its version is ${version}; wanted 1, 2 or 3`);
  const [from, length] = version === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const start = from + length;
  if (length > LONGEST) throw new Error(`its header has ${length} bytes; wanted at most ${LONGEST}`);
  if (start > bytes.length) throw new Error("its header is longer than the file");
  const text = new TextDecoder("latin1").decode(bytes.subarray(from, start));
  const [, dtype] = /['"]descr['"]\s*:\s*['"]([^'"]{1,16})['"]/.exec(text) ?? [];
  const [, order] = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text) ?? [];
  const [, extents] = /['"]shape['"]\s*:\s*\(([\d,L\s]*)\)/.exec(text) ?? [];
  if (dtype === undefined) throw new Error("its header has no simple dtype");
  if (order === undefined || extents === undefined) throw new Error("its header has no shape or fortran_order");
  // Python 2 wrote some extents as 4L.
  const shape = extents.split(",").map((text) => text.replace("L", "").trim()).filter((text) => text !== "").map(
    Number,
  );
  if (!shape.every(Number.isSafeInteger)) {
    throw new Error(`its shape is (${extents.slice(0, 80)}); wanted whole numbers`);
  }
  return { dtype, fortranOrder: order === "True", shape, start };
}
