/**
 * Task-aligned assignment as Ultralytics has it; see criteria/yolo_assign.ts.
 *
 * An alignment s^alpha · overlap^beta leaves the range of float32 long before it counts for nothing. So its root of degree
 * gamma, the larger of alpha and beta, stands for it: the rank of a pair.
 */
import { boxGeometry } from "./box_geometry.ts";
import { completeIou } from "./ciou_loss.ts";
import { distribution } from "./distribution.ts";

/** Lanes of a workgroup that takes an object, or all candidates. */
export const STRIPS = 256;

export const structs = /* wgsl */ `
const NOBODY = 0xffffffffu;

// An anchor inside an object.
struct Candidate {
  point: vec2f,
  rest: vec2f,   // what float32 leaves of the point
  unit: vec2f,   // pixels of a side's unit, across and down
  row: u32,      // in a map of all anchors
  place: u32,    // in the map of sides that is on the device
}

struct Object { box: vec4f, first: u32, count: u32, label: u32 }

// A candidate inside an object, and the element of its logit.
struct Match { candidate: u32, object: u32, element: u32 }

struct Rating {
  rank: u32,     // a float's bits; 0 for a pair that cannot be
  overlap: u32,  // the complete IoU, ordered; 0 for NaN
}

struct Assigned { object: u32, score: f32 }

struct Chosen { candidate: u32, object: u32, row: u32, score: f32 }

// l, t, r, b of the object around the anchor.
fn sides_of(c: Candidate, o: Object) -> vec4f {
  return vec4f((c.point - o.box.xy) + c.rest, (o.box.zw - c.point) - c.rest);
}

fn corners_of(sides: vec4f) -> vec4f { return vec4f(-sides.xy, sides.zw); }
`;

/** Item i: the predicted sides of candidate i, in pixels. */
const sidesOf = (side: string) =>
  /* wgsl */ `${structs}
@group(0) @binding(2) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(3) var<storage, read_write> sides: array<vec4f>;
${side}
fn item(i: u32) {
  let c = candidates[i];
  let row = c.place - params.first_row;
  if (row >= params.map_rows) { return; }
  sides[i] = vec4f(side(4u * row), side(4u * row + 1u), side(4u * row + 2u), side(4u * row + 3u)) * c.unit.xyxy;
}
`;

export const plainSides = sidesOf("fn side(i: u32) -> f32 { return map_at(i); }");

export const expectedSides = distribution + sidesOf(/* wgsl */ `
fn dist_at(k: u32) -> f32 { return map_at(k); }
fn side(i: u32) -> f32 {
  let start = start_of(i);
  let peak = peak_of(start);
  return select(expectation_of(peak, start).mean, params.nan, peak.nan);
}`);

/** Item i: rates match i. */
export const ratings = boxGeometry + completeIou + structs + /* wgsl */ `
@group(0) @binding(2) var<storage, read> matches: array<Match>;
@group(0) @binding(3) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(4) var<storage, read> objects: array<Object>;
@group(0) @binding(5) var<storage, read> sides: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> ratings: array<Rating>;

// Floats as whole numbers in their order; over 0 but for NaN.
fn ordered(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  return select(select(bits | 0x80000000u, ~bits, bits >= 0x80000000u), 0u, is_nan(x));
}

// sigmoid(x) to the power of alpha / gamma. In float64 a sigmoid is 0 under this logit.
fn score_of(x: f32) -> f32 {
  let lost = max(-x, 0.0) + log1p_of(exp_of_minus(abs(x)));
  let score = exp_of_minus(params.alpha * min(lost, 3e38));
  return select(score, 0.0, x < -709.78 && params.alpha > 0.0);
}

fn overlap_power(iou: f32) -> f32 {
  let base = max(iou, 0.0);
  if (params.beta == 1.0) { return base; }
  return power_of(base, params.beta, params.beta_high, params.beta_low);
}

fn item(i: u32) {
  let pair = matches[i];
  let element = pair.element - params.first_row;
  if (element >= params.map_rows) { return; }
  let own = sides[pair.candidate];
  let o = objects[pair.object];
  let goal = sides_of(candidates[pair.candidate], o);
  // Of a side that is infinite nothing is known.
  let known = !is_nan_box(own) && all(own <= vec4f(LARGEST));
  let iou = select(params.nan, 1.0 - complete_iou(pair_of(corners_of(own), corners_of(goal), params.eps)).value, known);
  let logit = map_at(element);
  let rank = score_of(logit) * overlap_power(iou);
  let possible = known && !is_nan(logit) && rank > 0.0;
  ratings[i] = Rating(select(0u, bitcast<u32>(rank), possible), ordered(iou));
}

const LARGEST = 3.4028234663852886e38;
`;

