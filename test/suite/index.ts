/**
 * Comes before every `*.test.ts` of this folder in the bundle that test/runtimes/bundle.js makes, and runs what they queue.
 */
import { notes } from "./notes.ts";
import { skips } from "./skip.ts";
import { walkNotes } from "./walk.ts";

export interface Report {
  passed: number;
  failed: number;
  /** uvu's text of each suite's failures: titles, messages, stacks. */
  failures: string[];
  /** One reason for each skipped test. */
  skips: string[];
  /** What tests measured. */
  notes: string[];
  /** How long each test file took to load and to run; 0 in workerd, whose clock stands still. */
  files: { name: string; seconds: number }[];
}

/** What uvu queues; errors is `true` where there are none. */
type QueuedSuite = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;

interface TestFile {
  readonly name: string;
  readonly suites: QueuedSuite[];
  seconds: number;
}

const files: TestFile[] = [];
let loadingSince = 0;

// uvu reads these when it is loaded and when a suite is closed. It then leaves the queues to us.
const queues: QueuedSuite[][] = [];
const globals = Object.assign(globalThis, { UVU_DEFER: 1, UVU_QUEUE: queues, UVU_INDEX: 0 });

/** Suites that are queued from here on are of this file. */
export function begin(name: string): void {
  endLoading();
  const file = { name, suites: [], seconds: 0 };
  globals.UVU_INDEX = files.push(file) - 1;
  queues.push(file.suites);
}

function endLoading(): void {
  const now = performance.now();
  const file = files.at(-1);
  // The clock of workerd stands at 0 until the suites have loaded.
  if (file !== undefined && loadingSince > 0) file.seconds += (now - loadingSince) / 1000;
  loadingSince = now;
}

/** Runs every queued suite. */
export async function run(): Promise<Report> {
  endLoading();
  let [passed, failed] = [0, 0];
  const failures: string[] = [];
  const notRun: string[] = [];
  for (const file of files) {
    const start = performance.now();
    for (const suite of file.suites) {
      const [errors, ran, skipped, total] = await suite();
      passed += ran;
      failed += total - ran;
      notRun.push(...Array<string>(skipped).fill("test.skip or test.only"));
      if (errors !== true) failures.push(errors);
      else if (ran < total) failures.push(`${file.name}: a suite ended after ${ran} of ${total} tests`);
    }
    file.seconds += (performance.now() - start) / 1000;
  }
  return {
    passed: passed - skips.length,
    failed,
    failures,
    skips: [...skips, ...notRun],
    notes: [...notes, ...walkNotes()],
    files: files.map(({ name, seconds }) => ({ name, seconds })),
  };
}
