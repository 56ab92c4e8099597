/**
 * Shaders whose invocations have one item each.
 */

/** Invocations of a workgroup. */
const LANES = 256;

/** The entry point: what is done for each item `i`. */
export function eachItem(body: string, items = "params.items", lanes = LANES): string {
  return /* wgsl */ `
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * ${lanes}u + lane;
  if (i >= ${items}) { return; }
  ${body}
}`;
}

/** Workgroups that take so many items. */
export function itemGroups(items: number, lanes = LANES): number {
  return Math.ceil(items / lanes);
}
