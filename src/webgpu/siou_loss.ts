/**
 * 1 - IoU + (D + O) / 2. The gradient goes through everything.
 * D = sum of 1 - exp(-g r), g = 2 - L, r = dx^2 / (cw^2 + eps), L = 2 |dx dy| / (dx^2 + dy^2);
 * O = sum of (1 - exp(-v))^4, v = |w - w'| / (max(w, w') + eps).
 */
export const siouLoss = /* wgsl */ `
fn decayed(x: vec2f) -> vec2f { return vec2f(exp_of_minus(x.x), exp_of_minus(x.y)); }

fn cost(b: Pair) -> Cost {
  let iou = area(b.overlap) / whole_of(b);
  let square = dot(b.offset, b.offset);
  // Under this a squared distance has no angle.
  let inverse_square = select(0.0, 1.0 / max(square, 1e-36), square > 1e-36);
  let far = abs(b.offset);
  let steep = 2.0 - 2.0 * (far.x * far.y * inverse_square);
  let inverse_cover = 1.0 / (b.cover * b.cover + b.eps);
  // Only inverted boxes bring it over 1, and exp(-x) is 0 long before the bound.
  let rho = min(b.offset * b.offset * inverse_cover, vec2f(1e4));
  let left = decayed(steep * rho);
  let inverse_size = 1.0 / (max(b.size, b.target_size) + b.eps);
  let change = abs(b.size - b.target_size) * inverse_size;
  let kept = decayed(change);
  let gone = 1.0 - kept;
  let cube = gone * gone * gone;
  let both = (1.0 - left) + cube * gone;
  let value = (1.0 - iou) + 0.5 * (both.x + both.y);

  // dv/dw is (1 - v) / M where w is the larger, else -1 / M; the cube beside it is 0 where they are equal.
  let change_slope = select(vec2f(-1.0), 1.0 - change, b.size > b.target_size) * inverse_size;
  let size = where_over_0(b.size, iou_by_size(b, iou) + 2.0 * (cube * kept * change_slope));
  // dD/ddx = 2 exp(-g r) g dx / K - T dL/ddx, T the sum of exp(-g r) r; dL/ddx = 2 sign(dx) |dy| A, and -A for dy.
  let flow = left * steep * inverse_cover;
  let turned = dot(left, rho);
  let angle = turned * (((far.y - far.x) * (far.y + far.x) * inverse_square) * inverse_square);
  let offset = 0.5 * (flow * b.offset + sign(b.offset) * far.yx * vec2f(-angle, angle));
  let cover = -(flow * rho * b.cover);
  return Cost(value, corner_gradient(b, size, offset, iou_by_overlap(b, iou), cover));
}
`;