/** What a workgroup of an object does: needs `key_of(i)`, over 0 for matches that can be picked. */
const picking = structs + /* wgsl */ `
struct Invocation {
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
}

var<workgroup> counted: atomic<u32>;
var<workgroup> equals: array<u32, ${STRIPS}>;

// The sum over all lanes.
fn sum_of(lane: u32, own: u32) -> u32 {
  if (lane == 0u) { atomicStore(&counted, 0u); }
  workgroupBarrier();
  atomicAdd(&counted, own);
  workgroupBarrier();
  let sum = atomicLoad(&counted);
  workgroupBarrier();
  return sum;
}

// The matches of a lane.
struct Strip { first: u32, end: u32 }

fn strip_of(index: u32, lane: u32) -> Strip {
  let o = objects[min(index, params.items - 1u)];
  let end = o.first + select(0u, o.count, index < params.items);
  let each = (o.count + ${STRIPS - 1}u) / ${STRIPS}u;
  return Strip(min(o.first + lane * each, end), min(o.first + lane * each + each, end));
}

// Picks those of the highest keys, of equal ones the first.
fn pick(lane: u32, strip: Strip) {
  var least = 0u;
  for (var bit = 0x80000000u; bit > 0u; bit = bit >> 1u) {
    var own = 0u;
    for (var i = strip.first; i < strip.end; i++) { own += select(0u, 1u, key_of(i) >= (least | bit)); }
    if (sum_of(lane, own) >= params.most) { least = least | bit; }
  }
  var above = 0u;
  var equal = 0u;
  for (var i = strip.first; i < strip.end; i++) {
    let key = key_of(i);
    above += select(0u, 1u, key > least);
    equal += select(0u, 1u, key == least);
  }
  equals[lane] = equal;
  let room = params.most - min(sum_of(lane, above), params.most);
  var before = 0u;
  for (var k = 0u; k < lane; k++) { before += equals[k]; }
  for (var i = strip.first; i < strip.end; i++) {
    let key = key_of(i);
    let tied = key == least && key > 0u;
    picked[i] = select(0u, 1u, key > least || (tied && before < room));
    before += select(0u, 1u, key == least);
  }
}
`;

/** A workgroup for each object: picks its `most` best matches. */
export const best = picking + /* wgsl */ `
@group(0) @binding(1) var<storage, read> objects: array<Object>;
@group(0) @binding(2) var<storage, read> ratings: array<Rating>;
@group(0) @binding(3) var<storage, read_write> picked: array<u32>;

fn key_of(i: u32) -> u32 { return ratings[i].rank; }

@compute @workgroup_size(${STRIPS})
fn main(at: Invocation) { pick(at.lane, strip_of(at.group.y * at.groups.x + at.group.x, at.lane)); }
`;

/** Item i: how many objects picked the candidate of match i, and its best overlap of all. Claims begin at 0. */
export const claims = structs + /* wgsl */ `
struct Claim { count: atomic<u32>, overlap: atomic<u32> }
@group(0) @binding(1) var<storage, read> matches: array<Match>;
@group(0) @binding(2) var<storage, read> ratings: array<Rating>;
@group(0) @binding(3) var<storage, read> picked: array<u32>;
@group(0) @binding(4) var<storage, read_write> claims: array<Claim>;

fn item(i: u32) {
  let candidate = matches[i].candidate;
  atomicAdd(&claims[candidate].count, picked[i]);
  atomicMax(&claims[candidate].overlap, ratings[i].overlap);
}
`;

/** Item i: whether the candidate of match i goes to its object. Owners begin at 0; the first of equals has the largest code. */
export const owners = structs + /* wgsl */ `
struct Claim { count: u32, overlap: u32 }
@group(0) @binding(1) var<storage, read> matches: array<Match>;
@group(0) @binding(2) var<storage, read> ratings: array<Rating>;
@group(0) @binding(3) var<storage, read> picked: array<u32>;
@group(0) @binding(4) var<storage, read> claims: array<Claim>;
@group(0) @binding(5) var<storage, read_write> owners: array<atomic<u32>>;

fn item(i: u32) {
  let candidate = matches[i].candidate;
  let claim = claims[candidate];
  let nearest = claim.count > 1u && ratings[i].overlap == claim.overlap;
  if (nearest || (claim.count == 1u && picked[i] == 1u)) { atomicMax(&owners[candidate], ~matches[i].object); }
}
`;

