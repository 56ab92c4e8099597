/**
 * The public types. Shapes are row-major; boxes are `xyxy` in pixels unless an argument says otherwise.
 *
 * @module
 */

/** The instance type of a global class, or `Fallback` where the consumer's libraries do not declare it. */
type Global<Name extends string, Fallback> = typeof globalThis extends Record<Name, { prototype: infer T }> ? T
  : Fallback;

/** What `using` needs, where the consumer's libraries know it. */
export type MaybeDisposable = SymbolConstructor extends { readonly dispose: infer Key extends symbol }
  ? { [K in Key]: () => void }
  : object;

/** A WebGPU buffer, where the consumer's libraries know them. */
export type GpuBuffer = Global<"GPUBuffer", { readonly size: number; destroy(): void }>;
/** A WebGPU device, where the consumer's libraries know them; onnxruntime's is unknown where they do not. */
export type GpuDevice = Global<"GPUDevice", unknown>;
/** The platform's AbortSignal. */
export type Signal = Global<"AbortSignal", { readonly aborted: boolean; throwIfAborted(): void }>;
/** The platform's Float16Array, where there is one. */
export type HalfArray = Global<"Float16Array", never>;

// ── Values ──────────────────────────────────────────────────────────────────────

/**
 * Storage that is read, of any class or realm. Integers hold quantised values; without a `scale` a `Uint16Array` holds IEEE-754
 * half bits instead.
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
 * Any object with values and a shape. An onnxruntime-web or onnxruntime-node `Tensor` is one as it is; its `type` tells 16-bit
 * data apart: "float16" are half bits, and "uint16" needs a scale.
 *
 * Quantised data: real = (q − zeroPoint) · scale, each step rounded to float32. TypeError: integers without a scale, but for
 * half bits; a scale or zeroPoint beside real values. RangeError: a scale that is 0 or infinite in float32. TypeError:
 * what ONNX and TFLite call these two, as zero_point, which would go unread.
 *
 * What is given is read once, when the call is made: shapes are copied, and arrays are read where they then lie, whatever class
 * they are of. TypeError: an array whose buffer is resized or transferred before its values are read; a view of a tensor that
 * was disposed, as far as its bytes belong to no other tensor since.
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
 * A tensor as a session of onnxruntime gives it. Its type allows data that operations refuse: only those of
 * {@link DataArray} are read, others are a TypeError.
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
  /** A storage buffer of the engine's device. One that comes in is never destroyed here; one that goes out is the caller's. */
  readonly gpuBuffer: GpuBuffer;
  /** The shape. */
  readonly dims: readonly number[];
  /** Default "float32". */
  readonly dataType?: "float32" | "float16";
}

/** A float32 tensor inside the engine's linear memory: kernels read and write it with no copy. */
export interface WasmTensor extends HostTensor, MaybeDisposable {
  /** Always a valid view, also after the memory has grown. Throws after `dispose()`. */
  readonly data: Float32Array;
  /** Gives the memory back. */
  dispose(): void;
}

/** What operations take. A plain `Float32Array` has the shape that the argument calls for. */
export type TensorLike = Float32Array | HostTensor | SessionTensor | GpuTensor | WasmTensor;

// ── Engine ──────────────────────────────────────────────────────────────────────

/** How to make an engine. */
export interface EngineOptions {
  /**
   * "auto" (default): SIMD kernels on the CPU, with WebGPU taking over where it is measured to be faster, or where tensors
   * are on the GPU. "wasm": the CPU only. "webgpu": WebGPU for all that has shaders; refused where there is no adapter.
   */
  device?: "auto" | "wasm" | "webgpu";
  /**
   * A device to share, for example `ort.env.webgpu.device`; GPU tensors must live on it. `dispose()` leaves it alive, and
   * nothing of ours on it but results that were handed out. A lost device is as none.
   */
  gpuDevice?: GpuDevice;
  /**
   * Upper bound of linear memory in bytes. Default 64 MiB. Work that is larger is streamed through it, to the same bits;
   * only `nms`, `batchedNms`, `softNms` and `detect` need bytes for every box or anchor at a time. RangeError: under
   * 256 KiB, of which 128 are the kernels' own tables; over 2 GiB, because addresses are signed integers of 32 bits.
   */
  maxMemory?: number;
  /**
   * Use fused multiply-add where the host has relaxed SIMD. Default "auto".
   * "off" gives results that are bit-identical on every runtime and CPU.
   */
  relaxedSimd?: "auto" | "off";
  /** Elements of the predictions from which "auto" offloads to a GPU. Default: measured once, by the first large call. */
  offloadThreshold?: number;
}

/** Compiled or uncompiled kernels for the slim entry. */
export type WasmSource =
  | Global<"WebAssembly", object>
  | ArrayBuffer
  | ArrayBufferView
  | Global<"Response", { arrayBuffer(): Promise<ArrayBuffer> }>
  | object;

/** `densehead/slim` embeds no kernels: the caller passes `densehead/densehead.wasm` or `densehead/densehead-relaxed.wasm`. */
export interface SlimEngineOptions extends EngineOptions {
  /** A `WebAssembly.Module`, its bytes, or a `Response` with them; or a promise of one. */
  wasm: WasmSource | PromiseLike<WasmSource>;
}

/** Makes engines; see {@link EngineOptions}. */
export type CreateEngine<O extends EngineOptions = EngineOptions> = (options?: O) => Promise<Engine>;

/** Kernels in their own linear memory, behind synchronous and asynchronous faces. */
export interface Engine extends AsyncOps, MaybeDisposable {
  /** The same operations, synchronous, on WASM. They refuse `GpuTensor` with a TypeError. */
  readonly sync: SyncOps;
  /** What this engine can use. */
  readonly capabilities: {
    /** The build of the kernels in use. */
    readonly wasm: "simd" | "relaxed-simd";
    /**
     * The adapter's description; null without WebGPU, once its device is lost and, with "auto", until a large call or a GPU
     * tensor asks for it.
     */
    readonly webgpu: string | null;
  };
  /**
   * Which device an operation runs on with that many elements on the host, and why: elements of a loss's predictions, or of
   * the largest input or result. Tensors on the GPU are worked on there.
   */
  plan(op: string, elements: number): { device: "wasm" | "webgpu"; reason: string };
  /** Bytes of linear memory. */
  readonly memory: {
    /** In use now, the kernels' own tables included. */
    readonly used: number;
    /** Highest use so far. */
    readonly peak: number;
    /** Size of the memory now. */
    readonly reserved: number;
    /** Size that it may reach. */
    readonly limit: number;
  };
  /** Allocates a zeroed tensor in linear memory. */
  tensor(dims: readonly number[]): WasmTensor;
  /** Ends the engine and its tensors. Later calls throw. */
  dispose(): void;
}

/** A result now, or a promise of it. */
export type Result<F, T> = F extends "sync" ? T : Promise<T>;

// ── Losses ──────────────────────────────────────────────────────────────────────

