/** exp(rho^2 / (c^2 + eps)) (1 - IoU) and, where steep is not 0, times r = steep (1 - IoU) exp(-rate (1 - IoU)). */
export const wiseIouLoss = /* wgsl */ `
fn exp_of(x: f32) -> f32 {
  let away = exp_of_minus(abs(x));
  return select(away, 1.0 / away, x > 0.0);
}

fn cost(b: Pair) -> Cost {
  let apart = apart_in(b);
  let distance = min(distance_of(b), 8.0);
  let factor = select(apart * params.steep, 1.0, params.steep == 0.0) * exp_of(distance - apart * params.rate);
  let s = iou_slopes(b);
  let cover = b.cover * b.unit;
  let towards = select(0.0, apart / (dot(cover, cover) + b.eps_diagonal), distance < 8.0);
  let centre = (b.offset * b.unit * towards) * b.unit;
  let slopes = Slopes(s.inner * factor, s.outer * factor, s.equal * factor, centre * factor);
  return Cost(apart * factor, corner_gradient(b, slopes));
}
`;
