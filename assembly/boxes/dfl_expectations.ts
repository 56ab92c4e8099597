// The mean bin of distributions, in float64: exponentials to about 1e-10, two bins at a time.

import { expOfTwo } from "../losses/passes";

/** (count, bins) at src → (count) float64 at dst. */
export function dfl_expectations(src: usize, count: i32, bins: i32, dst: usize): void {
  for (let i = 0; i < count; i++) {
    store<f64>(dst + (<usize> i << 3), expectation(src, bins));
    src += <usize> bins << 2;
  }
}

/** Of infinite logits, the largest share the mean. */
function expectation(src: usize, bins: i32): f64 {
  let peak = -Infinity as f32;
  for (let bin = 0; bin < bins; bin++) {
    const x = load<f32>(src + (<usize> bin << 2));
    if (x > peak) peak = x;
  }
  const highest = f64x2.splat(peak);
  let sums = f64x2.splat(0);
  let weighted = f64x2.splat(0);
  let places = f64x2.replace_lane(f64x2.splat(0), 1, 1);
  for (let bin = 0; bin < bins; bin += 2) {
    const x = f64x2.promote_low_f32x4(v128.load64_zero(src + (<usize> bin << 2)));
    const gap = v128.andnot(f64x2.sub(x, highest), f64x2.eq(x, highest));
    let share = expOfTwo(gap);
    // What follows the last bin is the next distribution's.
    if (bin + 1 == bins) share = f64x2.replace_lane(share, 1, 0);
    sums = f64x2.add(sums, share);
    weighted = f64x2.add(weighted, f64x2.mul(share, places));
    places = f64x2.add(places, f64x2.splat(2));
  }
  return (f64x2.extract_lane(weighted, 0) + f64x2.extract_lane(weighted, 1)) /
    (f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1));
}
