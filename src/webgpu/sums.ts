/**
 * Sums over a workgroup's lanes, through subgroups if there are any, else of each lane alone; and the sums of such sums.
 *
 * A barrier is expensive without hardware: a sum over 160 000 elements took SwiftShader 30 ms with one, and 4 ms by lanes.
 */
import { invocation, LANES } from "./grid.ts";
import type { Work } from "./work.ts";

/** Values that a lane of `sumShader` adds up with subgroups; with those of the workgroup, 16 roundings. */
const PER_LANE = 8;
/** Values that it adds up without, in as many chains as a chain has values: 16 roundings too, 1e-6 of a sum at most. */
const PER_LANE_ALONE = 64;
const CHAIN = Math.sqrt(PER_LANE_ALONE);

/** Sums that a workgroup of a loss's shader leaves. */
export function sumsPerGroup(subgroups: boolean): number {
  return subgroups ? 1 : LANES;
}

const subgroupBuiltins = /* wgsl */ `
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
  @builtin(subgroup_size) subgroup_size: u32,`;

/** `Invocation` and, with subgroups, `workgroup_sum`, which all lanes call. */
export function summing(subgroups: boolean): string {
  return subgroups ? invocation(subgroupBuiltins) + workgroupSum : invocation();
}

/** WGSL leaves open which lanes make a subgroup: each leaves its sum at one of its own lanes, and 0 at the others. */
const workgroupSum = /* wgsl */ `
var<workgroup> sums: array<f32, ${LANES}>;
fn workgroup_sum(at: Invocation, own: f32) -> f32 {
  let subtotal = subgroupAdd(own);
  sums[at.lane] = select(0.0, subtotal, at.subgroup_lane == 0u);
  workgroupBarrier();
  var rest = 0.0;
  for (var k = at.subgroup_lane; k < ${LANES}u; k += at.subgroup_size) { rest += sums[k]; }
  return subgroupAdd(rest);
}`;

/** Directives: they precede everything else in a shader. */
export function enabling(subgroups: boolean): string {
  return subgroups ? "enable subgroups;" : "";
}

/** Adds up rows, compiled. */
export interface Adder {
  readonly pipeline: GPUComputePipeline;
  readonly subgroups: boolean;
}

/** Rows to add up, and the factor of their sums. */
interface Addends {
  readonly rows: number;
  readonly columns: number;
  readonly factor: number;
}

/** (rows, columns) → (rows) from element `at` of `into` on, in as many passes of `sumShader` as it takes. */
export function addUp(
  work: Work,
  encoder: GPUCommandEncoder,
  adder: Adder,
  values: GPUBufferBinding,
  { rows, columns, factor }: Addends,
  into: GPUBufferBinding,
  at = 0,
): void {
  const { pipeline, subgroups } = adder;
  const parts = Math.max(1, Math.ceil(columns / (subgroups ? LANES * PER_LANE : PER_LANE_ALONE)));
  const last = parts === 1;
  const totals = last ? into : work.storage(rows * parts * 4);
  const params = new ArrayBuffer(32);
  new Uint32Array(params).set([rows, columns, parts, last ? at : 0]);
  new Float32Array(params)[4] = last ? factor : 1;
  const groups = subgroups ? rows * parts : Math.ceil(rows * parts / LANES);
  work.dispatch(encoder, pipeline, [work.uniform(params), values, totals], groups);
  if (!last) addUp(work, encoder, adder, totals, { rows, columns: parts, factor }, into, at);
}

/** Adds up rows: (rows, columns) → (rows, parts). */
export function sumShader(subgroups: boolean): string {
  return /* wgsl */ `${enabling(subgroups)}
struct Params { rows: u32, columns: u32, parts: u32, first: u32, factor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> totals: array<f32>;
${summing(subgroups)}
@compute @workgroup_size(${LANES})
fn main(at: Invocation) {
  ${subgroups ? byGroup : byLane}
}`;
}

/** A workgroup adds up a part: neighbouring values. */
const byGroup = /* wgsl */ `
  let index = group_index(at);
  let row = index / params.parts;
  let first = (index - row * params.parts) * ${LANES * PER_LANE}u + at.lane;
  var own = 0.0;
  for (var k = 0u; k < ${LANES * PER_LANE}u; k += ${LANES}u) {
    if (row < params.rows && first + k < params.columns) { own += values[row * params.columns + first + k]; }
  }
  let sum = workgroup_sum(at, own);
  if (at.lane == 0u && row < params.rows) { totals[params.first + index] = sum * params.factor; }`;

/** A lane adds up a part: every value at a distance of as many as there are parts, so that lanes read neighbours. */
const byLane = /* wgsl */ `
  let index = group_index(at) * ${LANES}u + at.lane;
  let row = index / params.parts;
  if (row >= params.rows) { return; }
  var k = index - row * params.parts;
  var sum = 0.0;
  while (k < params.columns) {
    var chain = 0.0;
    for (var i = 0u; i < ${CHAIN}u && k < params.columns; i++) {
      chain += values[row * params.columns + k];
      k += params.parts;
    }
    sum += chain;
  }
  totals[params.first + index] = sum * params.factor;`;
