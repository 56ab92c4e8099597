/** Reasons of the tests that did not run to their end. */
export const skips: string[] = [];

/** Counts the running test as skipped instead of passed: `if (!file) return skip("no file")`. */
export function skip(reason: string): void {
  skips.push(reason);
}
