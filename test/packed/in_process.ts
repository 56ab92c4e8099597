/** The installed command, run in this process: its module once more for each command line, which costs no start of Node. */
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The command's file. */
export const cli = fileURLToPath(new URL("cli.js", import.meta.resolve("densehead")));

export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const EVENTS = ["uncaughtException", "unhandledRejection", "SIGINT"] as const;
let runs = 0;

/** What the command prints, and its exit code. Not while another runs. */
export async function runHere(...args: readonly string[]): Promise<Run> {
  const { argv, exitCode } = process;
  const streams = { stdout: capture(process.stdout), stderr: capture(process.stderr) };
  const before = EVENTS.map((event) => process.listeners(event as "SIGINT"));
  const errors = process.stdout.listeners("error");
  process.argv = [argv[0], cli, ...args];
  process.exitCode = 0;
  try {
    await import(`${new URL("cli.js", import.meta.resolve("densehead"))}?run=${runs++}`);
    return { status: Number(process.exitCode), stdout: streams.stdout.text(), stderr: streams.stderr.text() };
  } finally {
    streams.stdout.end();
    streams.stderr.end();
    process.argv = argv;
    process.exitCode = exitCode;
    keepOnly(process.stdout, "error", errors);
    EVENTS.forEach((event, i) => keepOnly(process, event, before[i]));
  }
}

/** What is written meanwhile. */
function capture(stream: NodeJS.WriteStream): { text(): string; end(): void } {
  const { write } = stream;
  const chunks: string[] = [];
  stream.write = (chunk: string | Uint8Array) => chunks.push(String(chunk)) > 0;
  return { text: () => chunks.join(""), end: () => void (stream.write = write) };
}

/** The listeners that there were. */
function keepOnly(emitter: NodeJS.EventEmitter, event: string, listeners: readonly unknown[]): void {
  for (const listener of emitter.listeners(event)) {
    if (!listeners.includes(listener)) emitter.removeListener(event, listener as () => void);
  }
}
