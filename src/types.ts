/**
 * The public types. Shapes are row-major; boxes are `xyxy` in pixels unless an argument says otherwise.
 *
 * @module
 */

/** The instance type of a global class, or `Fallback` where the consumer's libraries do not declare it. */
type Global<Name extends string, Fallback> = typeof globalThis extends Record<Name, { prototype: infer T }> ? T
  : Fallback;

/** The method that `using` calls, if the consumer's TypeScript libraries declare it. */
export type MaybeDisposable = SymbolConstructor extends { readonly dispose: infer Key extends symbol }
  ? { [K in Key]: () => void }
  : object;

/** A WebGPU buffer: `GPUBuffer`, if the consumer's TypeScript libraries declare it. */
export type GpuBuffer = Global<"GPUBuffer", { readonly size: number; destroy(): void }>;
/** A WebGPU texture: `GPUTexture`, if the consumer's TypeScript libraries declare it. */
export type GpuTexture = Global<
  "GPUTexture",
  { readonly width: number; readonly height: number; readonly format: string; destroy(): void }
>;
/** A WebGPU device: `GPUDevice`, if the consumer's TypeScript libraries declare it, else `unknown`, as in onnxruntime. */
export type GpuDevice = Global<"GPUDevice", unknown>;
/** The platform's AbortSignal. */
export type Signal = Global<"AbortSignal", { readonly aborted: boolean; throwIfAborted(): void }>;
/** The platform's Float16Array, if its libraries declare it. */
export type HalfArray = Global<"Float16Array", never>;

// ── Values ──────────────────────────────────────────────────────────────────────

/**
 * Arrays that operations read, of any class or realm. Integers hold quantised values. A `Uint16Array` without a `scale` holds
 * IEEE-754 half bits.
 */
export type DataArray =
  | Float32Array
  | HalfArray
  | Float64Array
  | Uint16Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/**
 * Any object with values and a shape. A `Tensor` of onnxruntime-web or onnxruntime-node fits without a change. Its `type`
 * distinguishes 16-bit data: "float16" means half bits, and "uint16" needs a scale.
 *
 * Quantised data: real = (q − zeroPoint) · scale, each step rounded to float32. TypeError: integers without a scale, except
 * half bits; a scale or zeroPoint with real values; the names that ONNX and TFLite use for the two, such as zero_point.
 * RangeError: a scale that is 0 or infinite in float32.
 *
 * A call reads its arguments once, when it is made: it copies shapes, and reads arrays where they lie at that time. TypeError:
 * an array whose buffer is resized or transferred before its values are read; a view of a disposed tensor, as long as its
 * bytes belong to no other tensor.
 */
export interface HostTensor {
  /** The values, row-major. */
  readonly data: DataArray;
  /** The shape; its product is the length of `data`. */
  readonly dims: readonly number[];
  /** Real value of one step of quantised data. */
  readonly scale?: number;
  /** Quantised value that stands for 0. Default 0. */
  readonly zeroPoint?: number;
}

/**
 * A tensor as onnxruntime's sessions return it. Its type allows data that operations refuse: data other than a
 * {@link DataArray} is a TypeError.
 */
export interface SessionTensor {
  /** The values, row-major. */
  readonly data: ArrayBufferView | readonly string[];
  /** The shape; its product is the length of `data`. */
  readonly dims: readonly number[];
  /** Name of the element type, as "float32". */
  readonly type: string;
}

/** A tensor that stays on the GPU, for example onnxruntime-web's `gpu-buffer` output. */
export interface GpuTensor {
  /** A storage buffer of the engine's device. densehead never destroys an input's buffer. The caller destroys a result's. */
  readonly gpuBuffer: GpuBuffer;
  /** The shape. */
  readonly dims: readonly number[];
  /** Element type of the buffer. Default "float32". */
  readonly dataType?: "float32" | "float16";
}

/** A float32 tensor inside the engine's linear memory: kernels read and write it with no copy. */
export interface WasmTensor extends HostTensor, MaybeDisposable {
  /** Always a valid view, also after the memory has grown. Throws after `dispose()`. */
  readonly data: Float32Array;
  /** Frees the memory. */
  dispose(): void;
}

/** An input of an operation. A plain `Float32Array` has the shape that the argument calls for. */
export type TensorLike = Float32Array | HostTensor | SessionTensor | GpuTensor | WasmTensor;

// ── Engine ──────────────────────────────────────────────────────────────────────

/** Options of `createEngine`. */
export interface EngineOptions {
  /**
   * "auto" (default): SIMD kernels on the CPU. WebGPU takes over for GPU tensors, and where it measured faster. "wasm": the CPU
   * only. "webgpu": WebGPU for every operation that has a shader; an Error if there is no adapter.
   */
  device?: "auto" | "wasm" | "webgpu";
  /**
   * A device to share, for example `ort.env.webgpu.device`. GPU tensors must belong to it. `dispose()` keeps the device, and
   * frees everything of the engine on it except results. A lost device counts as none.
   */
  gpuDevice?: GpuDevice;
  /**
   * Upper bound of linear memory in bytes. Default 64 MiB. Larger inputs are streamed through it, to the same bits. Only
   * detection and the kinds of NMS need bytes for every box or anchor at once. RangeError: under 256 KiB, of which the
   * kernels' tables take 128 KiB; over 2 GiB, because addresses are signed 32-bit integers.
   */
  maxMemory?: number;
  /**
   * Use fused multiply-add where the host has relaxed SIMD. Default "auto".
   * "off" gives results that are bit-identical on every runtime and CPU.
   */
  relaxedSimd?: "auto" | "off";
  /** Number of elements from which "auto" moves host arrays to the GPU. Default: measured once, by the first large call. */
  offloadThreshold?: number;
  /**
   * Threads for asynchronous calls on large host arrays: the caller's and workers, each with kernels and up to `maxMemory` of its
   * own. "auto": the host's processors, at most 8. Default 1. Arrays in a SharedArrayBuffer are read where they are, and
   * others copied once. Results are the same bits as with 1, which it is where there are no threads: see `capabilities`.
   */
  threads?: number | "auto";
}

/** The kernels for `densehead/slim`: a module, its bytes, or a response with them. */
export type WasmSource =
  | Global<"WebAssembly", object>
  | ArrayBuffer
  | ArrayBufferView
  | Global<"Response", { arrayBuffer(): Promise<ArrayBuffer> }>
  | object;

/** Options of `createEngine` of `densehead/slim`, which embeds no kernels. */
export interface SlimEngineOptions extends EngineOptions {
  /**
   * The kernels, from `densehead/densehead.wasm` or `densehead/densehead-relaxed.wasm`: a `WebAssembly.Module`, its bytes, a
   * `Response` with them, or a promise of one of these.
   */
  wasm: WasmSource | PromiseLike<WasmSource>;
}

/** Makes engines; see {@link EngineOptions}. */
export type CreateEngine<O extends EngineOptions = EngineOptions> = (options?: O) => Promise<Engine>;

/** The operations, with the linear memory that they run in. */
export interface Engine extends AsyncOps, MaybeDisposable {
  /** The same operations without promises, on WASM. TypeError: a `GpuTensor`. */
  readonly sync: SyncOps;
  /** The kernels and the device that this engine uses. */
  readonly capabilities: {
    /** The build of the kernels in use. */
    readonly wasm: "simd" | "relaxed-simd";
    /**
     * Description of the adapter. Null without WebGPU, after the device is lost and, with "auto", before the first large call
     * or GPU tensor.
     */
    readonly webgpu: string | null;
    /** Threads that a large asynchronous call may use, with the caller's. */
    readonly threads: number;
    /** One line that says why `threads` is 1 where the options want more; else null. */
    readonly threadsReason: string | null;
  };
  /**
   * The device that an operation would use for host arrays of that many elements, and the reason. Elements are those of a
   * loss's predictions, or of the largest input or result of another operation. GPU tensors always run on the GPU.
   */
  plan(op: string, elements: number): { device: "wasm" | "webgpu"; reason: string };
  /** Bytes of linear memory. */
  readonly memory: {
    /** In use now, including the kernels' tables. */
    readonly used: number;
    /** Highest use so far. */
    readonly peak: number;
    /** Size of the memory now. */
    readonly reserved: number;
    /** Largest size that the memory may grow to. */
    readonly limit: number;
  };
  /** Allocates a zeroed tensor in linear memory. */
  tensor(dims: readonly number[]): WasmTensor;
  /** Frees the engine and its tensors. Later calls throw. */
  dispose(): void;
}

/** A result, or a promise of it, by the engine's flavour. */
export type Result<F, T> = F extends "sync" ? T : Promise<T>;

// ── Losses ──────────────────────────────────────────────────────────────────────

/** How single losses become the result: unchanged, summed, or averaged. */
export type Reduction = "none" | "sum" | "mean";

/** Where a result's arrays are. */
export type Placement = "host" | "gpu";

/** Options of every loss. */
export interface LossOptions<
  R extends Reduction = Reduction,
  G extends boolean = boolean,
  P extends Placement = Placement,
> {
  /**
   * Dense losses average over all elements, row losses over rows. The mean of an empty input is NaN, as in PyTorch. Its
   * sum is 0, and so is its mean with `avgFactor`. Default "mean".
   */
  reduction?: R;
  /**
   * Factor of loss and gradient, per element (shape of `pred`, with label targets too) or per row (shape of `pred`
   * without its last axis or with 1 there, or length N). The length of a plain array decides. A weight of 0 makes the
   * loss 0, also an infinite loss. NaN stays. TypeError: any other shape.
   */
  weight?: TensorLike;
  /** Divisor of the sum for "mean", over 0. With "sum": TypeError. With "none": ignored. */
  avgFactor?: number;
  /** Factor of loss and gradient. A value of 0 acts as a weight of 0. Default 1. */
  lossWeight?: number;
  /** Also return the gradient d(result)/d(pred); for "none", d(sum)/d(pred). Default false. */
  grad?: G;
  /**
   * "gpu", on WebGPU: loss and gradient stay on the device as `GpuTensor`. The caller destroys their buffers.
   * Default "host".
   */
  placement?: P;
  /**
   * Arrays to write into instead of allocating. Their lengths must match. TypeError: arrays that overlap each other, or
   * that overlap an input without covering it exactly.
   */
  out?: { loss?: Float32Array; grad?: Float32Array };
}

/** A loss and, with `grad`, its gradient. */
export type LossResult<R extends Reduction, G extends boolean, P extends Placement = "host"> =
  & {
    /** One number, or with "none" one for each element (dense losses) or row (row losses). */
    readonly loss: P extends "gpu" ? GpuTensor : R extends "none" ? Float32Array : number;
  }
  & (G extends true ? {
      /** Same shape as `pred`. */
      readonly grad: P extends "gpu" ? GpuTensor : Float32Array;
    }
    : object);

/** One label per row: 0 ≤ label < C is a positive of that class, anything else is background. */
export interface LabelTarget {
  /** (N), the class of each row, or background. */
  readonly labels: Int32Array;
  /** (N), quality of each row's positive class, in [0, 1]; ignored for background rows. Default 1. */
  readonly scores?: Float32Array;
}

/** A target of `pred`'s shape in [0, 1], or labels. With labels the loss is a row loss: (N), summed over classes. */
export type ClassTarget = TensorLike | LabelTarget;

/** Parameters of `sigmoidFocalLoss`. */
export interface FocalOptions {
  /** Weight of positives, at most 1; a negative value turns class weighting off. Default 0.25. */
  alpha?: number;
  /** Exponent of 1 − p_t, at least 0. Default 2. */
  gamma?: number;
}

/** Parameters of `qualityFocalLoss`. */
export interface QualityFocalOptions {
  /** Exponent of |y − σ|, at least 0. Default 2. */
  beta?: number;
}

/** Parameters of `varifocalLoss`. */
export interface VarifocalOptions {
  /** Factor of negatives only, at least 0. Default 0.75. */
  alpha?: number;
  /** Exponent of σ in negatives, at least 0. Default 2. */
  gamma?: number;
  /** Weight positives by their quality. Default true. */
  iouWeighted?: boolean;
  /** Take σ^γ for a constant in the gradient (RT-DETR, D-FINE). Default false. */
  detachWeight?: boolean;
  /**
   * "quality": elements with q > 0 are positives (mmdet). "label": the element of a row's label is positive, also for a
   * score of 0 (YOLOv6, PP-YOLOE, Ultralytics). Default: "label" with labels and "quality" with a dense target.
   */
  positives?: "quality" | "label";
}

/** Parameters of `matchabilityAwareLoss`. */
export interface MatchabilityAwareOptions {
  /** Exponent of q in positives and of σ in negatives, at least 0. Default 1.5. */
  gamma?: number;
  /** Factor of negatives only, at least 0. Default 1. */
  alpha?: number;
}

/** Parameters of `generalizedFocalLoss`. */
export interface GeneralizedFocalOptions {
  /** Value at σ = 0, rounded to float32 like the targets. Default 0. */
  yLeft?: number;
  /** Value at σ = 1, over `yLeft`, rounded to float32 like the targets. Default 1. */
  yRight?: number;
  /** Exponent of |y − ŷ|, at least 0. Default 2. */
  beta?: number;
}

/** Values of the bins: firstBin + i · binStep, or `binValues`. */
export interface DistributionFocalOptions {
  /** Value of the first bin. Default 0. */
  firstBin?: number;
  /** Difference of neighbouring bins, over 0. Default 1. */
  binStep?: number;
  /**
   * Values of all bins, rising, in place of the two, as float32 numbers (D-FINE). TypeError: with one of the two.
   * RangeError: not as many as bins.
   */
  binValues?: readonly number[] | Float32Array;
  /**
   * Of a target outside the bins: "error", or "clamp", all weight on the first or last bin; NaN then stays NaN.
   * Default "error".
   */
  outside?: "error" | "clamp";
}

/** Parameters of the box losses. */
export interface BoxLossOptions {
  /** Added to denominators, at least 0. Default 1e-7. */
  eps?: number;
}

/** Parameters of `alphaIouLoss`. */
export interface AlphaIouOptions extends BoxLossOptions {
  /** Exponent of IoU, as a float32 number, over 0, at most 1e6. Default 3. */
  power?: number;
}

/** Parameters of the losses that have an inner term. */
export interface InnerIouOptions extends BoxLossOptions {
  /**
   * Factor of both boxes about their centres in the inner term, as a float32 number, 0.01 to 10; 1: none. Default 1.
   */
  innerRatio?: number;
}

/** Parameters of `nwdLoss`. */
export interface NwdOptions {
  /** Distance at which the loss is 1 − 1/e, in the unit of the boxes, 1e-36 to 1e36. Default 12.8. */
  c?: number;
}

/** Parameters of `mpdiouLoss`. */
export interface MpdiouOptions extends BoxLossOptions {
  /** [height, width] of the network's input, in the unit of the boxes. */
  imageSize: readonly number[];
}

/** Parameters of `eiouLoss`. */
export interface EiouOptions extends InnerIouOptions {
  /** Exponent of the focal weight IoU^γ, as a float32 number, 0 to 4; 0: none. Default 0. */
  gamma?: number;
}

/** Parameters of `wiseIouLoss`. */
export interface WiseIouOptions extends BoxLossOptions {
  /** Mean of 1 − IoU over past batches, which the caller keeps (v3), 1e-6 to 1e6. */
  meanLoss?: number;
  /** Base of the power in r, read with `meanLoss`, 1 to 10. Default 1.9. */
  alpha?: number;
  /** Β at which r is 1, read with `meanLoss`, 0.01 to 20. Default 3. */
  delta?: number;
}

/** A loss with targets `T` and its own options `O`; `F` is "sync" or "async". */
export type Loss<F, T, O> = <R extends Reduction = "mean", G extends boolean = false, P extends Placement = "host">(
  pred: TensorLike,
  target: T,
  options?: LossOptions<R, G, P> & O,
) => Result<F, LossResult<R, G, P>>;

/**
 * Training losses, with closed-form gradients with respect to `pred`. The target has no gradient.
 *
 * Notation: x is a logit, σ = 1 / (1 + e^−x) its probability, y its target in [0, 1], sp(z) = ln(1 + e^z), and
 * BCE(x, y) = y·sp(−x) + (1 − y)·sp(x). Logarithmic losses are in nats. Box losses are ratios and have no unit.
 *
 * Limits: 0^0 is 1, 0·ln 0 is 0, and |d|^β has gradient 0 at d = 0. An infinite logit gives the limit of the loss, and 0
 * where a factor is 0 (α_t, α, a weight, `lossWeight`). NaN stays in its element and in sums.
 *
 * Classification losses take labels in place of a dense target; see {@link LabelTarget}. Row losses (distributions and boxes)
 * give one loss per row. Box losses and their gradients are finite for empty, inverted and infinite boxes too: an infinite
 * edge counts as the largest float32. Where two edges are equal, the gradient is the mean of the slopes on both sides.
 *
 * `innerRatio` r of the losses that take it adds the inner term IoU − I_r / (U_r + eps), the IoU of both boxes scaled by r about
 * their centres (Inner-IoU, Zhang et al. 2023): under 1 boxes that fit well have the steeper slopes, over 1 those that hardly meet have some.
 *
 * All losses throw TypeError for a wrong kind, dtype or shape, for labels that are not one Int32Array of length N, and for
 * `avgFactor` with "sum".
 *
 * Error bounds are for WASM and of single losses. A sum is off by at most the sum of the bounds of its losses: of n equal
 * losses, n times the bound of one. A mean is off by at most their mean. Values under 1e-36 count as 0: a loss, its gradient,
 * or a power in them such as |y − σ|^β. On WebGPU a bound is four times as large where the loss names no other, and a sum adds
 * up to 8e-6 of the sum of its losses' sizes, because sums are float32 there and float64 on WASM. Where a loss names terms that
 * may cancel, WASM adds their gradients in float64, which WebGPU does not have. WebGPU gives NaN only where WASM does. A call
 * that runs on WebGPU reads its host arrays, and writes `out`, until its promise settles.
 */
