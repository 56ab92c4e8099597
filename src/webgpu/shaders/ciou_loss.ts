import { quarterAngle } from "./quarter_angle.ts";

/**
 * `complete_iou`: DIoU loss + alpha v, v = 4 / pi^2 (atan2(w, h) - atan2(w', h'))^2, alpha = v / (1 - IoU + v + eps), constant for the
 * gradient.
 */
export const completeIou = quarterAngle + /* wgsl */ `
// atan2(w, h) - atan2(w', h') as one angle: that of (w h' - h w', h h' + w w').
fn turn_between(size: vec2f, target_size: vec2f) -> f32 {
  let across = size.x * target_size.y - size.y * target_size.x;
  return sign(across) * quarter_angle(abs(across), dot(size, target_size));
}

fn complete_iou(b: Pair) -> Cost {
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

export const ciouLoss = completeIou + /* wgsl */ `
fn cost(b: Pair) -> Cost { return with_inner(complete_iou(b), b, params.inner_ratio); }
`;
