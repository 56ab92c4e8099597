/** Shape of each side's distribution. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import { paramReader } from "../params.ts";
import type { DflLayout, DflStatistics, TensorLike } from "../types.ts";
import type { Source } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { type Distribution, distribution, forEachChannelBlock, LAYOUT_PARAMS, rowsOf } from "./distribution.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const stem = "dfl_statistics";
const op = nameOf(stem);
const readOptions = paramReader(op, LAYOUT_PARAMS);

/** Pointers of the kernel: deviation, entropy, highest probability, last bin, excess. */
type Outputs = [number, number, number, number, number];

export const dflStatistics = rowOperation({
  stem,
  kernels: ["dfl_statistics"],
  shapes: doc`(…, N, 4·bins) or (…, 4·bins, N) → 5 × (…, N, 4)`,
  tensors:
    doc`dist (…, N, 4·bins) or, channels-first, (…, 4·bins, N), with at most one leading batch axis; each result (…, N, 4), sides l, t, r, b`,
  summary: doc`each side's standard deviation, excess, entropy, highest probability and last bin`,
  params: LAYOUT_PARAMS,
  bounds: { result: bound(1e-6) },
  errorBound: doc`absolute, ≤ {result} of the range of the bins`,
  source: doc`Li et al. 2021 (Generalized Focal Loss V2), section 3. The excess is densehead's own`,
  check(dist: TensorLike, options: DflLayout): CheckedRows<DflStatistics> {
    const found = distribution(op, dist, readOptions(options));
    const measure = found.channelsFirst ? ofChannels : ofRows;
    return {
      op,
      stem,
      ...rowsOf(found),
      outputs: 5,
      parameters: {},
      onWasm: (backend, [{ source }]) => measure(backend, { ...found, source }),
      resultOf: ([std, entropy, top, saturation, excess]) => ({ std, entropy, top, saturation, excess }),
    };
  },
});

function ofRows(backend: WasmBackend, dist: Distribution<Source>): Float32Array[] {
  const columns = 4 * dist.bins;
  const inputs = [{ source: dist.source, columns }];
  return mapRows(op, backend, dist.images * dist.anchors, inputs, [4, 4, 4, 4, 4], ([logits], out, rows) => {
    backend.kernels.dfl_statistics(logits, columns * 4, 4, rows, dist.bins, ...(out as Outputs));
  });
}

function ofChannels(backend: WasmBackend, dist: Distribution<Source>): Float32Array[] {
  const results = Array.from({ length: 5 }, () => new Float32Array(dist.images * dist.anchors * 4));
  forEachChannelBlock(op, backend, dist, 5, (logits, stride, count, out, at) => {
    backend.kernels.dfl_statistics(logits, 4, stride, count, dist.bins, ...(out as Outputs));
    out.forEach((pointer, i) => {
      results[i].set(backend.memory.floats.subarray(pointer >> 2, (pointer >> 2) + count * 4), at * 4);
    });
  });
  return results;
}
