/**
 * `maskLoss` on WebGPU, in one submission: windows of the boxes, losses and slopes of their pixels, and both gradients from these.
 * Every sum is in an order that the shapes alone give.
 */
import { valuesOf } from "../arrays.ts";
import type { CheckedMaskLoss } from "../ops/mask_loss_call.ts";
import type { MaskLossResult, Placement, Reduction } from "../types.ts";
import { type AnySource, elementsOf, rangeError } from "../validate.ts";
import type { Gpu } from "./gpu.ts";
import { eachItem, itemGroups } from "./grid.ts";
import { prepareAdder, valueOnHost } from "./loss.ts";
import { Output } from "./output.ts";
import { type Fields, paramsBlock, paramsText } from "./params.ts";
import { half } from "./shaders/half.ts";
import { boxWindows, coefficientSlopes, maskLoss, prototypeSlopes } from "./shaders/mask_loss.ts";
import { numbers } from "./shaders/numbers.ts";
import { readable, storageOf } from "./storage.ts";
import { addUp } from "./sums.ts";
import { Work } from "./work.ts";

/** Pixels of a window that a lane adds up, at most. */
const PER_LANE = 64;
/** Bytes of a window in the shaders. */
const WINDOW_BYTES = 32;
/** No box and no byte is wrong. */
const NONE = 0xffffffff;

type Result = MaskLossResult<Reduction, boolean, Placement>;

export async function runMaskLoss(gpu: Gpu, call: CheckedMaskLoss): Promise<Result> {
  const large = tooLarge(call, gpu.device.limits);
  if (large !== undefined) {
    const wanted = `at most ${Math.floor(gpu.device.limits.maxStorageBufferBindingSize / 4)} on this device`;
    throw rangeError({ op: call.op, argument: large.argument }, `of ${large.values} values`, wanted);
  }
  const shaders = await prepare(gpu, call);
  const work = new Work(call.op, gpu.device, gpu.pool);
  try {
    return await new MaskLossRun(gpu, work, call, shaders).result();
  } finally {
    work.release();
  }
}

/** What no binding holds: an argument, or what is made for each of its values. */
export function tooLarge(call: CheckedMaskLoss, limits: GPUSupportedLimits) {
  const { objects, channels, plane, parts } = extentOf(call);
  const needed = [
    { argument: "prototypes", values: channels * plane },
    { argument: "masks", values: objects * plane },
    { argument: "coefficients", values: objects * channels * parts },
  ];
  return needed.find(({ values }) => 4 * values > limits.maxStorageBufferBindingSize);
}

function extentOf({ coefficients, prototypes }: CheckedMaskLoss) {
  const [[objects], [channels, height, width]] = [coefficients.dims, prototypes.dims];
  const plane = height * width;
  return { objects, channels, height, width, plane, parts: Math.max(1, Math.ceil(plane / PER_LANE)) };
}

/** Of so many items; a shader's item is a value that it makes, or a part of one. */
function fieldsOf(call: CheckedMaskLoss, items: number): Fields {
  const { objects, channels, height, width, parts } = extentOf(call);
  const { factor, reduction } = call.settings;
  return {
    counts: { items, objects, channels, height, width, parts },
    parameters: { factor, value_factor: reduction === "none" ? factor : 1 },
  };
}

/** The call's shaders, compiled; those of gradients are null without. */
async function prepare(gpu: Gpu, call: CheckedMaskLoss) {
  const { coefficients, prototypes, boxes, settings: { grad, weight } } = call;
  const input = (binding: number, name: string, source: AnySource) => readable(binding, name, storageOf(source));
  const weights = weight === null ? "fn weight_at(i: u32) -> f32 { return 1.0; }" : input(4, "weight", weight);
  const slopes = grad ? "@group(0) @binding(7) var<storage, read_write> slopes: array<f32>;" : "";
  const storing = `fn store_slope(at: u32, slope: f32) {${grad ? " slopes[at] = slope; " : ""}}`;
  const shader = (...texts: string[]) => {
    const code = [paramsText(fieldsOf(call, 0)), numbers, half, ...texts, eachItem("item(i);")].join("\n");
    return gpu.pipelines.get(call.op, code);
  };
  const [windows, losses, ofCoefficients, ofPrototypes, adder] = await Promise.all([
    shader(boxWindows, input(3, "boxes", boxes), weights),
    shader(maskLoss, input(5, "coefficients", coefficients), input(6, "prototypes", prototypes), slopes, storing),
    grad ? shader(coefficientSlopes, input(4, "prototypes", prototypes)) : null,
    grad ? shader(prototypeSlopes, input(4, "coefficients", coefficients)) : null,
    prepareAdder(gpu, call.op),
  ]);
  return { windows, losses, ofCoefficients, ofPrototypes, adder };
}

