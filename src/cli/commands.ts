/**
 * The commands, by name. A further command is one more file and one more line here.
 */
import { detectCommand } from "./detect.ts";
import { lossCommand } from "./loss.ts";
import { scoreCommand } from "./score.ts";

/** One subcommand of `densehead`. */
export interface Command {
  /** In a few words, for the list of commands. */
  readonly summary: string;
  /** The whole of `densehead NAME --help`. */
  readonly help: string;
  /** Does the work; an error ends the program with one line and exit code 2. */
  run(args: string[]): Promise<void>;
}

export const commands: ReadonlyMap<string, Command> = new Map([
  ["detect", detectCommand],
  ["loss", lossCommand],
  ["score", scoreCommand],
]);
