// Cosine and sine of an angle in float32, to a unit in the last place of a float64, for every angle: the angle is an exact number
// of 24 bits, and its remainder by a right angle comes from an integer product with those bits of 2/π that matter to it.

/** Up to here an angle is its own remainder. */
const EIGHTH: f64 = 0.7853981633974483;
/** A right angle over 2^62. */
const RIGHT_ANGLE: f64 = 3.4061215800865545e-19;
/** The first 256 bits of 2/π behind 32 of zero, high bytes first. */
const TWO_OVER_PI = memory.data<u8>([
  0, 0, 0, 0,
  0xa2, 0xf9, 0x83, 0x6e, 0x4e, 0x44, 0x15, 0x29, 0xfc, 0x27, 0x57, 0xd1, 0xf5, 0x34, 0xdd, 0xc0,
  0xdb, 0x62, 0x95, 0x99, 0x3c, 0x43, 0x90, 0x41, 0xfe, 0x51, 0x63, 0xab, 0xde, 0xbb, 0xc5, 0x61,
], 8);
/** Taylor's coefficients of cos x and of sin x / x in powers of x², the highest first; what is left out is below 2e-18. */
const SERIES = memory.data<f64>([
  4.779477332387385e-14, 2.8114572543455206e-15,
  -1.1470745597729725e-11, -7.647163731819816e-13,
  2.08767569878681e-09, 1.6059043836821613e-10,
  -2.755731922398589e-07, -2.505210838544172e-08,
  2.48015873015873e-05, 2.7557319223985893e-06,
  -0.001388888888888889, -0.0001984126984126984,
  0.041666666666666664, 0.008333333333333333,
  -0.5, -0.16666666666666666,
  1.0, 1.0,
], 16);
const TERMS: usize = 9;

/** (cos, sin) of the angle at that place; NaN where it is not finite. */
export function turnOf(at: usize): v128 {
  const angle = <f64> load<f32>(at);
  if (!(abs(angle) <= f32.MAX_VALUE)) return f64x2.splat(NaN);
  if (abs(angle) <= EIGHTH) return smallTurn(angle);
  const product = quarters(load<u32>(at));
  const nearest = (product + (1 << 61)) >> 62;
  const rest = <f64> <i64> (product - (nearest << 62)) * RIGHT_ANGLE;
  const turned = quarterTurns(smallTurn(rest), <i32> nearest);
  return angle < 0 ? f64x2.mul(turned, f64x2(1, -1)) : turned;
}

/** The angle's magnitude in right angles, times 2^62, without whole turns; of bits of a float32 from 0.5 on. */
function quarters(bits: u32): u64 {
  const exponent = <i32> ((bits >> 23) & 255) - 150;
  const mantissa = <u64> ((bits & 0x7fffff) | 0x800000);
  const first = exponent + 30;
  const from = TWO_OVER_PI + <usize> (first >> 3);
  const shift = <u64> (first & 7);
  const next = bswap<u64>(load<u64>(from, 8));
  const high = (bswap<u64>(load<u64>(from)) << shift) | ((next >> 1) >> (63 - shift));
  return mantissa * high + ((mantissa * ((next << shift) >> 32)) >> 32);
}

/** (cos, sin) of an angle up to an eighth of a turn. */
export function smallTurn(angle: f64): v128 {
  const square = f64x2.splat(angle * angle);
  let sum = v128.load(SERIES);
  for (let term: usize = 1; term < TERMS; term++) {
    sum = f64x2.add(f64x2.mul(sum, square), v128.load(SERIES + (term << 4)));
  }
  return f64x2.mul(sum, f64x2(1, angle));
}

function quarterTurns(turn: v128, count: i32): v128 {
  if (count & 1) turn = f64x2.mul(v128.shuffle<f64>(turn, turn, 1, 0), f64x2(-1, 1));
  return count & 2 ? f64x2.neg(turn) : turn;
}
