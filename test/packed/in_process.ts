/**
 * The installed command without a process of its own: test/runtimes/command.js runs it in a thread. A run costs 17 ms
 * of CPU time instead of 160: no start of Node, and the kernels are compiled once.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";

/** The command's file. */
export const cli = fileURLToPath(new URL("cli.js", import.meta.resolve("densehead")));

export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** No run takes a second; one that does not end is a failure. */
const TIMEOUT_MS = 60_000;
const done = new Int32Array(new SharedArrayBuffer(4));
let thread: Worker | undefined;

/** What the command prints with these arguments, and its exit code. */
export function runHere(...args: readonly string[]): Run {
  return runIn(process.cwd(), ...args);
}

/** The same in a folder. What is about the process itself (standard input, pipes, signals) needs a true one. */
export function runIn(folder: string, ...args: readonly string[]): Run {
  thread ??= startThread();
  const { port1, port2 } = new MessageChannel();
  const before = process.cwd();
  // Of the thread too: it has no folder of its own.
  process.chdir(folder);
  try {
    Atomics.store(done, 0, 0);
    thread.postMessage({ args, port: port2 }, [port2]);
    if (Atomics.wait(done, 0, 0, TIMEOUT_MS) === "timed-out") {
      void thread.terminate();
      thread = undefined;
      throw new Error(`densehead ${args.join(" ")} did not end`);
    }
    return receiveMessageOnPort(port1)?.message;
  } finally {
    process.chdir(before);
    port1.close();
  }
}

function startThread(): Worker {
  const url = new URL("command.js", import.meta.url);
  const worker = new Worker(url, {
    workerData: { cli: new URL("cli.js", import.meta.resolve("densehead")).href, done },
  });
  // It does not keep the tests alive.
  worker.unref();
  return worker;
}
