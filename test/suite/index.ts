/**
 * Comes before every `*.test.ts` of this folder in the bundle that tools/test.js makes, and runs what they queue.
 */
import { notes } from "./notes.ts";
import { skips } from "./skip.ts";

export interface Report {
  passed: number;
  failed: number;
  /** uvu's text of each suite's failures: titles, messages, stacks. */
  failures: string[];
  /** One reason for each skipped test. */
  skips: string[];
  /** What tests measured. */
  notes: string[];
}

/** What uvu queues; errors is `true` where there are none. */
type QueuedSuite = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;

// uvu reads these when it is loaded and when a suite is closed. It then leaves the queue to us.
const queue: QueuedSuite[] = [];
Object.assign(globalThis, { UVU_DEFER: 1, UVU_QUEUE: [queue], UVU_INDEX: 0 });

/** Runs every queued suite. */
export async function run(): Promise<Report> {
  let [passed, failed] = [0, 0];
  const failures: string[] = [];
  const notRun: string[] = [];
  for (const suite of queue) {
    const [errors, ran, skipped, total] = await suite();
    passed += ran;
    failed += total - ran;
    notRun.push(...Array<string>(skipped).fill("test.skip or test.only"));
    if (errors !== true) failures.push(errors);
    else if (ran < total) failures.push(`a suite ended after ${ran} of ${total} tests`);
  }
  return { passed: passed - skips.length, failed, failures, skips: [...skips, ...notRun], notes };
}
