// The parameter block of a loss: written by the caller, read as `this` of the loss's class.

/** Nothing, one weight an element, one a row. */
export const NO_WEIGHT: i32 = 0;
export const ELEMENT_WEIGHT: i32 = 1;
export const ROW_WEIGHT: i32 = 2;

// @ts-ignore: decorator
@unmanaged
export class LossCall {
  /** Sum of the values so far, weights included. */
  sum!: f64;
  pred!: usize;
  /** Dense targets, or 0: labels. */
  target!: usize;
  labels!: usize;
  /** Quality of each label, or 0: 1. */
  scores!: usize;
  weight!: usize;
  weightKind!: i32;
  /** Values out, by element or (labels) by row, or 0. */
  values!: usize;
  /** Gradients out, by element, or 0. */
  grad!: usize;
  /** Elements, a multiple of `columns`. */
  count!: i32;
  columns!: i32;
  /** Factor of values and of gradients that leave. */
  valueScale!: f32;
  gradScale!: f32;
  /** The loss's own parameters. */
  exponentKind!: i32;
  exponent!: f32;
  /** |x| from which exp(-|x|) alone makes a loss that is no normal number. */
  reach!: f32;
  alpha!: f32;
  option!: i32;
  low!: f32;
  inverse!: f32;
  scale!: f32;
  /** |x| up to which nothing of the loss is infinite or a denormal. */
  near!: f32;
  /** First element of a classification loss: a block begins there, and what is before it need not be in memory. */
  first!: i32;
  /** The exponent, not rounded: the power of a small base would show it. */
  power!: f64;

  // Read as a vector in one load; a splat of a field takes two instructions.

  // @ts-ignore: decorator
  @inline
  alpha4(): v128 {
    return v128.load32_splat(changetype<usize>(this), offsetof<LossCall>("alpha"));
  }

  // @ts-ignore: decorator
  @inline
  low4(): v128 {
    return v128.load32_splat(changetype<usize>(this), offsetof<LossCall>("low"));
  }

  // @ts-ignore: decorator
  @inline
  inverse4(): v128 {
    return v128.load32_splat(changetype<usize>(this), offsetof<LossCall>("inverse"));
  }

  // @ts-ignore: decorator
  @inline
  scale4(): v128 {
    return v128.load32_splat(changetype<usize>(this), offsetof<LossCall>("scale"));
  }

  // @ts-ignore: decorator
  @inline
  gradScale4(): v128 {
    return v128.load32_splat(changetype<usize>(this), offsetof<LossCall>("gradScale"));
  }
}
