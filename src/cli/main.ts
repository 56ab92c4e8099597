#!/usr/bin/env node
/**
 * The command `densehead`.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { printable } from "../text.ts";
import { commands } from "./commands.ts";
import { FAILED, reason } from "./errors.ts";
import { suggestion } from "./suggest.ts";

const HELP = `Usage: densehead COMMAND …

The numerics of dense object-detection heads, on pictures and on files of raw network outputs.

Commands:
${[...commands].map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`).join("\n")}

Options:
  --help     this text; densehead COMMAND --help tells more
  --version  the version

Exit codes: 0 where all was done, 2 where something was wrong, which a line on stderr then tells.
`;

/** The version of the package that this file is a part of. */
function version(): string {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}

async function main([name, ...args]: string[]): Promise<void> {
  if (name === "--help" || name === "-h") return void process.stdout.write(HELP);
  if (name === "--version" || name === "-v") return void process.stdout.write(`${version()}\n`);
  const names = [...commands.keys()];
  const known = names.join(", ");
  if (name === undefined) return fail(`no command given; wanted ${known} (densehead --help tells more)`);
  const command = commands.get(name);
  if (command === undefined) return fail(`${name} is no command; wanted ${known}${suggestion(name, names)}`);
  if (args.includes("--help") || args.includes("-h")) return void process.stdout.write(command.help);
  try {
    await command.run(args);
  } catch (error) {
    fail(`${name}: ${reason(error)}`);
  }
}

function fail(message: string): void {
  process.stderr.write(`densehead: ${printable(message)}\n`);
  process.exitCode = FAILED;
}

/** A reader that has seen enough, such as `head`, is no error, and files are still to be written; a full disk is. */
function stop(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") return;
  fail(`standard output: ${reason(error)}`);
  process.exit(FAILED);
}

/** What nobody foresaw is told in a line too, rather than with the program's text around it. */
function giveUp(error: unknown): void {
  fail(`internal error: ${reason(error)}`);
  process.exit(FAILED);
}

process.stdout.on("error", stop);
process.once("uncaughtException", giveUp);
process.once("unhandledRejection", giveUp);
await main(process.argv.slice(2));
