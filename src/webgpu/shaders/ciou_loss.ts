/**
 * DIoU loss + alpha v, v = 4 / pi^2 (atan2(w, h) - atan2(w', h'))^2, alpha = v / (1 - IoU + v + eps), constant for the
 * gradient.
 */
export const ciouLoss = /* wgsl */ `
// atan2(a, b) for a, b >= 0, 0 where both are 0: the polynomial of assembly/losses/ciou_loss.ts.
fn quarter_angle(a: f32, b: f32) -> f32 {
  let q = min(a, b) / max(max(a, b), 1.2e-38);
  let z = q * q;
  var p = 0.0029206930194050074 * z - 0.01636793091893196;
  p = p * z + 0.04321186617016792;
  p = p * z - 0.07552214711904526;
  p = p * z + 0.10666004568338394;
  p = p * z - 0.14211055636405945;
  p = p * z + 0.19993773102760315;
  p = p * z - 0.33333152532577515;
  let angle = q + q * (p * z);
  return select(angle, 1.5707963267948966 - angle, a > b);
}

// atan2(w, h) - atan2(w', h') as one angle: that of (w h' - h w', h h' + w w').
fn turn_between(size: vec2f, target_size: vec2f) -> f32 {
  let across = size.x * target_size.y - size.y * target_size.x;
  return sign(across) * quarter_angle(abs(across), dot(size, target_size));
}

fn cost(b: Pair) -> Cost {
  let iou = iou_in(b);
  let turn = turn_between(b.shape.xy, b.shape.zw);
  let aspect = 0.4052847345693511 * turn * turn;
  let apart = 1.0 - iou;
  let alpha = aspect / (apart + aspect + eps_of(params.eps));
  let steep = 0.8105694691387022 * alpha * turn / dot(b.shape.xy, b.shape.xy);
  let turning = where_over_0(b.size, vec2f(b.shape.y, -b.shape.x) * steep) * b.turn;
  let gradient = corner_gradient(b, add_distance(iou_slopes(b), b)) + vec4f(-turning, turning);
  return Cost(apart + distance_of(b) + alpha * aspect, gradient);
}
`;
