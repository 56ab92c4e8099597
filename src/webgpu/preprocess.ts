/**
 * Textures to the input of a network: one dispatch for each image, into a buffer that stays on the device.
 */
import { cellsOf, type Method, methodOf, tapsOf } from "../pixels/coefficients.ts";
import type { Placed } from "../pixels/geometry.ts";
import type { CheckedPreprocess } from "../pixels/preprocess_call.ts";
import { valueTable } from "../pixels/values.ts";
import { rangeError } from "../validate.ts";
import type { Gpu } from "./gpu.ts";
import { eachItem, itemGroups } from "./grid.ts";
import { paramsBlock, paramsText } from "./params.ts";
import { PIXELS_OF_ITEM, preprocessShader, type PreprocessVariant } from "./preprocess_shader.ts";
import { ALIGNED_BYTES } from "./storage.ts";
import { Work } from "./work.ts";

/** onnxruntime's kernels read 16 bytes at a time. */
const RESULT_BYTES = 16;

/** One image of the batch, and the shader's parameters that are its own. */
interface Image {
  readonly texture: GPUTexture;
  readonly placed: Placed;
  readonly method: Method;
  readonly columns: Axis;
  readonly rows: Axis;
}

/** Entries of an axis as the shader has them, and the exponent of a whole pixel's weight. */
interface Axis {
  readonly entries: Int32Array;
  readonly shift: number;
}

/** The buffer with the batch; the caller destroys it. */
export async function runPreprocess(gpu: Gpu, call: CheckedPreprocess): Promise<GPUBuffer> {
  const bytes = sizeOf(gpu.device.limits, call);
  const images = call.textures.map((texture, i) => imageOf(call, texture, call.places[i]));
  const pipelines = await Promise.all(images.map((image) => pipelineOf(gpu, call, image)));
  const result = gpu.pool.result(bytes);
  const work = new Work(call.op, gpu.device, gpu.pool);
  try {
    work.submit((encoder) => {
      const values = work.upload(wordsOf(call));
      images.forEach((image, i) => {
        const { binding, before } = shareOf(call, result, i);
        const params = work.uniform(paramsBlock(fieldsOf(call, image, before)));
        const tables = [image.columns, image.rows].map(({ entries }) => work.upload(entries));
        const bindings = [params, work.texture(image.texture), ...tables, values, binding];
        work.dispatch(encoder, pipelines[i], bindings, itemGroups(itemsOf(call)));
      });
    });
    await work.read();
    return result;
  } catch (error) {
    gpu.pool.discard(result);
    throw error;
  } finally {
    work.release();
  }
}

/** Bytes of the whole result. */
function sizeOf(limits: GPUSupportedLimits, { op, textures, input }: CheckedPreprocess): number {
  const each = bytesOf(input);
  const bytes = Math.ceil(textures.length * each / RESULT_BYTES) * RESULT_BYTES;
  const place = { op, argument: "input.size" };
  const got = `[${input.size.join(", ")}], ${each} bytes an image`;
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) - ALIGNED_BYTES;
  if (each > most) throw rangeError(place, got, `at most ${most} on this device`);
  if (bytes > limits.maxBufferSize) {
    throw rangeError(place, `${got} for ${textures.length} images`, `at most ${limits.maxBufferSize} on this device`);
  }
  return bytes;
}

function bytesOf({ size: [height, width], dtype }: CheckedPreprocess["input"]): number {
  return 3 * height * width * 4 / PIXELS_OF_ITEM[dtype];
}

function itemsOf({ input: { size: [height, width], dtype } }: CheckedPreprocess): number {
  return Math.ceil(height * width / PIXELS_OF_ITEM[dtype]);
}

function imageOf({ input }: CheckedPreprocess, texture: GPUTexture, placed: Placed): Image {
  const method = methodOf(input.resize, texture, placed);
  const axis = (from: number, to: number) => method === "area" ? cellAxis(from, to) : tapAxis(method, from, to);
  const columns = axis(texture.width, placed.width);
  const rows = axis(texture.height, placed.height);
  return { texture, placed, method, columns, rows };
}

function cellAxis(from: number, to: number): Axis {
  const { shift, first, whole, before, after } = cellsOf(from, to);
  const entries = Int32Array.from({ length: 4 * to }, (_, i) => [first, whole, before, after][i % 4][i >> 2]);
  return { entries, shift };
}

function tapAxis(method: Exclude<Method, "area">, from: number, to: number): Axis {
  const { taps, first, coefficients } = tapsOf(method, from, to);
  const entries = new Int32Array((taps + 1) * to);
  for (let i = 0; i < to; i++) {
    entries[(taps + 1) * i] = first[i];
    entries.set(coefficients.subarray(taps * i, taps * (i + 1)), (taps + 1) * i + 1);
  }
  return { entries, shift: 0 };
}

/** The table of values, a word each. */
function wordsOf({ input }: CheckedPreprocess): Uint32Array {
  const table = valueTable(input);
  return table instanceof Float32Array ? new Uint32Array(table.buffer) : Uint32Array.from(table);
}

/** Where image i of the batch begins: an aligned binding, and the values in it before the image's. */
function shareOf(call: CheckedPreprocess, buffer: GPUBuffer, i: number): { binding: GPUBufferBinding; before: number } {
  const each = bytesOf(call.input);
  const start = i * each;
  const offset = Math.floor(start / ALIGNED_BYTES) * ALIGNED_BYTES;
  const size = Math.ceil((start + each - offset) / 4) * 4;
  return { binding: { buffer, offset, size }, before: (start - offset) * PIXELS_OF_ITEM[call.input.dtype] / 4 };
}

function fieldsOf({ input }: CheckedPreprocess, { placed, columns, rows }: Image, before: number) {
  const [height, width] = input.size;
  const counts = {
    ...{ items: 0, area: height * width, width, before, pad_value: input.padValue },
    ...{ left: placed.left, top: placed.top, placed_width: placed.width, placed_height: placed.height },
    ...{ column_shift: columns.shift, row_shift: rows.shift },
  };
  return { counts: { ...counts, items: Math.ceil(counts.area / PIXELS_OF_ITEM[input.dtype]) }, parameters: {} };
}

function pipelineOf(gpu: Gpu, call: CheckedPreprocess, image: Image): Promise<GPUComputePipeline> {
  const { dtype, layout, order, size: [height, width] } = call.input;
  const evenWords = height * width % PIXELS_OF_ITEM[dtype] === 0;
  const variant: PreprocessVariant = { method: image.method, dtype, layout, order, evenWords };
  const fields = fieldsOf(call, image, 0);
  return gpu.pipelines.get(call.op, [paramsText(fields), preprocessShader(variant), eachItem("write(i);")].join("\n"));
}
