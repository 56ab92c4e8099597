/** Loss of prototype masks. */
import { section } from "../arrays.ts";
import { doc } from "../doc.ts";
import { bound, nameOf, routine } from "../operation.ts";
import { paramReader } from "../params.ts";
import type { MaskLossOptions, MaskLossResult, Reduction, TensorLike } from "../types.ts";
import {
  type AnySource,
  arrayOf,
  describeTensor,
  matrixAnywhere,
  onHost,
  rangeError,
  type Source,
  tensorAnywhere,
  typeError,
} from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { LOSS_PARAMS, lossSettings } from "./checked_loss.ts";
import { type CheckedMaskLoss, MaskLossCall } from "./mask_loss_call.ts";

const stem = "mask_loss";
const op = nameOf(stem);

const { out: _, ...PARAMS } = LOSS_PARAMS;

/** Pixels of a band of the kernel. */
const BAND = 1024;

const readOptions = paramReader(op, PARAMS);

/** Pixels x1 ≤ x < x2, y1 ≤ y < y2, and the area of the whole box. */
interface Window {
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
  readonly area: number;
}

function check(
  coefficients: TensorLike,
  prototypes: TensorLike,
  masks: Uint8Array,
  boxes: TensorLike,
  options?: MaskLossOptions,
): MaskLossCall {
  const values = readOptions(options);
  const maps = tensorAnywhere({ op, argument: "prototypes" }, prototypes, (length) => [length]);
  if (maps.dims.length !== 3) {
    throw typeError({ op, argument: "prototypes" }, describeTensor(prototypes, maps), "shape (channels, h, w)");
  }
  const [channels, height, width] = maps.dims;
  const rows = matrixAnywhere({ op, argument: "coefficients" }, coefficients, channels);
  const [objects] = rows.dims;
  const corners = matrixAnywhere({ op, argument: "boxes" }, boxes, 4);
  if (corners.dims[0] !== objects) {
    const wanted = `shape (${objects}, 4), a box for each row of coefficients`;
    throw typeError({ op, argument: "boxes" }, describeTensor(boxes, corners), wanted);
  }
  const place = { op, argument: "masks" };
  const truth = arrayOf(place, "Uint8Array", masks, objects * height * width, ", (N, h, w) of the prototypes");
  const extent = { dims: [objects, channels], elements: 0, rows: objects, values: objects, elementWeights: false };
  const { reduction, weight, avgFactor, lossWeight, grad, placement } = values;
  const common = { reduction, weight, avgFactor, lossWeight, grad, placement, out: undefined };
  const settings = lossSettings(op, common, extent);
  const checked = { op, coefficients: rows, prototypes: maps, masks: truth, boxes: corners, settings };
  return new MaskLossCall({ ...checked, wrongBox, wrongByte }, onWasm);
}

function onWasm(backend: WasmBackend, checked: CheckedMaskLoss): MaskLossResult<Reduction, boolean> {
  const hosted = (argument: string, source: AnySource) => onHost({ op, argument }, source);
  const { masks: truth, settings } = checked;
  const rows = hosted("coefficients", checked.coefficients);
  const maps = hosted("prototypes", checked.prototypes);
  const corners = hosted("boxes", checked.boxes);
  const weights = settings.weight === null ? null : hosted("options.weight", settings.weight);
  const [[objects], [channels, height, width]] = [rows.dims, maps.dims];
  return backend.memory.frame(op, (allocate) => {
    const { memory, kernels } = backend;
    const floatsOf = (source: Source, count: number) => {
      const at = backend.stage(source, 0, count, allocate(backend.stagingBytes(count)));
      return memory.view(Float32Array, at, count).slice();
    };
    const windows = windowsOf(floatsOf(corners, 4 * objects), width, height);
    const factors = weights === null ? null : floatsOf(weights, objects);
    const map = backend.stage(
      maps,
      0,
      channels * height * width,
      allocate(backend.stagingBytes(channels * height * width)),
    );
    const staging = allocate(backend.stagingBytes(channels));
    const maskRows = allocate(height * width + 16);
    const lineBytes = 4 * (Math.max(BAND, width + 3) + 16);
    const logits = allocate(4 * lineBytes);
    const slopes = settings.grad ? allocate(channels * height * width * 4 + 64) : 0;
    const sums = settings.grad ? allocate(channels * 8) : 0;
    const own = settings.grad ? allocate(channels * 4) : 0;
    if (slopes !== 0) memory.floats.fill(0, slopes >> 2, (slopes >> 2) + channels * height * width);
    const losses = new Float32Array(objects);
    const gradient = settings.grad ? new Float32Array(objects * channels) : null;
    let total = 0;
    windows.forEach(({ x1, x2, y1, y2, area }, i) => {
      const factor = factors === null ? 1 : factors[i];
      const scale = settings.factor * factor / area;
      const first = (i * height + y1) * width;
      const count = Math.max(y2 - y1, 0) * width;
      memory.view(Uint8Array, maskRows, count).set(section(backend.values(truth), first, count));
      const row = backend.stage(rows, i * channels, channels, staging);
      const plane = height * width * 4;
      const sum = kernels.mask_loss(
        map,
        width,
        plane,
        channels,
        row,
        maskRows,
        logits,
        lineBytes,
        x1,
        x2,
        y1,
        y2,
        scale,
        sums,
        own,
        slopes,
      );
      if (sum === -1) throw wrongMask(section(backend.values(truth), first, count), first, windows[i], width);
      const value = weighed(sum / area, factor);
      total += value;
      losses[i] = weighed(value, settings.factor);
      gradient?.set(memory.view(Float32Array, own, channels), i * channels);
    });
    const loss = settings.reduction === "none" ? losses : weighed(total, settings.factor);
    if (gradient === null) return { loss };
    const prototypesGrad = memory.view(Float32Array, slopes, channels * height * width).slice();
    return { loss, grad: { coefficients: gradient, prototypes: prototypesGrad } };
  });
}