export interface LossOps<F> {
  /**
   * Binary cross-entropy of logits: y·sp(−x) + (1 − y)·sp(x).
   *
   * Gradient: σ − y.
   *
   * - Shapes: pred (N, C) or any shape, logits; target of the same shape in [0, 1], or labels (N) for pred (N, C).
   *   Loss: pred's shape, or (N) with labels.
   * - Throws: TypeError if the target has another shape.
   * - Error bound: relative, ≤ 1e-6 for value and gradient, for saturated logits too. The difference σ − y adds ≤ 3e-7
   *   of the smaller of σ and 1 − σ, because float32 keeps no more of it where y is nearly σ (nothing is
   *   lost at x = 0).
   * - Source: Bishop 2006 (Pattern Recognition and Machine Learning), equation 4.90, on logits.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const logits = Float32Array.of(-2, 0, 3);
   * const { loss, grad } = sync.binaryCrossEntropyWithLogits(logits, Float32Array.of(0, 0.5, 1), {
   *   reduction: "none",
   *   grad: true,
   * });
   * console.log(loss); // → [0.1269, 0.6931, 0.0486]
   * console.log(grad); // → [0.1192, 0, -0.0474]
   * ```
   */
  binaryCrossEntropyWithLogits: Loss<F, ClassTarget, unknown>;
  /**
   * Focal loss: α_t·(1 − p_t)^γ·BCE(x, y), with p_t = σy + (1 − σ)(1 − y), α_t = αy + (1 − α)(1 − y), and α_t = 1 for a
   * negative α.
   *
   * Gradient: α_t·((1 − p_t)^γ·(σ − y) + γ(1 − p_t)^(γ−1)·(1 − 2y)·σ(1 − σ)·BCE(x, y)).
   *
   * - Shapes: pred (N, C) or any shape, logits; target of the same shape in [0, 1], or labels (N) for pred (N, C).
   *   Loss: pred's shape, or (N) with labels.
   * - Defaults: `alpha` 0.25, `gamma` 2.
   * - Throws: RangeError if alpha is over 1, or gamma is under 0.
   * - Error bound: relative, ≤ 1e-6 of the value and of the gradient's larger term. For γ other than 0, 1, 1.5 and 2 it
   *   is ≤ 4e-7·(1 + γ) where that is more, because the power multiplies the rounding of its base. Soft targets add the
   *   error of two differences, ≤ 3e-7: of 1 − 2y, and of σ − y relative to the smaller of σ and 1 − σ.
   * - Source: Lin et al. 2017 (Focal Loss), equation 5.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const logits = { data: Float32Array.of(2, -3, 0.5, -1), dims: [2, 2] };
   * const labels = Int32Array.of(0, -1); // row 0 is of class 0, row 1 is background
   * const { loss } = sync.sigmoidFocalLoss(logits, { labels }, { reduction: "none" });
   * console.log(loss); // → [0.0005, 0.3001]
   * ```
   */
  sigmoidFocalLoss: Loss<F, ClassTarget, FocalOptions>;
  /**
   * Quality focal loss: |y − σ|^β·BCE(x, y).
   *
   * Gradient: |y − σ|^β·(σ − y) + β·|y − σ|^(β−1)·sign(σ − y)·σ(1 − σ)·BCE(x, y).
   *
   * - Shapes: pred (N, C) or any shape, logits; target: qualities of the same shape in [0, 1], or labels (N) with
   *   scores for pred (N, C). Loss: pred's shape, or (N) with labels.
   * - Defaults: `beta` 2.
   * - Throws: RangeError if beta is under 0.
   * - Error bound: relative, ≤ 1e-6 for value and gradient. For β other than 0, 1, 1.5 and 2 it is ≤ 4e-7·(1 + β) where
   *   that is more, because the power multiplies the rounding of its base. The cancellation in |y − σ| adds an error of
   *   ≤ 2e-7 to the difference (none where y is 0 or 1).
   * - Source: Li et al. 2020 (Generalized Focal Loss), equation 2.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const logits = { data: Float32Array.of(2, -3, 0.5, -1), dims: [2, 2] };
   * const labels = Int32Array.of(0, -1); // row 0 is of class 0, row 1 is background
   * const scores = Float32Array.of(0.8, 0); // IoU of each row's predicted box
   * const { loss } = sync.qualityFocalLoss(logits, { labels, scores }, { avgFactor: 1 });
   * console.log(loss); // → 0.4036
   * ```
   */
  qualityFocalLoss: Loss<F, ClassTarget, QualityFocalOptions>;
  /**
   * Varifocal loss. Positives: q·BCE(x, q), or BCE(x, q) with `iouWeighted: false`. Negatives: α·σ^γ·sp(x).
   *
   * Gradient of positives: q·(σ − q), or σ − q. Gradient of negatives: α·σ^γ·(σ + γ(1 − σ)·sp(x)), which includes the
   * derivative of σ^γ; with `detachWeight` it is α·σ^γ·σ.
   *
   * An element is positive if q > 0. With labels, the element of a row's label is positive, also if q = 0, unless
   * `positives` is "quality".
   *
   * - Shapes: pred (N, C) or any shape, logits; target: qualities q of the same shape in [0, 1], or labels (N) with
   *   scores for pred (N, C). Loss: pred's shape, or (N) with labels.
   * - Defaults: `alpha` 0.75, `gamma` 2, `iouWeighted` true, `positives` "label" with labels and "quality" with a dense
   *   target, all else off.
   * - Throws: TypeError if `positives` is "label" and the target is dense. RangeError if alpha or gamma is under 0.
   * - Error bound: relative, ≤ 1e-6 for value and gradient. For γ other than 0, 1, 1.5 and 2 it is ≤ 4e-7·(1 + γ) where
   *   that is more, because the power multiplies the rounding of its base. The difference σ − q adds ≤ 3e-7 of the
   *   smaller of σ and 1 − σ.
   * - Source: Zhang et al. 2021 (VarifocalNet), equation 2.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const logits = Float32Array.of(2, -3, 0.5, -1);
   * const qualities = Float32Array.of(0.8, 0, 0, 0); // one positive
   * const { loss } = sync.varifocalLoss(logits, qualities, { reduction: "sum" });
   * console.log(loss); // → 0.7217
   * ```
   */
  varifocalLoss: Loss<F, ClassTarget, VarifocalOptions>;
  /**
   * Matchability-aware loss. Positives: BCE(x, q^γ). Negatives: α·σ^γ·sp(x), where σ^γ is a constant.
   *
   * Gradient of positives: σ − q^γ. Gradient of negatives: α·σ^γ·σ.
   *
   * An element is positive if q > 0. With labels, the element of a row's label is positive, also if q = 0. A q of 0 stays 0
   * for γ = 0 too.
   *
   * - Shapes: pred (N, C) or any shape, logits; target: qualities q of the same shape in [0, 1], or labels (N) with
   *   scores for pred (N, C). Loss: pred's shape, or (N) with labels.
   * - Defaults: `gamma` 1.5, `alpha` 1.
   * - Throws: RangeError if gamma or alpha is under 0.
   * - Error bound: relative, ≤ 1e-6 for value and gradient. For γ other than 0, 1, 1.5 and 2 it is ≤ 4e-7·(1 + γ) where
   *   that is more, because the power multiplies the rounding of its base. The rounding of q^γ to float32 adds
   *   ≤ 3e-7·|x| to a positive's value and ≤ 3e-7 to its gradient.
   * - Source: Huang et al. 2024 (DEIM), section 3.3, with α and the constant weight of its code.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const logits = { data: Float32Array.of(2, -3, 0.5, -1), dims: [2, 2] };
   * const labels = Int32Array.of(0, -1); // row 0 is of class 0, row 1 is background
   * const scores = Float32Array.of(0.64, 0); // IoU of each row's predicted box
   * const { loss } = sync.matchabilityAwareLoss(logits, { labels, scores }, { avgFactor: 1 });
   * console.log(loss); // → 1.6255
   * ```
   */
  matchabilityAwareLoss: Loss<F, ClassTarget, MatchabilityAwareOptions>;
  /**
   * Generalized focal loss: |y − ŷ|^β·H with H = (y_r − y)·sp(x) + (y − y_l)·sp(−x). The probabilities of the two values y_l
   * and y_r are p_l = 1 − σ and p_r = σ, and ŷ = y_l·p_l + y_r·p_r is their mean.
   *
   * Gradient: |y − ŷ|^β·(ŷ − y) + β·|y − ŷ|^(β−1)·sign(ŷ − y)·(y_r − y_l)·σ(1 − σ)·H.
   *
   * With y_l = 0 and y_r = 1 it is the quality focal loss and, for y of 0 or 1, the focal loss without α.
   *
   * - Shapes: pred (N, C) or any shape, logits; target of the same shape, y_l ≤ y ≤ y_r, in the unit of y_l and y_r.
   *   Loss: pred's shape.
   * - Defaults: `yLeft` 0, `yRight` 1, `beta` 2.
   * - Throws: RangeError if yLeft is not under yRight, or beta is under 0.
   * - Error bound: relative, ≤ 1e-6 for value and gradient. For β other than 0, 1, 1.5 and 2 it is ≤ 4e-7·(1 + β) where
   *   that is more. The cancellation in |y − ŷ| adds an error of ≤ 2e-7 of y_r − y_l (none where y is y_l or y_r).
   *   Values count as 0 before they are multiplied by (y_r − y_l)^(β + 1).
   * - Source: Li et al. 2020 (Generalized Focal Loss), equation 7.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const targets = Float32Array.of(4.2, 5); // between the values 4 and 5
   * const options = { yLeft: 4, yRight: 5, beta: 0, reduction: "none" } as const;
   * const { loss } = sync.generalizedFocalLoss(Float32Array.of(-1, 1), targets, options);
   * console.log(loss); // → [0.5133, 0.3133]
   * ```
   */
  generalizedFocalLoss: Loss<F, TensorLike, GeneralizedFocalOptions>;
  /**
   * Distribution focal loss: −((i + 1 − u)·ln S_i + (u − i)·ln S_(i+1)), with S the softmax over the bins,
   * u = (y − firstBin) / binStep and i = ⌊u⌋. The weights of the two bins beside y sum to 1 for every step.
   *
   * Gradient for the logit of bin k: S_k − (i + 1 − u) for k = i, S_k − (u − i) for k = i + 1, otherwise S_k.
   *
   * A target on a bin puts all its weight there, on the last bin too. With `binValues` W the bins beside y are those with
   * W_i ≤ y ≤ W_(i+1), and u − i is (y − W_i) / (W_(i+1) − W_i): over D-FINE's values, with `outside` "clamp" and IoU as
   * `weight`, this is its fine-grained localization loss (FGL).
   *
   * - Shapes: pred (M, bins), logits, one row per side; target (M), in bin values, from the first bin to the last.
   *   Loss (M).
   * - Defaults: `firstBin` 0, `binStep` 1, no `binValues`, `outside` "error".
   * - Throws: RangeError if a target is outside the bins or NaN (the error names its row), without `outside` "clamp",
   *   or binStep is not over 0.
   * - Error bound: absolute, ≤ 5e-7 of max(1, loss), and ≤ 5e-7 for the gradient, on WebGPU ≤ 4e-6 for both. Where
   *   `firstBin` is not 0 or `binStep` not 1, the bounds hold for u as float32 has it, and with `binValues` for those
   *   as float32 has them.
   * - Source: Li et al. 2020 (Generalized Focal Loss), equation 6.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const logits = { data: Float32Array.of(0, 1, 2, 0), dims: [1, 4] }; // one side, four bins
   * const { loss, grad } = sync.distributionFocalLoss(logits, Float32Array.of(1.75), { grad: true });
   * console.log(loss); // → 0.7438
   * console.log(grad); // → [0.0826, -0.0255, -0.1397, 0.0826]
   * ```
   */
  distributionFocalLoss: Loss<F, TensorLike, DistributionFocalOptions>;
  /**
   * IoU loss, linear: 1 − IoU with IoU = I / (U + eps), I the area of the intersection and U the area of the union.
   *
   * Gradient: −dIoU with dIoU = (dI − IoU·dU) / (U + eps) and dU = dA − dI, where A is the area of the predicted box.
   *
   * - Shapes: pred (N, 4) and target (N, 4), boxes in `xyxy`, both in one unit. Loss (N).
   * - Defaults: `innerRatio` 1, `eps` 1e-7.
   * - Throws: RangeError if innerRatio is outside 0.01…10, or eps is under 0.
   * - Error bound: ≤ 1e-6 of max(1, loss). For the gradient, ≤ 1e-6 of max(its largest member, 1 / the longer
   *   side of pred). Both hold for boxes of any size and shape.
   * - Source: Yu et al. 2016 (UnitBox), with 1 − IoU in place of −ln IoU.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const { loss, grad } = sync.iouLoss(Float32Array.of(0, 0, 8, 10), Float32Array.of(0, 0, 10, 10), { grad: true });
   * console.log(loss); // → 0.2
   * console.log(grad); // → [0.01, 0.008, -0.1, -0.008]
   * ```
   */
  iouLoss: Loss<F, TensorLike, InnerIouOptions>;
  /**
   * Alpha-IoU loss: 1 − IoU^power, in [0, 1], with IoU as in `iouLoss`. Powers over 1 weigh boxes that fit well more.
   *
   * Gradient: −power·IoU^(power − 1)·dIoU. Where IoU is 0 it is 0.
   *
   * - Shapes: pred (N, 4) and target (N, 4), boxes in `xyxy`, both in one unit. Loss (N).
   * - Defaults: `power` 3, `eps` 1e-7.
   * - Throws: RangeError if power is not over 0 or is over 1e6, or eps is under 0.
   * - Error bound: ≤ 1e-6 of max(1, loss). For the gradient, ≤ 2e-6 of max(its largest member, 1 / the longer
   *   side of pred), because a power multiplies the rounding of IoU; on WebGPU for powers up to 4 and IoU over 1.2e-38.
   * - Source: He et al. 2021 (Alpha-IoU), the power of IoU without a penalty.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const { loss } = sync.alphaIouLoss(Float32Array.of(0, 0, 10, 5), Float32Array.of(0, 0, 10, 10));
   * console.log(loss); // → 0.875
   * ```
   */
  alphaIouLoss: Loss<F, TensorLike, AlphaIouOptions>;
  /**
   * Wise-IoU loss, v1: R·(1 − IoU), in [0, e], with IoU as in `iouLoss` and R = exp(ρ² / (W² + H² + eps)), where ρ is the distance of
   * the centres and W and H are the sides of the smallest box around both. Boxes whose centres are apart cost more.
   *
   * With `meanLoss` v3: times r = β / (δ·α^(β − δ)) with β = (1 − IoU) / meanLoss. It is largest for boxes of middling quality, so
   * that outliers count less. The loss keeps no state: the running mean is the caller's.
   *
   * Gradient: r·R·(−dIoU + (1 − IoU)·dρ² / (W² + H² + eps)). W, H and r are constant.
   *
   * ρ² / (W² + H² + eps) counts as at most 8; only boxes that are inverted have more than 1.
   *
   * - Shapes: pred (N, 4) and target (N, 4), boxes in `xyxy`, both in one unit. Loss (N).
   * - Defaults: no `meanLoss`, `alpha` 1.9, `delta` 3, `eps` 1e-7.
   * - Throws: RangeError if meanLoss is outside 1e-6…1e6, alpha is outside 1…10, delta is outside 0.01…20, or eps is
   *   under 0.
   * - Error bound: ≤ 1e-6 of max(1, loss). For the gradient, ≤ 2e-6 of max(its largest member, 1 / the longer
   *   side of pred), because the factors multiply the rounding of 1 − IoU; where α^δ is over 10, it is times α^δ / 10.
   * - Source: Tong et al. 2023 (Wise-IoU), equation 17 (v1), 21 and 22 (v3), with the mean given.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const [pred, target] = [Float32Array.of(0, 0, 10, 10), Float32Array.of(5, 0, 15, 10)];
   * console.log(sync.wiseIouLoss(pred, target).loss); // → 0.72
   * console.log(sync.wiseIouLoss(pred, target, { meanLoss: 0.5 }).loss); // → 0.9327
   * ```
   */
  wiseIouLoss: Loss<F, TensorLike, WiseIouOptions>;
  /**
   * MPDIoU loss: 1 − IoU + (d₁² + d₂²) / (H² + W² + eps) with IoU as in `iouLoss`, d₁ the distance of the upper left corners, d₂
   * that of the lower right ones, and H and W the sides of `imageSize`.
   *
   * Gradient: −dIoU + 2·(x − x_t) / (H² + W² + eps) for each edge x.
   *
   * - Shapes: pred (N, 4) and target (N, 4), boxes in `xyxy`, both in one unit. Loss (N).
   * - Defaults: `eps` 1e-7.
   * - Throws: RangeError if imageSize is not positive, or eps is under 0.
   * - Error bound: ≤ 1e-6 of max(1, loss). For the gradient, ≤ 1e-6 of max(its largest member, 1 / the longer
   *   side of pred).
   * - Source: Ma and Xu 2023 (MPDIoU).
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const [pred, target] = [Float32Array.of(0, 0, 10, 10), Float32Array.of(20, 0, 30, 10)];
   * console.log(sync.mpdiouLoss(pred, target, { imageSize: [30, 40] }).loss); // → 1.32
   * ```
   */
  mpdiouLoss: Loss<F, TensorLike, MpdiouOptions>;
  /**
   * Normalized Wasserstein distance loss: 1 − exp(−d / c), in [0, 1], with d² = Δx² + Δy² + (Δw² + Δh²) / 4 of centres and sizes,
   * the distance of two Gaussians. It has the unit of the boxes, unlike IoU, and a slope for boxes apart: `c` is about the
   * mean size of the objects, 12.8 pixels in AI-TOD. The size of an inverted box is negative.
   *
   * Gradient: exp(−d / c) / (c·d)·(Δx, Δy, Δw / 4, Δh / 4) to centre and size, and 0 for equal boxes.
   *
   * - Shapes: pred (N, 4) and target (N, 4), boxes in `xyxy`, both in one unit. Loss (N).
   * - Defaults: `c` 12.8.
   * - Throws: RangeError if c is outside 1e-36…1e36.
   * - Error bound: ≤ 1e-6 of max(1, loss). For the gradient, ≤ 2e-6 of max(its largest member, 1 / the longer
   *   side of pred), because the exponential multiplies the rounding of d / c.
   * - Source: Wang et al. 2021 (A Normalized Gaussian Wasserstein Distance for Tiny Object Detection), with c for C.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const { loss } = sync.nwdLoss(Float32Array.of(0, 0, 8, 8), Float32Array.of(12.8, 0, 20.8, 8)); // apart
   * console.log(loss); // → 0.6321
   * ```
   */
  nwdLoss: Loss<F, TensorLike, NwdOptions>;
  /**
   * Generalized IoU loss: 1 − IoU + (C − U) / (C + eps), in [0, 2], with IoU and U as in `iouLoss` and C the area of the
   * smallest box around both.
   *
   * Gradient: −dIoU + (dC − dU) / (C + eps) − (C − U)·dC / (C + eps)².
   *
   * - Shapes: pred (N, 4) and target (N, 4), boxes in `xyxy`, both in one unit. Loss (N).
   * - Defaults: `innerRatio` 1, `eps` 1e-7.
   * - Throws: RangeError if innerRatio is outside 0.01…10, or eps is under 0.
   * - Error bound: ≤ 1e-6 of max(1, loss). For the gradient, ≤ 1e-6 of max(its largest member, 1 / the longer
   *   side of pred), on WebGPU also of the largest member of its terms (of IoU and cover), which may cancel.
   * - Source: Rezatofighi et al. 2019 (Generalized Intersection over Union), algorithm 1.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const { loss } = sync.giouLoss(Float32Array.of(0, 0, 10, 10), Float32Array.of(20, 0, 30, 10)); // apart
   * console.log(loss); // → 1.3333
   * ```
   */
  giouLoss: Loss<F, TensorLike, InnerIouOptions>;
  /**
   * Distance IoU loss: 1 − IoU + D with IoU as in `iouLoss` and D = ρ² / (c² + eps), where ρ is the distance of the centres
   * and c the diagonal of the smallest box around both.
   *
   * Gradient: −dIoU + (dρ² − D·dc²) / (c² + eps).
   *
   * - Shapes: pred (N, 4) and target (N, 4), boxes in `xyxy`, both in one unit. Loss (N).
   * - Defaults: `innerRatio` 1, `eps` 1e-7.
   * - Throws: RangeError if innerRatio is outside 0.01…10, or eps is under 0.
   * - Error bound: ≤ 1e-6 of max(1, loss). For the gradient, ≤ 1e-6 of max(its largest member, 1 / the longer
   *   side of pred).
   * - Source: Zheng et al. 2020 (Distance-IoU Loss), equation 7.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const { loss } = sync.diouLoss(Float32Array.of(0, 0, 10, 10), Float32Array.of(20, 0, 30, 10));
   * console.log(loss); // → 1.4
   * ```
   */
  diouLoss: Loss<F, TensorLike, InnerIouOptions>;
  /**
   * Complete IoU loss: 1 − IoU + D + α·v, with IoU as in `iouLoss`, D as in `diouLoss`,
   * v = 4/π²·(arctan(w_t / h_t) − arctan(w / h))² from the widths and heights of target and pred, and
   * α = v / (1 − IoU + v + eps).
   *
   * Gradient: −dIoU + dD + α·dv with α held constant and
   * dv = 8/π²·(arctan(w_t / h_t) − arctan(w / h))·(w·dh − h·dw) / (w² + h²).
   *
   * - Shapes: pred (N, 4) and target (N, 4), boxes in `xyxy`, both in one unit. Loss (N).
   * - Defaults: `innerRatio` 1, `eps` 1e-7.
   * - Throws: RangeError if innerRatio is outside 0.01…10, or eps is under 0.
   * - Error bound: ≤ 1e-6 of max(1, loss). For the gradient, ≤ 1e-6 of max(its largest member, 1 / the longer
   *   side of pred).
   * - Source: Zheng et al. 2020 (Distance-IoU Loss), equations 8 to 11.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const { loss } = sync.ciouLoss(Float32Array.of(0, 0, 20, 5), Float32Array.of(0, 0, 10, 10));
   * console.log(loss); // → 0.747
   * ```
   */
  ciouLoss: Loss<F, TensorLike, InnerIouOptions>;
  /**
   * Efficient IoU loss: 1 − IoU + D + (w − w_t)² / (c_w² + eps) + (h − h_t)² / (c_h² + eps), with IoU as in `iouLoss`, D as in
   * `diouLoss`, and c_w and c_h the width and height of the smallest box around both.
   *
   * With `gamma` times IoU^gamma, so that boxes which fit well count more (Focal-EIoU); disjoint boxes then cost nothing. The paper
   * also divides by the sum of these weights over the batch, which `avgFactor` can.
   *
   * Gradient: −dIoU + dD + (2(w − w_t)·dw − W·dc_w²) / (c_w² + eps), with W the term of the widths, and the same for heights.
   * IoU^gamma is constant.
   *
   * - Shapes: pred (N, 4) and target (N, 4), boxes in `xyxy`, both in one unit. Loss (N).
   * - Defaults: `gamma` 0, `innerRatio` 1, `eps` 1e-7.
   * - Throws: RangeError if gamma is outside 0…4, innerRatio is outside 0.01…10, or eps is under 0.
   * - Error bound: ≤ 1e-6 of max(1, loss). For the gradient, ≤ 2e-6 of max(its largest member, 1 / the longer
   *   side of pred), because gamma multiplies the rounding of IoU, and ≤ 1e-6 without; on WebGPU also of the largest
   *   member of its terms (of IoU, distance and size), which may cancel.
   * - Source: Zhang et al. 2021 (Focal and Efficient IOU), equation 7, and 10 for the focal weight, without the mean
   *   over the batch of 11.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const { loss } = sync.eiouLoss(Float32Array.of(0, 0, 20, 5), Float32Array.of(0, 0, 10, 10));
   * console.log(loss); // → 1.2292
   * ```
   */
  eiouLoss: Loss<F, TensorLike, EiouOptions>;
  /**
   * SIoU loss: 1 − IoU + (Δ + Ω) / 2, with IoU as in `iouLoss`, a distance cost Δ that depends on the angle, and a shape cost Ω.
   *
   * - Angle: Λ = 2·|s_x·s_y| / (s_x² + s_y²), with s the vector from one centre to the other. The paper writes it as
   *   1 − 2·sin²(φ − π/4).
   * - Distance: Δ = Σ (1 − exp((Λ − 2)·ρ)) over x and y, with ρ_x = (s_x / c_w)², ρ_y = (s_y / c_h)², and c_w and c_h as in
   *   `eiouLoss`.
   * - Shape: Ω = Σ (1 − exp(−ω))^4 over w and h, with ω_w = |w − w_t| / max(w, w_t).
   *
   * `eps` keeps the denominators from 0, but is not in that of the angle: equal centres have no angle, and Λ is 0. Both
   * costs are ≥ 0, as in the paper.
   *
   * Gradient: −dIoU + ½·Σ exp((Λ − 2)·ρ)·((2 − Λ)·dρ − ρ·dΛ) + 2·Σ (1 − exp(−ω))³·exp(−ω)·dω, through the angle too.
   *
   * - Shapes: pred (N, 4) and target (N, 4), boxes in `xyxy`, both in one unit. Loss (N).
   * - Defaults: `innerRatio` 1, `eps` 1e-7.
   * - Throws: RangeError if innerRatio is outside 0.01…10, or eps is under 0.
   * - Error bound: ≤ 1e-6 of max(1, loss). For the gradient, ≤ 2e-6 of max(its largest member, 1 / the longer
   *   side of pred), because the exponential doubles the rounding of ρ; on WebGPU also of the largest member of its
   *   terms (of IoU, distance and shape), which may cancel.
   * - Source: Gevorgyan 2022 (SIoU Loss), with θ = 4.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const { loss } = sync.siouLoss(Float32Array.of(0, 0, 10, 10), Float32Array.of(4, 2, 14, 12));
   * console.log(loss); // → 0.7473
   * ```
   */
  siouLoss: Loss<F, TensorLike, InnerIouOptions>;
}

