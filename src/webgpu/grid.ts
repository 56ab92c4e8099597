/**
 * How a shader's invocations lie: lanes of workgroups, and workgroups in a grid of two dimensions, because a device limits
 * each (`Work.dispatch`).
 */

/** Invocations of a workgroup. */
export const LANES = 256;

/** `Invocation`, which an entry point takes, with further builtins, and the index of its workgroup. */
export function invocation(builtins = ""): string {
  return /* wgsl */ `
struct Invocation {
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,${builtins}
}
fn group_index(at: Invocation) -> u32 {
  return at.group.y * at.groups.x + at.group.x;
}
`;
}

/** The entry point of a shader whose invocations have one item `i` each. */
export function eachItem(body: string, items = "params.items", lanes = LANES): string {
  return /* wgsl */ `${invocation()}
@compute @workgroup_size(${lanes})
fn main(at: Invocation) {
  let i = group_index(at) * ${lanes}u + at.lane;
  if (i >= ${items}) { return; }
  ${body}
}`;
}

/** Workgroups that take so many items. */
export function itemGroups(items: number, lanes = LANES): number {
  return Math.ceil(items / lanes);
}
