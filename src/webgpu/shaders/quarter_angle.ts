/** An arctangent: WGSL promises 12 bits of its own. */
export const quarterAngle = /* wgsl */ `
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
`;
