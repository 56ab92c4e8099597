/**
 * Long walks over sizes, packings and repetitions, which `npm test` takes whole in one runtime and thinly in the others
 * that have WebGPU. Their numbers come from the same shaders on the same software adapter; what differs between runtimes
 * is how shaders compile and how buffers are mapped, which every size meets alike. Options and operations are no matter
 * for a thin walk: each of them is tested everywhere.
 */
import { thin } from "./runtime.ts";

let all = 0;
let walked = 0;

/** All of the list; in a thin walk its first and its last. */
export function walk<T>(list: readonly T[]): readonly T[] {
  const some = thin && list.length > 2 ? [list[0], list[list.length - 1]] : list;
  all += list.length;
  walked += some.length;
  return some;
}

/** How often something is done again: a fifth of it in a thin walk. */
export function times(count: number): number {
  const some = thin ? Math.ceil(count / 5) : count;
  all += count;
  walked += some;
  return some;
}

/** What a thin walk left out, for the report. */
export function walkNotes(): string[] {
  return walked < all ? [`thin: ${walked} of ${all} sizes, packings and repetitions of WebGPU; Node walks all`] : [];
}
