/**
 * Names of members: those that an object may have, and the nearest to one that it may not.
 */
import { type Place, typeError } from "./validate.ts";

/** Refuses members of other names. */
export function knownMembers(place: Place, value: object, names: readonly string[]): void {
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) throw typeError(place, `an object with ${JSON.stringify(name)}`, nearest(name, names));
  }
}

/** The name that was meant, if one is near; else all. */
function nearest(name: string, names: readonly string[]): string {
  const distances = names.map((known) => editDistance(name.toLowerCase(), known.toLowerCase()));
  const least = Math.min(...distances);
  if (least <= Math.max(2, name.length / 3)) return JSON.stringify(names[distances.indexOf(least)]);
  return `no members but ${names.join(", ")}`;
}

/** Letters to insert, drop or replace, or neighbours to swap. */
export function editDistance(a: string, b: string): number {
  let [before, row]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}