type Shaders = Awaited<ReturnType<typeof prepare>>;

/** A call's buffers on the device. */
interface Buffers {
  readonly coefficients: GPUBufferBinding;
  readonly prototypes: GPUBufferBinding;
  readonly windows: GPUBufferBinding;
  readonly wrong: GPUBufferBinding;
  readonly slopes: GPUBufferBinding | null;
}

/** Results of a call. */
interface Outputs {
  readonly loss: Output;
  readonly grad: { readonly coefficients: Output; readonly prototypes: Output } | null;
}

class MaskLossRun {
  readonly #gpu: Gpu;
  readonly #work: Work;
  readonly #call: CheckedMaskLoss;
  readonly #shaders: Shaders;
  readonly #extent: ReturnType<typeof extentOf>;
  /** Of the masks, as they are when the call runs. */
  readonly #bytes: Uint8Array;

  constructor(gpu: Gpu, work: Work, call: CheckedMaskLoss, shaders: Shaders) {
    this.#gpu = gpu;
    this.#work = work;
    this.#call = call;
    this.#shaders = shaders;
    this.#extent = extentOf(call);
    this.#bytes = wholeWords(valuesOf(call.masks));
  }

  async result(): Promise<Result> {
    const outputs = this.#work.guard(() => this.#outputs());
    const wrong = new Uint32Array(2);
    try {
      this.#work.submit((encoder) => {
        const buffers = this.#encodeLosses(encoder, outputs.loss);
        if (outputs.grad !== null) this.#encodeGradients(encoder, buffers, outputs.grad);
        this.#work.copyBack(encoder, buffers.wrong, wrong);
      });
      await this.#work.read();
      this.#refuse(wrong);
    } catch (error) {
      for (const output of [outputs.loss, ...Object.values(outputs.grad ?? {})]) output.discard(this.#gpu.pool);
      throw error;
    }
    return this.#tensors(outputs);
  }

  #outputs(): Outputs {
    const { objects, channels, plane } = this.#extent;
    const { reduction, grad, placement } = this.#call.settings;
    const output = (floats: number) =>
      new Output(placement === "gpu" ? this.#gpu.pool.result(floats * 4) : new Float32Array(floats));
    return {
      loss: output(reduction === "none" ? objects : 1),
      grad: grad ? { coefficients: output(objects * channels), prototypes: output(channels * plane) } : null,
    };
  }

  #encodeLosses(encoder: GPUCommandEncoder, loss: Output): Buffers {
    const { objects, plane, parts } = this.#extent;
    const { coefficients, prototypes, boxes, settings: { reduction, factor, weight, grad } } = this.#call;
    const buffers = {
      coefficients: this.#input(coefficients),
      prototypes: this.#input(prototypes),
      windows: this.#work.storage(Math.max(objects, 1) * WINDOW_BYTES),
      wrong: this.#work.upload(Uint32Array.of(NONE, NONE)),
      slopes: grad ? this.#storage(objects * plane) : null,
    };
    const { windows, wrong, slopes } = buffers;
    const forWindows = [windows, wrong, this.#input(boxes), ...weight === null ? [] : [this.#input(weight)]];
    this.#dispatch(encoder, this.#shaders.windows, forWindows, objects);
    const sums = this.#storage(objects * parts);
    const truth = this.#work.upload(this.#bytes);
    const forLosses = [windows, truth, wrong, sums, buffers.coefficients, buffers.prototypes];
    this.#dispatch(
      encoder,
      this.#shaders.losses,
      slopes === null ? forLosses : [...forLosses, slopes],
      objects * parts,
    );
    if (reduction === "none") this.#add(encoder, sums, objects, parts, 1, loss);
    else this.#add(encoder, sums, 1, objects * parts, factor, loss);
    return buffers;
  }

  #encodeGradients(
    encoder: GPUCommandEncoder,
    { coefficients, prototypes, windows, slopes }: Buffers,
    grad: NonNullable<Outputs["grad"]>,
  ): void {
    const { objects, channels, plane, parts } = this.#extent;
    const { ofCoefficients, ofPrototypes } = this.#shaders;
    const rows = objects * channels;
    const sums = this.#storage(rows * parts);
    this.#dispatch(encoder, ofCoefficients, [windows, slopes, sums, prototypes], rows * parts);
    this.#add(encoder, sums, rows, parts, 1, grad.coefficients);
    if (channels * plane === 0) return;
    const maps = grad.prototypes.binding(this.#work, 0, channels * plane);
    this.#dispatch(encoder, ofPrototypes, [windows, slopes, maps, coefficients], Math.ceil(channels / 4) * plane);
    grad.prototypes.copyBack(this.#work, encoder, maps, 0, channels * plane);
  }

  #dispatch(
    encoder: GPUCommandEncoder,
    pipeline: GPUComputePipeline | null,
    bindings: readonly (GPUBufferBinding | null)[],
    items: number,
  ): void {
    if (items === 0) return;
    const params = this.#work.uniform(paramsBlock(fieldsOf(this.#call, items)));
    const bound = [params, ...bindings] as GPUBufferBinding[];
    this.#work.dispatch(encoder, pipeline as GPUComputePipeline, bound, itemGroups(items));
  }

  /** Sums of rows as a result. */
  #add(
    encoder: GPUCommandEncoder,
    values: GPUBufferBinding,
    rows: number,
    columns: number,
    factor: number,
    to: Output,
  ): void {
    if (rows === 0) return;
    const into = to.binding(this.#work, 0, rows);
    addUp(this.#work, encoder, this.#shaders.adder, values, { rows, columns, factor }, into);
    to.copyBack(this.#work, encoder, into, 0, rows);
  }

  #storage(words: number): GPUBufferBinding {
    return this.#work.storage(Math.max(words, 1) * 4);
  }

  /** The whole of a tensor; no binding is empty. */
  #input(source: AnySource): GPUBufferBinding {
    const elements = elementsOf(source.dims);
    return elements === 0 ? this.#storage(1) : this.#work.input(source, 0, elements);
  }

  #refuse([row, at]: Uint32Array): void {
    const { boxes, wrongBox, wrongByte } = this.#call;
    if (row !== NONE) {
      const corners = [0, 1, 2, 3].map((k) => valueOnHost(boxes, 4 * row + k));
      throw wrongBox(row, corners.includes(null) ? null : corners as number[]);
    }
    if (at !== NONE) throw wrongByte(at, this.#bytes[at]);
  }

  #tensors({ loss, grad }: Outputs): Result {
    const { coefficients, prototypes, settings: { reduction } } = this.#call;
    const values = loss.tensor(reduction === "none" ? [this.#extent.objects] : []);
    const scalar = reduction !== "none" && values instanceof Float32Array ? values[0] : values;
    if (grad === null) return { loss: scalar } as Result;
    const tensors = {
      coefficients: grad.coefficients.tensor(coefficients.dims),
      prototypes: grad.prototypes.tensor(prototypes.dims),
    };
    return { loss: scalar, grad: tensors } as Result;
  }
}

/** Bytes for a shader, which reads words. */
function wholeWords(bytes: Uint8Array): Uint8Array {
  const words = new Uint8Array(Math.max(Math.ceil(bytes.length / 4), 1) * 4);
  words.set(bytes);
  return words;
}
