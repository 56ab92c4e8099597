/**
 * The commands, by name. A further command is one more file and one more line here.
 */
import type { Command } from "./command.ts";
import { detectCommand } from "./detect.ts";
import { evalCommand } from "./eval.ts";
import { inspectCommand } from "./inspect.ts";
import { lossCommand } from "./loss.ts";
import { runCommand } from "./run.ts";
import { scoreCommand } from "./score.ts";

export const commands: ReadonlyMap<string, Command> = new Map([
  ["detect", detectCommand],
  ["eval", evalCommand],
  ["inspect", inspectCommand],
  ["loss", lossCommand],
  ["run", runCommand],
  ["score", scoreCommand],
]);
