/** densehead/files: against files that NumPy and the safetensors library wrote, there and back, and damaged. */
import { createEngine, heads } from "densehead";
import {
  type ElementType,
  type FileTensor,
  outputsByRole,
  readNpy,
  readSafetensors,
  rolesByName,
  toFloat32,
  writeNpy,
  writeSafetensors,
} from "densehead/files";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { same, throws } from "../compare.ts";
import fixture from "../fixtures/files.json" with { type: "json" };
import { halfBits } from "../half.ts";
import { random } from "../random.ts";
import { packLevels, randomHead } from "../raw_head.ts";

const test = suite("files");

const ARRAYS = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const satisfies Record<ElementType, unknown>;
const TYPES = Object.keys(ARRAYS) as ElementType[];

function decoded(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Any text as the header of some bytes. */
function withHeader(header: string, values = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + values.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(values, 8 + text.length);
  return file;
}

/** The same bytes at another place of a buffer. */
function moved(bytes: Uint8Array, by: number): Uint8Array<ArrayBuffer> {
  const room = new Uint8Array(bytes.length + by + 3);
  room.set(bytes, by);
  return room.subarray(by, by + bytes.length);
}

function bytesOf({ data }: FileTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function isSame(got: FileTensor | undefined, wanted: FileTensor, what: string): void {
  assert.is(got?.type, wanted.type, what);
  assert.equal(got?.dims, wanted.dims, what);
  assert.is(got?.data.constructor, ARRAYS[wanted.type], what);
  same(bytesOf(got as FileTensor), bytesOf(wanted), what);
}

/** What the fixture holds in that type. */
function wantedIn(type: ElementType): number[] {
  if (type.startsWith("float")) return fixture.floats.map(Number);
  return type === "bool" ? fixture.integers.map((n) => n % 2) : fixture.integers;
}

// ── Files of others ─────────────────────────────────────────────────────────────

test("reads what NumPy writes", () => {
  for (const type of TYPES) {
    const tensor = readNpy(decoded(fixture.npy[type]));
    assert.is(tensor.type, type);
    assert.is(tensor.data.constructor, ARRAYS[type]);
    assert.equal(tensor.dims, [2, 3]);
    same(toFloat32(tensor), wantedIn(type), type);
  }
  for (const file of fixture.versions) isSame(readNpy(decoded(file)), readNpy(decoded(fixture.npy.float32)), "version");
  assert.equal(readNpy(decoded(fixture.scalar)), { data: Float32Array.of(7), dims: [], type: "float32" });
  assert.equal(readNpy(decoded(fixture.empty)), { data: new Float32Array(0), dims: [0, 4], type: "float32" });
  for (const [what, file] of Object.entries(fixture.refused)) {
    throws(() => readNpy(decoded(file)), TypeError, "readNpy: file ", what);
  }
});

test("reads what the safetensors library writes", () => {
  const { tensors, metadata } = readSafetensors(decoded(fixture.safetensors));
  assert.is(tensors.size, TYPES.length + 3);
  for (const type of TYPES) {
    isSame(tensors.get(type), readNpy(decoded(fixture.npy[type])), type);
  }
  const bfloat16 = tensors.get("bfloat16") as FileTensor;
  assert.is(bfloat16.type, "float32");
  same(bfloat16.data as Float32Array, [0, -1.5, 0.25, 1024, Infinity, 2 ** -14]);
  assert.equal(tensors.get("empty"), { data: new Float32Array(0), dims: [0, 4], type: "float32" });
  assert.equal(tensors.get("scalar"), { data: Float32Array.of(7), dims: [], type: "float32" });
  assert.equal([...metadata].sort(), [["classes", "circle,square"], ["head", "gfl"]]);
});

test("writes .npy as NumPy does, byte by byte", () => {
  for (const type of TYPES) same(writeNpy(readNpy(decoded(fixture.npy[type]))), decoded(fixture.npy[type]), type);
  same(writeNpy({ data: Float32Array.of(7), dims: [] }), decoded(fixture.scalar));
});

// ── There and back ──────────────────────────────────────────────────────────────

const tensor: fc.Arbitrary<FileTensor> = fc
  .record({
    type: fc.constantFrom(...TYPES),
    dims: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    seed: fc.integer(),
  })
  .map(({ type, dims, seed }) => {
    const r = random(seed);
    const Values = ARRAYS[type];
    const length = dims.reduce((product, n) => product * n, 1);
    const bytes = Uint8Array.from({ length: length * Values.BYTES_PER_ELEMENT }, () => r.integer(256));
    return { type, dims, data: new Values(bytes.buffer) };
  });
const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "constructor", "toString", "0", ""));
const named = fc.array(fc.tuple(text, tensor), { maxLength: 6 }).map((pairs) => {
  return new Map(pairs.filter(([name]) => name !== "__metadata__"));
});