/** A factor of 0 leaves nothing of an infinite loss; NaN stays. */
function weighed(value: number, factor: number): number {
  return factor === 0 && !Number.isNaN(value) ? 0 : value * factor;
}

function windowsOf(boxes: Float32Array, width: number, height: number): Window[] {
  return Array.from({ length: boxes.length / 4 }, (_, i) => {
    const [left, top, right, bottom] = boxes.subarray(4 * i, 4 * i + 4);
    const area = right > left && bottom > top ? (right - left) * (bottom - top) : 0;
    if (!(area > 0 && area < Infinity)) throw wrongBox(i, [left, top, right, bottom]);
    const from = (edge: number) => Math.max(Math.ceil(edge), 0);
    return {
      x1: from(left),
      x2: Math.min(from(right), width),
      y1: Math.min(from(top), height),
      y2: Math.min(from(bottom), height),
      area,
    };
  });
}

function wrongBox(row: number, corners: readonly number[] | null): RangeError {
  const found = corners === null ? "no such box" : `(${corners.join(", ")})`;
  return rangeError({ op, argument: `boxes[${row}]` }, found, "finite corners around an area over 0");
}

function wrongByte(at: number, byte: number): RangeError {
  return rangeError({ op, argument: `masks[${at}]` }, byte, "0 or 1");
}

/** The error for the first byte of a window that is neither 0 nor 1; the bytes begin at `first` of all masks. */
function wrongMask(bytes: Uint8Array, first: number, { x1, x2 }: Window, width: number): RangeError {
  const at = bytes.findIndex((byte, i) => byte > 1 && i % width >= x1 && i % width < x2);
  return wrongByte(first + at, bytes[at]);
}

export const maskLoss = routine({
  stem,
  kernels: [stem],
  shapes: doc`(N, nm), (nm, h, w), (N, h, w), (N, 4) → (N)`,
  tensors:
    doc`coefficients (N, nm); prototypes (nm, h, w); masks (N, h, w), bytes 0 or 1; boxes (N, 4), in \`xyxy\`, in pixels of the prototypes. Loss (N)`,
  operands: {
    coefficients: doc`(N, nm)`,
    prototypes: doc`(nm, h, w)`,
    masks: doc`(N, h, w), integers or booleans, 0 or 1`,
    boxes: doc`(N, 4) as x1, y1, x2, y2 in pixels of the prototypes`,
  },
  summary: doc`cross-entropy of prototype masks within their boxes, with gradients to coefficients and prototypes`,
  params: PARAMS,
  throws: [
    doc`TypeError if shapes do not belong together`,
    doc`RangeError if a box has no area or is not finite, or a byte of masks within a box is neither 0 nor 1 (the errors name it)`,
  ],
  bounds: { loss: bound(1e-6), gradient: bound(1e-6) },
  errorBound:
    doc`≤ {loss} of max(1, loss) times the pixels of the window over the area, for logits that float32 sums exactly; their own rounding is nm·6e-8 of the sum of |coefficient · prototype|. For the gradients ≤ {gradient} of the sum of their terms' sizes`,
  source:
    doc`masks of prototypes of Bolya et al. 2019 (YOLACT); the loss within boxes and over their areas as Ultralytics' segmentation loss has it`,
  check,
  run: (
    backend: WasmBackend,
    coefficients: TensorLike,
    prototypes: TensorLike,
    masks: Uint8Array,
    boxes: TensorLike,
    options?: MaskLossOptions,
  ) => check(coefficients, prototypes, masks, boxes, options).onWasm(backend),
});
