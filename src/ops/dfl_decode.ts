/** Box sides from distributions. */
import { doc } from "../doc.ts";
import { bound, nameOf } from "../operation.ts";
import { choiceParam, numberParam, type Param, paramReader, requiredInteger } from "../params.ts";
import type { DflDecodeOptions, DflLayout, TensorLike } from "../types.ts";
import { type AnySource, describeTensor, type Source, tensorAnywhere, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { type CallInput, type CheckedRows, rowOperation } from "./row_call.ts";
import { mapRows } from "./rows.ts";

const stem = "dfl_decode";
const op = nameOf(stem);
const MAX_BINS = 64;
/** How a distribution lies in memory. */
export const LAYOUT_PARAMS = {
  bins: requiredInteger(doc`number of bins per side`, { min: 2, max: MAX_BINS }),
  layout: choiceParam(
    doc`"rows": (…, N, 4·bins). "channels-first": (…, 4·bins, N)`,
    ["rows", "channels-first"],
    "rows",
  ),
} as const satisfies Record<keyof DflLayout, Param>;

const PARAMS = {
  ...LAYOUT_PARAMS,
  firstBin: numberParam(doc`value of the first bin`, 0),
  binStep: numberParam(doc`difference of neighbouring bins`, 1),
} as const satisfies Record<keyof DflDecodeOptions, Param>;

const readOptions = paramReader(op, PARAMS);

/** Anchors of a channels-first block are multiples of it: so many does the kernel read at a time. */
const STEP = 16;

export const dflDecode = rowOperation({
  stem,
  kernels: ["dfl_decode_rows", "dfl_decode_channels"],
  shapes: doc`(…, N, 4·bins) or (…, 4·bins, N) → (…, N, 4)`,
  tensors:
    doc`dist (…, N, 4·bins) or, channels-first, (…, 4·bins, N), with at most one leading batch axis; result (…, N, 4), sides l, t, r, b`,
  summary: doc`expectation of each side's distribution`,
  params: PARAMS,
  bounds: { result: bound(5e-7, 4e-6) },
  errorBound:
    doc`absolute, ≤ {result} of the range of the bins, on WebGPU ≤ {result.webgpu}, and one rounding of the result where \`firstBin\` is not 0`,
  source: doc`Li et al. 2020 (Generalized Focal Loss), equation 5 and section 3.2`,
  check(dist: TensorLike, options: DflDecodeOptions): CheckedRows<Float32Array> {
    const values = readOptions(options);
    const { firstBin: first, binStep: step } = values;
    const found = distribution(op, dist, values);
    const decode = found.channelsFirst ? decodeChannels : decodeRows;
    return {
      op,
      stem,
      ...rowsOf(found),
      outputs: 1,
      parameters: { first, step },
      onWasm: (backend, [{ source }]) => [decode(backend, { ...found, source }, first, step)],
      resultOf: ([sides]) => sides,
    };
  },
});

/** A checked distribution: `images` of `anchors` each. */
export interface Distribution<S = AnySource> {
  readonly source: S;
  readonly bins: number;
  readonly channelsFirst: boolean;
  readonly images: number;
  readonly anchors: number;
}

export function distribution(op: string, dist: TensorLike, { bins, layout }: Required<DflLayout>): Distribution {
  const channelsFirst = layout === "channels-first";
  const channels = 4 * bins;
  const place = { op, argument: "dist" };
  const source = tensorAnywhere(
    place,
    dist,
    (n) => channelsFirst ? [channels, n / channels] : [n / channels, channels],
  );
  const { dims } = source;
  const [images, rows, columns] = dims.length === 3 ? dims : [1, ...dims];
  const [found, anchors] = channelsFirst ? [rows, columns] : [columns, rows];
  if ((dims.length !== 2 && dims.length !== 3) || found !== channels || !Number.isInteger(anchors)) {
    const wanted = channelsFirst ? `([B,] ${channels}, N)` : `([B,] N, ${channels})`;
    throw typeError(place, describeTensor(dist, source), `shape ${wanted} for ${bins} bins, layout "${layout}"`);
  }
  // Images without anchors may be many, and there is nothing to do for them.
  return { source, bins, channelsFirst, images: anchors === 0 ? 0 : images, anchors };
}

/** The rows of a call: images of channels or, as images of one anchor, anchors. */
export function rowsOf(dist: Distribution): Pick<CheckedRows, "rows" | "inputs" | "columns" | "counts"> {
  const { source, bins, channelsFirst, images } = dist;
  const anchors = channelsFirst ? dist.anchors : 1;
  const input: CallInput = { argument: "dist", source, columns: 4 * bins * anchors };
  const rows = channelsFirst ? images : images * dist.anchors;
  return { rows, inputs: [input], columns: 4 * anchors, counts: { bins, anchors } };
}

function decodeRows(backend: WasmBackend, dist: Distribution<Source>, first: number, step: number): Float32Array {
  const inputs = [{ source: dist.source, columns: 4 * dist.bins }];
  const [sides] = mapRows(op, backend, dist.images * dist.anchors, inputs, [4], ([logits], [out], rows) => {
    backend.kernels.dfl_decode_rows(logits, rows, dist.bins, first, step, out);
  });
  return sides;
}

function decodeChannels(backend: WasmBackend, dist: Distribution<Source>, first: number, step: number): Float32Array {
  const result = new Float32Array(dist.images * dist.anchors * 4);
  forEachChannelBlock(op, backend, dist, 1, (logits, stride, count, [out], at) => {
    backend.kernels.dfl_decode_channels(logits, stride, count, dist.bins, first, step, out);
    result.set(backend.memory.floats.subarray(out >> 2, (out >> 2) + count * 4), at * 4);
  });
  return result;
}

/** Blocks of anchors of every image of a channels-first distribution, with output arrays of (count, 4). */
export function forEachChannelBlock(
  op: string,
  backend: WasmBackend,
  dist: Distribution<Source>,
  outputs: number,
  body: (logits: number, stride: number, count: number, out: readonly number[], at: number) => void,
): void {
  const channels = 4 * dist.bins;
  const block = Math.min(dist.anchors, Math.max(STEP, Math.floor(backend.chunk / channels / STEP) * STEP));
  backend.memory.frame(op, (allocate) => {
    const staging = allocate(backend.stagingBytes((block + STEP) * channels));
    const out = Array.from({ length: outputs }, () => allocate(block * 16));
    for (let image = 0; image < dist.images; image++) {
      for (let done = 0; done < dist.anchors; done += block) {
        const columns = Math.min(block, dist.anchors - done);
        const start = image * channels * dist.anchors + done;
        const part = { start, pitch: dist.anchors, rows: channels, columns };
        const { pointer, stride } = backend.stageRows(dist.source, part, staging);
        body(pointer, stride, columns, out, image * dist.anchors + done);
      }
    }
  });
}