test("tensors come back from both formats, wherever the bytes lie", () => {
  fc.assert(fc.property(tensor, fc.integer({ min: 0, max: 8 }), (one, by) => {
    isSame(readNpy(moved(writeNpy(one), by)), one, "npy");
  }));
  fc.assert(fc.property(named, fc.dictionary(text, text), fc.integer({ min: 0, max: 8 }), (tensors, said, by) => {
    const file = readSafetensors(moved(writeSafetensors(tensors, said), by));
    assert.equal([...file.tensors.keys()].sort(), [...tensors.keys()].sort());
    for (const [name, one] of tensors) isSame(file.tensors.get(name), one, name);
    assert.equal([...file.metadata].sort(), Object.entries(said).sort());
    same(writeSafetensors(file.tensors, file.metadata).slice(8), writeSafetensors(file.tensors, said).slice(8));
  }));
});

test("without a type, that of the array; a Uint16Array has half bits", () => {
  const type = (data: Parameters<typeof writeNpy>[0]["data"]) => readNpy(writeNpy({ data, dims: [data.length] })).type;
  for (const name of TYPES.filter((name) => name !== "bool" && name !== "uint16")) {
    assert.is(type(new ARRAYS[name](2)), name);
  }
  const integers = { data: Uint16Array.of(1, 2), dims: [2], type: "uint16" } as const;
  isSame(readNpy(writeNpy(integers)), integers, "uint16");
  const { Float16Array } = globalThis as unknown as { Float16Array?: new (values: number[]) => Float32Array };
  if (Float16Array === undefined) return;
  const half = readNpy(writeNpy({ data: new Float16Array([1, -0.5]), dims: [2] }));
  isSame(half, { data: Uint16Array.of(0x3c00, 0xb800), dims: [2], type: "float16" }, "Float16Array");
});

test("values are views where they are aligned, of any kind of bytes", () => {
  const { buffer } = writeSafetensors({ a: { data: new Float32Array(4), dims: [4] } });
  for (const file of [buffer, new Uint8Array(buffer)]) {
    assert.is(readSafetensors(file).tensors.get("a")?.data.buffer, buffer);
  }
  const npy = writeNpy({ data: Float32Array.of(1, 2), dims: [2] });
  assert.is(readNpy(npy).data.buffer, npy.buffer);
  same(readNpy(moved(npy, 1)).data as Float32Array, [1, 2]);
  if (typeof SharedArrayBuffer === "undefined") return;
  const shared = new Uint8Array(new SharedArrayBuffer(npy.length));
  shared.set(npy);
  same(readNpy(shared).data as Float32Array, [1, 2]);
});

test("larger elements come first, so that all are aligned; else the order is that given", () => {
  const written = writeSafetensors({
    flags: { data: new Uint8Array(3), dims: [3], type: "bool" },
    cls: { data: new Float32Array(1), dims: [1] },
    reg: { data: new Float32Array(1), dims: [1] },
    wide: { data: new Float64Array(1), dims: [1] },
  });
  const { tensors } = readSafetensors(written);
  assert.equal([...tensors.keys()], ["wide", "cls", "reg", "flags"]);
  for (const { data } of tensors.values()) assert.is(data.buffer, written.buffer);
});

// ── Damaged files ───────────────────────────────────────────────────────────────

/** Reads what may be damaged: a tensor whose shape fits, or an error of the documented kinds. */
function readsOrRefuses(op: string, read: () => Iterable<FileTensor>): void {
  try {
    for (const { data, dims, type } of read()) {
      assert.is(data.constructor, ARRAYS[type]);
      assert.is(data.length, dims.reduce((product, n) => product * n, 1));
    }
  } catch (error) {
    assert.ok(error instanceof TypeError || error instanceof RangeError, String(error));
    assert.ok(error.message.startsWith(`${op}: `), error.message);
  }
}