// ── Boxes ───────────────────────────────────────────────────────────────────────

/** The number of bins, and their order in memory. */
export interface DflLayout {
  /** Number of bins per side, 2 to 64. */
  bins: number;
  /** "rows": (…, N, 4·bins). "channels-first": (…, 4·bins, N). Default "rows". */
  layout?: "rows" | "channels-first";
}

/** Layout and values of the bins: firstBin + i · binStep. */
export interface DflDecodeOptions extends DflLayout {
  /** Value of the first bin. Default 0. */
  firstBin?: number;
  /** Difference of neighbouring bins. Default 1. */
  binStep?: number;
  /**
   * Values of all bins, rising, in place of the two, as float32 numbers (D-FINE). TypeError: with one of the two.
   * RangeError: not as many as bins.
   */
  binValues?: readonly number[] | Float32Array;
}

/** Statistics of each side's distribution; each (…, N, 4) in the order l, t, r, b. */
export interface DflStatistics {
  /** Standard deviation, in bins. */
  std: Float32Array;
  /** Entropy, in nats. */
  entropy: Float32Array;
  /** Highest probability. */
  top: Float32Array;
  /** Probability of the last bin. A high value means that the side is at the end of its range. */
  saturation: Float32Array;
  /**
   * Deviation beyond the minimum for the mean, in bins: √max(0, std² − floor²), with floor = √(f·(1 − f)) and f the mean's
   * fraction of a bin. A distribution on two neighbouring bins has the floor as deviation, up to half a bin, and an excess of
   * 0.
   */
  excess: Float32Array;
}

/** Options of `nms` and `batchedNms`. */
export interface NmsOptions {
  /** IoU with a kept box over which NMS drops a box, in [0, 1]. */
  iouThreshold: number;
  /** Score that a box must be over, in [0, 1]; by default NMS drops only boxes whose score is NaN. */
  scoreThreshold?: number;
  /** Largest number of boxes to keep, at least 0. Default: no limit. */
  maxDetections?: number;
}

/** Options of `rotatedNms`. */
export interface RotatedNmsOptions {
  /** Overlap over which, or with "fast" from which on, a box is dropped, in [0, 1]. */
  iouThreshold: number;
  /** Score that a box must be over, in [0, 1]; by default NMS drops only boxes whose score is NaN. */
  scoreThreshold?: number;
  /** Largest number of boxes to keep, at least 0. Default: no limit. */
  maxDetections?: number;
  /**
   * What is compared: "polygon" the IoU of the rectangles, "probiou" that of `probIou`, which is another scale.
   * Default "polygon".
   */
  overlap?: "polygon" | "probiou";
  /**
   * What drops a box: "greedy" an overlap over `iouThreshold` with a kept box, "fast" one of `iouThreshold` or more
   * with any better box, kept or not. Default "greedy".
   */
  suppression?: "greedy" | "fast";
  /** Classes (N), compared exactly; boxes of different classes never drop each other. By default all boxes compete. */
  classes?: Int32Array;
}

/** Options of `softNms`. */
export interface SoftNmsOptions {
  /**
   * "gaussian": score · exp(−IoU² / sigma). "linear": score · (1 − IoU) where IoU ≥ iouThreshold. Default "gaussian".
   */
  method?: "linear" | "gaussian";
  /** Width of the gaussian decay, over 0. Default 0.5. */
  sigma?: number;
  /** IoU from which on "linear" decays scores, in [0, 1]. Default 0.3. */
  iouThreshold?: number;
  /** Least score, in [0, 1]; soft-NMS ends when the best score left is under it. Default 0.001. */
  minScore?: number;
  /** Largest number of boxes to keep, at least 0. Default: no limit. */
  maxDetections?: number;
}

/**
 * Operations on boxes and distributions. All throw TypeError for a wrong kind, dtype or shape.
 *
 * All but the NMS also run on WebGPU: where their input is on the GPU, from `offloadThreshold` elements on, and with device
 * "webgpu". Results come to the host. Error bounds are for WASM. On WebGPU a bound is four times as large where the operation
 * names no other, denormals may be 0, and `starDeformOffsets` multiplies by 1/stride where WASM divides. A result that is
 * rounded once on WASM is rounded once on WebGPU too. RangeError: an image of a channels-first distribution, or b of a
 * pairwise operation, that is over the device's `maxStorageBufferBindingSize`. A call that runs on WebGPU reads its host
 * arrays until its promise settles.
 */
