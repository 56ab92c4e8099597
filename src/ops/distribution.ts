/**
 * Distributions of box sides as tensors: their layouts, and the blocks in which they go through linear memory.
 */
import { doc } from "../doc.ts";
import { choiceParam, type Param, requiredInteger } from "../params.ts";
import type { DflLayout, TensorLike } from "../types.ts";
import { type AnySource, describeTensor, type Source, tensorAnywhere, typeError } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { CallInput, CheckedRows } from "./row_call.ts";

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

/** Anchors of a channels-first block are multiples of it: so many does the kernel read at a time. */
const STEP = 16;

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

/** Blocks of anchors of every image of a channels-first distribution, with output arrays of (count, width). */
export function forEachChannelBlock(
  op: string,
  backend: WasmBackend,
  dist: Distribution<Source>,
  outputs: number,
  body: (logits: number, stride: number, count: number, out: readonly number[], at: number) => void,
  width = 4,
): void {
  const channels = 4 * dist.bins;
  const block = Math.min(dist.anchors, Math.max(STEP, Math.floor(backend.chunk / channels / STEP) * STEP));
  backend.memory.frame(op, (allocate) => {
    const staging = allocate(backend.stagingBytes((block + STEP) * channels));
    const out = Array.from({ length: outputs }, () => allocate(block * width * 4));
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
