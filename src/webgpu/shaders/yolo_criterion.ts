/**
 * What the YOLO criterion does around its losses, over the anchors that have an object.
 */
import { distribution } from "./distribution.ts";
import { structs } from "./yolo_assign.ts";

/** Item i: the box of the chosen i and that of its object, and its weight. Nobody's are equal. */
export const yoloCriterion = structs + /* wgsl */ `
@group(0) @binding(1) var<storage, read> chosen: array<Chosen>;
@group(0) @binding(2) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(3) var<storage, read> objects: array<Object>;
@group(0) @binding(4) var<storage, read> sides: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> pred: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> goal: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> weights: array<f32>;

fn item(i: u32) {
  let own = chosen[i];
  weights[i] = own.score;
  pred[i] = vec4f(-1.0, -1.0, 1.0, 1.0);
  goal[i] = vec4f(-1.0, -1.0, 1.0, 1.0);
  if (own.row == NOBODY) { return; }
  pred[i] = corners_of(sides[own.candidate]);
  goal[i] = corners_of(sides_of(candidates[own.candidate], objects[own.object]));
}
`;

/** Item i: what the classification learns of the chosen i; its row counts also in a crowd region. */
export const labels = structs + /* wgsl */ `
@group(0) @binding(1) var<storage, read> chosen: array<Chosen>;
@group(0) @binding(2) var<storage, read> objects: array<Object>;
@group(0) @binding(3) var<storage, read_write> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;
@group(0) @binding(5) var<storage, read_write> weights: array<f32>;

fn item(i: u32) {
  let own = chosen[i];
  if (own.row == NOBODY) { return; }
  labels[own.row] = objects[own.object].label;
  scores[own.row] = own.score;
  weights[own.row] = 1.0;
}
`;

/** Item i: the weight of row i in the classification loss. */
export const shares = /* wgsl */ `
@group(0) @binding(1) var<storage, read> total: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;

fn item(i: u32) { weights[i] = weights[i] / divisor_of(total[0]); }
`;

/** Item i: value i of the chosen rows (P, columns) of a map; 0 for nobody's. */
export const gathering = structs + /* wgsl */ `
@group(0) @binding(2) var<storage, read> chosen: array<Chosen>;
@group(0) @binding(3) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(4) var<storage, read_write> gathered: array<f32>;

fn item(i: u32) {
  let own = chosen[i / params.columns];
  if (own.row == NOBODY) {
    gathered[i] = 0.0;
    return;
  }
  let row = candidates[own.candidate].place - params.first_row;
  if (row < params.map_rows) { gathered[i] = map_at(row * params.columns + i % params.columns); }
}
`;

/** Item i: value i of (P, columns) goes to its row of a map's part. */
export const scattering = structs + /* wgsl */ `
@group(0) @binding(1) var<storage, read> chosen: array<Chosen>;
@group(0) @binding(2) var<storage, read> gathered: array<f32>;
@group(0) @binding(3) var<storage, read_write> map: array<f32>;

fn item(i: u32) {
  let row = chosen[i / params.columns].row - params.first_row;
  if (row < params.map_rows) { map[row * params.columns + i % params.columns] = gathered[i]; }
}
`;

/** Item i: what the distributions of the chosen i learn, in bins, and with which weights. */
export const goals = structs + /* wgsl */ `
@group(0) @binding(1) var<storage, read> chosen: array<Chosen>;
@group(0) @binding(2) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(3) var<storage, read> goal: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> side_goals: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> side_weights: array<vec4f>;

fn item(i: u32) {
  let own = chosen[i];
  side_weights[i] = vec4f(own.score);
  side_goals[i] = vec4f(0.0);
  if (own.row == NOBODY) { return; }
  side_goals[i] = clamp(corners_of(goal[i]) / candidates[own.candidate].unit.xyxy, vec4f(0.0), vec4f(params.last));
}
`;

/** Item i: side i of the chosen, whose gradient takes what comes through its box, S_b (b - E) times the slope. */
export const distributedSlopes = distribution + structs + /* wgsl */ `
@group(0) @binding(1) var<storage, read> chosen: array<Chosen>;
@group(0) @binding(2) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(3) var<storage, read> logits: array<f32>;    // (P, 4, bins)
@group(0) @binding(4) var<storage, read> box_grad: array<f32>;  // (P, 4), to the corners
@group(0) @binding(5) var<storage, read> total: array<f32>;
@group(0) @binding(6) var<storage, read_write> grad: array<f32>;  // of DFL, becomes that of both

fn dist_at(k: u32) -> f32 { return logits[k]; }

fn item(i: u32) {
  let own = chosen[i / 4u];
  if (own.row == NOBODY) { return; }
  let start = start_of(i);
  let peak = peak_of(start);
  let expectation = expectation_of(peak, start);
  let divisor = divisor_of(total[0]);
  let outwards = select(1.0, -1.0, i % 4u < 2u);
  let slope = outwards * box_grad[i] * candidates[own.candidate].unit.x * params.box_factor / divisor;
  for (var bin = 0u; bin < params.bins; bin++) {
    let share = exp_of_minus(gap_of(peak, start, bin)) / expectation.sum;
    let at = start + bin;
    grad[at] = grad[at] * (params.dfl_factor / divisor) + slope * share * (f32(bin) - expectation.mean);
  }
}
`;

/** Item i: how far the sides of the chosen i are from its object's, in shares of the image, times its weight. */
export const distances = /* wgsl */ `
@group(0) @binding(1) var<storage, read> pred: array<vec4f>;
@group(0) @binding(2) var<storage, read> goal: array<vec4f>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> costs: array<f32>;

fn item(i: u32) {
  let apart = abs(pred[i] - goal[i]) / vec2f(params.width, params.height).xyxy;
  costs[i] = weights[i] * ((apart.x + apart.y) + (apart.z + apart.w));
}
`;

/** Item i: the gradient to the corners of the chosen i becomes that of both losses to its sides. */
export const plainSlopes = structs + /* wgsl */ `
@group(0) @binding(1) var<storage, read> chosen: array<Chosen>;
@group(0) @binding(2) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(3) var<storage, read> pred: array<vec4f>;
@group(0) @binding(4) var<storage, read> goal: array<vec4f>;
@group(0) @binding(5) var<storage, read> total: array<f32>;
@group(0) @binding(6) var<storage, read_write> grad: array<vec4f>;

fn item(i: u32) {
  let own = chosen[i];
  if (own.row == NOBODY) { return; }
  let share = params.dfl_factor * own.score / vec2f(params.width, params.height).xyxy;
  let slopes = corners_of(params.box_factor * grad[i] + share * sign(pred[i] - goal[i]));
  grad[i] = slopes / divisor_of(total[0]) * candidates[own.candidate].unit.xyxy;
}
`;