test("damaged bytes are read or refused, never more", () => {
  const change = fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x20, 0x22, 0x2c, 0x30, 0x39, 0x5b, 0x7b, 0x80, 0xff));
  const damage = fc.record({ changes: fc.array(change, { maxLength: 8 }), cut: fc.option(fc.nat()) });
  const damaged = (file: Uint8Array, { changes, cut }: { changes: [number, number][]; cut: number | null }) => {
    const bytes = file.slice(0, cut === null ? file.length : cut % (file.length + 1));
    for (const [place, byte] of changes) if (bytes.length > 0) bytes[place % Math.min(bytes.length, 300)] = byte;
    return bytes;
  };
  fc.assert(fc.property(tensor, damage, (one, how) => {
    readsOrRefuses("readNpy", () => [readNpy(damaged(writeNpy(one), how))]);
  }));
  fc.assert(fc.property(named, damage, (tensors, how) => {
    const file = damaged(writeSafetensors(tensors, { head: "gfl" }), how);
    readsOrRefuses("readSafetensors", () => readSafetensors(file).tensors.values());
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    readsOrRefuses("readNpy", () => [readNpy(bytes)]);
    readsOrRefuses("readSafetensors", () => readSafetensors(bytes).tensors.values());
  }));
  fc.assert(fc.property(fc.json(), (header) => {
    readsOrRefuses("readSafetensors", () => readSafetensors(withHeader(header)).tensors.values());
  }));
});

test("what is wrong with a .npy file is named", () => {
  const file = (dictionary: string, { version = 1, values = 8 } = {}) => {
    const wide = version > 1;
    const bytes = new Uint8Array((wide ? 12 : 10) + dictionary.length + values);
    bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), version, 0]);
    const view = new DataView(bytes.buffer);
    if (wide) view.setUint32(8, dictionary.length, true);
    else view.setUint16(8, dictionary.length, true);
    bytes.set(new TextEncoder().encode(dictionary), wide ? 12 : 10);
    return bytes;
  };
  const header = (descr: string, shape: string) => `{'descr': ${descr}, 'fortran_order': False, 'shape': (${shape}), }`;
  assert.equal(readNpy(file(header("'<f4'", "2L,"))).dims, [2]);
  const wrong: [file: Uint8Array, kind: ErrorConstructor, part: string][] = [
    [new Uint8Array(0), TypeError, "Not an .npy file"],
    [file("", { version: 9 }), TypeError, "its version is 9; wanted 1, 2 or 3"],
    [file(",".repeat(65537), { version: 2 }), RangeError, "its header has 65537 bytes; wanted at most 65536"],
    [file(header("'<f4'", "2,")).subarray(0, 40), RangeError, "its header is longer than the file"],
    [file(header("['<f4']", "2,")), TypeError, "no simple dtype"],
    [file(header("'<f4'", "-2,")), TypeError, "no shape or fortran_order"],
    [file(header("'<f4'", "99999999999999999,")), RangeError, "wanted whole numbers"],
    [file(header("'<f4'", "9007199254740991, 9007199254740991")), RangeError, "holds 2 values"],
    [file(header("'<f4'", "3,")), RangeError, "holds 2 values; its shape (3) wants 3"],
    [file(header("'<f4'", "2,"), { values: 7 }), RangeError, "7 bytes are no whole float32 values"],
    [file(header("'>f4'", "2,")), TypeError, "big-endian float32; wanted float32"],
  ];
  for (const [bytes, kind, part] of wrong) throws(() => readNpy(bytes), kind, "readNpy: file ", part);
});