export interface BoxOps<F> {
  /**
   * Pairwise IoU: |a ∩ b| / |a ∪ b|.
   *
   * Empty and inverted boxes have area 0. IoU is 0 where the union is 0. An infinite edge counts as the largest float32, which
   * gives the limit where there is one. No area overflows or vanishes.
   *
   * - Shapes: a (N, 4) and b (M, 4), boxes in `xyxy`; result (N·M) in [0, 1], row-major.
   * - Error bound: ≤ 5e-7, on WebGPU ≤ 4e-6, relative to the union.
   * - Source: Jaccard 1901.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const a = { data: Float32Array.of(0, 0, 10, 10, 0, 0, 20, 10), dims: [2, 4] };
   * const b = { data: Float32Array.of(5, 0, 15, 10), dims: [1, 4] };
   * console.log(sync.boxIou(a, b)); // → [0.3333, 0.5]
   * ```
   */
  boxIou(a: TensorLike, b: TensorLike): Result<F, Float32Array>;
  /**
   * Pairwise generalized IoU: IoU − (C − U) / C, with C the area of the smallest box around both and U the area of the union.
   *
   * Boxes count as in `boxIou`.
   *
   * - Shapes: a (N, 4) and b (M, 4), boxes in `xyxy`; result (N·M) in [−1, 1], row-major.
   * - Error bound: absolute, ≤ 1e-6.
   * - Source: Rezatofighi et al. 2019 (Generalized Intersection over Union), algorithm 1.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const a = { data: Float32Array.of(0, 0, 10, 10), dims: [1, 4] };
   * const b = { data: Float32Array.of(5, 0, 15, 10, 20, 0, 30, 10), dims: [2, 4] };
   * console.log(sync.generalizedBoxIou(a, b)); // → [0.3333, -0.3333]
   * ```
   */
  generalizedBoxIou(a: TensorLike, b: TensorLike): Result<F, Float32Array>;
  /**
   * IoU of box i of a with box i of b: what pairs of predictions and their targets have.
   *
   * Boxes count as in `boxIou`.
   *
   * - Shapes: a (N, 4) and b (N, 4), boxes in `xyxy`; result (N) in [0, 1].
   * - Error bound: rounded once, ≤ 6e-8, on WebGPU ≤ 4e-6, relative to the union.
   * - Source: Jaccard 1901.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const pred = Float32Array.of(0, 0, 10, 10, 20, 0, 30, 10);
   * const target = Float32Array.of(5, 0, 15, 10, 20, 0, 30, 20);
   * console.log(sync.alignedBoxIou(pred, target)); // → [0.3333, 0.5]
   * ```
   */
  alignedBoxIou(a: TensorLike, b: TensorLike): Result<F, Float32Array>;
  /**
   * Distances of a box's sides, each the expectation of a distribution: Σ W_i·softmax(x)_i with the bins'
   * values W_i = firstBin + i·binStep, or `binValues`.
   *
   * The result is in bin values: multiply by the stride for pixels. An infinite logit gives the limit. NaN stays in its side.
   *
   * - Shapes: dist (…, N, 4·bins) or, channels-first, (…, 4·bins, N), with at most one leading batch axis;
   *   result (…, N, 4), sides l, t, r, b.
   * - Defaults: `layout` "rows", `firstBin` 0, `binStep` 1, no `binValues`.
   * - Throws: RangeError if bins is outside 2…64.
   * - Error bound: absolute, ≤ 5e-7 of the range of the bins, on WebGPU ≤ 4e-6, and one rounding of the result where
   *   `firstBin` is not 0 or `binValues` are given.
   * - Source: Li et al. 2020 (Generalized Focal Loss), equation 5 and section 3.2.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const logits = Float32Array.of(0, 0, 0, 40, 0, 0, 0, 40, 0, 0, 40, 40); // four sides of three bins
   * const sides = sync.dflDecode({ data: logits, dims: [1, 12] }, { bins: 3 });
   * console.log(sides); // → [1, 0, 1, 1.5]
   * ```
   */
  dflDecode(dist: TensorLike, options: DflDecodeOptions): Result<F, Float32Array>;
  /**
   * The way back through `dflDecode`: from the gradient g of its result to that of the logits, g·S_b·(W_b − E) for the logit of
   * bin b, with S the softmax of the side, W the bins' values and E their mean. The result lies as `dist` does.
   *
   * An infinite logit gives the limit. NaN stays in its side.
   *
   * - Shapes: dist (…, N, 4·bins) or, channels-first, (…, 4·bins, N), as `dflDecode` takes it; grad (…, N, 4), sides l,
   *   t, r, b; result in the shape of dist.
   * - Defaults: `layout` "rows", `firstBin` 0, `binStep` 1, no `binValues`.
   * - Throws: RangeError if bins is outside 2…64.
   * - Error bound: absolute, ≤ 5e-7 of the range of the bins times the side's gradient, on WebGPU ≤ 4e-6.
   * - Source: the derivative of Li et al. 2020 (Generalized Focal Loss), equation 5.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const dist = { data: new Float32Array(12), dims: [1, 12] }; // four sides of three bins
   * const grad = { data: Float32Array.of(3, 0, 0, -3), dims: [1, 4] };
   * console.log(sync.dflDecodeGradient(dist, grad, { bins: 3 })); // → [-1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, -1]
   * ```
   */
  dflDecodeGradient(dist: TensorLike, grad: TensorLike, options: DflDecodeOptions): Result<F, Float32Array>;
  /**
   * Shape of the distributions that `dflDecode` takes: standard deviation √Σ p(i − μ)² (bins), entropy −Σ p ln p (nats), the
   * highest probability, the probability of the last bin, and the excess √Σ p(i − n)(i − n − 1) (bins) with n = ⌊μ⌋, which
   * is √(std² − f(1 − f)) with f = μ − n.
   *
   * An infinite logit gives the limit. NaN stays in its side. No terms cancel in the excess, which is 0 on two neighbouring
   * bins.
   *
   * - Shapes: dist (…, N, 4·bins) or, channels-first, (…, 4·bins, N), with at most one leading batch axis; each
   *   result (…, N, 4), sides l, t, r, b.
   * - Defaults: `layout` "rows".
   * - Throws: RangeError if bins is outside 2…64.
   * - Error bound: absolute, ≤ 1e-6 of the range of the bins.
   * - Source: Li et al. 2021 (Generalized Focal Loss V2), section 3. The excess is densehead's own.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const logits = Float32Array.of(40, 0, 0, 0, 40, 40, 40, 0, 40, 0, 0, 0); // four sides of three bins
   * const { std, excess } = sync.dflStatistics({ data: logits, dims: [1, 12] }, { bins: 3 });
   * console.log(std); // → [0, 0.5, 1, 0.8165]
   * console.log(excess); // → [0, 0, 1, 0.8165]
   * ```
   */
  dflStatistics(dist: TensorLike, options: DflLayout): Result<F, DflStatistics>;
  /**
   * Boxes from points and the distances to their sides: x − l, y − t, x + r, y + b.
   *
   * `maxShape` [height, width] clamps the boxes to the image.
   *
   * - Shapes: points (N, 2) and distances (N, 4), both in one unit; result (N, 4) in `xyxy`.
   * - Defaults: no `maxShape`.
   * - Throws: RangeError if maxShape is not positive.
   * - Error bound: exact, but for one rounding, ≤ 2^−24 of the value.
   * - Source: Tian et al. 2019 (FCOS), section 3.1.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const boxes = sync.distance2bbox(Float32Array.of(50, 40), Float32Array.of(10, 20, 30, 40), { maxShape: [64, 64] });
   * console.log(boxes); // → [40, 20, 64, 64]
   * ```
   */
  distance2bbox(
    points: TensorLike,
    distances: TensorLike,
    options?: { maxShape?: readonly number[] },
  ): Result<F, Float32Array>;
  /**
   * Distances from points to the sides of boxes, the inverse of `distance2bbox`: x − x1, y − y1, x2 − x, y2 − y.
   *
   * `maxDistance` clamps the distances to [0, maxDistance − eps].
   *
   * - Shapes: points (N, 2) and boxes (N, 4), both in one unit; result (N, 4), sides l, t, r, b.
   * - Defaults: no `maxDistance`, `eps` 0.1.
   * - Throws: RangeError if maxDistance is under eps, or eps is under 0.
   * - Error bound: exact, but for one rounding, ≤ 2^−24 of the value.
   * - Source: Tian et al. 2019 (FCOS), equation 1; the clamp is that of mmdet.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const distances = sync.bbox2distance(Float32Array.of(5, 4), Float32Array.of(4, 2, 25, 8), { maxDistance: 16 });
   * console.log(distances); // → [1, 2, 15.9, 4]
   * ```
   */
  bbox2distance(
    points: TensorLike,
    boxes: TensorLike,
    options?: { maxDistance?: number; eps?: number },
  ): Result<F, Float32Array>;
  /**
   * The nine points at which VarifocalNet samples a box, from distances l, t, r, b: (x, y), (x − l, y), (x, y − t), (x + r, y),
   * (x, y + b), (x − l, y − t), (x + r, y − t), (x − l, y + b), (x + r, y + b).
   *
   * - Shapes: points (N, 2) and distances (N, 4), both in one unit; result (N, 9, 2) as x, y.
   * - Error bound: exact, but for one rounding, ≤ 2^−24 of the value.
   * - Source: Zhang et al. 2020 (VarifocalNet), star-shaped box feature representation. The paper prints the seventh
   *   point as (x + l, y − t), a misprint.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const points = sync.starPoints(Float32Array.of(50, 40), Float32Array.of(1, 2, 3, 4));
   * console.log(points.slice(0, 6)); // → [50, 40, 49, 40, 50, 38]
   * ```
   */
  starPoints(points: TensorLike, distances: TensorLike): Result<F, Float32Array>;
  /**
   * The points of `starPoints` as offsets of a 3×3 deformable convolution: dy, dx of each tap, row by row. The tap in row i and
   * column j samples the point that is i-th from the top and j-th from the left: dy = (1 − t/stride, 0, b/stride − 1)_i and
   * dx = (1 − l/stride, 0, r/stride − 1)_j.
   *
   * Offsets are in feature cells, relative to the tap's own cell: the star point is point + stride · (grid + offset), with
   * grid −1, 0 or 1.
   *
   * - Shapes: distances (N, 4), sides l, t, r, b in pixels; result (N, 18).
   * - Throws: RangeError if stride is not a positive float32.
   * - Error bound: exact, but for one rounding of the quotient and one of the difference, together ≤ 2^−23 of
   *   max(1, |value|).
   * - Source: Zhang et al. 2020 (VarifocalNet), star-shaped box feature representation.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const offsets = sync.starDeformOffsets(Float32Array.of(4, 12, 8, 16), { stride: 8 });
   * console.log(offsets.slice(0, 6)); // → [-0.5, 0.5, -0.5, 0, -0.5, 0]
   * ```
   */
  starDeformOffsets(distances: TensorLike, options: { stride: number }): Result<F, Float32Array>;
  /**
   * Distances of the refined box: distances · deltas, or with `kind` "exp" distances · exp(deltas).
   *
   * The exponential's bound holds wherever the product is a normal float32, also where the exponential itself overflows or
   * underflows. Products beyond float32 are 0 and Infinity.
   *
   * - Shapes: distances (N, 4) in any unit and deltas (N, 4); result (N, 4) in the unit of the distances.
   * - Defaults: `kind` "multiply".
   * - Error bound: exact, but for one rounding; with "exp" relative, ≤ 3e-7, on WebGPU ≤ 4e-6.
   * - Source: Zhang et al. 2020 (VarifocalNet), bounding box refinement. The exponential is that of its code.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const refined = sync.refineDistances(Float32Array.of(10, 20, 30, 40), Float32Array.of(1, 1.5, 0.5, 2));
   * console.log(refined); // → [10, 30, 15, 80]
   * ```
   */
  refineDistances(
    distances: TensorLike,
    deltas: TensorLike,
    options?: { kind?: "multiply" | "exp" },
  ): Result<F, Float32Array>;
  /**
   * Greedy non-maximum suppression: the indices of the boxes that are kept, highest score first.
   *
   * A box is dropped when its IoU with a kept box is over `iouThreshold`. Among equal scores the lower index comes first. NaN
   * scores are dropped. Empty, inverted and non-finite boxes are never dropped and never suppress others. IoU is compared in
   * float64, so no decision depends on the rounding or the range of float32. Time grows about as N · log N for all boxes. Each
   * box takes about 100 bytes of linear memory.
   *
   * - Shapes: boxes (N, 4) in `xyxy` and scores (N); result (K), indices.
   * - Defaults: no `scoreThreshold`, no `maxDetections`.
   * - Throws: RangeError if iouThreshold or scoreThreshold is outside [0, 1], or maxDetections is under 0.
   * - Error bound: exact.
   * - Source: Girshick et al. 2014 (R-CNN), section 2.2; the rules are those of torchvision's `nms`.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const boxes = { data: Float32Array.of(0, 0, 10, 10, 1, 0, 11, 10, 20, 0, 30, 10), dims: [3, 4] };
   * const kept = sync.nms(boxes, Float32Array.of(0.8, 0.9, 0.5), { iouThreshold: 0.5 });
   * console.log(kept); // → [1, 2]
   * ```
   */
  nms(boxes: TensorLike, scores: TensorLike, options: NmsOptions): Result<F, Int32Array>;
  /**
   * `nms` within each class: boxes of different classes never suppress each other, at any IoU.
   *
   * Classes are compared exactly, whatever their values.
   *
   * - Shapes: boxes (N, 4) in `xyxy`, scores (N) and classes (N); result (K), indices.
   * - Defaults: no `scoreThreshold`, no `maxDetections`.
   * - Throws: RangeError if iouThreshold or scoreThreshold is outside [0, 1], or maxDetections is under 0.
   * - Error bound: exact.
   * - Source: Girshick et al. 2014 (R-CNN), section 2.2; the rules are those of torchvision's `batched_nms`.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const boxes = { data: Float32Array.of(0, 0, 10, 10, 1, 0, 11, 10, 1, 1, 11, 11), dims: [3, 4] };
   * const kept = sync.batchedNms(boxes, Float32Array.of(0.8, 0.9, 0.5), Int32Array.of(0, 1, 0), { iouThreshold: 0.5 });
   * console.log(kept); // → [1, 0]
   * ```
   */
  batchedNms(
    boxes: TensorLike,
    scores: TensorLike,
    classes: Int32Array,
    options: NmsOptions,
  ): Result<F, Int32Array>;
  /**
   * Non-maximum suppression of rotated boxes: the indices of the boxes that are kept, highest score first.
   *
   * With "greedy" suppression a box is dropped when its overlap with a kept box of its class is over `iouThreshold`, as in
   * mmcv, detectron2 and torchvision. With "fast" it is dropped when its overlap with any better box of its class is
   * `iouThreshold` or more, whether that was dropped or not, as in Ultralytics. Overlap is the IoU of the rectangles as in
   * `rotatedBoxIou`, or ProbIoU as in `probIou`: a threshold of one is none of the other. In float64 a ProbIoU below 1.1e-16 is
   * 0.
   *
   * Angles are radians from x towards y, clockwise where y points down, of any size. Among equal scores the lower index comes
   * first. NaN scores are dropped. Boxes with a number that is not finite, or a side that is not over 0, are never dropped and
   * never suppress others, but for "fast" at a threshold of 0: that drops every box of finite numbers but the best of its class.
   * Overlap is decided in float64. Only pairs whose enclosing boxes are near each other are compared, so time grows about as
   * N · log N for usual boxes. Each box takes about 180 bytes of linear memory.
   *
   * - Shapes: boxes (N, 5): centre x, y, width, height and angle in radians; scores (N) and `classes` (N); result (K),
   *   indices.
   * - Defaults: no `scoreThreshold`, no `maxDetections`, `overlap` "polygon", `suppression` "greedy".
   * - Throws: RangeError if iouThreshold or scoreThreshold is outside [0, 1], or maxDetections is under 0.
   * - Error bound: decided in float64.
   * - Source: greedy NMS as in mmcv and detectron2, fast NMS as in Ultralytics; ProbIoU of Llerena et al. 2021.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const boxes = { data: Float32Array.of(0, 0, 20, 4, 0, 0, 0, 20, 4, 0.1, 0, 0, 20, 4, 1.5), dims: [3, 5] };
   * const kept = sync.rotatedNms(boxes, Float32Array.of(0.8, 0.9, 0.5), { iouThreshold: 0.5 });
   * console.log(kept); // → [1, 2]
   * ```
   */
  rotatedNms(boxes: TensorLike, scores: TensorLike, options: RotatedNmsOptions): Result<F, Int32Array>;
  /**
   * Soft-NMS: the indices of the boxes that are kept and their decayed scores, in the order in which boxes were kept.
   *
   * A kept box decays the scores of the boxes that remain: score · exp(−IoU² / sigma), or score · (1 − IoU) where IoU is at least
   * `iouThreshold`. Time grows with kept · N.
   *
   * - Shapes: boxes (N, 4) in `xyxy` and scores (N); results (K) and (K).
   * - Defaults: `method` "gaussian", `sigma` 0.5, `iouThreshold` 0.3, `minScore` 0.001, no `maxDetections`.
   * - Throws: RangeError if sigma is not over 0, iouThreshold or minScore is outside [0, 1], or maxDetections is
   *   under 0.
   * - Error bound: scores decay in float64 and are rounded once.
   * - Source: Bodla et al. 2017 (Soft-NMS), equations 2 and 3.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const boxes = { data: Float32Array.of(0, 0, 10, 10, 1, 0, 11, 10, 20, 0, 30, 10), dims: [3, 4] };
   * const { indices, scores } = sync.softNms(boxes, Float32Array.of(0.8, 0.9, 0.5));
   * console.log(indices); // → [1, 2, 0]
   * console.log(scores); // → [0.9, 0.5, 0.2097]
   * ```
   */
  softNms(
    boxes: TensorLike,
    scores: TensorLike,
    options?: SoftNmsOptions,
  ): Result<F, { indices: Int32Array; scores: Float32Array }>;
}

// ── Rotated boxes ───────────────────────────────────────────────────────────────

/**
 * Operations on rotated boxes, (N, 5): centre x, y, width, height, angle. Angles are radians, clockwise on a screen whose y points
 * down: from x towards y. The width lies along the angle. Any angle will do, 10⁶ as well. All throw TypeError for a wrong kind,
 * dtype or shape.
 *
 * For overlaps a negative size counts as 0, and an infinite centre or size as the largest float32. NaN in a box, or an infinite
 * angle, gives NaN for each of its pairs.
 */
