/**
 * From how many elements on something is faster than the caller's thread: one loss, timed on both over a ladder of sizes.
 */
const LADDER = [2 ** 14, 2 ** 16, 2 ** 18, 2 ** 20, 2 ** 22];
const BUDGET_MS = 300;

type Run = (logits: Float32Array) => unknown;

/** The first size, and at least `least`, at which `other` is faster than `cpu`; Infinity where none is within the budget. */
export async function measureCrossover(cpu: Run, other: Run, least = 0): Promise<number> {
  const start = performance.now();
  for (const elements of LADDER) {
    if (elements < least) continue;
    const logits = new Float32Array(elements);
    const onCpu = await timed(cpu, logits);
    const onOther = await timed(other, logits);
    if (onOther < onCpu) return elements;
    // The next size takes about four times as long, and runs twice on each.
    const spent = performance.now() - start;
    if (spent + 8 * (onCpu + onOther) > BUDGET_MS) break;
  }
  return Infinity;
}

/** Of the second run: the first one compiles and allocates. */
async function timed(run: Run, logits: Float32Array): Promise<number> {
  await run(logits);
  const start = performance.now();
  await run(logits);
  return performance.now() - start;
}