test("what is wrong with a .safetensors file is named", () => {
  const entry = (changes: object) =>
    withHeader(
      JSON.stringify({ cls: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...changes } }),
      new Uint8Array(8),
    );
  const two = (from: number) =>
    withHeader(
      JSON.stringify({
        a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
        b: { dtype: "F32", shape: [1], data_offsets: [from, from + 4] },
      }),
      new Uint8Array(from + 4),
    );
  const wrong: [file: Uint8Array, kind: ErrorConstructor, part: string][] = [
    [new Uint8Array(3), TypeError, "it has 3 bytes"],
    [new Uint8Array(16).fill(255), RangeError, "longer than the file: 18446744073709551615 bytes of 16"],
    [withHeader("[]"), TypeError, "its header is no JSON object"],
    [withHeader("{"), TypeError, "its header is no JSON object"],
    [withHeader("\ufeff{}"), TypeError, "its header is no JSON object"],
    [withHeader('{"__metadata__":{"head":3}}'), TypeError, "__metadata__ is no map of texts"],
    [withHeader('{"cls":null}'), TypeError, "tensor cls lacks dtype, shape or data_offsets"],
    [entry({ shape: [-2] }), TypeError, "tensor cls lacks"],
    [entry({ shape: [1e300] }), TypeError, "tensor cls lacks"],
    [entry({ data_offsets: [0, 8, 8] }), TypeError, "tensor cls lacks"],
    [entry({ dtype: "F8_E5M2" }), TypeError, "readSafetensors: tensor cls is F8_E5M2; wanted F32"],
    [entry({ dtype: "toString" }), TypeError, "tensor cls is toString"],
    [
      entry({ shape: [4294967296, 4294967296] }),
      RangeError,
      "tensor cls has 8 bytes for shape (4294967296, 4294967296)",
    ],
    [entry({ dtype: "BF16" }), RangeError, "tensor cls has 8 bytes for shape (2) of BF16"],
    [entry({ data_offsets: [8, 0] }), RangeError, "tensor cls is at bytes 8 to 0 of 8"],
    [entry({ data_offsets: [0, 80] }), RangeError, "tensor cls is at bytes 0 to 80 of 8"],
    [entry({ data_offsets: [0, 4], shape: [1] }), RangeError, "its tensors have 4 bytes; 8 follow"],
    [two(2), RangeError, "tensor b begins at byte 2 of the values; wanted 4"],
    [two(8), RangeError, "tensor b begins at byte 8 of the values; wanted 4"],
  ];
  for (const [bytes, kind, part] of wrong) throws(() => readSafetensors(bytes), kind, "readSafetensors: ", part);
  const file = withHeader("{}".padEnd(100));
  throws(() => readSafetensors(file, { maxHeader: 99 }), RangeError, "its header has 100 bytes; wanted at most 99");
  assert.is(readSafetensors(file, { maxHeader: 100 }).tensors.size, 0);
  throws(
    () => readSafetensors(file, { maxheader: 99 } as never),
    TypeError,
    "options.maxheader",
    "did you mean maxHeader?",
  );
  throws(() => readSafetensors(file, { maxHeader: -1 }), RangeError, "readSafetensors: options.maxHeader is -1");
});

test("other arguments are refused", () => {
  for (const file of [null, "text", [1, 2], new Float32Array(2), {}]) {
    throws(() => readNpy(file as never), TypeError, "readNpy: file is ", "wanted a Uint8Array or an ArrayBuffer");
    throws(() => readSafetensors(file as never), TypeError, "readSafetensors: file is ");
  }
  const data = new Float32Array(6);
  const wrong: [tensor: unknown, ...parts: string[]][] = [
    [null, "tensor is null"],
    [{ data, dims: [2, 2] }, "tensor is Float32Array(6) with dims (2, 2); wanted 4 values"],
    [{ data, dims: [-6, -1] }, "tensor.dims is"],
    [{ data, dims: 6 }, "tensor.dims is"],
    [{ data: [1, 2], dims: [2] }, "tensor.data is an array of 2; wanted a typed array"],
    [{ data: new Uint8ClampedArray(2), dims: [2] }, "tensor.data is Uint8ClampedArray(2)"],
    [
      { data, dims: [6], type: "float16" },
      "tensor.data is Float32Array(6); wanted a Uint16Array, because type is float16",
    ],
    [{ data, dims: [6], type: "half" }, "tensor.type is", "half"],
    [{ data: new Int8Array(2), dims: [2], scale: 0.5 }, "tensor.scale is number 0.5; wanted none"],
    [{ data: new Int8Array(2), dims: [2], zeroPoint: 3 }, "tensor.zeroPoint is"],
  ];
  for (const [value, ...parts] of wrong) {
    throws(() => writeNpy(value as never), TypeError, "writeNpy: ", ...parts);
    const named = parts.map((part) => part.replace("tensor", "tensors.cls"));
    throws(() => writeSafetensors({ cls: value as never }), TypeError, "writeSafetensors: ", ...named);
  }
  throws(() => writeSafetensors([] as never), TypeError, "tensors is", "an object or a Map");
  throws(() => writeSafetensors({}, { head: 3 as never }), TypeError, "metadata.head is number 3");
  throws(() => writeSafetensors({ __metadata__: { data, dims: [6] } }), TypeError, "__metadata__", "another name");
  throws(() => outputsByRole(null as never), TypeError, "outputsByRole: tensors is null");
});

// ── Values ──────────────────────────────────────────────────────────────────────

test("halves, as float32, are exact", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const values = toFloat32({ data: bits, dims: [65536], type: "float16" });
  for (let i = 0; i < 65536; i++) {
    const exponent = i >> 10 & 31;
    if (exponent === 31) assert.ok((i & 1023) === 0 ? Math.abs(values[i]) === Infinity : Number.isNaN(values[i]));
    else if (exponent === 0) assert.is(Math.abs(values[i]) * 2 ** 24, i & 1023);
    else assert.is(halfBits(values[i]), i);
    if (!Number.isNaN(values[i])) assert.is(Object.is(values[i], -0) || values[i] < 0, i >= 32768);
  }
});

