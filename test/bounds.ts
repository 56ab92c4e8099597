/** Bounds of error as the documentation states them, so that no test holds another number than users read. */
import api from "../docs/api.md";

/** Those of an operation in the order of its text: every number like 5e-7 behind "≤". */
export function documentedBounds(op: string): number[] {
  const section = api.split(/^### /m).find((text) => text.startsWith(`\`${op}\``)) ?? "";
  const found = [...section.matchAll(/≤\s+(\d+(?:\.\d+)?e-\d+)/g)].map(([, bound]) => Number(bound));
  if (found.length === 0) throw new Error(`docs/api.md states no bound for ${op}`);
  return found;
}
