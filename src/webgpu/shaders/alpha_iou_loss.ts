/** 1 - IoU^power. IoU is 1 / (1 + e), where e, what the boxes do not share over what they do, keeps its digits near 0. */
export const alphaIouLoss = /* wgsl */ `
fn raised(b: Pair, iou: f32) -> f32 {
  let p = params.power;
  let e = (unshared(b) + b.eps) / area(b.overlap);
  let base = select(iou, 1.0 / (1.0 + e), e <= 1.0);
  if (p == 3.0) { return base * base * base; }
  if (p == 2.0) { return base * base; }
  if (e <= 1.0) { return exp_of_minus(p * log1p_of(e)); }
  let high = bitcast<f32>(bitcast<u32>(p) & 0xfffff000u);
  return power_of(iou, p, high, p - high);
}

fn cost(b: Pair) -> Cost {
  let iou = iou_in(b);
  if (iou < 1.2e-38) { return Cost(1.0, vec4f(0.0)); }
  let power = raised(b, iou);
  let slope = params.power * (power / iou);
  let s = iou_slopes(b);
  return Cost(1.0 - power, corner_gradient(b, Slopes(s.inner * slope, s.outer * slope, s.equal * slope, s.centre)));
}
`;