test("other values as float32", () => {
  const floats = Float32Array.of(1, 2);
  assert.is(toFloat32({ data: floats, dims: [2] }), floats);
  same(toFloat32({ data: Float64Array.of(0.1, 1e300), dims: [2] }), [Math.fround(0.1), Infinity]);
  same(toFloat32({ data: Uint16Array.of(0x3c00), dims: [1] }), [1]);
  same(toFloat32({ data: Uint16Array.of(0x3c00), dims: [1], type: "uint16" }), [0x3c00]);
  same(toFloat32({ data: BigInt64Array.of(-3n, 2n ** 40n), dims: [2], type: "int64" }), [-3, 2 ** 40]);
  same(toFloat32({ data: Int8Array.of(-3, 5), dims: [2], scale: 0.5, zeroPoint: 1 }), [-2, 2]);
});

// ── Roles ───────────────────────────────────────────────────────────────────────

test("names tell roles and strides", () => {
  const roles = rolesByName(["reg_s16", "cls_s16", "cls_s8", "reg_s8", "obj_s16", "obj_s8", "images"]);
  assert.equal(roles, {
    classes: ["cls_s8", "cls_s16"],
    boxes: ["reg_s8", "reg_s16"],
    objectness: ["obj_s8", "obj_s16"],
    initial: [],
    strides: [8, 16],
    unused: ["images"],
  });
  const [before, after] = [["box_s8", "box_s16"], ["box_refined_s8", "box_refined_s16"]];
  const refined = rolesByName([...before, ...after, "Scores_1", "Scores_0"]);
  assert.equal(refined?.boxes, after);
  assert.equal(refined?.initial, before);
  assert.equal(refined?.classes, ["Scores_1", "Scores_0"], "indices are no strides");
  assert.equal(refined?.strides, undefined);
  assert.equal(rolesByName(["cls_logits_stride_32", "dist_logits_stride_32"])?.strides, [32]);
  assert.is(rolesByName(["cls_s8", "output0"]), undefined);
  assert.is(rolesByName(["gt_boxes", "gt_labels"]), undefined);
  assert.is(rolesByName([]), undefined);
  const others = ["kpts_s16", "kpts_s8", "mask_coef_s8", "mc_s16", "angle", "proto", "protos"];
  assert.equal(rolesByName(["cls", "reg", ...others, "masks"]), {
    classes: ["cls"],
    boxes: ["reg"],
    objectness: [],
    keypoints: ["kpts_s8", "kpts_s16"],
    maskCoefficients: ["mask_coef_s8", "mc_s16"],
    angles: ["angle"],
    prototypes: "proto",
    initial: [],
    strides: undefined,
    unused: ["protos", "masks"],
  });
});

test("outputs by role are what detect takes", async () => {
  const engine = await createEngine();
  const head = heads.gfl({ numClasses: 3, bins: 8, strides: [8, 16] });
  const imageSize = [64, 96] as const;
  const raw = randomHead(random(90), head, imageSize);
  const [classes, boxes] = [packLevels(head, raw, [raw.classes]), packLevels(head, raw, [raw.boxes])];
  const [wanted] = await engine.detect({ classes, boxes }, { head, imageSize });
  assert.ok(wanted.length > 0);
  const file = writeSafetensors({ reg_s16: boxes[1], cls_s16: classes[1], reg_s8: boxes[0], cls_s8: classes[0] });
  const { tensors } = readSafetensors(file);
  for (const named of [tensors, Object.fromEntries(tensors)]) {
    const [found] = await engine.detect(outputsByRole(named), { head, imageSize });
    same(found.boxes, wanted.boxes);
    same(found.scores, wanted.scores);
  }
  const unnamed = new Map([...classes, ...boxes].map((tensor, i) => [`output${i}`, tensor]));
  assert.equal(outputsByRole(unnamed), [...classes, ...boxes]);
  assert.equal(Object.keys(outputsByRole({ cls: 1, box: 2 })), ["classes", "boxes"]);
  assert.equal(outputsByRole({ cls: 1, box: 2, obj: 3 }), { classes: [1], boxes: [2], objectness: [3] });
  const all = { cls: 1, box: 2, keypoints: 3, coefficients: 4, theta: 5, prototypes: 6, images: 7 };
  const roles = { classes: [1], boxes: [2], maskCoefficients: [4], keypoints: [3], angles: [5], prototypes: 6 };
  assert.equal(outputsByRole(all), roles);
  engine.dispose();
});

test.run();