/** What becomes of the single losses: as they are, added up, or averaged. */
export type Reduction = "none" | "sum" | "mean";

/** Where a result's arrays lie. */
export type Placement = "host" | "gpu";

/** What every loss takes. */
export interface LossOptions<
  R extends Reduction = Reduction,
  G extends boolean = boolean,
  P extends Placement = Placement,
> {
  /**
   * Default "mean". Dense losses average over all elements; row losses (see each) over rows. Of nothing the mean is NaN, as in
   * PyTorch; the sum is 0, and so is the mean with `avgFactor`.
   */
  reduction?: R;
  /**
   * Per element (shape of `pred`, also with label targets) or per row (shape of `pred` without its last axis or with 1 there,
   * or length N); a bare array by its length. Multiplies loss and gradient. A weight of 0 makes the loss 0, an infinite one
   * too; NaN stays. TypeError: a shape that is neither.
   */
  weight?: TensorLike;
  /** With "mean": divide the sum by this instead. With "sum": an error. With "none": ignored. */
  avgFactor?: number;
  /** Multiplies loss and gradient. Default 1. 0 is as a weight of 0. */
  lossWeight?: number;
  /** Also return d(result)/d(pred); for "none", d(sum)/d(pred). Default false. */
  grad?: G;
  /**
   * "host" (default) or, on WebGPU only, "gpu": loss and gradient stay on the device as `GpuTensor`. Their buffers are the
   * caller's: destroy them when done.
   */
  placement?: P;
  /**
   * Write into these instead of allocating. Lengths must match. They lie apart from each other and from what is read, or exactly
   * over one of the arrays that are read; else TypeError.
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
  /** (N). */
  readonly labels: Int32Array;
  /** (N), quality of each row's positive class, in [0, 1]; read only where the label is a class. Default 1. */
  readonly scores?: Float32Array;
}

/** Elements in [0, 1], same shape as `pred`, or labels. With labels the loss is a row loss: (N,), summed over classes. */
export type ClassTarget = TensorLike | LabelTarget;

/** Parameters of `sigmoidFocalLoss`. */
export interface FocalOptions {
  /** Share of positives; negative: no class weighting. Default 0.25. */
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
  /**
   * "quality": elements with q > 0 are positives (mmdet). "label": a label's own element is one, also for a score of 0
   * (YOLOv6, PP-YOLOE, Ultralytics). Default: "label" with labels; dense targets have no other than "quality".
   */
  positives?: "quality" | "label";
}

/** Parameters of `generalizedFocalLoss`. */
export interface GeneralizedFocalOptions {
  /** Value at σ = 0, rounded to float32 as targets are. Default 0. */
  yLeft?: number;
  /** Value at σ = 1, over `yLeft`, rounded likewise. Default 1. */
  yRight?: number;
  /** Exponent of |y − ŷ|, at least 0. Default 2. */
  beta?: number;
}

/** Values of the bins: firstBin + i · binStep. */
export interface DistributionFocalOptions {
  /** Value of the first bin. Default 0. */
  firstBin?: number;
  /** From one bin to the next. Default 1. */
  binStep?: number;
}

/** Parameters of the box losses. */
export interface BoxLossOptions {
  /** Added to denominators. Default 1e-7. */
  eps?: number;
}

/** A loss with targets `T` and options `O` of its own, as a function of engine flavour. */
export type Loss<F, T, O> = <R extends Reduction = "mean", G extends boolean = false, P extends Placement = "host">(
  pred: TensorLike,
  target: T,
  options?: LossOptions<R, G, P> & O,
) => Result<F, LossResult<R, G, P>>;

/**
 * Losses with their gradients in closed form, with respect to `pred`; the target has none.
 *
 * Below, x is a logit, σ = 1 / (1 + e^−x), y its target in [0, 1], sp(z) = ln(1 + e^z), and
 * BCE(x, y) = y·sp(−x) + (1 − y)·sp(x). Losses are in nats where they are logarithms and have no unit where they are ratios.
 * Factors 0^0 are 1, 0·ln 0 is 0, and |d|^β has gradient 0 at d = 0. Infinite logits have their limits, 0 where a factor
 * is 0 (α_t, α, a weight, `lossWeight`); NaN stays in its element and in sums.
 *
 * All throw TypeError for a wrong kind, dtype or shape, for labels that are not one Int32Array of length N, and for
 * `avgFactor` with "sum".
 *
 * The bounds below are those of WASM, for single losses and for sums of them, with what is under 1e-36 counted as 0: a
 * loss, its gradient, and a power in them such as |y − σ|^β. On WebGPU they are 4e-6 in the place of 1e-6 and of 5e-7, four
 * times what they are else, and 8e-6 of a sum, which is float32 there and float64 here; what WASM keeps free of NaN is free
 * of it there too. There the bound of the gradients of `giouLoss`, `eiouLoss` and `siouLoss` is also one of the largest
 * member of their terms (of IoU, cover, distance, size): where those cancel, WASM adds them in float64, which WebGPU has
 * not. A call that runs there reads its host arrays, and writes `out`, until its promise settles.
 */