/** A workgroup for each object: leaves it its `most` best candidates, with their target scores. Scores begin at 0. */
export const scores = picking + /* wgsl */ `
@group(0) @binding(1) var<storage, read> objects: array<Object>;
@group(0) @binding(2) var<storage, read> matches: array<Match>;
@group(0) @binding(3) var<storage, read> ratings: array<Rating>;
@group(0) @binding(4) var<storage, read> owners: array<u32>;
@group(0) @binding(5) var<storage, read_write> picked: array<u32>;
@group(0) @binding(6) var<storage, read_write> assigned: array<Assigned>;

var<workgroup> top_rank: atomic<u32>;
var<workgroup> top_overlap: atomic<u32>;

// A candidate that came to the object as its nearest may have no rank.
fn key_of(i: u32) -> u32 {
  return select(0u, ratings[i].rank + 1u, owners[matches[i].candidate] == ~matches[i].object);
}

fn alignment_of(rank: f32) -> f32 { return power_of(rank, params.gamma, params.gamma_high, params.gamma_low); }

@compute @workgroup_size(${STRIPS})
fn main(at: Invocation) {
  let index = at.group.y * at.groups.x + at.group.x;
  let strip = strip_of(index, at.lane);
  pick(at.lane, strip);
  if (at.lane == 0u) {
    atomicStore(&top_rank, 0u);
    atomicStore(&top_overlap, 0u);
  }
  workgroupBarrier();
  for (var i = strip.first; i < strip.end; i++) {
    if (picked[i] == 0u) { continue; }
    let overlap = ratings[i].overlap;
    atomicMax(&top_rank, ratings[i].rank);
    atomicMax(&top_overlap, select(0u, overlap & 0x7fffffffu, overlap > 0x80000000u));
  }
  workgroupBarrier();
  let rank = bitcast<f32>(atomicLoad(&top_rank));
  let most = alignment_of(rank);
  let highest = bitcast<f32>(atomicLoad(&top_overlap)) * (most / (most + 1e-9));
  for (var i = strip.first; i < strip.end; i++) {
    if (picked[i] == 0u) { continue; }
    let share = select(0.0, bitcast<f32>(ratings[i].rank) / rank, rank > 0.0);
    assigned[matches[i].candidate] = Assigned(index + 1u, alignment_of(share) * highest);
  }
}
`;

/** One workgroup: lists the candidates that have an object, and nobody up to `items`. */
export const listing = structs + /* wgsl */ `
@group(0) @binding(1) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(2) var<storage, read> assigned: array<Assigned>;
@group(0) @binding(3) var<storage, read_write> chosen: array<Chosen>;
@group(0) @binding(4) var<storage, read_write> found: array<u32>;

var<workgroup> counts: array<u32, ${STRIPS}>;

@compute @workgroup_size(${STRIPS})
fn main(@builtin(local_invocation_index) lane: u32) {
  let each = (params.candidates + ${STRIPS - 1}u) / ${STRIPS}u;
  let first = min(lane * each, params.candidates);
  let end = min(first + each, params.candidates);
  var count = 0u;
  for (var i = first; i < end; i++) { count += select(0u, 1u, assigned[i].object > 0u); }
  counts[lane] = count;
  workgroupBarrier();
  var to = 0u;
  var sum = 0u;
  for (var k = 0u; k < ${STRIPS}u; k++) {
    to += select(0u, counts[k], k < lane);
    sum += counts[k];
  }
  for (var i = first; i < end; i++) {
    if (assigned[i].object == 0u) { continue; }
    chosen[to] = Chosen(i, assigned[i].object - 1u, candidates[i].row, assigned[i].score);
    to++;
  }
  for (var i = sum + lane; i < params.items; i += ${STRIPS}u) { chosen[i] = Chosen(NOBODY, NOBODY, NOBODY, 0.0); }
  if (lane == 0u) { found[0] = sum; }
}
`;
