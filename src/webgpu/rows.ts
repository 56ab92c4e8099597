/**
 * Operations whose rows stand alone, on WebGPU: chunks of rows, one after the other, each to the host.
 */
import { nameOf } from "../operation.ts";
import type { CallInput, CheckedRows } from "../ops/row_call.ts";
import { elementsOf, rangeError } from "../validate.ts";
import { type Chunk, maxValues, unalignedChunks } from "./chunks.ts";
import type { Gpu } from "./gpu.ts";
import { itemGroups } from "./grid.ts";
import { rowParams, rowShader } from "./row_family.ts";
import { shaders } from "./shaders.ts";
import { elementsBefore } from "./storage.ts";
import { Work } from "./work.ts";

/** The arrays that come out. */
export async function runRows(gpu: Gpu, call: CheckedRows): Promise<Float32Array[]> {
  const chunks = chunksOfCall(gpu, call);
  const pipeline = await gpu.pipelines.get(call.op, rowShader(shaders[nameOf(call.stem)], call));
  const results = Array.from({ length: call.outputs }, () => new Float32Array(call.rows * call.columns));
  for (const chunk of chunks) await runChunk(gpu, call, pipeline, chunk, results);
  return results;
}

function chunksOfCall({ device: { limits } }: Gpu, call: CheckedRows): Chunk[] {
  if (call.rows * call.columns === 0) return [];
  const large = tooLarge(call, limits);
  if (large !== undefined) {
    const wanted = `at most ${maxValues(limits)} on this device`;
    const got = `of ${valuesTogether(large)} values that belong together`;
    throw rangeError({ op: call.op, argument: large.argument }, got, wanted);
  }
  const widths = call.inputs.map(({ columns }) => columns);
  return unalignedChunks(call.rows, Math.max(call.columns, ...widths), limits);
}

/** An input of which not even the least chunk fits a binding. */
export function tooLarge({ inputs }: CheckedRows, limits: GPUSupportedLimits): CallInput | undefined {
  return inputs.find((input) => valuesTogether(input) > maxValues(limits));
}

function valuesTogether({ source, columns, shared }: CallInput): number {
  return shared ? elementsOf(source.dims) : columns;
}

async function runChunk(
  gpu: Gpu,
  call: CheckedRows,
  pipeline: GPUComputePipeline,
  chunk: Chunk,
  results: readonly Float32Array[],
): Promise<void> {
  const [start, items] = [chunk.firstRow * call.columns, chunk.rows * call.columns];
  const work = new Work(call.op, gpu.device, gpu.pool);
  try {
    work.submit((encoder) => {
      const inputs = call.inputs.map((input) => inputOf(work, input, chunk));
      const outputs = results.map(() => work.storage(items * 4));
      const params = work.uniform(rowParams(call, items, inputs.map(({ before }) => before)));
      const bindings = [params, ...inputs.map(({ binding }) => binding), ...outputs];
      work.dispatch(encoder, pipeline, bindings, itemGroups(items));
      outputs.forEach((output, i) => work.copyBack(encoder, output, results[i].subarray(start, start + items)));
    });
    await work.read();
  } finally {
    work.release();
  }
}

/** The chunk's rows of an input, and the elements that lie before them in the binding. */
function inputOf(work: Work, { source, columns, shared }: CallInput, { firstRow, rows }: Chunk) {
  if (shared) return { binding: work.input(source, 0, elementsOf(source.dims)), before: 0 };
  const start = firstRow * columns;
  const before = elementsBefore(source, start);
  return { binding: work.input(source, start - before, rows * columns + before), before };
}