export interface LossOps<F> {
  /**
   * Binary cross-entropy of logits: y·sp(−x) + (1 − y)·sp(x). Gradient: σ − y.
   *
   * pred: logits (N, C) or any shape; target: the same shape in [0, 1], or labels (N) for pred (N, C). Loss: pred's shape,
   * (N) with labels; in nats. TypeError: target of another shape. Relative error ≤ 1e-6 of value and gradient, also where
   * the logit is saturated, beside that of the difference σ − y: ≤ 3e-7 of the smaller of σ and 1 − σ, because that is what
   * float32 leaves of it where y is nearly σ (nothing is lost at x = 0). Bishop 2006, equation 4.90, on logits.
   */
  binaryCrossEntropyWithLogits: Loss<F, ClassTarget, object>;
  /**
   * Focal loss: α_t·(1 − p_t)^γ·BCE(x, y), with p_t = σy + (1 − σ)(1 − y), α_t = αy + (1 − α)(1 − y), and α_t = 1 for a
   * negative α.
   *
   * Gradient: α_t·((1 − p_t)^γ·(σ − y) + γ(1 − p_t)^(γ−1)·(1 − 2y)·σ(1 − σ)·BCE(x, y)).
   *
   * pred: logits (N, C) or any shape; target: the same shape in [0, 1], or labels (N) for pred (N, C). Loss: pred's shape,
   * (N) with labels; in nats. Defaults: α 0.25, γ 2. RangeError: alpha NaN, gamma under 0. Relative error ≤ 1e-6 of the
   * value and of the gradient's larger term, for γ other than 0, 1, 1.5 and 2 ≤ 4e-7·(1 + γ) where that is more, because the
   * base's rounding is multiplied; beside that of the differences in soft targets, ≤ 3e-7: of 1 − 2y and, over the smaller of
   * σ and 1 − σ, of σ − y. Lin et al. 2017 (Focal Loss), equation 5.
   */
  sigmoidFocalLoss: Loss<F, ClassTarget, FocalOptions>;
  /**
   * Quality focal loss: |y − σ|^β·BCE(x, y).
   *
   * Gradient: |y − σ|^β·(σ − y) + β·|y − σ|^(β−1)·sign(σ − y)·σ(1 − σ)·BCE(x, y).
   *
   * pred: logits (N, C) or any shape; target: qualities of the same shape in [0, 1], or labels (N) with scores for pred
   * (N, C). Loss: pred's shape, (N) with labels; in nats. Default: β 2. RangeError: beta under 0. Relative error ≤ 1e-6 of
   * value and gradient, for β other than 0, 1, 1.5 and 2 ≤ 4e-7·(1 + β) where that is more, because the base's rounding is
   * multiplied; but for the cancellation in |y − σ|, whose error is ≤ 2e-7 (none where y is 0 or 1).
   * Li et al. 2020 (Generalized Focal Loss), equation 2.
   */
  qualityFocalLoss: Loss<F, ClassTarget, QualityFocalOptions>;
  /**
   * Varifocal loss. Positives: q·BCE(x, q), or BCE(x, q) with `iouWeighted: false`. Negatives: α·σ^γ·sp(x).
   *
   * Gradient: q·(σ − q), or σ − q; α·σ^γ·(σ + γ(1 − σ)·sp(x)). The factor σ^γ is differentiated.
   *
   * pred: logits (N, C) or any shape; target: qualities q of the same shape in [0, 1], or labels (N) with scores for pred
   * (N, C). An element is positive where q > 0; with labels, where its class is the label, also for q = 0, unless
   * `positives` is "quality". Loss: pred's shape, (N) with labels; in nats. Defaults: α 0.75 (on negatives only), γ 2,
   * `iouWeighted` true, `positives` "label" with labels. TypeError: `positives` "label" with a dense target. RangeError:
   * alpha or gamma under 0. Relative error ≤ 1e-6 of value and gradient, for γ other than 0, 1, 1.5 and 2 ≤ 4e-7·(1 + γ)
   * where that is more, because the base's rounding is multiplied; beside that of the difference σ − q, ≤ 3e-7 of the smaller
   * of σ and 1 − σ. Zhang et al. 2021 (VarifocalNet), equation 2.
   */
  varifocalLoss: Loss<F, ClassTarget, VarifocalOptions>;
  /**
   * Generalized focal loss: |y − ŷ|^β·H with H = (y_r − y)·sp(x) + (y − y_l)·sp(−x), where p_r = σ and p_l = 1 − σ are the
   * probabilities of the two values y_l and y_r, and ŷ = y_l·p_l + y_r·p_r is their mean.
   *
   * Gradient: |y − ŷ|^β·(ŷ − y) + β·|y − ŷ|^(β−1)·sign(ŷ − y)·(y_r − y_l)·σ(1 − σ)·H.
   *
   * With y_l = 0 and y_r = 1 it is the quality focal loss and, for y of 0 or 1, focal loss without α.
   *
   * pred: logits (N, C) or any shape; target: the same shape, y_l ≤ y ≤ y_r, in the unit of y_l and y_r. Loss: pred's shape.
   * Defaults: `yLeft` 0, `yRight` 1, β 2. RangeError: yLeft not under yRight, beta under 0. Relative error ≤ 1e-6 of value
   * and gradient, for β other than 0, 1, 1.5 and 2 ≤ 4e-7·(1 + β) where that is more; but for the cancellation in |y − ŷ|, whose
   * error is ≤ 2e-7 of y_r − y_l (none where y is one of them). What counts as 0 does before the factor
   * (y_r − y_l)^(β + 1). Li et al. 2020 (Generalized Focal Loss), equation 7.
   */
  generalizedFocalLoss: Loss<F, TensorLike, GeneralizedFocalOptions>;
  /**
   * Distribution focal loss: −((i + 1 − u)·ln S_i + (u − i)·ln S_(i+1)), with S the softmax over the bins,
   * u = (y − firstBin) / binStep and i = ⌊u⌋. The shares of the two bins beside y sum to 1, whatever the step.
   *
   * Gradient for the logit of bin k: S_k − (i + 1 − u) for k = i, S_k − (u − i) for k = i + 1, otherwise S_k.
   *
   * Row loss. pred: logits (M, bins), one row per side; target (M), in bin values, from the first bin to the last; a target
   * on a bin puts all its weight there, on the last one too. Loss (M), in nats. Defaults: `firstBin` 0, `binStep` 1.
   * RangeError: a target outside the bins or NaN, with its row; a binStep that is not over 0. Absolute error ≤ 5e-7 of max(1, loss), of the
   * gradient ≤ 5e-7, for the u that float32 has where `firstBin` is not 0 or `binStep` not 1. Li et al. 2020 (Generalized Focal Loss), equation 6.
   */
  distributionFocalLoss: Loss<F, TensorLike, DistributionFocalOptions>;
  /**
   * IoU loss, linear: 1 − IoU, IoU = I / (U + eps), with I the intersection's area and U the union's.
   *
   * Gradient: −dIoU with dIoU = (dI − IoU·dU) / (U + eps), dU = dA − dI, where A is the area of the predicted box.
   *
   * Row loss. pred and target: boxes (N, 4) in `xyxy`, both in one unit; loss (N), without unit. Loss and gradient are
   * finite for empty, inverted and infinite boxes too: an infinite edge counts as the largest float32. At equal edges, half of
   * the slopes on both sides. Default: `eps` 1e-7. RangeError: eps under 0. Error ≤ 1e-6 of max(1, loss); of the gradient
   * ≤ 1e-6 of max(its largest member, 1 / the longer side of pred), for boxes of any size and shape. Yu et al. 2016 (UnitBox), with 1 − IoU in the place of −ln IoU.
   */
  iouLoss: Loss<F, TensorLike, BoxLossOptions>;
  /**
   * Generalized IoU loss: 1 − IoU + (C − U) / (C + eps), with C the area of the smallest box around both; in [0, 2].
   *
   * Gradient: −dIoU + (dC − dU) / (C + eps) − (C − U)·dC / (C + eps)².
   *
   * Row loss. pred and target: boxes (N, 4) in `xyxy`, both in one unit; loss (N), without unit; IoU, U and degenerate boxes
   * as in `iouLoss`. Default: `eps` 1e-7. RangeError: eps under 0. Error ≤ 1e-6 of max(1, loss); of the
   * gradient ≤ 1e-6 of max(its largest member, 1 / the longer side of pred). Rezatofighi et al. 2019, algorithm 1.
   */
  giouLoss: Loss<F, TensorLike, BoxLossOptions>;
  /**
   * Distance IoU loss: 1 − IoU + D with D = ρ² / (c² + eps), ρ the distance of the centres and c the diagonal of the smallest
   * box around both.
   *
   * Gradient: −dIoU + (dρ² − D·dc²) / (c² + eps).
   *
   * Row loss. pred and target: boxes (N, 4) in `xyxy`, both in one unit; loss (N), without unit; IoU and degenerate boxes
   * as in `iouLoss`. Default: `eps` 1e-7. RangeError: eps under 0. Error ≤ 1e-6 of max(1, loss); of the
   * gradient ≤ 1e-6 of max(its largest member, 1 / the longer side of pred). Zheng et al. 2020 (Distance-IoU Loss), equation 7.
   */
  diouLoss: Loss<F, TensorLike, BoxLossOptions>;
  /**
   * Complete IoU loss: 1 − IoU + D + α·v, with D as in `diouLoss`, v = 4/π²·(arctan(w_t / h_t) − arctan(w / h))² from the
   * widths and heights of target and pred, and α = v / (1 − IoU + v + eps).
   *
   * Gradient: −dIoU + dD + α·dv; α is constant in it. dv = 8/π²·(arctan(w_t / h_t) − arctan(w / h))·(w·dh − h·dw) / (w² + h²).
   *
   * Row loss. pred and target: boxes (N, 4) in `xyxy`, both in one unit; loss (N), without unit; IoU and degenerate boxes
   * as in `iouLoss`. Default: `eps` 1e-7. RangeError: eps under 0. Error ≤ 1e-6 of max(1, loss); of the
   * gradient ≤ 1e-6 of max(its largest member, 1 / the longer side of pred). Zheng et al. 2020 (Distance-IoU Loss), equations 8 to 11.
   */
  ciouLoss: Loss<F, TensorLike, BoxLossOptions>;
  /**
   * Efficient IoU loss: 1 − IoU + D + (w − w_t)² / (c_w² + eps) + (h − h_t)² / (c_h² + eps), with D as in `diouLoss` and c_w,
   * c_h the width and height of the smallest box around both.
   *
   * Gradient: −dIoU + dD + (2(w − w_t)·dw − W·dc_w²) / (c_w² + eps) with W the term of the widths, and the same for heights.
   *
   * Row loss. pred and target: boxes (N, 4) in `xyxy`, both in one unit; loss (N), without unit; IoU and degenerate boxes
   * as in `iouLoss`. Default: `eps` 1e-7. RangeError: eps under 0. Error ≤ 1e-6 of max(1, loss); of the
   * gradient ≤ 1e-6 of max(its largest member, 1 / the longer side of pred). Zhang et al. 2021 (Focal and Efficient IOU), section 3.2, without the focal weight.
   */
  eiouLoss: Loss<F, TensorLike, BoxLossOptions>;
  /**
   * SIoU loss: 1 − IoU + (Δ + Ω) / 2, with a cost of distance, which depends on the angle, and one of shape.
   *
   * Angle: Λ = 2·|s_x·s_y| / (s_x² + s_y²), s from one centre to the other; the paper writes it as 1 − 2·sin²(φ − π/4).
   * Distance: Δ = Σ (1 − exp((Λ − 2)·ρ)) over x and y, ρ_x = (s_x / c_w)², ρ_y = (s_y / c_h)², c_w and c_h as in `eiouLoss`.
   * Shape: Ω = Σ (1 − exp(−ω))^4 over w and h, ω_w = |w − w_t| / max(w, w_t). `eps` keeps the denominators from 0. Both
   * costs are ≥ 0, as in the paper.
   *
   * Gradient: −dIoU + ½·Σ exp((Λ − 2)·ρ)·((2 − Λ)·dρ − ρ·dΛ) + 2·Σ (1 − exp(−ω))³·exp(−ω)·dω, through the angle too.
   *
   * Row loss. pred and target: boxes (N, 4) in `xyxy`, both in one unit; loss (N), without unit; IoU and degenerate boxes
   * as in `iouLoss`. Default: `eps` 1e-7. RangeError: eps under 0. Error ≤ 1e-6 of max(1, loss); of the
   * gradient ≤ 2e-6 of max(its largest member, 1 / the longer side of pred), because the exponential doubles what rounding
   * makes of ρ. Gevorgyan 2022 (SIoU Loss), θ = 4.
   */
  siouLoss: Loss<F, TensorLike, BoxLossOptions>;
}