export interface RotatedOps<F> {
  /**
   * Pairwise IoU of rotated boxes: |a ∩ b| / |a ∪ b| of their polygons.
   *
   * The area of the intersection is computed in float64 in the frame of the box from `a`, with the differences of centres, so that
   * small boxes far from the origin keep their digits. IoU is 0 where the union is 0, and exactly 1 for equal boxes with an area.
   *
   * - Shapes: a (N, 5) and b (M, 5), rotated boxes: centre x, y, width, height, angle; result (N·M) in [0, 1],
   *   row-major.
   * - Error bound: absolute, ≤ 1e-6, for sides of up to 10⁹ : 1; computed in float64 and rounded once.
   * - Source: Jaccard 1901; Green's theorem along one box's outline, in the frame of the other.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const square = { data: Float32Array.of(0, 0, 2, 2, 0), dims: [1, 5] };
   * const turned = { data: Float32Array.of(0, 0, 2, 2, Math.PI / 4, 1, 0, 2, 2, Math.PI / 2), dims: [2, 5] };
   * console.log(sync.rotatedBoxIou(square, turned)); // → [0.7071, 0.3333]
   * ```
   */
  rotatedBoxIou(a: TensorLike, b: TensorLike): Result<F, Float32Array>;
  /**
   * Pairwise ProbIoU of rotated boxes: 1 − √(1 − e^(−Bd)), with Bd Bhattacharyya's distance of two Gaussians that have the boxes'
   * centres and the covariances of uniform rectangles, w²/12 along the angle and h²/12 across it.
   *
   * There is no ε in it: equal boxes have exactly 1 (others' code gives 0.9995), boxes far apart 0. A box without area has 0 with
   * any box but an equal one. The turn of a square does not change its Gaussian, so it does not change its ProbIoU. Values are
   * not those of `rotatedBoxIou`: two squares that are half a side apart have 0.44, where their IoU is 1/3.
   *
   * - Shapes: a (N, 5) and b (M, 5), rotated boxes: centre x, y, width, height, angle; result (N·M) in [0, 1],
   *   row-major.
   * - Error bound: absolute, ≤ 1e-7, on WebGPU ≤ 2e-6 for sides of up to 100 : 1.
   * - Source: Llerena et al. 2021 (Gaussian Bounding Boxes and Probabilistic IoU), section 3.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const square = { data: Float32Array.of(0, 0, 2, 2, 0), dims: [1, 5] };
   * const others = { data: Float32Array.of(0, 0, 2, 2, Math.PI / 4, 1, 0, 2, 2, 0), dims: [2, 5] };
   * console.log(sync.probIou(square, others)); // → [1, 0.4408]
   * ```
   */
  probIou(a: TensorLike, b: TensorLike): Result<F, Float32Array>;
  /**
   * ProbIoU loss of pairs of rotated boxes: √(1 − e^(−Bd)), in [0, 1], one for each row. Bd is Bhattacharyya's distance of the boxes'
   * Gaussians, with covariances w²/12 along the width and h²/12 along the height: for the vector d between the centres
   * dᵀ(Σ + Σ′)⁻¹d / 4 + ½·ln(|Σ + Σ′| / (4·√(|Σ|·|Σ′|))). It is 1 − `probIou` of the pair, without an ε. A square is blind to its
   * angle.
   *
   * Gradient: e^(−Bd)·dBd / (2·loss), with respect to all five members of pred, finite everywhere. Where the boxes, or their
   * Gaussians, are equal, loss and gradient are 0: the slope there depends on the direction. Where a box has no area the loss is 1,
   * or 0 if the boxes are equal, and the gradient 0.
   *
   * - Shapes: pred (N, 5) and target (N, 5), rotated boxes: centre x, y, width, height, angle, all lengths in one unit.
   *   Loss (N).
   * - Throws: TypeError if pred and target are not as many boxes.
   * - Error bound: absolute, ≤ 1e-6. For the gradient, ≤ 2e-6 of max(its largest member, 1 / the longer side of pred),
   *   that of the angle over the longer side. On WebGPU both hold for sides of up to 8 : 1.
   * - Source: Llerena et al. 2021 (Gaussian Bounding Boxes and Probabilistic IoU), section 3, the loss L1.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const [pred, target] = [Float32Array.of(0, 0, 20, 20, 0), Float32Array.of(10, 0, 20, 20, 0.5)];
   * const { loss, grad } = sync.probIouLoss(pred, target, { grad: true });
   * console.log(loss); // → 0.5592
   * console.log(grad); // → [-0.0461, 0, -0.0115, 0, 0]
   * ```
   */
  probIouLoss: Loss<F, TensorLike, object>;
  /**
   * Corners of rotated boxes: c + v1 + v2, c + v1 − v2, c − v1 − v2, c − v1 + v2, with c the centre, v1 = w/2 · (cos, sin) and
   * v2 = h/2 · (−sin, cos).
   *
   * A box with a number that is not finite has NaN corners.
   *
   * - Shapes: boxes (N, 5): centre x, y, width, height, angle; result (N, 8) as four points x, y.
   * - Error bound: ≤ 6e-8, on WebGPU ≤ 4e-7, of the centre's coordinate and the sides together.
   * - Source: the rectangle's own geometry; the order is that of Ultralytics' `xywhr2xyxyxyxy`.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * console.log(sync.rotatedCorners(Float32Array.of(10, 20, 6, 2, 0))); // → [13, 21, 13, 19, 7, 19, 7, 21]
   * ```
   */
  rotatedCorners(boxes: TensorLike): Result<F, Float32Array>;
  /**
   * Rotated boxes from the corners of rectangles, the inverse of `rotatedCorners`: the angle is in [−π/4, 3π/4), and the width is
   * the side along it.
   *
   * Corners go along the outline, from any corner and in either direction. The width is the length of the sides from the second
   * to the third point and from the fourth to the first, so the same rectangle from a neighbouring corner has width and height
   * exchanged, and an angle a quarter of a turn away. Corners that are rounded are no rectangle: sizes are means of opposite
   * sides, and the angle is mostly that of the longer ones. Corners that are not all finite give NaN.
   *
   * - Shapes: corners (N, 8), four points x, y along the outline; result (N, 5): centre x, y, width, height, angle in
   *   [−π/4, 3π/4).
   * - Error bound: ≤ 2.5e-7, on WebGPU ≤ 1e-6: of the largest coordinate for the centre, of the longer side for the
   *   sizes, in radians for the angle.
   * - Source: the inverse of `rotatedCorners`.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const corners = Float32Array.of(13, 21, 13, 19, 7, 19, 7, 21);
   * console.log(sync.cornersToRotated(corners)); // → [10, 20, 6, 2, 0]
   * ```
   */
  cornersToRotated(corners: TensorLike): Result<F, Float32Array>;
}

// ── Keypoints and masks ─────────────────────────────────────────────────────────

/** Parameters of `oksLoss`. */
export interface OksLossOptions {
  /**
   * Constants of the keypoints, over 0, one for each. RangeError: not as many as keypoints, or one that is not over 0.
   * Default: COCO's for 17 keypoints, 1/K for K others.
   */
  sigmas?: readonly number[];
}

/** Options of `maskLoss`. */
export interface MaskLossOptions<
  R extends Reduction = Reduction,
  G extends boolean = boolean,
  P extends Placement = Placement,
> {
  /**
   * Dense losses average over all elements, row losses over rows. The mean of an empty input is NaN, as in PyTorch. Its
   * sum is 0, and so is its mean with `avgFactor`. Default "mean".
   */
  reduction?: R;
  /**
   * Factor of loss and gradient, per element (shape of `pred`, with label targets too) or per row (shape of `pred`
   * without its last axis or with 1 there, or length N). The length of a plain array decides. A weight of 0 makes the
   * loss 0, also an infinite loss. NaN stays. TypeError: any other shape.
   */
  weight?: TensorLike;
  /** Divisor of the sum for "mean", over 0. With "sum": TypeError. With "none": ignored. */
  avgFactor?: number;
  /** Factor of loss and gradient. A value of 0 acts as a weight of 0. Default 1. */
  lossWeight?: number;
  /** Also return the gradient d(result)/d(pred); for "none", d(sum)/d(pred). Default false. */
  grad?: G;
  /**
   * "gpu", on WebGPU: loss and gradient stay on the device as `GpuTensor`. The caller destroys their buffers.
   * Default "host".
   */
  placement?: P;
}

/** Result of `maskLoss`. */
export type MaskLossResult<R extends Reduction, G extends boolean, P extends Placement = "host"> =
  & {
    /** One number, or with "none" one for each object. */
    readonly loss: P extends "gpu" ? GpuTensor : R extends "none" ? Float32Array : number;
  }
  & (G extends true ? {
      /** In the shapes of coefficients and prototypes. */
      readonly grad: Readonly<Record<"coefficients" | "prototypes", P extends "gpu" ? GpuTensor : Float32Array>>;
    }
    : object);

/**
 * Training losses of what objects have beside their boxes. They reduce, weigh and write results as the other losses do, with a
 * value for each row; see {@link LossOptions}. Targets have no gradient. All throw TypeError for a wrong kind, dtype or shape, and for
 * `avgFactor` with "sum".
 */
export interface InstanceOps<F> {
  /**
   * Loss by object keypoint similarity: the mean of 1 − exp(−d² / (2·(2σ_k)²·area)) over the visible keypoints of a row, in [0, 1],
   * where d is the distance of a keypoint from its target and σ_k its constant. Ultralytics writes it as the mean over all K keypoints,
   * times K / visible. A row without visible keypoints is 0, whatever its area.
   *
   * Gradient: e^(−d² / (2·(2σ_k)²·area))·(x_k − t_k) / ((2σ_k)²·area·visible), and 0 for keypoints that are not visible, whose numbers
   * do not count.
   *
   * - Shapes: pred (N, K, 2), keypoints x, y; target (N, K, 3), x, y and visibility, over 0 where a keypoint counts;
   *   areas (N), of the objects, in the square of the unit of the keypoints. Loss (N).
   * - Defaults: `sigmas` COCO's for 17 keypoints, 1/K for K others.
   * - Throws: TypeError if pred and target have other numbers of rows or keypoints than each other, or other than
   *   areas. RangeError if the area of a row with visible keypoints is not over 0 (the error names its row), or sigmas
   *   are not as many as keypoints or one is not over 0.
   * - Error bound: absolute, ≤ 1e-6. For the gradient, ≤ 1e-6 of 1 / (2σ_k·√area·visible), visible the keypoints of the
   *   row that count. Areas under 1e-30 count as that.
   * - Source: object keypoint similarity as COCO's evaluation has it, over the visible keypoints; Maji et al. 2022
   *   (YOLO-Pose) train with it.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const pred = { data: Float32Array.of(10, 10, 30, 12), dims: [1, 2, 2] };
   * const target = { data: Float32Array.of(12, 10, 1, 99, 99, 0), dims: [1, 2, 3] };
   * const { loss, grad } = sync.oksLoss(pred, target, Float32Array.of(16), { sigmas: [0.25, 0.5], grad: true });
   * console.log(loss); // → 0.3935
   * console.log(grad); // → [-0.3033, 0, 0, 0]
   * ```
   */
  oksLoss<R extends Reduction = "mean", G extends boolean = false, P extends Placement = "host">(
    pred: TensorLike,
    target: TensorLike,
    areas: TensorLike,
    options?: OksLossOptions & LossOptions<R, G, P>,
  ): Result<F, LossResult<R, G, P>>;
  /**
   * Loss of prototype masks: the sum of BCE(logit, mask) over the pixels of an object's box, x1 ≤ x < x2 and y1 ≤ y < y2 with x and y
   * the pixels' numbers, over the area of the whole box in pixels; one for each object. A logit is Σ coefficient·prototype over the
   * channels. Only the windows of the boxes are computed. Ultralytics has it as the mean over all pixels of the cropped map, over
   * the share of the map that the box is.
   *
   * Gradient: with g = (σ(logit) − mask) / area in the window, Σ g·prototype over its pixels for coefficients, and Σ g·coefficient
   * over the objects for prototypes, both of the reduced loss; for "none", of the sum. Sums are in the order of objects.
   *
   * On WebGPU loss and both gradients are one submission; masks are uploaded.
   *
   * - Shapes: coefficients (N, nm); prototypes (nm, h, w); masks (N, h, w), bytes 0 or 1; boxes (N, 4), in `xyxy`, in
   *   pixels of the prototypes. Loss (N).
   * - Throws: TypeError if shapes do not belong together. RangeError if a box has no area or is not finite, or a byte
   *   of masks within a box is neither 0 nor 1 (the errors name it).
   * - Error bound: ≤ 1e-6 of max(1, loss) times the pixels of the window over the area, for logits that float32 sums
   *   exactly; their own rounding is nm·6e-8 of the sum of |coefficient · prototype|. For the gradients ≤ 1e-6 of the
   *   sum of their terms' sizes.
   * - Source: masks of prototypes of Bolya et al. 2019 (YOLACT); the loss within boxes and over their areas as
   *   Ultralytics' segmentation loss has it.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const prototypes = { data: Float32Array.of(1, -1, 2, -2), dims: [1, 2, 2] };
   * const [coefficients, masks] = [Float32Array.of(1), Uint8Array.of(1, 0, 1, 1)];
   * const { loss, grad } = sync.maskLoss(coefficients, prototypes, masks, Float32Array.of(0, 0, 2, 2), { grad: true });
   * console.log(loss); // → 0.7201
   * console.log(grad.coefficients); // → [0.2463]
   * ```
   */
  maskLoss<R extends Reduction = "mean", G extends boolean = false, P extends Placement = "host">(
    coefficients: TensorLike,
    prototypes: TensorLike,
    masks: Uint8Array,
    boxes: TensorLike,
    options?: MaskLossOptions<R, G, P>,
  ): Result<F, MaskLossResult<R, G, P>>;
}

// ── Detection ───────────────────────────────────────────────────────────────────

/** The layout of a network's raw output, as plain data. `heads` has presets of well-known networks. */
export interface HeadSpec {
  /** Name of the family. */
  readonly name: string;
  /** Number of classes. */
  readonly numClasses: number;
  /** Bins per side (YOLOv8: 16; a head with reg_max = 7 or 16 in mmdet's sense: 8 or 17); 0: plain distances or boxes. */
  readonly bins: number;
  /** Strides of the levels, in the order in which their anchors stand. */
  readonly strides: readonly number[];
  /** Anchor point of cell x: (x + offset) · stride. */
  readonly anchorOffset: number;
  /**
   * Raw logits, or probabilities. A probability (of objectness too) under −0.001 or over 1.001 is a RangeError, but for classes
   * that their objectness may leave unread; values that rounding put just outside [0, 1] count as 0 or 1. "softmax": logits of the classes and of one more, the last, which is
   * background (DETR).
   */
  readonly scores: "logits" | "probabilities" | "softmax";
  /** How objectness enters the score: as a factor, or as a geometric mean with it. Default "none". */
  readonly objectness?: "none" | "multiply" | "sqrt-multiply";
  /**
   * Coding of the box channels. Bins are in units of the stride. "log-size" (YOLOX): centre (v + cell + anchorOffset) · stride,
   * size e^v · stride. "anchor-sigmoid" (YOLOv5, YOLOv7): centre (2σ − 0.5 + cell) · stride, size (2σ)² · anchor.
   * "anchor-exp" (YOLOv3, YOLOv4): centre (σ + cell) · stride, size e^v · anchor.
   */
  readonly boxes: "distribution" | "distances" | "xywh" | "xyxy" | "anchor-sigmoid" | "anchor-exp" | "log-size";
  /**
   * Unit of "distances", "xywh" and "xyxy": pixels of the network's input (default), the stride of the level, or "image":
   * from 0 to 1, x as a share of the input's width and y of its height. The other codings have units of their own.
   */
  readonly boxUnit?: "pixel" | "stride" | "image";
  /**
   * Anchors of "anchor-sigmoid" and "anchor-exp": for each level, width, height, width, height … in pixels of the network's
   * input. With na anchors, a level's map is (B, na · (5 + C), h, w), or with layout "rows" (B, na · h · w, 5 + C) or
   * (B, na, h, w, 5 + C). Row ((a · h) + y) · w + x of the level is anchor a of cell (x, y).
   */
  readonly anchors?: readonly (readonly number[])[];
  /** Rows of each cell in decoded outputs of heads with anchors, in the order of `anchors`. Default 1. */
  readonly anchorsPerCell?: number;
  /** Number of channels behind the classes that are not read. Default 0. */
  readonly unusedClasses?: number;
  /**
   * "dense" (default): rows are anchors of a grid, and compete in NMS. "selected": rows are detections (YOLOv10, YOLO26, graphs
   * with NMS inside): box, score, class, then what else the head has. "queries": rows are queries (RT-DETR, D-FINE, RF-DETR,
   * DETR), and the best pairs of a query and a class are detections. Both have any number of rows, which `anchors` of a result
   * counts, and no NMS: `strides`, `iouThreshold`, `multiLabel`, `classAgnostic`, `preNmsTopK` and
   * `suppression` are not read.
   */
  readonly selection?: "dense" | "selected" | "queries";
  /**
   * Values of the bins where they are not 0, 1, 2 …: `bins` of them, rising. A side's deviation is in these values · stride, and
   * the floor that its excess has no part in is √((μ − a)(b − μ)), with μ the mean and a, b the values beside it.
   */
  readonly binValues?: readonly number[];
  /** "rows": (…, anchors, channels). "channels-first": (…, channels, anchors). */
  readonly layout: "rows" | "channels-first";
  /**
   * Order of boxes and classes in one tensor, or "separate" tensors for them. Behind both stand mask coefficients, keypoints and
   * the angle, in this order; or each has a tensor of its own.
   */
  readonly channelOrder: "box-first" | "class-first" | "separate";
  /** Coefficients of instance masks per row; they stand behind the classes. Default 0. */
  readonly maskCoefficients?: number;
  /** Keypoints per row, behind the classes. Default none. */
  readonly keypoints?: KeypointSpec;
  /**
   * Rotated boxes: "none" (default), "radians", or "sigmoid": (σ − 0.25)·π. One channel, the last. Angles are clockwise on a
   * screen whose y points down, and distances turn with them. For boxes "xyxy" it is an error.
   */
  readonly angle?: "none" | "radians" | "sigmoid";
  /** A list has classes, initial, then refined boxes (VarifocalNet); only the refined are used. Default false. */
  readonly refined?: boolean;
}

/** The keypoints of each row of a head. */
export interface KeypointSpec {
  /** Number of keypoints. */
  readonly count: number;
  /** Channels of each: x and y, or x, y and visibility. */
  readonly dims: 2 | 3;
  /**
   * "pixel": pixels of the network's input, or with boxUnit "image" shares of it as the boxes; visibility is a probability.
   * The others are codings of a cell, for dense heads, whose visibility is a logit: "yolov8" (2v + cell) · stride, "yolo26"
   * (v + cell + 0.5) · stride, "yolox" (v + cell) · stride.
   */
  readonly coding: "pixel" | "yolov8" | "yolo26" | "yolox";
}

/** Changes to a preset. */
export type HeadOptions = Partial<HeadSpec>;

/** Facts that help `heads.infer`. */
export interface InferHints {
  /** Network input, [height, width] in pixels. Without it, any size with as many anchors fits. */
  imageSize?: readonly number[];
  /** Number of classes. Without it, any number fits. */
  numClasses?: number;
  /**
   * Strides of the levels, in order. Without them, the family's, or the strides that follow from imageSize and the maps or the
   * number of anchors.
   */
  strides?: readonly number[];
}

/**
 * The outputs of a network, for `detect` and `heads.infer`. One image needs no batch axis.
 *
 * Outputs are one tensor; a list (a tensor per level, or classes and boxes apart); {classes, boxes, objectness …} with a tensor,
 * or one per level, under each name; or the result of `session.run` of onnxruntime: an object of tensors under any names, of
 * which those of {@link NamedOutputs} are roles. A separate tensor without such a name gets its role from its number of
 * channels. If classes and boxes have equal numbers of channels, the order of the family's export decides; for a head of no
 * family this is an error.
 */
