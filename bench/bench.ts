/** What a family of measurements is given. */
import type { Engine } from "densehead";
import type { Report } from "./report.ts";
import type { Runner } from "./runner.ts";

export interface Bench {
  readonly engine: Engine;
  readonly runner: Runner;
  readonly report: Report;
  /** Everything is to be short. */
  readonly quick: boolean;
}

export interface Family {
  readonly name: string;
  run(bench: Bench): Promise<void>;
  /** Measures again what RESULTS.md has against plain JavaScript, and nothing else. */
  check?(bench: Bench): Promise<void>;
}