// ── Boxes ───────────────────────────────────────────────────────────────────────

/** How the bins of a distribution stand in memory and what they mean. */
export interface DflLayout {
  /** Bins per side, 2 to 64. */
  bins: number;
  /** "rows" (default): (…, N, 4·bins). "channels-first": (…, 4·bins, N). */
  layout?: "rows" | "channels-first";
}

/** Layout, and the values of the bins: firstBin + i · binStep. */
export interface DflDecodeOptions extends DflLayout {
  /** Value of the first bin. Default 0. */
  firstBin?: number;
  /** From one bin to the next. Default 1. */
  binStep?: number;
}

/** Shape of a distribution, per side; each (…, N, 4) in the order l, t, r, b. */
export interface DflStatistics {
  /** Standard deviation, in bins. */
  std: Float32Array;
  /** Entropy, in nats. */
  entropy: Float32Array;
  /** Highest probability. */
  top: Float32Array;
  /** Probability of the last bin: how close the side is to the end of its range. */
  saturation: Float32Array;
  /**
   * Deviation beyond the least that the mean allows, in bins: √max(0, std² − floor²), floor = √(f·(1 − f)) with f the mean's
   * fraction of a bin. A side that is sure of a place between two bins has the floor as deviation, up to half a bin; its excess is 0.
   */
  excess: Float32Array;
}

/** Which boxes NMS keeps. */
export interface NmsOptions {
  /** In [0, 1]. A box goes when its IoU with a kept one is over this. */
  iouThreshold: number;
  /** In [0, 1]. Only scores over this compete. Default: all but NaN. */
  scoreThreshold?: number;
  /** Keep at most this many. Default: no limit. */
  maxDetections?: number;
}

/** How soft-NMS decays scores. */
export interface SoftNmsOptions {
  /** "gaussian" (default): score · exp(−IoU² / sigma). "linear": score · (1 − IoU) where IoU ≥ iouThreshold. */
  method?: "linear" | "gaussian";
  /** Default 0.5. */
  sigma?: number;
  /** In [0, 1]; for "linear". Default 0.3. */
  iouThreshold?: number;
  /** In [0, 1]. Boxes end when their score is under this. Default 0.001. */
  minScore?: number;
  /** Keep at most this many. Default: no limit. */
  maxDetections?: number;
}

/**
 * Operations on boxes and distributions. All throw TypeError for a wrong kind, dtype or shape.
 *
 * All but the NMS also run on WebGPU: where their input is on the GPU, from `offloadThreshold` elements on, and with device
 * "webgpu". Results come to the host. The bounds below are those of WASM. On WebGPU they are 4e-6 in the place of 1e-6, 5e-7
 * and 3e-7, denormals may be 0, and the quotient of `starDeformOffsets` is a product with 1/stride; what is rounded once is
 * so there too. RangeError: an image of a channels-first distribution, or b of a pairwise operation, that is over the
 * device's `maxStorageBufferBindingSize`. A call that runs there reads its host arrays until its promise settles.
 */
