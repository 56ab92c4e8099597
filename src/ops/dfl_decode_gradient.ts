/** The way back through `dflDecode`. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import { type Param, paramReader } from "../params.ts";
import type { DflDecodeOptions, TensorLike } from "../types.ts";
import {
  type AnySource,
  describeTensor,
  elementsOf,
  shapeOf,
  type Source,
  tensorAnywhere,
  typeError,
} from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { BIN_PARAMS, type Bins, binsInput, binsOf, withValues } from "./bins.ts";
import { type Distribution, distribution, forEachChannelBlock, LAYOUT_PARAMS, rowsOf } from "./distribution.ts";
import { type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const stem = "dfl_decode_gradient";
const op = nameOf(stem);

const PARAMS = { ...LAYOUT_PARAMS, ...BIN_PARAMS } as const satisfies Record<keyof DflDecodeOptions, Param>;

const readOptions = paramReader(op, PARAMS);

export const dflDecodeGradient = rowOperation({
  stem,
  kernels: ["dfl_decode_gradient"],
  shapes: doc`dist of \`dflDecode\`, (…, N, 4) → dist's shape`,
  tensors:
    doc`dist (…, N, 4·bins) or, channels-first, (…, 4·bins, N), as \`dflDecode\` takes it; grad (…, N, 4), sides l, t, r, b; result in the shape of dist`,
  summary: doc`gradient to the logits of each side's distribution`,
  params: PARAMS,
  bounds: { result: bound(5e-7, 4e-6) },
  errorBound: doc`absolute, ≤ {result} of the range of the bins times the side's gradient, on WebGPU ≤ {result.webgpu}`,
  source: doc`the derivative of Li et al. 2020 (Generalized Focal Loss), equation 5`,
  check(dist: TensorLike, grad: TensorLike, options: DflDecodeOptions): CheckedRows<Float32Array> {
    const values = readOptions(options);
    const found = distribution(op, dist, values);
    const slopes = slopesOf(grad, found);
    const bins = binsOf(op, values.bins, values);
    const { channelsFirst, anchors } = found;
    const gradient = channelsFirst ? ofChannels : ofRows;
    const { inputs: [logits], counts, rows } = rowsOf(found);
    return {
      op,
      stem,
      rows,
      inputs: [
        logits,
        { argument: "grad", source: slopes, columns: channelsFirst ? 4 * anchors : 4 },
        binsInput(op, bins),
      ],
      outputs: 1,
      columns: logits.columns,
      counts,
      parameters: {},
      onWasm: (backend, [{ source }, grad]) => [gradient(backend, { ...found, source }, grad.source, bins)],
      resultOf: ([result]) => result,
    };
  },
});

/** A value for each side of the distribution: of its axes, whichever layout it has. */
function slopesOf(grad: TensorLike, { source: dist, anchors }: Distribution): AnySource {
  const place = { op, argument: "grad" };
  const wanted = [...dist.dims.slice(0, -2), anchors, 4];
  const source = tensorAnywhere(place, grad, (length) => length === elementsOf(wanted) ? wanted : [length]);
  if (shapeOf(source.dims) === shapeOf(wanted)) return source;
  throw typeError(place, describeTensor(grad, source), `shape ${shapeOf(wanted)}, a value for each side of dist`);
}

function ofRows(backend: WasmBackend, dist: Distribution<Source>, grad: Source, bins: Bins): Float32Array {
  const { kernels } = backend;
  const width = dist.bins * 4;
  const inputs = [{ source: dist.source, columns: width }, { source: grad, columns: 4 }];
  return withValues(op, backend, bins, (values) => {
    const rows = dist.images * dist.anchors;
    const [result] = mapRows(op, backend, rows, inputs, [width], ([logits, slopes], [out], count) => {
      kernels.dfl_decode_gradient(logits, width, 4, slopes, 4, count * 4, dist.bins, values, out, 4);
    });
    return result;
  });
}

function ofChannels(backend: WasmBackend, dist: Distribution<Source>, grad: Source, bins: Bins): Float32Array {
  const { kernels, memory } = backend;
  const { anchors } = dist;
  const channels = 4 * dist.bins;
  const result = new Float32Array(dist.images * channels * anchors);
  withValues(op, backend, bins, (values) => {
    forEachChannelBlock(op, backend, dist, 1, (logits, stride, count, [out], at) => {
      memory.frame(op, (allocate) => {
        const slopes = backend.stage(grad, at * 4, count * 4, allocate(backend.stagingBytes(count * 4)));
        const pitch = count * 4;
        for (let side = 0; side < 4; side++) {
          const first = side * dist.bins;
          const [from, to] = [logits + first * stride, out + first * pitch];
          kernels.dfl_decode_gradient(from, 4, stride, slopes + side * 4, 16, count, dist.bins, values, to, pitch);
        }
      });
      const image = Math.floor(at / anchors);
      for (let channel = 0; channel < channels; channel++) {
        const from = (out >> 2) + channel * count;
        const to = (image * channels + channel) * anchors + at % anchors;
        result.set(memory.floats.subarray(from, from + count), to);
      }
    }, channels);
  });
  return result;
}
