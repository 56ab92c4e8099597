/** Box sides from distributions. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import { type Param, paramReader } from "../params.ts";
import type { DflDecodeOptions, TensorLike } from "../types.ts";
import type { Source } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { BIN_PARAMS, type Bins, binsInput, binsOf, withValues } from "./bins.ts";
import { type Distribution, distribution, forEachChannelBlock, LAYOUT_PARAMS, rowsOf } from "./distribution.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const stem = "dfl_decode";
const op = nameOf(stem);
const PARAMS = { ...LAYOUT_PARAMS, ...BIN_PARAMS } as const satisfies Record<keyof DflDecodeOptions, Param>;

const readOptions = paramReader(op, PARAMS);

export const dflDecode = rowOperation({
  stem,
  kernels: ["dfl_decode_rows", "dfl_decode_channels", "dfl_decode_values"],
  shapes: doc`(…, N, 4·bins) or (…, 4·bins, N) → (…, N, 4)`,
  tensors:
    doc`dist (…, N, 4·bins) or, channels-first, (…, 4·bins, N), with at most one leading batch axis; result (…, N, 4), sides l, t, r, b`,
  summary: doc`expectation of each side's distribution`,
  params: PARAMS,
  bounds: { result: bound(5e-7, 4e-6) },
  errorBound:
    doc`absolute, ≤ {result} of the range of the bins, on WebGPU ≤ {result.webgpu}, and one rounding of the result where \`firstBin\` is not 0 or \`binValues\` are given`,
  source: doc`Li et al. 2020 (Generalized Focal Loss), equation 5 and section 3.2`,
  check(dist: TensorLike, options: DflDecodeOptions): CheckedRows<Float32Array> {
    const values = readOptions(options);
    const found = distribution(op, dist, values);
    const bins = binsOf(op, values.bins, values);
    const decode = found.channelsFirst ? decodeChannels : decodeRows;
    const { inputs, counts, ...rows } = rowsOf(found);
    return {
      op,
      stem,
      ...rows,
      inputs: [...inputs, binsInput(op, bins)],
      outputs: 1,
      counts: { ...counts, uneven: bins.uneven ? 1 : 0 },
      parameters: { first: bins.first, step: bins.step },
      onWasm: (backend, [{ source }]) => [decode(backend, { ...found, source }, bins)],
      resultOf: ([sides]) => sides,
    };
  },
});

function decodeRows(backend: WasmBackend, dist: Distribution<Source>, bins: Bins): Float32Array {
  const { kernels } = backend;
  const inputs = [{ source: dist.source, columns: 4 * dist.bins }];
  return withValues(op, backend, bins, (values) => {
    const [sides] = mapRows(op, backend, dist.images * dist.anchors, inputs, [4], ([logits], [out], rows) => {
      if (bins.uneven) kernels.dfl_decode_values(logits, dist.bins * 4, 4, rows * 4, dist.bins, values, out, 4);
      else kernels.dfl_decode_rows(logits, rows, dist.bins, bins.first, bins.step, out);
    });
    return sides;
  });
}

function decodeChannels(backend: WasmBackend, dist: Distribution<Source>, bins: Bins): Float32Array {
  const { kernels, memory } = backend;
  const result = new Float32Array(dist.images * dist.anchors * 4);
  withValues(op, backend, bins, (values) => {
    forEachChannelBlock(op, backend, dist, 1, (logits, stride, count, [out], at) => {
      if (bins.uneven) {
        for (let side = 0; side < 4; side++) {
          const from = logits + side * dist.bins * stride;
          kernels.dfl_decode_values(from, 4, stride, count, dist.bins, values, out + side * 4, 16);
        }
      } else {
        kernels.dfl_decode_channels(logits, stride, count, dist.bins, bins.first, bins.step, out);
      }
      result.set(memory.floats.subarray(out >> 2, (out >> 2) + count * 4), at * 4);
    });
  });
  return result;
}