export interface BoxOps<F> {
  /**
   * Pairwise IoU, |a ∩ b| / |a ∪ b|.
   *
   * a (N, 4) and b (M, 4) in `xyxy`; result (N·M) in [0, 1], row-major. Empty and inverted boxes have area 0; IoU is 0 where
   * the union is. An infinite edge counts as the largest float32, which gives the limit where there is one; no area
   * overflows or vanishes. Relative error ≤ 5e-7 of the union. Jaccard 1901.
   */
  boxIou(a: TensorLike, b: TensorLike): Result<F, Float32Array>;
  /**
   * Pairwise generalized IoU, IoU − (C − U) / C with C the enclosing box's area and U the union's.
   *
   * Shapes and boxes as in `boxIou`; result in [−1, 1]. Absolute error ≤ 1e-6. Rezatofighi et al. 2019, algorithm 1.
   */
  generalizedBoxIou(a: TensorLike, b: TensorLike): Result<F, Float32Array>;
  /**
   * Box sides from distributions: firstBin + binStep · Σ i·softmax(x)_i.
   *
   * dist (…, N, 4·bins) or, channels-first, (…, 4·bins, N); one leading batch axis is allowed. Result (…, N, 4) in bin
   * values, sides l, t, r, b: multiply by the stride for pixels. Infinite logits have their limit, NaN stays in its side.
   * Absolute error ≤ 5e-7 of the range of bins, and a rounding of the result where `firstBin` is not 0. RangeError: bins
   * outside 2…64. Li et al. 2020 (Generalized Focal Loss), equation 5 and section 3.2.
   */
  dflDecode(dist: TensorLike, options: DflDecodeOptions): Result<F, Float32Array>;
  /**
   * Shape of the same distributions: standard deviation √Σ p(i − μ)² (bins), entropy −Σ p ln p (nats), highest
   * probability, the probability of the last bin, and the excess √Σ p(i − n)(i − n − 1) (bins) with n = ⌊μ⌋, which is
   * √(std² − f(1 − f)) with f = μ − n. Each (…, N, 4).
   *
   * Infinite logits have their limit, NaN stays in its side. Absolute error ≤ 1e-6 of the range of bins; nothing cancels in
   * the excess, which is 0 on two neighbouring bins. RangeError: bins outside 2…64. Li et al. 2021 (GFL V2), section 3; the
   * excess is ours.
   */
  dflStatistics(dist: TensorLike, options: DflLayout): Result<F, DflStatistics>;
  /**
   * Boxes from the distances of a point to the sides: x − l, y − t, x + r, y + b.
   *
   * points (N, 2) and distances (N, 4) in one unit; result (N, 4). `maxShape` [height, width] clamps to the image. Rounded
   * once. Tian et al. 2019 (FCOS), section 3.1.
   */
  distance2bbox(
    points: TensorLike,
    distances: TensorLike,
    options?: { maxShape?: readonly number[] },
  ): Result<F, Float32Array>;
  /**
   * The inverse: x − x1, y − y1, x2 − x, y2 − y.
   *
   * points (N, 2), boxes (N, 4); result (N, 4). `maxDistance` clamps to [0, maxDistance − eps], eps default 0.1. Rounded once.
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
   * points (N, 2) and distances (N, 4) in one unit; result (N, 9, 2) as x, y. Rounded once. Zhang et al. 2020 (VarifocalNet),
   * star-shaped box feature representation, with a misprint of the seventh point, (x + l, y − t), put right.
   */
  starPoints(points: TensorLike, distances: TensorLike): Result<F, Float32Array>;
  /**
   * The same points as offsets of a 3×3 deformable convolution: dy, dx of each tap, row by row. The tap in row i and column j
   * samples the point that is i-th from the top and j-th from the left: dy = (1 − t/stride, 0, b/stride − 1)_i and
   * dx = (1 − l/stride, 0, r/stride − 1)_j.
   *
   * distances (N, 4), l, t, r, b in pixels; result (N, 18) in feature cells, from the tap's place in the grid of cells: point +
   * stride · (grid + offset) is the star point, grid −1, 0 or 1. Quotient and difference are rounded once each. RangeError:
   * a stride that is no positive float32. Zhang et al. 2020 (VarifocalNet), star-shaped box feature representation.
   */
  starDeformOffsets(distances: TensorLike, options: { stride: number }): Result<F, Float32Array>;
  /**
   * Distances of the refined box: distances · deltas, or with `kind` "exp" distances · exp(deltas).
   *
   * distances (N, 4) in any unit, deltas (N, 4); result (N, 4) in that unit. Default: `kind` "multiply", rounded once.
   * The product with the exponential has a relative error ≤ 3e-7 wherever it is a normal float32, also where the exponential
   * itself is none; past the ends it is 0 and Infinity.
   * Zhang et al. 2020 (VarifocalNet), bounding box refinement; the exponential is that of its code.
   */
  refineDistances(
    distances: TensorLike,
    deltas: TensorLike,
    options?: { kind?: "multiply" | "exp" },
  ): Result<F, Float32Array>;
  /**
   * Greedy non-maximum suppression: kept indices, highest score first.
   *
   * boxes (N, 4), scores (N). A box goes when its IoU with a kept one is over `iouThreshold`; equal scores keep the lower
   * index; NaN scores never pass. Empty, inverted and non-finite boxes neither go nor suppress. IoU is compared in float64,
   * so no decision depends on the rounding or the range of float32. Time grows about as N · log N, whatever the boxes are;
   * a box takes about 90 bytes of linear memory. RangeError: iouThreshold or scoreThreshold outside [0, 1].
   */
  nms(boxes: TensorLike, scores: TensorLike, options: NmsOptions): Result<F, Int32Array>;
  /** As `nms`, within each class; classes (N) are compared exactly, whatever their values. */
  batchedNms(
    boxes: TensorLike,
    scores: TensorLike,
    classes: Int32Array,
    options: NmsOptions,
  ): Result<F, Int32Array>;
  /**
   * Soft-NMS: kept indices and their decayed scores, in the order of keeping.
   *
   * boxes (N, 4), scores (N). Time grows with kept · N. RangeError: iouThreshold or minScore outside [0, 1], sigma ≤ 0.
   * Bodla et al. 2017, equations 2 and 3.
   */
  softNms(
    boxes: TensorLike,
    scores: TensorLike,
    options?: SoftNmsOptions,
  ): Result<F, { indices: Int32Array; scores: Float32Array }>;
}

// ── Detection ───────────────────────────────────────────────────────────────────