export type Outputs = TensorLike | readonly TensorLike[] | NamedOutputs | OutputsOfASession;

/** Tensors by their roles: one, or one per level, under each name. */
export interface NamedOutputs {
  /** Scores of the classes. */
  classes?: TensorLike | readonly TensorLike[];
  /** Box channels. */
  boxes?: TensorLike | readonly TensorLike[];
  /** Objectness, of heads that have it. */
  objectness?: TensorLike | readonly TensorLike[];
  /** One tensor with all roles that have no name of their own here, in the order that the head's `channelOrder` says. */
  rows?: TensorLike | readonly TensorLike[];
  /** Coefficients of instance masks, of heads that have them. */
  maskCoefficients?: TensorLike | readonly TensorLike[];
  /** Keypoints: channel k · dims + d is value d of keypoint k. */
  keypoints?: TensorLike | readonly TensorLike[];
  /** Angles of rotated boxes. */
  angles?: TensorLike | readonly TensorLike[];
  /**
   * Prototypes of masks, (B, n, height, width) or (B, height, width, n) for a head with n mask coefficients; the first where both
   * fit. Without a name it is the tensor of four axes that is no level of the head.
   */
  prototypes?: TensorLike;
}

/** Tensors by their names in the graph. */
export type OutputsOfASession = Readonly<Record<string, TensorLike>>;

/** Maps boxes back to the image: input = image · scale + pad. */
export interface ImageTransform {
  /** Horizontal scale from image to network input; negative for a mirrored image. Not 0. */
  scaleX: number;
  /** Vertical scale from image to network input; negative for a mirrored image. Not 0. */
  scaleY: number;
  /** Pixels left of the image in the input. */
  padX: number;
  /** Pixels above the image in the input. */
  padY: number;
  /** [height, width] of the image, to clip to. */
  clip?: readonly number[];
}

/** Options of `detect`. */
export interface DetectOptions {
  /** Layout of the raw output: a preset such as `heads.yolov8()`, or a HeadSpec of your own. */
  head: HeadSpec;
  /** Network input, [height, width] in pixels. A level has ceil(height/stride) × ceil(width/stride) cells. */
  imageSize: readonly number[];
  /** Score that a detection must be over, in [0, 1]: one for all classes, or one for each. Default 0.25. */
  scoreThreshold?: number | Float32Array;
  /**
   * Only these classes compete: the class of a row is the best of those that are listed and over their own threshold.
   */
  classes?: readonly number[];
  /**
   * What drops a box: "greedy" an overlap over `iouThreshold` with a kept box, "fast" one of `iouThreshold` or more
   * with any better box, kept or not, "none" nothing. Default "greedy".
   */
  suppression?: "greedy" | "fast" | "none";
  /** IoU with a kept box over which NMS drops a box, in [0, 1]. Default 0.6. */
  iouThreshold?: number;
  /**
   * What `iouThreshold` is compared with for rotated boxes: "polygon" the IoU of the rectangles, "probiou" that of
   * `probIou`, as Ultralytics. Other heads have no other than "polygon". Default "polygon".
   */
  rotatedOverlap?: "polygon" | "probiou";
  /** Largest number of detections of an image, at least 0. Default 300. */
  maxDetections?: number;
  /** Largest number of candidates that enter NMS, at least 0; best first. Default 30000. */
  preNmsTopK?: number;
  /** Detect every class over the threshold at an anchor, and not only the best one. Default false. */
  multiLabel?: boolean;
  /** Suppress across classes. Default false. */
  classAgnostic?: boolean;
  /**
   * Maps boxes back to the image: input = image · scale + pad. One for all images, or one for each. With a negative
   * scale, boxes still have x1 ≤ x2, and the uncertainty of their sides is swapped with the sides.
   */
  transform?: ImageTransform | readonly ImageTransform[];
  /** Clip to the network input, before NMS; rotated boxes themselves are not clipped. Default false. */
  clip?: boolean;
  /** Also report each side's standard deviation, excess and saturation. Default false. */
  uncertainty?: boolean;
  /**
   * Keep what masks are made of, for `masks` of the detections. True is for heads with mask coefficients only. Default:
   * true for these.
   */
  masks?: boolean;
  /** Stops the call between images. */
  signal?: Signal;
}

/** One detection. */
export interface Detection {
  /** x1, y1, x2, y2. */
  box: [number, number, number, number];
  /** In [0, 1]. */
  score: number;
  /** Index of the class. */
  classId: number;
  /** Index of the anchor. */
  anchor: number;
  /** Centre x, y, width, height and angle in radians, of heads with an angle: see {@link Detections}. */
  rotated?: [number, number, number, number, number];
  /** x, y and visibility of each keypoint, of heads that have them: see {@link Detections}. */
  keypoints?: [number, number, number][];
  /** Standard deviation of the sides, in pixels; with `uncertainty`. */
  std?: [number, number, number, number];
  /** Probability of the last bin of each side; with `uncertainty`. */
  saturation?: [number, number, number, number];
  /** Deviation beyond that of two neighbouring bins, in pixels; with `uncertainty`. */
  excess?: [number, number, number, number];
}

/** One row of COCO's results format; bbox is x, y, width, height. */
export interface CocoResult {
  /** The id that `toCoco` was called with. */
  image_id: number | string;
  /** Index of the class, or its id in `categoryIds`. */
  category_id: number;
  /** x, y, width, height. */
  bbox: [number, number, number, number];
  /** In [0, 1]. */
  score: number;
  /**
   * Centre x, y, width, height, angle of detections with an angle: what `cocoEvaluate` of kind "rotated" reads in place of
   * `bbox`, which is that around it.
   */
  rotated?: number[];
  /**
   * x, y, visibility, x, y, visibility … of detections with keypoints. COCO's evaluation reads x and y of results, and does not
   * read the third number: here it is the visibility in [0, 1], and not the 0, 1 or 2 of its annotations.
   */
  keypoints?: number[];
  /** The mask, of detections that have masks. */
  segmentation?: RunLengths;
}

/** COCO's compressed run lengths: a mask column by column, zeros first, the same bytes as pycocotools gives. */
export interface RunLengths {
  /** [height, width] of the frame. */
  size: [number, number];
  /** The lengths of runs of zeros, ones, zeros … */
  counts: string;
}

/** The part of a mask that a detection's box may have. */
export interface MaskCrop {
  /** Column of the first pixel in the frame. */
  x: number;
  /** Row of the first pixel in the frame. */
  y: number;
  /** Columns; 0 where no pixel has its index in the box. */
  width: number;
  /** Rows; 0 where no pixel has its index in the box. */
  height: number;
  /** (height · width) of 0 and 1, row by row. */
  data: Uint8Array;
}

/**
 * Masks of an image's detections, made when asked for; detection i's is mask i.
 *
 * Pixel (x, y) belongs to a mask where the bilinear interpolation of the logits Σ coefficient · prototype at the pixel's centre is
 * over 0, and its index has x1 ≤ x < x2 and y1 ≤ y < y2 of the detection's box. Samples are half-pixel centres, as in PyTorch with
 * `align_corners=False`; beyond the edge, its samples are repeated. A pixel that a NaN has part in does not belong.
 *
 * The frame is the image where `transform.clip` tells its size, else the network's input, with the box as it is there, also where
 * a transform has moved `boxes`. In the frame of the image logits are interpolated once, from the prototypes to its pixels.
 *
 * Of an image one copy of the prototypes is kept, and only of what its detections need; so the tensors may be written anew. Nothing
 * of the size length · width · height is ever made. Logits and weights are float32: where the exact interpolation is within
 * (n + 6) · 2⁻²⁴ · Σ|coefficient · prototype| of 0, for n coefficients, a pixel may be on the other side.
 *
 * - Throws: RangeError if `i` is no index of a detection. TypeError if `i` is no number, or `out` is no Uint8Array of width · height
 *   bytes. Error once the engine is disposed.
 *
 * @example
 * ```ts
 * import { createEngine, heads } from "densehead";
 *
 * const engine = await createEngine();
 * // A detection (box, score, class, coefficient), and two samples: the mask is left of their middle.
 * const outputs = {
 *   rows: { data: Float32Array.of(1, 1, 8, 4, 0.9, 0, 1), dims: [1, 1, 7] },
 *   prototypes: { data: Float32Array.of(1, -1), dims: [1, 1, 1, 2] },
 * };
 * const head = heads.yolo26({ numClasses: 1, maskCoefficients: 1 });
 * const [{ masks }] = engine.sync.detect(outputs, { head, imageSize: [8, 8] });
 * console.log(masks?.area(0), masks?.polygons(0)); // → 9, [[1, 1, 1, 3, 3, 3, 3, 1]]
 * ```
 */
export interface Masks {
  /** Pixels of the frame. */
  readonly width: number;
  /** Pixels of the frame. */
  readonly height: number;
  /** How many pixels belong to mask i. */
  area(i: number): number;
  /** (height · width) of 0 and 1, row by row; into `out` where it is given, which is returned. */
  bitmap(i: number, out?: Uint8Array): Uint8Array;
  /** The part inside of the box: exactly the pixels of the frame with x1 ≤ x < x2 and y1 ≤ y < y2. */
  crop(i: number): MaskCrop;
  /** COCO's compressed run lengths. */
  rle(i: number): RunLengths;
  /**
   * Outer outlines of the mask's parts, 8-connected, holes and what lies in them left out, the one around the largest area first:
   * x, y, x, y …, where pixel (x, y) is written x, y. Only corners are listed, as OpenCV's findContours lists them for
   * RETR_EXTERNAL and CHAIN_APPROX_SIMPLE. A mask without pixels has none.
   */
  polygons(i: number): number[][];
  /** (height · width): 0, or 1 + the best detection whose mask has the pixel. */
  labelMap(): Int32Array;
}

/** Detections of one image, struct of arrays, highest score first; iterable as objects. */
export interface Detections extends Iterable<Detection> {
  /** Number of detections. */
  readonly length: number;
  /** (length, 4) xyxy. */
  readonly boxes: Float32Array;
  /** (length). */
  readonly scores: Float32Array;
  /** (length). */
  readonly classes: Int32Array;
  /** (length), index of the anchor; levels are concatenated in the order of the head's strides. */
  readonly anchors: Int32Array;
  /**
   * (length, 5), of heads with an angle: centre x, y, width, height, and the angle of the width in radians from x towards y, in
   * [−π/4, 3π/4). They are in the frame of `boxes`, which are those around them. Clipping changes `boxes` alone. With
   * `uncertainty`, left and right are the ends of the width, and top and bottom those of the height: left is where the angle
   * points away from.
   */
  readonly rotated?: Float32Array;
  /** (length, 8), of heads with an angle: the corners of the rotated boxes, as `rotatedCorners` orders them. */
  readonly corners?: (() => Float32Array) | undefined;
  /**
   * (length, K, 3), of heads with K keypoints: x and y in the frame of the boxes, clipped as boxes are, and visibility in [0, 1],
   * which is 1 where the head has none. A mirroring transform keeps their order. A NaN of the network stays NaN.
   */
  readonly keypoints?: Float32Array;
  /** (length, 4) pixels of the returned boxes' frame; with `uncertainty`. */
  readonly std?: Float32Array;
  /** (length, 4), probability of the last bin; with `uncertainty`. */
  readonly saturation?: Float32Array;
  /**
   * (length, 4), √max(0, std² − floor²) in pixels of the returned boxes' frame; with `uncertainty`. The floor is the deviation
   * of a distribution on the two bins beside the mean, up to half a stride: see `dflStatistics`.
   */
  readonly excess?: Float32Array;
  /** Masks of the detections, of heads with mask coefficients. */
  readonly masks?: Masks;
  /**
   * Rows of COCO's results format. `categoryIds[classId]` replaces the class index. RangeError: a class without an id in
   * `categoryIds`. TypeError: an imageId that is neither a number nor a string.
   */
  toCoco(imageId: number | string, categoryIds?: readonly number[]): CocoResult[];
  /** The members as plain arrays, for JSON.stringify and postMessage. */
  toJSON(): DetectionsJson;
}

/**
 * Detections as plain data: the result of `toJSON`, and the input of `Detections.from`. JSON writes NaN and infinity as null,
 * and `Detections.from` reads null as NaN.
 */
export interface DetectionsJson {
  /** Number of detections. */
  length: number;
  /** (length · 4) xyxy. */
  boxes: number[];
  /** (length). */
  scores: number[];
  /** (length). */
  classes: number[];
  /** (length). */
  anchors: number[];
  /** (length · 5); where there are any. */
  rotated?: number[];
  /** (length · K · 3); where there are any. */
  keypoints?: number[];
  /** (length · 4); where there is one. */
  std?: number[];
  /** (length · 4); where there is one. */
  saturation?: number[];
  /** (length · 4); where there is one. */
  excess?: number[];
  /** Run lengths of each mask; where there are masks. */
  masks?: RunLengths[];
  /** Where there are masks: [height, width] of their frame, and of each its crop's x, y, width and height. */
  maskFrame?: { size: [number, number]; crops: number[] };
}

/** `Detections` as a value. */
export interface DetectionsFactory {
  /**
   * Detections from the result of `toJSON`, or from a copy of detections that postMessage or structuredClone made:
   * for detections with masks the result of `toJSON` only, because the copy has none.
   *
   * - Throws: TypeError if a member has another kind, length or name.
   *
   * @example
   * ```ts
   * import { Detections } from "densehead";
   *
   * const json = '{"length":1,"boxes":[270,215,370,265],"scores":[0.75],"classes":[17],"anchors":[0]}';
   * const found = Detections.from(JSON.parse(json));
   * for (const { bbox } of found.toCoco("image 1")) console.log(bbox); // → [270, 215, 100, 50]
   * ```
   */
  from(json: unknown): Detections;
}

/** The true objects of one image. */
export interface GroundTruth {
  /** (K, 4) `xyxy`, pixels of the network input. */
  readonly boxes: Float32Array;
  /** (K) classes. */
  readonly labels: Int32Array;
  /** Crowd regions (K, 4), pixels. An anchor in a crowd region that belongs to no object is not a negative. */
  readonly ignore?: Float32Array;
}

/** The grid of anchors, and the number of an object's candidates. */
export interface AtssOptions {
  /** Network input, [height, width] in pixels. A level has ceil(height/stride) × ceil(width/stride) anchors. */
  imageSize: readonly number[];
  /** Strides of the levels, in the order in which their anchors stand. */
  strides: readonly number[];
  /** Offset of the anchors' centres, in strides, −1e6 to 1e6: anchor i is at (i + anchorOffset) · stride. Default 0. */
  anchorOffset?: number;
  /** Side of the square anchors, in strides, 1e-6 to 1e6. Default 8. */
  anchorScale?: number;
  /** Number of an object's candidates on each level, at least 1. Default 9. */
  topk?: number;
}

/** Exponents of score and overlap, and the number of an object's anchors. */
export interface TaskAlignedOptions {
  /** Largest number of anchors of an object, at least 1. Default 13. */
  topk?: number;
  /** Exponent of the score, at least 0. Default 1. */
  alpha?: number;
  /** Exponent of the IoU, at least 0. Default 6. */
  beta?: number;
}

/** The object that each anchor learns. */
export interface Assignment {
  /** (N): index into the ground truth, −1 for a negative, −2 for an anchor that only a crowd region covers. */
  readonly gtIndex: Int32Array;
  /** (N): IoU with that object, or 0 without an object. */
  readonly iou: Float32Array;
}

/** An assignment with target scores. */
export interface TaskAlignedAssignment extends Assignment {
  /** (N·C): the target score at the class of the anchor's object, elsewhere 0. */
  readonly targetScores: Float32Array;
}

/** An image or a batch, for the criteria. The rows of a map are the anchors of all levels, in the order of the strides. */
export interface CriterionInput {
  /** (B, N, C) logits of the classes. One image needs no batch axis. */
  cls: TensorLike;
  /** Strides, anchor offset, classes and bins; its layout, kind of scores and `refined` are not read. */
  head: HeadSpec;
  /** Network input, [height, width] in pixels. A level has ceil(height/stride) × ceil(width/stride) anchors. */
  imageSize: readonly number[];
  /** The true objects of each image. */
  gt: readonly GroundTruth[];
  /** (N) for each image: index of the object, −1 for a negative, −2 for an ignored anchor. Default: that of `atssAssign`. */
  gtIndex?: readonly Int32Array[];
}

/** Options of `anchorRows`. */
export interface AnchorRowsOptions {
  /** Layout of the outputs. */
  head: HeadSpec;
  /** Network input, [height, width] in pixels. */
  imageSize: readonly number[];
}

/** Channels of all anchors, as criteria take them. */
export interface AnchorMap extends HostTensor {
  /** The values, float32. */
  readonly data: Float32Array;
  /** (B, N, channels). */
  readonly dims: readonly [images: number, anchors: number, channels: number];
}

/** Raw outputs as rows, one for each anchor; levels stand in the order of the strides. */
export interface AnchorRows {
  /** (B, N, C). */
  readonly classes: AnchorMap;
  /** (B, N, 4·bins) of a distribution, else (B, N, 4). */
  readonly boxes: AnchorMap;
  /** (B, N, 1), of a head that has it. */
  readonly objectness?: AnchorMap;
}

