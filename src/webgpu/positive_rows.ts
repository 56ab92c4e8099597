/**
 * The rows of a map that belong to positives: gathered into (P, columns), and scattered back.
 */
import { ownArray, valuesOf } from "../arrays.ts";
import type { AnySource, Source } from "../validate.ts";
import { type Chunk, chunksOf } from "./chunks.ts";
import type { Gpu } from "./gpu.ts";
import { eachItem, itemGroups } from "./grid.ts";
import type { Output } from "./output.ts";
import { paramsBlock, paramsText } from "./params.ts";
import { half } from "./shaders/half.ts";
import { readable, type Storage, storageOf } from "./storage.ts";
import type { Work } from "./work.ts";

/** Commands of a call. */
export type Step = (encoder: GPUCommandEncoder) => void;

/** A map (rows, columns), and where it was passed. */
export interface RowMap {
  readonly argument: string;
  readonly source: AnySource;
  readonly columns: number;
}

/** Members of `params` of both shaders: the list begins at `first`, the map at `first_row`. */
const noCounts = { items: 0, columns: 0, first: 0, first_row: 0 };
type Counts = Readonly<typeof noCounts>;

const mapIndex = /* wgsl */ `
@group(0) @binding(1) var<storage, read> rows: array<u32>;

// The index in the map of value i of the gathered rows.
fn map_index(i: u32) -> u32 {
  let row = rows[params.first + i / params.columns] - params.first_row;
  return row * params.columns + i % params.columns;
}
`;

const gatherShader = (storage: Storage) => /* wgsl */ `
${paramsText({ counts: noCounts, parameters: {} })}
${half}
${mapIndex}
${readable(2, "map", storage)}
@group(0) @binding(3) var<storage, read_write> gathered: array<f32>;
${eachItem("gathered[params.first * params.columns + i] = map_at(map_index(i));")}`;

const scatterShader = /* wgsl */ `
${paramsText({ counts: noCounts, parameters: {} })}
${mapIndex}
@group(0) @binding(2) var<storage, read> gathered: array<f32>;
@group(0) @binding(3) var<storage, read_write> map: array<f32>;
${eachItem("map[map_index(i)] = gathered[params.first * params.columns + i];")}`;

/** A batch's positives on the device. */
export class PositiveRows {
  readonly #gpu: Gpu;
  readonly #work: Work;
  readonly #op: string;
  /** Each positive's row in a map, ascending; and rows of a map. */
  readonly #rows: Int32Array;
  readonly #listed: GPUBufferBinding;
  readonly #mapRows: number;

  constructor(gpu: Gpu, work: Work, op: string, rows: Int32Array, mapRows: number) {
    this.#gpu = gpu;
    this.#work = work;
    this.#op = op;
    this.#rows = rows;
    this.#listed = work.guard(() => work.upload(rows));
    this.#mapRows = mapRows;
  }

  /** (P, columns) of a map; of one on the host, only those rows are uploaded. */
  async gather({ argument, source, columns }: RowMap, into: GPUBufferBinding): Promise<Step> {
    const pipeline = await this.#gpu.pipelines.get(this.#op, gatherShader(storageOf(source)));
    if (source.kind !== "gpu") {
      const listed = listedRows(source, this.#rows, columns);
      const count = this.#rows.length;
      return (encoder) => {
        const every = this.#work.upload(Int32Array.from({ length: count }, (_, i) => i));
        const map = this.#work.input(listed, 0, count * columns);
        const counts = { items: count * columns, columns, first: 0, first_row: 0 };
        this.#dispatch(encoder, pipeline, counts, [every, map, into]);
      };
    }
    const chunks = this.#chunks(argument, columns);
    return (encoder) => {
      for (const chunk of chunks) {
        const map = this.#work.input(source, chunk.firstRow * columns, chunk.rows * columns);
        this.#dispatch(encoder, pipeline, this.#within(chunk, columns), [this.#listed, map, into]);
      }
    };
  }

  /** The rows of (P, columns) into a map of zeros. */
  async scatter(argument: string, columns: number, gathered: GPUBufferBinding, map: Output): Promise<Step> {
    const pipeline = await this.#gpu.pipelines.get(this.#op, scatterShader);
    const chunks = this.#chunks(argument, columns);
    return (encoder) => {
      for (const chunk of chunks) {
        const part = map.binding(this.#work, chunk.firstRow * columns, chunk.rows * columns);
        this.#dispatch(encoder, pipeline, this.#within(chunk, columns), [this.#listed, gathered, part]);
      }
    };
  }

  #chunks(argument: string, columns: number): Chunk[] {
    const { maxStorageBufferBindingSize } = this.#gpu.device.limits;
    return chunksOf({ op: this.#op, argument }, this.#mapRows, columns, maxStorageBufferBindingSize);
  }

  /** The listed rows within a chunk of a map. */
  #within({ firstRow, rows }: Chunk, columns: number): Counts {
    const first = countBelow(this.#rows, firstRow);
    const items = (countBelow(this.#rows, firstRow + rows) - first) * columns;
    return { items, columns, first, first_row: firstRow };
  }

  #dispatch(
    encoder: GPUCommandEncoder,
    pipeline: GPUComputePipeline,
    counts: Counts,
    bindings: readonly GPUBufferBinding[],
  ): void {
    if (counts.items === 0) return;
    const params = this.#work.uniform(paramsBlock({ counts, parameters: {} }));
    this.#work.dispatch(encoder, pipeline, [params, ...bindings], itemGroups(counts.items));
  }
}

/** How many of the ascending rows are below a bound. */
function countBelow(rows: Int32Array, bound: number): number {
  const index = rows.findIndex((row) => row >= bound);
  return index < 0 ? rows.length : index;
}

export function listedRows(source: Source, rows: Int32Array, columns: number): Source {
  const values = valuesOf(source);
  const Values = values.constructor as new (length: number) => Source["data"];
  const data = new Values(rows.length * columns);
  if (columns === 1) rows.forEach((row, i) => data[i] = values[row]);
  else rows.forEach((row, i) => data.set(values.subarray(row * columns, (row + 1) * columns) as never, i * columns));
  return { ...source, ...ownArray(source.place, data) };
}