/** How a network lays out its raw output; plain data. `heads.*` make the well-known ones. */
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
   * Raw logits, or probabilities already. Of probabilities (objectness too) a value under −0.001 or over 1.001 is a
   * RangeError; what rounding leaves between is taken as 0 or 1.
   */
  readonly scores: "logits" | "probabilities";
  /** How a tensor of objectness enters the score. Default "none". */
  readonly objectness?: "none" | "multiply" | "sqrt-multiply";
  /** What the box channels hold; bins are in units of the stride. */
  readonly boxes: "distribution" | "distances" | "xywh" | "xyxy";
  /**
   * Unit of "distances", "xywh" and "xyxy": pixels of the network's input (default), the stride of the level, or "image":
   * from 0 to 1, x as a share of the input's width and y of its height. A distribution has no other than the stride.
   */
  readonly boxUnit?: "pixel" | "stride" | "image";
  /** "rows": (…, anchors, channels). "channels-first": (…, channels, anchors). */
  readonly layout: "rows" | "channels-first";
  /** Whether boxes or classes come first in one tensor, or stand in tensors of their own. */
  readonly channelOrder: "box-first" | "class-first" | "separate";
}

/** Changes to a preset. */
export type HeadOptions = Partial<HeadSpec>;

/** What is known beside the outputs. */
export interface InferHints {
  /** Network input, [height, width]; without it any that has as many anchors. */
  imageSize?: readonly number[];
  /** Number of classes; without it any. */
  numClasses?: number;
  /** Strides of the levels, in their order; without them those of the family, or those that imageSize and maps tell. */
  strides?: readonly number[];
}

/**
 * What a network gave, as `detect` and `heads.infer` take it. The batch axis may be left out for one image.
 *
 * One tensor, several in a list (one of each level, or classes and boxes apart), {classes, boxes, objectness} with one
 * tensor or one of each level under each name, or what `session.run` of onnxruntime gives: an object of tensors under any
 * names, of which those three are roles. Where no name tells the role of a tensor that stands apart, its number of channels
 * does; where classes and boxes have as many, the order of the family's export does, and a head of no family is an error.
 */
export type Outputs =
  | TensorLike
  | readonly TensorLike[]
  | {
    classes: TensorLike | readonly TensorLike[];
    boxes: TensorLike | readonly TensorLike[];
    objectness?: TensorLike | readonly TensorLike[];
  }
  | OutputsOfASession;

/** Tensors by their names in the graph. */
export type OutputsOfASession = Readonly<Record<string, TensorLike>>;

/** Maps boxes back to the image: input = image · scale + pad. */
export interface ImageTransform {
  /** Horizontal scale from image to network input; negative where the image was mirrored. Not 0. */
  scaleX: number;
  /** Vertical scale, likewise. */
  scaleY: number;
  /** Pixels left of the image in the input. */
  padX: number;
  /** Pixels above it. */
  padY: number;
  /** [height, width] of the image, to clip to. */
  clip?: readonly number[];
}

/** What `detect` needs to know and what it keeps. */
export interface DetectOptions {
  /** Layout of the raw output. */
  head: HeadSpec;
  /** Network input, [height, width] in pixels. A level has ceil(height/stride) × ceil(width/stride) cells. */
  imageSize: readonly number[];
  /** Keep score > threshold, in [0, 1]. Default 0.25. */
  scoreThreshold?: number;
  /** NMS, in [0, 1]. Default 0.6. */
  iouThreshold?: number;
  /** Default 300. */
  maxDetections?: number;
  /** Candidates that enter NMS, best first. Default 30000. */
  preNmsTopK?: number;
  /** One detection per anchor (its best class), or every class over the threshold. Default false. */
  multiLabel?: boolean;
  /** Suppress across classes. Default false. */
  classAgnostic?: boolean;
  /**
   * Maps boxes back: input = image · scale + pad. One for all images, or one for each. Under a negative scale boxes have
   * x1 ≤ x2 all the same, and what is told of their sides follows them.
   */
  transform?: ImageTransform | readonly ImageTransform[];
  /** Clip to the network input, before NMS. Default false. */
  clip?: boolean;
  /** Also report each side's standard deviation, excess and saturation. Default false. */
  uncertainty?: boolean;
  /** Stops between images. */
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
  /** Row of the anchor that made it. */
  anchor: number;
  /** Standard deviation of its sides, in pixels; with `uncertainty`. */
  std?: [number, number, number, number];
  /** Mass in the last bin of its sides; with `uncertainty`. */
  saturation?: [number, number, number, number];
  /** Deviation beyond that of two neighbouring bins, in pixels; with `uncertainty`. */
  excess?: [number, number, number, number];
}

/** One row of COCO's results format; bbox is x, y, width, height. */
export interface CocoResult {
  /** As given. */
  image_id: number | string;
  /** The class, or what it stands for. */
  category_id: number;
  /** x, y, width, height. */
  bbox: [number, number, number, number];
  /** In [0, 1]. */
  score: number;
}

/** Detections of one image, struct of arrays, highest score first; iterable as objects. */
export interface Detections extends Iterable<Detection> {
  /** How many. */
  readonly length: number;
  /** (length, 4) xyxy. */
  readonly boxes: Float32Array;
  /** (length). */
  readonly scores: Float32Array;
  /** (length). */
  readonly classes: Int32Array;
  /** Row of the anchor that made it, levels concatenated in the order of the head's strides. */
  readonly anchors: Int32Array;
  /** (length, 4) pixels of the returned boxes' frame; with `uncertainty`. */
  readonly std?: Float32Array;
  /** (length, 4), mass in the last bin; with `uncertainty`. */
  readonly saturation?: Float32Array;
  /**
   * (length, 4), √max(0, std² − floor²) in pixels of the returned boxes' frame; with `uncertainty`. The floor is the deviation
   * that the two bins beside the mean make by themselves, up to half a stride: see `dflStatistics`.
   */
  readonly excess?: Float32Array;
  /**
   * Rows of COCO's results format. `categoryIds[classId]` replaces the class index; RangeError: a class that it has no
   * number for. TypeError: an imageId that is neither a number nor a string.
   */
  toCoco(imageId: number | string, categoryIds?: readonly number[]): CocoResult[];
  /** Plain arrays under the members' own names, for JSON.stringify and postMessage. */
  toJSON(): DetectionsJson;
}

/**
 * Detections as plain data: what `toJSON` gives and `Detections.from` takes. JSON has no NaN and no infinity: the text of both is
 * null, which is read as NaN.
 */
export interface DetectionsJson {
  /** How many. */
  length: number;
  /** (length · 4) xyxy. */
  boxes: number[];
  /** (length). */
  scores: number[];
  /** (length). */
  classes: number[];
  /** (length). */
  anchors: number[];
  /** (length · 4); where there is one. */
  std?: number[];
  /** (length · 4); where there is one. */
  saturation?: number[];
  /** (length · 4); where there is one. */
  excess?: number[];
}

/** `Detections` as a value. */
export interface DetectionsFactory {
  /**
   * Detections from what `toJSON` gave, or from a copy that postMessage or structuredClone made of detections. TypeError:
   * members of other kinds, lengths or names.
   */
  from(json: unknown): Detections;
}

/** What is to be found in one image. */
export interface GroundTruth {
  /** (K, 4) `xyxy`, pixels of the network input. */
  readonly boxes: Float32Array;
  /** (K) classes. */
  readonly labels: Int32Array;
  /** Crowd regions (K, 4), pixels: an anchor in one of them that belongs to no object is no negative either. */
  readonly ignore?: Float32Array;
}

