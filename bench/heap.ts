/** What work leaves behind on the JavaScript heap. Needs `node --expose-gc`. */
import process from "node:process";
import { setTimeout } from "node:timers/promises";

/**
 * Bytes that a round of work adds. The least of several rounds: a leak adds to each of them, what compilers keep and drop
 * does not.
 */
export async function heapGrowth(
  work: () => void,
  rounds: number,
): Promise<number> {
  work();
  let least = Infinity;
  let before = await reachable();
  for (let i = 0; i < rounds; i++) {
    work();
    const after = await reachable();
    least = Math.min(least, after - before);
    before = after;
  }
  return least;
}

/** Bytes in use after collection; pauses let finalizers and background compilers end. */
async function reachable(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  let least = Infinity;
  for (let i = 0; i < 4; i++) {
    await setTimeout(5);
    globalThis.gc();
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}
