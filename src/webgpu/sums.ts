/**
 * Sums: of a workgroup's lanes, through subgroups where the device has them, and of what workgroups have left.
 */
import type { Work } from "./work.ts";

/** Invocations of a workgroup. */
export const LANES = 256;
/** Values that a lane of `sumShader` adds up. With the workgroup's tree that is 16 roundings, 1e-6 of a sum at most. */
const PER_LANE = 8;
const BLOCK = LANES * PER_LANE;

const builtins = /* wgsl */ `
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,`;

const subgroupBuiltins = /* wgsl */ `
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
  @builtin(subgroup_size) subgroup_size: u32,`;

/** `Invocation`, which an entry point takes, and `workgroup_sum`, which all lanes call. */
export function workgroupSum(subgroups: boolean): string {
  return /* wgsl */ `
struct Invocation {${builtins}${subgroups ? subgroupBuiltins : ""}
}
fn block_of(at: Invocation) -> u32 { return at.group.y * at.groups.x + at.group.x; }

var<workgroup> sums: array<f32, ${LANES}>;
${subgroups ? bySubgroups : byTree}`;
}

const byTree = /* wgsl */ `
fn workgroup_sum(at: Invocation, own: f32) -> f32 {
  sums[at.lane] = own;
  for (var width = ${LANES / 2}u; width > 0u; width >>= 1u) {
    workgroupBarrier();
    if (at.lane < width) { sums[at.lane] += sums[at.lane + width]; }
  }
  return sums[0];
}`;

/** WGSL leaves open which lanes make a subgroup: each leaves its sum at one of its own lanes, and 0 at the others. */
const bySubgroups = /* wgsl */ `
fn workgroup_sum(at: Invocation, own: f32) -> f32 {
  let subtotal = subgroupAdd(own);
  sums[at.lane] = select(0.0, subtotal, at.subgroup_lane == 0u);
  workgroupBarrier();
  var rest = 0.0;
  for (var k = at.subgroup_lane; k < ${LANES}u; k += at.subgroup_size) { rest += sums[k]; }
  return subgroupAdd(rest);
}`;

/** What comes before everything else in a shader. */
export function enabling(subgroups: boolean): string {
  return subgroups ? "enable subgroups;" : "";
}

/** (rows, columns) → (rows), times the factor, in as many passes of `sumShader` as it takes. */
export function addUp(
  work: Work,
  encoder: GPUCommandEncoder,
  pipeline: GPUComputePipeline,
  values: GPUBufferBinding,
  { rows, columns, factor }: { rows: number; columns: number; factor: number },
  into: GPUBufferBinding,
): void {
  const blocks = Math.max(1, Math.ceil(columns / BLOCK));
  const last = blocks === 1;
  const totals = last ? into : work.storage(rows * blocks * 4);
  const params = new ArrayBuffer(16);
  new Uint32Array(params).set([rows, columns, blocks]);
  new Float32Array(params)[3] = last ? factor : 1;
  work.dispatch(encoder, pipeline, [work.uniform(params), values, totals], rows * blocks);
  if (!last) addUp(work, encoder, pipeline, totals, { rows, columns: blocks, factor }, into);
}

/** Adds up rows: (rows, columns) → (rows, blocks), each sum over at most BLOCK columns. */
export function sumShader(subgroups: boolean): string {
  return /* wgsl */ `${enabling(subgroups)}
struct Params { rows: u32, columns: u32, blocks: u32, factor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> totals: array<f32>;
${workgroupSum(subgroups)}
@compute @workgroup_size(${LANES})
fn main(at: Invocation) {
  let index = block_of(at);
  let row = index / params.blocks;
  let first = (index - row * params.blocks) * ${BLOCK}u + at.lane;
  var own = 0.0;
  for (var k = 0u; k < ${BLOCK}u; k += ${LANES}u) {
    if (row < params.rows && first + k < params.columns) { own += values[row * params.columns + first + k]; }
  }
  let sum = workgroup_sum(at, own);
  if (at.lane == 0u && row < params.rows) { totals[index] = sum * params.factor; }
}`;
}