/** The grid of anchors, and how many of them an object considers. */
export interface AtssOptions {
  /** Network input, [height, width] in pixels. A level has ceil(height/stride) × ceil(width/stride) anchors. */
  imageSize: readonly number[];
  /** Strides of the levels, in the order in which their anchors stand. */
  strides: readonly number[];
  /** Centre of anchor i: (i + anchorOffset) · stride. Default 0. */
  anchorOffset?: number;
  /** Side of the square anchors, in strides. Default 8. */
  anchorScale?: number;
  /** Candidates of an object on each level. Default 9. */
  topk?: number;
}

/** Weights of score and overlap, and how many anchors an object gets. */
export interface TaskAlignedOptions {
  /** Anchors of an object, at most. Default 13. */
  topk?: number;
  /** Exponent of the score. Default 1. */
  alpha?: number;
  /** Exponent of the IoU. Default 6. */
  beta?: number;
}

/** Which object each anchor learns. */
export interface Assignment {
  /** (N): index into the ground truth, −1 for a negative, −2 for an anchor that only a crowd region covers. */
  readonly gtIndex: Int32Array;
  /** (N): IoU with that object, 0 where there is none. */
  readonly iou: Float32Array;
}

/** With the scores that the anchors learn. */
export interface TaskAlignedAssignment extends Assignment {
  /** (N·C): 0 but for the class of the anchor's object. */
  readonly targetScores: Float32Array;
}

/** One image or a batch, as far as both criteria read it. Maps have all levels' anchors as rows, in the order of the strides. */
export interface CriterionInput {
  /** (B, N, C) logits of the classes. The batch axis may be left out for one image. */
  cls: TensorLike;
  /** Strides, anchor offset, classes and bins; its layout and kind of scores are not read. */
  head: HeadSpec;
  /** Network input, [height, width] in pixels. A level has ceil(height/stride) × ceil(width/stride) anchors. */
  imageSize: readonly number[];
  /** What is to be found in each image. */
  gt: readonly GroundTruth[];
  /** For each image (N), as of `atssAssign`: an index, −1 for a negative, −2 for an ignored anchor. Default: ATSS. */
  gtIndex?: readonly Int32Array[];
}

/** What `gflCriterion` scores. */
export interface GflCriterionInput extends CriterionInput {
  /** (B, N, 4·bins) logits of the sides' distributions. */
  dist: TensorLike;
}

/** What `vfnetCriterion` scores. */
export interface VfnetCriterionInput extends CriterionInput {
  /** (B, N, 4) initial distances l, t, r, b from the anchors' points, in pixels. */
  distances: TensorLike;
  /** (B, N, 4) refined distances, in pixels. */
  refined: TensorLike;
}

/** Parameters of `gflCriterion`. */
export interface GflCriterionOptions<P extends Placement = "host"> {
  /** What the parts are divided by: as published, or as in mmdet's code. Default "paper". */
  normalizer?: "paper" | "mmdet";
  /** Weight of the box part. Default 2. */
  lambdaBox?: number;
  /** Weight of the distributions' part. Default 0.25. */
  lambdaDfl?: number;
  /** Exponent of the quality focal loss. Default 2. */
  beta?: number;
  /** Also return gradients. Default false. */
  grad?: boolean;
  /** "gpu": gradients stay on the device as `GpuTensor` (WebGPU only). Default "host". */
  placement?: P;
}

/** Parameters of `vfnetCriterion`. */
export interface VfnetCriterionOptions<P extends Placement = "host"> {
  /** What the box parts are divided by: as published, or as in mmdet's code. Default "paper". */
  normalizer?: "paper" | "mmdet";
  /** Weight of the initial boxes' part. Default 1.5. */
  lambdaBox?: number;
  /** Weight of the refined boxes' part. Default 2. */
  lambdaRefine?: number;
  /** Factor of negatives in the varifocal loss. Default 0.75. */
  alpha?: number;
  /** Exponent of negatives in the varifocal loss. Default 2. */
  gamma?: number;
  /** Also return gradients. Default false. */
  grad?: boolean;
  /** "gpu": gradients stay on the device as `GpuTensor` (WebGPU only). Default "host". */
  placement?: P;
}

/** A training loss. */
export interface CriterionResult<P extends Placement = "host"> {
  /** The sum of the parts. */
  readonly total: number;
  /** Already weighted; `dfl` of `gflCriterion`, `boxRefine` of `vfnetCriterion`. */
  readonly parts: {
    /** Classification. */
    readonly cls: number;
    /** Boxes. */
    readonly box: number;
    /** Distributions. */
    readonly dfl?: number;
    /** Refined boxes. */
    readonly boxRefine?: number;
  };
  /** Positives of the batch. */
  readonly numPos: number;
  /** d(total)/d(input) under the inputs' names, in their shapes; with `grad`. */
  readonly grad?: Readonly<Record<string, P extends "gpu" ? GpuTensor : Float32Array>>;
}

