/**
 * The loop that the row-wise operations share: every input in chunks through staging, every output copied out.
 */
import type { Source } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";

export interface RowInput {
  readonly source: Source;
  /** Elements of one row. */
  readonly columns: number;
}

/**
 * Calls `kernel` with the pointers of up to a chunk of rows: the inputs, then the outputs, and the number of rows. Chunks
 * are multiples of 16 rows. Returns the outputs, (rows, columns) each.
 */
export function mapRows(
  op: string,
  backend: WasmBackend,
  rows: number,
  inputs: readonly RowInput[],
  outputs: readonly number[],
  kernel: (inputs: readonly number[], outputs: readonly number[], rows: number) => void,
): Float32Array[] {
  const results = outputs.map((columns) => new Float32Array(rows * columns));
  const widest = Math.max(...inputs.map((input) => input.columns), ...outputs);
  const chunk = Math.min(rows, Math.max(16, Math.floor(backend.chunk / widest / 16) * 16));
  backend.memory.frame(op, (allocate) => {
    const staging = inputs.map(({ source, columns }) =>
      backend.resident(source) === 0 ? allocate(backend.stagingBytes(chunk * columns)) : 0
    );
    const targets = outputs.map((columns) => allocate(chunk * columns * 4));
    for (let done = 0; done < rows; done += chunk) {
      const count = Math.min(chunk, rows - done);
      const staged = inputs.map(({ source, columns }, i) =>
        backend.stage(source, done * columns, count * columns, staging[i])
      );
      kernel(staged, targets, count);
      outputs.forEach((columns, i) => {
        const from = targets[i] >> 2;
        results[i].set(backend.memory.floats.subarray(from, from + count * columns), done * columns);
      });
    }
  });
  return results;
}