/** The input of `gflCriterion`. */
export interface GflCriterionInput extends CriterionInput {
  /** (B, N, 4·bins) logits of the sides' distributions. */
  dist: TensorLike;
}

/** The input of `vfnetCriterion`. */
export interface VfnetCriterionInput extends CriterionInput {
  /** (B, N, 4) initial distances l, t, r, b from the anchors' points, in pixels. */
  distances: TensorLike;
  /** (B, N, 4) refined distances, in pixels. */
  refined: TensorLike;
}

/** The input of `yoloCriterion`: the predictions themselves assign the objects. */
export interface YoloCriterionInput extends Omit<CriterionInput, "gtIndex"> {
  /** (B, N, 4·bins) logits of the sides' distributions, or of a head without bins (B, N, 4) distances in its `boxUnit`. */
  dist: TensorLike;
}

/** Parameters of `gflCriterion`. */
export interface GflCriterionOptions<P extends Placement = "host"> {
  /** Divisors of the parts: as published, or as in mmdet's code. Default "paper". */
  normalizer?: "paper" | "mmdet";
  /** Weight of the box part, at least 0. Default 2. */
  lambdaBox?: number;
  /** Weight of the distributions' part, at least 0. Default 0.25. */
  lambdaDfl?: number;
  /** Exponent of the quality focal loss, at least 0. Default 2. */
  beta?: number;
  /** Also return gradients. Default false. */
  grad?: boolean;
  /** "gpu", on WebGPU: gradients stay on the device as `GpuTensor`. Default "host". */
  placement?: P;
}

/** Parameters of `vfnetCriterion`. */
export interface VfnetCriterionOptions<P extends Placement = "host"> {
  /** Divisors of the box parts: as published, or as in mmdet's code. Default "paper". */
  normalizer?: "paper" | "mmdet";
  /** Weight of the initial boxes' part, at least 0. Default 1.5. */
  lambdaBox?: number;
  /** Weight of the refined boxes' part, at least 0. Default 2. */
  lambdaRefine?: number;
  /** Factor of negatives in the varifocal loss, at least 0. Default 0.75. */
  alpha?: number;
  /** Exponent of negatives in the varifocal loss, at least 0. Default 2. */
  gamma?: number;
  /** Also return gradients. Default false. */
  grad?: boolean;
  /** "gpu", on WebGPU: gradients stay on the device as `GpuTensor`. Default "host". */
  placement?: P;
}

/** Parameters of `yoloCriterion`. */
export interface YoloCriterionOptions<P extends Placement = "host"> {
  /** Weights of the parts, each at least 0. Default box 7.5, cls 0.5, dfl 1.5. */
  gains?: { box?: number; cls?: number; dfl?: number };
  /** Number of an object's anchors before conflicts are settled, at least 1. Default 10. */
  topk?: number;
  /** Number of its anchors afterwards, at least 1; all without it. One-to-one: topk 7, topk2 1. */
  topk2?: number;
  /** Exponent of the score, at least 0. Default 0.5. */
  alpha?: number;
  /** Exponent of the complete IoU, at least 0. Default 6. */
  beta?: number;
  /** Multiply by the number of images, as Ultralytics does. Default false. */
  timesBatch?: boolean;
  /** Also return gradients. Default false. */
  grad?: boolean;
  /** "gpu", on WebGPU: gradients stay on the device as `GpuTensor`. Default "host". */
  placement?: P;
}

/** The result of a criterion. */
export interface CriterionResult<P extends Placement = "host"> {
  /** The sum of the parts. */
  readonly total: number;
  /** The weighted parts. `gflCriterion` and `yoloCriterion` have `dfl`, `vfnetCriterion` has `boxRefine`. */
  readonly parts: {
    /** Classification. */
    readonly cls: number;
    /** Boxes. */
    readonly box: number;
    /** Distributions; of a head without bins, distances. */
    readonly dfl?: number;
    /** Refined boxes. */
    readonly boxRefine?: number;
  };
  /** Number of positives in the batch. */
  readonly numPos: number;
  /** d(total)/d(input) under the inputs' names, in their shapes; with `grad`. */
  readonly grad?: Readonly<Record<string, P extends "gpu" ? GpuTensor : Float32Array>>;
}

/** Operations on whole heads. */
export interface DetectionOps<F> {
  /**
   * Detections from the raw output of a head: score filter, box decode, top-k, NMS. One `Detections` per image of the batch.
   *
   * Scores are σ(logit), times the objectness or the geometric mean with it where the head has one. NaN scores are dropped. A
   * decoded box is anchor point ± stride · expectation.
   *
   * With `signal`, the asynchronous form yields between images. It copies its inputs where there is more than one image, so a
   * later change to them has no effect.
   *
   * WebGPU runs filter and decode where an output is a GpuTensor or the engine's device is "webgpu". Only candidates come back;
   * an image whose list of candidates is longer than a quarter of its tensors comes to the host instead. Host arrays are read
   * until the promise settles.
   *
   * - Shapes: outputs as in {@link Outputs}; result (B), each with boxes (K, 4), scores (K) and classes (K).
   * - Defaults: `scoreThreshold` 0.25, `suppression` "greedy", `iouThreshold` 0.6, `rotatedOverlap` "polygon",
   *   `maxDetections` 300, `preNmsTopK` 30000, `masks` true for these, all else off.
   * - Throws: TypeError if the tensors do not fit the head and the image size, or a transform's scaleX and scaleY
   *   differ in size where boxes have an angle, by more than the whole pixels to which an image of `clip` is resized.
   *   RangeError if imageSize has 2³¹ anchors or more, a head of probabilities has scores outside [0, 1], `classes` has
   *   a number that is no class, or a class twice, a row of selected detections has no class of the head, an image's
   *   share of a tensor is larger than a binding of the WebGPU device, imageSize is not positive, scoreThreshold or
   *   iouThreshold is outside [0, 1], or maxDetections or preNmsTopK is under 0.
   * - Error bound: WebGPU finds the same detections as WASM, with the same scores. Boxes, deviations and excesses, in
   *   pixels of the network input, differ by ≤ 5e-6 of stride · bins, because a side is a mean over bins that are a
   *   stride apart, and by ≤ 2e-7 of the value, to which both are rounded. Saturation differs by ≤ 5e-6 · bins.
   * - Source: the decode of each head family's own code, with `dflDecode` and `nms`.
   *
   * @example
   * ```ts
   * import { createEngine, heads } from "densehead";
   *
   * const engine = await createEngine();
   * const data = new Float32Array(84 * 8400); // four box channels and 80 classes of 8400 anchors
   * const output = { data, dims: [1, 84, 8400] };
   * for (const [channel, value] of [320, 240, 100, 50].entries()) data[channel * 8400] = value; // box of anchor 0
   * data[(4 + 17) * 8400] = 0.9; // its class 17
   * const [found] = await engine.detect(output, { head: heads.yolov8Decoded(), imageSize: [640, 640] });
   * for (const { classId, score, box } of found) console.log(classId, score, box); // → 17, 0.9, [270, 215, 370, 265]
   * ```
   */
  detect(outputs: Outputs, options: DetectOptions): Result<F, [Detections, ...Detections[]]>;
  /**
   * Adaptive training sample selection (ATSS): the object that each anchor of a grid learns, and its IoU with that object.
   *
   * Anchors are squares of side anchorScale · stride around ((x + anchorOffset) · stride, (y + anchorOffset) · stride), level by
   * level and row by row; N is the number of anchors on all levels. On each level, an object's candidates are the `topk`
   * anchors whose centres are nearest to its own (ties: the lower anchor), or all anchors of a smaller level. A candidate is
   * positive if its IoU is at least the mean plus the unbiased standard deviation of the IoUs of all the object's candidates,
   * and if its centre is inside the object by more than 0.01 pixels. A single candidate has no deviation and is not positive.
   * An anchor of several objects goes to the highest IoU (ties: the first object).
   *
   * Crowd regions do not change the assignment. They give −2 to a negative that has more than half of its anchor in one region.
   * Networks trained with the defaults of mmdet or NanoDet learn such anchors as negatives: leave out `gt.ignore` for their
   * targets.
   *
   * Objects without area and objects outside the image are allowed. Decisions are made in float64. Memory grows with N and with
   * topk, never with K · N.
   *
   * - Shapes: gt.boxes (K, 4) in `xyxy`, pixels, and gt.labels (K), which are not read; results (N) and (N).
   * - Defaults: `anchorOffset` 0, `anchorScale` 8, `topk` 9.
   * - Throws: RangeError if a box is inverted or not finite, there are more than 64 strides or 2²⁶ anchors, imageSize
   *   is not positive, anchorOffset is outside −1e6…1e6, anchorScale is outside 1e-6…1e6, or topk is under 1.
   * - Error bound: `gtIndex` is exact; `iou` is rounded once.
   * - Source: Zhang et al. 2020 (ATSS), algorithm 1, with the deviation, the margin and the rule for conflicts of
   *   mmdet.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const gt = { boxes: Float32Array.of(8, 8, 26, 24), labels: Int32Array.of(0) };
   * const grid = { imageSize: [32, 32], strides: [8], anchorScale: 2 }; // 4 × 4 anchors of 16 × 16 pixels
   * const { gtIndex, iou } = sync.atssAssign(grid, gt);
   * console.log(gtIndex.indexOf(0), iou[10]); // → 10, 0.8889
   * ```
   */
  atssAssign(options: AtssOptions, gt: GroundTruth): Result<F, Assignment>;
  /**
   * Task-aligned assignment (TOOD): the object that each anchor learns, its IoU with that object, and its target scores.
   *
   * The alignment of an anchor and an object is t = s^alpha · IoU^beta, with s the anchor's score of the object's class and IoU
   * that of its box and the object. An object's anchors are the `topk` of highest t (ties: the lower anchor) among those with
   * t > 0 and a point inside the object by more than 0.01 pixels. An anchor of several objects goes to the highest IoU (ties:
   * the first object). The target score of an object's anchor, at the object's class, is t · max IoU / (max t + 1e-7), with
   * the maxima over the anchors that the object keeps. All other target scores are 0.
   *
   * Only anchors inside an object compete for its `topk`. mmdet takes the `topk` of all anchors and then drops those outside,
   * so an object may get fewer there. A negative whose point is inside a region of `gt.ignore` gets −2. An anchor with NaN in
   * a score or a box gets no object. Inputs are read as float32, and decisions are made in float64.
   *
   * - Shapes: scores (N, C), probabilities; boxes (N, 4) in `xyxy`, points (N, 2) and gt in pixels;
   *   results (N), (N), (N·C).
   * - Defaults: `topk` 13, `alpha` 1, `beta` 6.
   * - Throws: RangeError if a label is outside 0…C−1, a box of gt is inverted or not finite, topk is under 1, or alpha
   *   or beta is under 0.
   * - Error bound: `gtIndex` is exact; `iou` and `targetScores` are rounded once.
   * - Source: Feng et al. 2021 (TOOD), section 3.2.
   *
   * @example
   * ```ts
   * import { createEngine } from "densehead";
   *
   * const { sync } = await createEngine();
   * const scores = { data: Float32Array.of(0.9, 0.6, 0.8), dims: [3, 1] }; // three anchors, one class
   * const boxes = { data: Float32Array.of(0, 0, 20, 20, 0, 0, 18, 20, 40, 40, 60, 60), dims: [3, 4] };
   * const points = { data: Float32Array.of(8, 8, 12, 8, 50, 50), dims: [3, 2] };
   * const gt = { boxes: Float32Array.of(0, 0, 20, 20), labels: Int32Array.of(0) };
   * const { gtIndex, targetScores } = sync.taskAlignedAssign(scores, boxes, points, gt);
   * console.log(gtIndex); // → [0, 0, -1]
   * console.log(targetScores); // → [1, 0.3543, 0]
   * ```
   */
  taskAlignedAssign(
    scores: TensorLike,
    boxes: TensorLike,
    points: TensorLike,
    gt: GroundTruth,
    options?: TaskAlignedOptions,
  ): Result<F, TaskAlignedAssignment>;
  /**
   * The training loss of GFL: the quality focal loss of all anchors and, over the P positives, the generalized IoU loss of the
   * decoded boxes and the distribution focal loss of the four sides,
   *
   * Σ QFL / N_q + Σ s·(λ_box·GIoU / N_b + λ_dfl·Σ_sides DFL / N_d),
   *
   * with s the positive's highest probability over all classes. The quality that the positive's class learns is the IoU of
   * its decoded box, point ± stride · expectation. The targets of DFL are the distances divided by the stride, clamped to
   * [0, bins − 1.1]. "paper": all divisors are max(P, 1). "mmdet": N_q is Σ max(positives, 1) over the images, N_b is
   * max(Σ s, 1), N_d is 4·N_b.
   *
   * Gradient: through QFL, GIoU, DFL and, from box to logits, dE/dx_b = S_b·(b − E), with E the expectation of the softmax S.
   * s and the qualities are constants.
   *
   * ATSS with the defaults of `atssAssign` assigns the objects, unless `gtIndex` does. An ignored anchor has no loss, also for
   * infinite logits. NaN stays in its anchor and in the sums, including the divisors. On WebGPU the call is one submission;
   * the maps may be `GpuTensor`s, and only sums come back.
   *
   * - Shapes: cls (B, N, C) and dist (B, N, 4·bins), logits; gt and gtIndex (N) for each image. Results without unit;
   *   gradients `cls` and `dist` in the shapes of the maps.
   * - Defaults: `normalizer` "paper", `lambdaBox` 2, `lambdaDfl` 0.25, `beta` 2.
   * - Throws: TypeError if the head has no distributions, it has an objectness, or the maps do not fit head, image size
   *   and gt. RangeError if a label is no class, an index is no object's, a box is inverted, or lambdaBox, lambdaDfl or
   *   beta is under 0.
   * - Error bound: ≤ 1e-6 of max(1, part), ≤ 4e-6 for `dfl`, whose targets are float32. For a gradient, ≤ 1e-6 of the
   *   largest in its map. On WebGPU ≤ 8e-6 of max(1, part) and ≤ 4e-6 of the largest gradient of a map.
   * - Source: Li et al. 2020 (Generalized Focal Loss), equation 8.
   *
   * @example
   * ```ts
   * import { createEngine, heads } from "densehead";
   *
   * const { sync } = await createEngine();
   * const head = heads.gfl({ numClasses: 2, bins: 8, strides: [8, 16] });
   * const anchors = 8 * 8 + 4 * 4; // of 64 × 64 pixels
   * const cls = { data: new Float32Array(anchors * 2), dims: [1, anchors, 2] };
   * const dist = { data: new Float32Array(anchors * 32), dims: [1, anchors, 32] };
   * const gt = [{ boxes: Float32Array.of(0, 0, 64, 64), labels: Int32Array.of(1) }];
   * const { total, numPos } = sync.gflCriterion({ cls, dist, head, imageSize: [64, 64], gt });
   * console.log(total, numPos); // → 6.7517, 5
   * ```
   */
  gflCriterion<P extends Placement = "host">(
    input: GflCriterionInput,
    options?: GflCriterionOptions<P>,
  ): Result<F, CriterionResult<P>>;
  /**
   * The training loss of VarifocalNet: the varifocal loss of all anchors and, over the P positives, the generalized IoU loss of
   * the initial and of the refined boxes,
   *
   * Σ VFL / max(P, 1) + λ_box·Σ u·GIoU / N_0 + λ_refine·Σ v·GIoU′ / N_1,
   *
   * with u and v the IoUs of the initial and the refined box, at least 1e-6. The quality that the positive's class learns is
   * v. It is over 0, so the element is a positive of VFL, as in mmdet by q > 0. "paper": N_0 and N_1 are max(P, 1). "mmdet":
   * they are max(Σ u, 1) and max(Σ v, 1).
   *
   * Gradient: through VFL and GIoU. u and v are constants, and so is the initial box for the refined one.
   *
   * ATSS with the defaults of `atssAssign` assigns the objects, unless `gtIndex` does. Ignored anchors are negatives. NaN stays
   * in its anchor and in the sums, including the divisors. WebGPU works as in `gflCriterion`.
   *
   * - Shapes: cls (B, N, C), logits; distances and refined (B, N, 4) in pixels; gt and gtIndex (N) for each image.
   *   Results without unit; gradients `cls`, `distances` and `refined` in the shapes of the maps.
   * - Defaults: `normalizer` "paper", `lambdaBox` 1.5, `lambdaRefine` 2, `alpha` 0.75, `gamma` 2.
   * - Throws: TypeError if the boxes of the head are not distances, it has an objectness, or the maps do not fit head,
   *   image size and gt. RangeError if a label is no class, an index is no object's, a box is inverted, or lambdaBox,
   *   lambdaRefine, alpha or gamma is under 0.
   * - Error bound: ≤ 1e-6 of max(1, part). For a gradient, ≤ 1e-6 of the largest in its map, for objects whose edges
   *   are as float32 has them from the anchor's point (the weight of a box that barely touches its object contains
   *   their rounding). On WebGPU ≤ 8e-6 of max(1, part) and ≤ 4e-6 of the largest gradient of a map.
   * - Source: Zhang et al. 2021 (VarifocalNet), equation 3.
   *
   * @example
   * ```ts
   * import { createEngine, heads } from "densehead";
   *
   * const { sync } = await createEngine();
   * const head = heads.vfnet({ numClasses: 2, strides: [8, 16] });
   * const anchors = 8 * 8 + 4 * 4; // of 64 × 64 pixels
   * const cls = { data: new Float32Array(anchors * 2), dims: [1, anchors, 2] };
   * const distances = { data: new Float32Array(anchors * 4).fill(20), dims: [1, anchors, 4] };
   * const refined = { data: new Float32Array(anchors * 4).fill(24), dims: [1, anchors, 4] };
   * const gt = [{ boxes: Float32Array.of(0, 0, 64, 64), labels: Int32Array.of(1) }];
   * const { total, parts } = sync.vfnetCriterion({ cls, distances, refined, head, imageSize: [64, 64], gt });
   * console.log(total); // → 5.2681
   * console.log(parts.boxRefine); // → 0.4922
   * ```
   */
  vfnetCriterion<P extends Placement = "host">(
    input: VfnetCriterionInput,
    options?: VfnetCriterionOptions<P>,
  ): Result<F, CriterionResult<P>>;
  /**
   * The training loss of YOLOv8 and its heirs (YOLO11, YOLOv10, YOLO26, YOLO-NAS): binary cross-entropy of all anchors against
   * task-aligned scores and, over the P positives, the complete IoU loss of their boxes and a loss of their four sides,
   *
   * (cls·Σ BCE + box·Σ w·CIoU + dfl·Σ w·mean_sides DFL) / max(Σ w, 1),
   *
   * with w the positive's target score, which its object's class learns; all other targets are 0. The sums and the divisor are
   * those of the batch. The targets of DFL are the distances divided by the stride, clamped to [0, bins − 1.01]. Of a head
   * without bins the sides have in place of DFL |d − d′|, l and r divided by the image's width, t and b by its height.
   *
   * The predictions assign the objects, as in Ultralytics' code. The alignment of an anchor and an object is
   * t = s^alpha · CIoU₊^beta, with s the anchor's score of the object's class and CIoU₊ the complete IoU of its box and the
   * object, at least 0 (1 less `ciouLoss`, eps 1e-7), and 0 for a point that is not inside the object by more than 1e-9 pixels.
   * An object's anchors are the `topk` of highest t (ties: the lower anchor) among those with t > 0. An anchor of several objects
   * goes to the highest CIoU among all objects around its point (ties: the first), also to one that did not choose it. With
   * `topk2` an object then keeps that many of highest t. The target score is t · max CIoU₊ / (max t + 1e-9), with the maxima over
   * the anchors that the object keeps. Small objects are not widened.
   *
   * `taskAlignedAssign` differs: IoU, a margin of 0.01 pixels, conflicts among the objects that chose the anchor, no second
   * `topk`, and 1e-7.
   *
   * Gradient: through BCE, CIoU, DFL and, from box to logits, dE/dx_b = S_b·(b − E), with E the expectation of the softmax S.
   * Assignment and target scores are constants, and so is the α of CIoU. |d − d′| has gradient 0 where they are equal.
   *
   * One-to-one training (YOLO26; with `topk` 1 that of YOLOv10) is a second call, with `topk` 7 and `topk2` 1, on the outputs of the
   * other branch. `timesBatch` multiplies all parts and gradients by the number of images. An anchor with NaN in its box or in the
   * class's logit is no positive; a NaN logit stays in its anchor and in the sum. An anchor that only a crowd region covers has no
   * loss.
   *
   * - Shapes: cls (B, N, C), logits; dist (B, N, 4·bins), logits, or of a head without bins (B, N, 4), distances l, t,
   *   r, b in its `boxUnit`; gt for each image. Results without unit; gradients `cls` and `dist` in the shapes of the
   *   maps.
   * - Defaults: `topk` 10, no `topk2`, `alpha` 0.5, `beta` 6, all else off.
   * - Throws: TypeError if the head has neither distributions nor distances, its boxes are rotated, it has an
   *   objectness, the maps do not fit head, image size and gt, or gains has another member. RangeError if a gain is
   *   under 0, a label is no class, a box is inverted, topk or topk2 is under 1, or alpha or beta is under 0.
   * - Error bound: ≤ 1e-5 of max(1, part). For a gradient, ≤ 1e-5 of the largest in its map. On WebGPU the same.
   * - Source: Ultralytics' detection loss; Feng et al. 2021 (TOOD), section 3.2.
   *
   * @example
   * ```ts
   * import { createEngine, heads } from "densehead";
   *
   * const { sync } = await createEngine();
   * const head = heads.yolov8({ numClasses: 2, bins: 8, strides: [8, 16] });
   * const anchors = 8 * 8 + 4 * 4; // of 64 × 64 pixels
   * const cls = { data: new Float32Array(anchors * 2), dims: [1, anchors, 2] };
   * const dist = { data: new Float32Array(anchors * 32), dims: [1, anchors, 32] };
   * const gt = [{ boxes: Float32Array.of(0, 0, 64, 64), labels: Int32Array.of(1) }];
   * const { total, numPos } = sync.yoloCriterion({ cls, dist, head, imageSize: [64, 64], gt });
   * console.log(total, numPos); // → 19.478, 10
   * ```
   */
  yoloCriterion<P extends Placement = "host">(
    input: YoloCriterionInput,
    options?: YoloCriterionOptions<P>,
  ): Result<F, CriterionResult<P>>;
}

