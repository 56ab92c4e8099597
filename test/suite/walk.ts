/**
 * Long walks over sizes, packings and repetitions, which `npm test` takes whole in one runtime and thinly in the others.
 * Their numbers come from the same kernels, and from the same shaders on the same software adapter; what differs between
 * runtimes is how these compile and how memory is mapped, which every size meets alike. Options and operations are no
 * matter for a thin walk: each of them is tested everywhere.
 */
import { runtime, thin } from "./runtime.ts";

let all = 0;
let walked = 0;
let fewer = false;

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

/**
 * How many random inputs a kernel gets: a fifth in a thin walk outside Node. The kernels' bytes are the same everywhere,
 * and the two versions of Node run both builds of them.
 */
export function samples(count: number): number {
  if (!thin || runtime === "node") return count;
  fewer = true;
  return Math.ceil(count / 5);
}

/** What a thin walk left out, for the report. */
export function walkNotes(): string[] {
  const notes: string[] = [];
  if (walked < all) notes.push(`thin: ${walked} of ${all} sizes, packings and repetitions; Node walks all`);
  if (fewer) notes.push("thin: a fifth of the random inputs; Node takes all");
  return notes;
}