/** Operations on whole heads. */
export interface DetectionOps<F> {
  /**
   * From raw head tensors to boxes: score filter, box decode, top-k, NMS. One `Detections` per image of the batch.
   *
   * Scores are σ(logit), times objectness or its geometric mean with it where the head has one; NaN never passes. Boxes are
   * anchor point ± stride · expectation. TypeError: tensors that do not fit the head and image size. RangeError: thresholds
   * outside their range, an imageSize of 2³¹ anchors or more, and scores outside [0, 1] of a head that has probabilities. With `signal`, the asynchronous form yields between images; it reads what was given when it was called,
   * of which it keeps a copy where there is more than one image.
   *
   * On WebGPU, which is for outputs with a GpuTensor among them and for engines of device "webgpu", filter and decode run
   * there and only candidates come back; an image with so many that a list of them is longer than a quarter of its tensors
   * comes to the host instead. The detections are the same: scores exactly; boxes, deviations and excesses, in pixels of the
   * network input, to ≤ 5e-6 of stride · bins, because a side is a mean over bins that are a stride apart, and ≤ 2e-7 of the
   * value, to which both are rounded; saturation to ≤ 5e-6 · bins. Host arrays are read until the promise settles.
   * RangeError: an image's share of a tensor that is larger than a binding of the device.
   */
  detect(outputs: Outputs, options: DetectOptions): Result<F, [Detections, ...Detections[]]>;
  /**
   * Adaptive training sample selection: the ground truth that each anchor of a grid learns, and its IoU with it.
   *
   * Anchors are squares of anchorScale · stride around (x + anchorOffset) · stride, (y + anchorOffset) · stride; N is how
   * many all levels have, row by row. An object's candidates are on each level the `topk` anchors whose centres are nearest
   * to its own (ties: the lower anchor), or all of them where there are fewer. Those become positive whose IoU is at least
   * the mean plus the unbiased standard deviation of the IoUs of all its candidates, and whose centre is inside the object
   * by more than 0.01 pixels. One candidate in all has no deviation and becomes none. An anchor of several objects goes to
   * the highest IoU (ties: the first object).
   *
   * Crowd regions take no part in that: given them, a negative with more than half of its anchor in one region gets −2.
   * Networks trained with mmdet's or NanoDet's defaults learn such anchors as negatives: leave `gt.ignore` out for their
   * targets.
   *
   * gt: boxes (K, 4) `xyxy` in pixels, and labels (K), which are not read; result (N), (N). Boxes without area and boxes off
   * the image are allowed. Decisions are made in float64; `iou` is rounded once. Memory grows with N and with topk, never with
   * K · N. Defaults: `anchorOffset` 0, `anchorScale` 8, `topk` 9. RangeError: a box that is inverted or not finite, anchorScale
   * outside 1e-6…1e6, topk under 1, more than 64 strides or 2²⁶ anchors. Zhang et al. 2020 (ATSS), algorithm 1, with the deviation, the margin and the rule for
   * conflicts of mmdet.
   */
  atssAssign(options: AtssOptions, gt: GroundTruth): Result<F, Assignment>;
  /**
   * Task-aligned assignment: the ground truth that each anchor learns, its IoU with it, and the scores it is to give.
   *
   * Alignment is t = s^alpha · IoU^beta, with s the anchor's score of the object's class and the IoU of its box with the
   * object. An object's anchors are the `topk` of highest t (ties: the lower anchor) among those with t > 0 whose point is
   * inside the object by more than 0.01 pixels. An anchor of several objects goes to the highest IoU (ties: the first object).
   * The target of an object's anchor, at its class, is t · max IoU / (max t + 1e-7), with maxima over the anchors that the
   * object has in the end; all other targets are 0.
   *
   * Only anchors inside compete for the `topk`; mmdet takes the `topk` of all anchors and then drops those outside, so that
   * an object may get fewer there. A negative whose point is inside a region of `gt.ignore` gets −2. NaN in a score or a
   * box makes that anchor no object's.
   *
   * scores (N, C) probabilities; boxes (N, 4) `xyxy`, points (N, 2) and gt in pixels; result (N), (N), (N·C). Inputs are
   * read as float32, decisions are made in float64, results are rounded once. Defaults: `topk` 13, `alpha` 1, `beta` 6.
   * RangeError: a label outside 0…C−1, a box of gt that is inverted or not finite, topk under 1, alpha or beta under 0. Feng
   * et al. 2021 (TOOD), section 3.2.
   */
  taskAlignedAssign(
    scores: TensorLike,
    boxes: TensorLike,
    points: TensorLike,
    gt: GroundTruth,
    options?: TaskAlignedOptions,
  ): Result<F, TaskAlignedAssignment>;
  /**
   * The training loss of GFL: quality focal loss of all anchors, and over the P positives generalized IoU loss of the decoded
   * boxes and distribution focal loss of the four sides,
   *
   * Σ QFL / N_q + Σ s·(λ_box·GIoU / N_b + λ_dfl·Σ_sides DFL / N_d),
   *
   * with s the positive's highest probability over all classes. The quality that the positive's class learns is the IoU of
   * its decoded box, point ± stride · expectation. DFL's targets are the distances over the stride, clamped to
   * [0, bins − 1.1]. "paper": all divisors are max(P, 1). "mmdet": N_q is Σ max(positives, 1) over the images, N_b is
   * max(Σ s, 1), N_d is 4·N_b.
   *
   * Gradient: through QFL, GIoU, DFL and, from box to logits, dE/dx_b = S_b·(b − E), with E the expectation of the softmax S;
   * s and the qualities are constants.
   *
   * cls (B, N, C) and dist (B, N, 4·bins), both logits; gt of each image, and the gtIndex (N) of each where ATSS with the
   * defaults of `atssAssign` is not to assign; an ignored anchor has no loss, also for infinite logits. Parts without unit; gradients `cls` and `dist`.
   * Defaults: "paper", λ_box 2, λ_dfl 1/4, β 2. TypeError: a head without distributions; maps that do not fit head, image
   * size and gt. RangeError: a label that is no class; an index that is no object's; an inverted box; λ or β under 0.
   * Error ≤ 1e-6 of max(1, part), 4e-6 for `dfl`, whose targets are float32; of a gradient, ≤ 1e-6 of the largest in its map.
   * NaN stays in its anchor and in the sums, divisors among them. On WebGPU one submission: the maps may be `GpuTensor`s, of
   * which only sums come back; error ≤ 8e-6 of max(1, part), ≤ 4e-6 of the largest gradient of a map. Li et al. 2020
   * (Generalized Focal Loss), equation 8.
   */
  gflCriterion<P extends Placement = "host">(
    input: GflCriterionInput,
    options?: GflCriterionOptions<P>,
  ): Result<F, CriterionResult<P>>;
  /**
   * The training loss of VarifocalNet: varifocal loss of all anchors, and over the P positives generalized IoU loss of the
   * initial and of the refined boxes,
   *
   * Σ VFL / max(P, 1) + λ_box·Σ u·GIoU / N_0 + λ_refine·Σ v·GIoU′ / N_1,
   *
   * with u and v the IoUs of the initial and the refined box, at least 1e-6. The quality that the positive's class learns is
   * v, over 0, so that it is a positive of VFL, as in mmdet by q > 0. "paper": N_0 and N_1 are max(P, 1). "mmdet": they are max(Σ u, 1) and max(Σ v, 1).
   *
   * Gradient: through VFL and GIoU; u and v are constants, and so is the initial box for the refined one.
   *
   * cls (B, N, C) logits, distances and refined (B, N, 4) in pixels; gt of each image, and the gtIndex (N) of each where ATSS
   * with the defaults of `atssAssign` is not to assign; ignored anchors are negatives. Parts without unit; gradients `cls`,
   * `distances` and `refined`. Defaults: "paper", λ_box 1.5, λ_refine 2, α 0.75, γ 2.
   * TypeError: a head whose boxes are not distances; maps that do not fit head, image size and gt. RangeError: a label that
   * is no class; an index that is no object's; an inverted box; λ, α or γ under 0. Error ≤ 1e-6 of max(1, part); of a
   * gradient, ≤ 1e-6 of the largest in its map, for
   * objects whose edges are those that float32 has from the anchor's point (a box that barely touches its object takes
   * their rounding into its weight). NaN stays in its anchor and in the sums, divisors among them. On WebGPU as
   * `gflCriterion`. Zhang et al. 2021 (VarifocalNet), equation 3.
   */
  vfnetCriterion<P extends Placement = "host">(
    input: VfnetCriterionInput,
    options?: VfnetCriterionOptions<P>,
  ): Result<F, CriterionResult<P>>;
}

/** The synchronous operations. */
export type SyncOps = LossOps<"sync"> & BoxOps<"sync"> & DetectionOps<"sync">;
/** The asynchronous operations. */
export interface AsyncOps extends LossOps<"async">, BoxOps<"async">, DetectionOps<"async"> {}
