/**
 * A thread in which tests run the installed command: its module once more for each command line, which costs no start
 * of Node. test/packed/in_process.ts sends command lines and waits, blocked, until `done` is 1.
 */
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";

const { cli, done } = workerData;
const EVENTS = ["uncaughtException", "unhandledRejection", "SIGINT"];
let runs = 0;

parentPort.on("message", async ({ args, port }) => {
  port.postMessage(await run(args));
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
});

/** What the command prints, and its exit code. */
async function run(args) {
  const streams = { stdout: capture(process.stdout), stderr: capture(process.stderr) };
  process.argv = [process.argv[0], cli, ...args];
  process.exitCode = 0;
  try {
    await import(`${cli}?run=${runs++}`);
    return { status: Number(process.exitCode), stdout: streams.stdout.text(), stderr: streams.stderr.text() };
  } catch (error) {
    return { status: 1, stdout: streams.stdout.text(), stderr: streams.stderr.text() + error.stack };
  } finally {
    for (const { end } of Object.values(streams)) end();
    process.stdout.removeAllListeners("error");
    for (const event of EVENTS) process.removeAllListeners(event);
  }
}

/** What is written meanwhile. */
function capture(stream) {
  const { write } = stream;
  const chunks = [];
  stream.write = (chunk) => chunks.push(String(chunk)) > 0;
  return { text: () => chunks.join(""), end: () => void (stream.write = write) };
}
