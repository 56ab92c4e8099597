/**
 * 1 - IoU + (D + O) / 2. The gradient goes through everything.
 * D = sum of 1 - exp(-g r), g = 2 - L, r = dx^2 / (cw^2 + eps), L = 2 |dx dy| / (dx^2 + dy^2);
 * O = sum of (1 - exp(-v))^4, v = |w - w'| / (max(w, w') + eps).
 */
export const siouLoss = /* wgsl */ `
fn decayed(x: vec2f) -> vec2f { return vec2f(exp_of_minus(x.x), exp_of_minus(x.y)); }

// 1 - exp(-x) for 0 <= x <= 1, with all its digits however small it is: of exp(-x / 2) first.
fn gone_by(x: vec2f) -> vec2f {
  let r = 0.5 * x;
  var q = 0.0013888889 - 0.0001984127 * r;
  q = q * r - 0.008333333;
  q = q * r + 0.041666668;
  q = q * r - 0.16666667;
  q = q * r + 0.5;
  let gone = r - r * r * q;
  return gone * (2.0 - gone);
}

fn cost(b: Pair) -> Cost {
  let distance = abs(b.offset * b.unit);
  // The angle has no unit: both distances over the larger, to a power of two.
  let lift = power_of_two(clamp(127 - i32(bitcast<u32>(max(distance.x, distance.y)) >> 23u), -126, 126));
  let far = distance * lift;
  let square = dot(far, far);
  let inverse_square = select(0.0, 1.0 / square, square > 0.0);
  let steep = 2.0 - 2.0 * (far.x * far.y * inverse_square);
  let inverse_cover = 1.0 / (b.cover * b.cover + b.eps_square);
  // Only inverted boxes bring it over 1, and exp(-x) is 0 long before the bound.
  let rho = min(b.offset * b.offset * inverse_cover, vec2f(1e4));
  let left = decayed(steep * rho);
  let inverse_size = 1.0 / (max(b.size, b.target_size) + b.eps_size);
  let gone = gone_by(abs(b.change) * inverse_size);
  let cube = gone * gone * gone;
  let both = (1.0 - left) + cube * gone;
  let value = (1.0 - iou_in(b)) + 0.5 * (both.x + both.y);

  // dv/dw is (w' + eps) / M^2 where w is the larger, else -1 / M; the cube beside it is 0 where they are equal.
  let rising = (b.target_size + b.eps_size) * inverse_size;
  let change_slope = select(vec2f(-1.0), rising, b.change > vec2f(0.0)) * inverse_size;
  let size = -where_over_0(b.size, 2.0 * (cube * (1.0 - gone) * change_slope));
  // dD/ddx = 2 exp(-g r) g dx / K - T dL/ddx, T the sum of exp(-g r) r; dL/ddx = 2 sign(dx) |dy| A, and -A for dy.
  let flow = left * steep * inverse_cover;
  let turned = dot(left, rho);
  let angle = turned * (((far.y - far.x) * (far.y + far.x) * inverse_square) * inverse_square);
  let turning = sign(b.offset) * (far.yx * vec2f(-angle, angle)) * (lift * b.unit);
  let slopes = add_slopes(iou_slopes(b), size, size + flow * rho * b.cover);
  let centre = 0.5 * (flow * b.offset + turning);
  let loss = Cost(value, corner_gradient(b, Slopes(slopes.inner, slopes.outer, slopes.equal, centre)));
  return with_inner(loss, b, params.inner_ratio);
}
`;
