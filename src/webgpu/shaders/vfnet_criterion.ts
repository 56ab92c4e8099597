/**
 * What the VarifocalNet criterion does around its losses, positive by positive and once for each map of boxes.
 */

/** Item i: the box of positive i, weighted by its IoU with its object; the map that comes last leaves its IoUs as scores. */
export const vfnetCriterion = /* wgsl */ `
@group(0) @binding(1) var<storage, read> positives: array<Positive>;
@group(0) @binding(2) var<storage, read> sides: array<vec4f>;  // (P)
@group(0) @binding(3) var<storage, read_write> pred: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;
@group(0) @binding(5) var<storage, read_write> scores: array<f32>;  // of all anchors

fn item(i: u32) {
  let positive = positives[i];
  let own = vec4f(-sides[i].xy, sides[i].zw);
  let iou = iou_of(own, positive.box);
  let weight = select(max(iou, params.min_iou), iou, is_nan(iou));
  pred[i] = own;
  weights[i] = weight;
  scores[positive.row] = weight;
}
`;

/** Item i: the gradient to the corners of positive i becomes that to its sides. */
export const vfnetSlopes = /* wgsl */ `
@group(0) @binding(1) var<storage, read> total: array<f32>;
@group(0) @binding(2) var<storage, read_write> grad: array<vec4f>;

fn item(i: u32) {
  let factor = params.factor / divisor_of(total[0]);
  grad[i] = vec4f(-grad[i].xy, grad[i].zw) * factor;
}
`;