// ── Drawing ─────────────────────────────────────────────────────────────────────

/**
 * Objects as columns, for `toSvg`: {@link Detections}, their JSON, {@link GroundTruth}, or any arrays of numbers under these names.
 * JSON's null is NaN.
 */
export interface SvgColumns {
  /** (N, 4) `xyxy` in pixels of the frame. */
  readonly boxes: ArrayLike<number>;
  /** (N), in [0, 1]. */
  readonly scores?: ArrayLike<number>;
  /** (N), index of the class, which decides the colour. */
  readonly classes?: ArrayLike<number>;
  /** (N), the same of ground truth. */
  readonly labels?: ArrayLike<number>;
  /** (N, 4), standard deviation of the sides l, t, r, b in pixels. */
  readonly std?: ArrayLike<number>;
  /** (N, 4), deviation beyond that of two neighbouring bins, in pixels. */
  readonly excess?: ArrayLike<number>;
  /** (N, 5), turned boxes: centre x, y, width, height, angle. They are drawn in place of `boxes`. */
  readonly rotated?: ArrayLike<number>;
  /** (N, K, 3): x, y and visibility. */
  readonly keypoints?: ArrayLike<number>;
  /** Masks of `detect`, or COCO's run lengths of each object; their size is that of the frame. */
  readonly masks?: SvgMasks | readonly SvgRunLengths[];
}

/** What `toSvg` reads of the masks of `detect`. */
export interface SvgMasks {
  /** Pixels of the frame. */
  readonly width: number;
  /** Pixels of the frame. */
  readonly height: number;
  /** The part of mask i inside of its box: its place, and (height · width) row by row, of what is not 0 where the mask is. */
  crop(i: number): { x: number; y: number; width: number; height: number; data: ArrayLike<number> };
}

/** COCO's run lengths of a mask, column by column: as text, or as counts of zeros, ones, zeros and so on. */
export interface SvgRunLengths {
  /** [height, width]. */
  readonly size: readonly number[];
  /** Zeros first. */
  readonly counts: string | readonly number[];
}

/** One object, for `toSvg`: a {@link Detection}, or any object with a box, upright or turned. */
export interface SvgObject {
  /** x1, y1, x2, y2 in pixels of the frame. Default: that around `rotated`. */
  readonly box?: ArrayLike<number>;
  /** In [0, 1]. */
  readonly score?: number;
  /** Index of the class, which decides the colour. */
  readonly classId?: number;
  /** Standard deviation of the sides l, t, r, b in pixels. */
  readonly std?: ArrayLike<number>;
  /** Deviation beyond that of two neighbouring bins, in pixels. */
  readonly excess?: ArrayLike<number>;
  /** The turned box, drawn in place of `box`: centre x, y, width, height, angle. */
  readonly rotated?: ArrayLike<number>;
  /** x, y and visibility of each keypoint, in lists or one after the other. Annotations of COCO have visibility 0 where a point is unknown. */
  readonly keypoints?: ArrayLike<number> | readonly ArrayLike<number>[];
  /** The mask, as COCO's annotations and results have it: run lengths, or polygons of x, y, x, y … */
  readonly segmentation?: SvgRunLengths | readonly ArrayLike<number>[];
}

/** What `toSvg` draws: detections, columns of arrays, or a list of objects. */
export type SvgObjects = SvgColumns | readonly SvgObject[];

/** Options of `toSvg`. */
export interface SvgOptions {
  /** [height, width] in pixels of what the boxes are in: the image, or the network's input. */
  size: readonly number[];
  /**
   * The picture behind the boxes, stretched to `size`: its address, or the bytes of a PNG, JPEG, GIF, WebP or AVIF file, which
   * the SVG then has in it.
   */
  image?: string | Uint8Array | ArrayBuffer;
  /** Colour behind the image; "none" leaves it out, to lay the SVG over a picture or a video. Default "#23272e". */
  background?: string;
  /** Names of the classes: a list, or an object by index. Classes without a name are shown by their index. */
  names?: readonly string[] | Readonly<Record<number, string>>;
  /** The true objects, drawn dashed. */
  truth?: SvgObjects;
  /**
   * What ticks show at the middle of each side, outside of the box: the excess, the standard deviation, or nothing. Default:
   * "excess" where the detections have it. A side that is surer than 1.5/640 of the picture's longer side has a tick of that length.
   */
  uncertainty?: "excess" | "std" | "none";
  /** How masks are drawn. Default "both". */
  masks?: "both" | "outline" | "fill" | "none";
  /** Pairs of keypoints with a line between them. Default: of 17 keypoints COCO's, of others none. */
  skeleton?: readonly (readonly [number, number])[];
  /**
   * Keypoints of at least this visibility, in [0, 1], are full, as opaque as they are visible, and have lines. Others are
   * hollow. Of the truth those over 0 are. Default 0.5.
   */
  minVisibility?: number;
  /** Write class and score at each box. If not, the legend names the colours. Default true. */
  labels?: boolean;
  /** Explain signs below the picture, which makes the SVG higher. Default true. */
  legend?: boolean;
  /** Title of the picture. */
  title?: string;
}

// ── Pixels ──────────────────────────────────────────────────────────────────────

/**
 * An image's bytes, row by row: 1 (grey), 3 (RGB) or 4 (RGBA, alpha not read) of them a pixel, told by their number. An
 * `ImageData` of a canvas is one as it is.
 */
export interface Pixels {
  /** The bytes, height · width pixels. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** Pixels of a row. */
  readonly width: number;
  /** Number of rows. */
  readonly height: number;
}

/** Kind of the values of a network's input. */
export type InputDtype = "float32" | "float16" | "uint8";

/** What a network wants of its input image, as plain data. `inputs` makes those of well-known networks. */
export interface InputSpec<D extends InputDtype = InputDtype> {
  /** Name of the family. */
  readonly name: string;
  /** [height, width] of the network's input in pixels. */
  readonly size: readonly [number, number];
  /**
   * "letterbox": the ratio of the sides is kept, with padding on both sides, of an odd number the smaller half left and above.
   * "top-left": kept, with padding right and below. "stretch": not kept. The image is resized by min(H/h, W/w), and each side is
   * made whole, at least 1. `scaleUp` and `rounding` are not read for "stretch".
   */
  readonly fit: "letterbox" | "top-left" | "stretch";
  /** May a smaller image be enlarged? Default true. */
  readonly scaleUp?: boolean;
  /** How the resized sides are made whole: "round", half to even, or "floor" (YOLOX, mmyolo). Default "round". */
  readonly rounding?: "round" | "floor";
  /** Byte of the padding. Default 114. */
  readonly padValue?: number;
  /**
   * Interpolation of bytes, as OpenCV's INTER_LINEAR, INTER_AREA or INTER_CUBIC. "area" is the mean over a pixel's area where
   * both sides shrink, else OpenCV's variant of bilinear. Default "bilinear".
   */
  readonly resize?: "bilinear" | "area" | "bicubic";
  /** Order of the channels. Default "rgb". */
  readonly order?: "rgb" | "bgr";
  /** "nchw": (B, 3, H, W). "nhwc": (B, H, W, 3). Default "nchw". */
  readonly layout?: "nchw" | "nhwc";
  /** Factor of the bytes. Default 1/255. */
  readonly scale?: number;
  /** Subtracted from byte · scale, channels in `order`. Default 0. */
  readonly mean?: readonly [number, number, number];
  /** Divisor of what is left, channels in `order`. Default 1. */
  readonly std?: readonly [number, number, number];
  /** Values of the result. "float16": half bits in a Uint16Array. "uint8": the bytes themselves. Default "float32". */
  readonly dtype?: D;
}

/** The size of a network's input, and changes to a preset of `inputs`. */
export type InputOptions<D extends InputDtype = InputDtype> = Partial<InputSpec<D>> & Pick<InputSpec, "size">;

/** The input of a network, as `new Tensor(tensor.data, tensor.dims)` of onnxruntime takes it. */
export interface InputTensor<D extends InputDtype = InputDtype> extends HostTensor {
  /** The values, row-major, in the array of the input's dtype. */
  readonly data: D extends "float16" ? Uint16Array : D extends "uint8" ? Uint8Array : Float32Array;
  /** (B, 3, H, W), or (B, H, W, 3) with layout "nhwc". */
  readonly dims: readonly number[];
}

/** The input of a network on the GPU, as `Tensor.fromGpuBuffer(tensor.gpuBuffer, tensor)` of onnxruntime-web takes it. */
export interface InputGpuTensor<D extends InputDtype = InputDtype> {
  /** A storage buffer of the engine's device. The caller destroys it. */
  readonly gpuBuffer: GpuBuffer;
  /** (B, 3, H, W), or (B, H, W, 3) with layout "nhwc". */
  readonly dims: readonly number[];
  /** Element type of the buffer. */
  readonly dataType: D;
}

/** Options of `preprocess`. */
export interface PreprocessOptions {
  /** Array that the result is written to in place of a new one: of the input's dtype, and of the result's length. */
  out?: Float32Array | Uint16Array | Uint8Array;
}

/** Operations on images. */
export interface PixelOps<F> {
  /**
   * The input of a network from an image, and the transform that takes the boxes of `detect` back to the image.
   *
   * The image is resized on bytes and padded; then value = (byte · scale − mean) / std for each channel. The transform has the
   * scale of the whole pixels that the image was resized to, the pixels of padding, and the image's size to clip to. Several
   * images of any sizes make one batch, with a transform for each.
   *
   * A `GPUTexture` of the engine's device (formats rgba8unorm and bgra8unorm, usage TEXTURE_BINDING), such as a video's frame
   * that was copied into one, is resized there, to the same values; the tensor stays on the device, and the caller destroys it.
   *
   * - Shapes: pixels (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA; result (B, 3, H, W), or (B, H, W, 3) with layout
   *   "nhwc", in the input's dtype.
   * - Throws: TypeError if data are not width · height pixels of 1, 3 or 4 bytes, `out` is of another dtype or length,
   *   or lies over an image's bytes, a texture is of another format or usage, or textures and other images are in one
   *   list, or there is no image, or a member of the input is of another kind. RangeError if width or height is not a
   *   whole number from 1 to 65536, a member of the input is outside its range, or "area" shrinks a side over 4095
   *   times.
   * - Error bound: a resized byte is OpenCV's, or one beside it; a value is that of the byte, rounded once.
   * - Source: OpenCV's resize, on bytes; the preprocessing of each family's own code.
   *
   * @example
   * ```ts
   * import { createEngine, inputs } from "densehead";
   *
   * const { sync } = await createEngine();
   * const image = { data: new Uint8Array(640 * 480 * 4).fill(255), width: 640, height: 480 }; // RGBA, as of a canvas
   * const { tensor, transform } = sync.preprocess(image, inputs.yolov8({ size: [320, 320] }));
   * console.log(tensor.dims, transform.scaleX, transform.padY); // → [1, 3, 320, 320], 0.5, 40
   * console.log(tensor.data[0], tensor.data[160 * 320]); // → 0.4471, 1
   * ```
   */
  preprocess<D extends InputDtype = "float32">(
    texture: GpuTexture,
    input: InputSpec<D>,
  ): Result<F, { tensor: InputGpuTensor<D>; transform: ImageTransform }>;
  preprocess<D extends InputDtype = "float32">(
    textures: readonly GpuTexture[],
    input: InputSpec<D>,
  ): Result<F, { tensor: InputGpuTensor<D>; transform: ImageTransform[] }>;
  preprocess<D extends InputDtype = "float32">(
    pixels: Pixels,
    input: InputSpec<D>,
    options?: PreprocessOptions,
  ): Result<F, { tensor: InputTensor<D>; transform: ImageTransform }>;
  preprocess<D extends InputDtype = "float32">(
    pixels: readonly Pixels[],
    input: InputSpec<D>,
    options?: PreprocessOptions,
  ): Result<F, { tensor: InputTensor<D>; transform: ImageTransform[] }>;
}

/** The synchronous operations. */
export type SyncOps =
  & LossOps<"sync">
  & BoxOps<"sync">
  & RotatedOps<"sync">
  & InstanceOps<"sync">
  & DetectionOps<"sync">
  & PixelOps<"sync">;
/** The asynchronous operations. */
export interface AsyncOps
  extends
    LossOps<"async">,
    BoxOps<"async">,
    RotatedOps<"async">,
    InstanceOps<"async">,
    DetectionOps<"async">,
    PixelOps<"async"> {}
