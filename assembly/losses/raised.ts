// Powers through float64, for the box losses: a power multiplies the relative error of its base. Not inlined: they are long,
// and called in several places.

import { powerOfTwo } from "./passes";
import { select } from "../lanes";

/** x^power on two float64. */
export function raised(x: v128, power: f64): v128 {
  return powerOfTwo(x, power);
}

/** e^x, to 1e-10. */
export function exponential(x: f64): f64 {
  return f64x2.extract_lane(raised(f64x2.splat(2.718281828459045), x), 0);
}

/** (1 - gap)^power or, where the gap is over 1/2, iou^power, on the low two lanes. */
function raisedLow(iou: v128, gap: v128, power: f64): v128 {
  const far = f64x2.promote_low_f32x4(gap);
  const near = f64x2.sub(f64x2.splat(1), far);
  const x = select(near, f64x2.promote_low_f32x4(iou), f64x2.lt(far, f64x2.splat(0.5)));
  return f32x4.demote_f64x2_zero(raised(x, power));
}

/** IoU^power of four pairs whose IoU is over 0. `gap` is 1 - IoU with all its digits where that is under 1/2. */
export function raised4(iou: v128, gap: v128, power: f32): v128 {
  const low = raisedLow(iou, gap, power);
  const high = raisedLow(v128.shuffle<f64>(iou, iou, 1, 1), v128.shuffle<f64>(gap, gap, 1, 1), power);
  return v128.shuffle<f64>(low, high, 0, 2);
}
