import { boxScale } from "./box_scale.ts";
import { turn } from "./turn.ts";

/**
 * sqrt(1 - exp(-q) / sqrt(1 + excess)) and its slopes, as assembly/losses/prob_iou_loss.ts has them, on a scale on which the longest
 * side is between 1 and 2. Angles are subtracted as whole numbers, and the target is turned by quarters.
 */
export const probIouLoss = boxScale + turn + /* wgsl */ `
// 1 - exp(-x) for x from 0 on.
fn lost_by(x: f32) -> f32 {
  return select(1.0 - exp_of_minus(x), small_decay(x), x < 0.34);
}

fn store_all(row: u32, value: f32) {
  for (var k = 0u; k < 5u; k++) { store_grad(5u * row + k, value); }
}

fn item(row: u32) -> f32 {
  let at = 5u * row;
  let a = vec4f(pred_at(at), pred_at(at + 1u), pred_at(at + 2u), pred_at(at + 3u));
  let b = vec4f(target_at(at), target_at(at + 1u), target_at(at + 2u), target_at(at + 3u));
  let angle_a = pred_at(at + 4u);
  let angle_b = target_at(at + 4u);
  let weight = weight_at(row);
  if (is_nan_box(a) || is_nan_box(b) || is_nan(angle_a) || is_nan(angle_b) || is_infinite(angle_a) || is_infinite(angle_b)) {
    if (GRADIENT) { store_all(row, params.nan); }
    return params.nan;
  }
  let p = finite_box(a);
  let t = finite_box(b);
  let sides = max(vec4f(p.zw, t.zw), vec4f(0.0));
  let longest = max(max(sides.x, sides.y), max(sides.z, sides.w));
  let scale = power_of_two(127 - clamp(i32(bitcast<u32>(longest) >> 23u), 1, 253));
  let units_a = units_of(angle_a);
  let units = units_of(angle_b) - units_a;
  let nearest = (units + 0x20000000u) >> 30u;
  let own = sides.xy * scale;
  let other = select(sides.zw, sides.wz, (nearest & 1u) == 1u) * scale;
  let areas = own.x * own.y * (other.x * other.y);
  if (!(areas > 0.0)) {
    if (GRADIENT) { store_all(row, 0.0); }
    let equal = all(p.xy == t.xy) && all(sides.xy == sides.zw) && angle_a == angle_b;
    return select(weight, 0.0, equal);
  }
  // No quarter is left of the angle between the boxes.
  let between = turn_of(units - (nearest << 30u));
  let frame = turn_of(units_a);
  let apart = clamp((p.xy - t.xy) * scale, vec2f(-1e4), vec2f(1e4));
  // Along the box and across it, as each of the boxes has it.
  let place = vec2f(dot(apart, frame), apart.y * frame.x - apart.x * frame.y);
  let place_b = vec2f(dot(place, between), place.y * between.x - place.x * between.y);
  let change = own - other;
  let grown = own.x * change.y + other.y * change.x;
  let crossed = own.y * change.x - own.x * change.y;
  let squares = own * own;
  let squares_b = other * other;
  let sums = squares + squares_b;
  let shape = (own.x - own.y) * (own.x + own.y);
  let shape_b = (other.x - other.y) * (other.x + other.y);
  let turned = shape_b * between.y * between.y;
  let determinant = sums.x * sums.y + shape * turned;
  let unlike = grown * grown + crossed * crossed + shape * turned;
  let far = dot(squares, (place * place).yx) + dot(squares_b, (place_b * place_b).yx);
  let q = min(3.0 * far / determinant, 1e4);
  let excess = min(unlike / (4.0 * areas), 1e18);
  let root = sqrt(1.0 + excess);
  let lost = lost_by(q);
  let loss = sqrt(max(lost + (1.0 - lost) * (excess / (root * (root + 1.0))), 0.0));
  if (GRADIENT) {
    // At equality, and where squares of all but equal boxes vanish.
    if (!(loss > 0.0)) {
      store_all(row, 0.0);
      return 0.0;
    }
    let factor = params.factor * weight;
    let each = exp_of_minus(q) / (2.0 * root * loss) / determinant;
    let by_b = squares_b.yx * place_b;
    let slope = squares.yx * place + vec2f(by_b.x * between.x - by_b.y * between.y, dot(by_b.yx, between));
    let moved = 6.0 * each * vec2f(slope.x * frame.x - slope.y * frame.y, dot(slope.yx, frame));
    let both = turned * (squares.x + squares.y);
    let parts = sums.yx * (change * (own + other)) + vec2f(both, -both);
    let spread = 6.0 * (place * place).yx - 2.0 * q * (sums.yx + vec2f(turned, -turned));
    let resized = each * (own * spread + parts / (2.0 * own));
    let crosswise = 6.0 * place.x * place.y + (1.0 - 2.0 * q) * between.x * between.y * shape_b;
    store_grad(at, factor * (moved.x * scale));
    store_grad(at + 1u, factor * (moved.y * scale));
    store_grad(at + 2u, factor * (resized.x * scale));
    store_grad(at + 3u, factor * (resized.y * scale));
    store_grad(at + 4u, factor * (-each * shape * crosswise));
  }
  return loss * weight;
}
`;
