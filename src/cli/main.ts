#!/usr/bin/env node
/**
 * The command `densehead`.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { commands } from "./commands.ts";
import { reason } from "./errors.ts";
import { printable } from "./writers/text.ts";

const HELP = `Usage: densehead COMMAND …

The numerics of dense object-detection heads, on files of raw network outputs.

Commands:
${[...commands].map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`).join("\n")}

Options:
  --help     this text; densehead COMMAND --help tells more
  --version  the version
`;

/** The version of the package that this file is a part of. */
function version(): string {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}

async function main([name, ...args]: string[]): Promise<void> {
  if (name === "--help" || name === "-h") return void process.stdout.write(HELP);
  if (name === "--version" || name === "-v") return void process.stdout.write(`${version()}\n`);
  const known = [...commands.keys()].join(", ");
  if (name === undefined) return fail(`no command given; wanted ${known} (densehead --help tells more)`);
  const command = commands.get(name);
  if (command === undefined) return fail(`${name} is no command; wanted ${known}`);
  if (args.includes("--help") || args.includes("-h")) return void process.stdout.write(command.help);
  try {
    await command.run(args);
  } catch (error) {
    fail(`${name}: ${reason(error)}`);
  }
}

function fail(message: string): void {
  process.stderr.write(`densehead: ${printable(message)}\n`);
  process.exitCode = 2;
}

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on("error", () => process.exit());
await main(process.argv.slice(2));
