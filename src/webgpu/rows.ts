/**
 * Operations whose rows stand alone, on WebGPU: pieces of rows, one after the other, each to the host.
 */
import type { CallInput, CheckedRows } from "../ops/row_call.ts";
import { nameOf } from "../operation.ts";
import { elementsOf, rangeError } from "../validate.ts";
import type { Gpu } from "./gpu.ts";
import { itemGroups } from "./grid.ts";
import { maxValues, type Piece, unalignedPieces } from "./pieces.ts";
import { rowParams, rowShader } from "./row_family.ts";
import { shaders } from "./shaders.ts";
import { elementsBefore } from "./storage.ts";
import { Work } from "./work.ts";

/** The arrays that come out. */
export async function runRows(gpu: Gpu, call: CheckedRows): Promise<Float32Array[]> {
  const pieces = piecesOfCall(gpu, call);
  const pipeline = await gpu.pipelines.get(call.op, rowShader(shaders[nameOf(call.stem)], call));
  const results = Array.from({ length: call.outputs }, () => new Float32Array(call.rows * call.columns));
  for (const piece of pieces) await runPiece(gpu, call, pipeline, piece, results);
  return results;
}

function piecesOfCall({ device: { limits } }: Gpu, call: CheckedRows): Piece[] {
  if (call.rows * call.columns === 0) return [];
  const large = tooLarge(call, limits);
  if (large !== undefined) {
    const wanted = `at most ${maxValues(limits)} on this device`;
    const got = `of ${valuesTogether(large)} values that belong together`;
    throw rangeError({ op: call.op, argument: large.argument }, got, wanted);
  }
  const widths = call.inputs.map(({ columns }) => columns);
  return unalignedPieces(call.rows, Math.max(call.columns, ...widths), limits);
}

/** An input of which not even the least piece fits a binding. */
export function tooLarge({ inputs }: CheckedRows, limits: GPUSupportedLimits): CallInput | undefined {
  return inputs.find((input) => valuesTogether(input) > maxValues(limits));
}

function valuesTogether({ source, columns, shared }: CallInput): number {
  return shared ? elementsOf(source.dims) : columns;
}

async function runPiece(
  gpu: Gpu,
  call: CheckedRows,
  pipeline: GPUComputePipeline,
  piece: Piece,
  results: readonly Float32Array[],
): Promise<void> {
  const [start, items] = [piece.firstRow * call.columns, piece.rows * call.columns];
  const work = new Work(call.op, gpu.device, gpu.pool);
  try {
    work.submit((encoder) => {
      const inputs = call.inputs.map((input) => inputOf(work, input, piece));
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

/** The piece's rows of an input, and the elements that lie before them in the binding. */
function inputOf(work: Work, { source, columns, shared }: CallInput, { firstRow, rows }: Piece) {
  if (shared) return { binding: work.input(source, 0, elementsOf(source.dims)), before: 0 };
  const start = firstRow * columns;
  const before = elementsBefore(source, start);
  return { binding: work.input(source, start - before, rows * columns + before), before };
}
