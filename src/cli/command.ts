/** One subcommand of `densehead`. */
export interface Command {
  /** In a few words, for the list of commands. */
  readonly summary: string;
  /** The whole of `densehead NAME --help`. */
  readonly help: string;
  /** Does the work; an error ends the program with one line and exit code 2. */
  run(args: string[]): Promise<void>;
}
