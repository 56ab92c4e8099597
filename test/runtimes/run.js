/** Starts one runtime and reads its report. */
import { spawn } from "node:child_process";
import { root } from "../../tools/ready.js";
import { softwareAdapter } from "./runtimes.js";

/** Of a runtime with all suites; a quiet machine takes a third of it at most. */
const TIMEOUT_S = 900;
/** From the request to end to the end by force, so that a browser is closed in between. */
const GRACE_S = 5;
const windows = process.platform === "win32";

/** What a run of tests comes to: `{name, version, passed, failed, failures, skips}`. */
export async function runTests(name, command, cwd) {
  const { code, timedOut, output } = await start(command, cwd);
  const report = /^REPORT (.*)$/m.exec(output)?.[1];
  if (report !== undefined && code === 0) return checked({ name, ...JSON.parse(report) });
  const ended = `ended with code ${code} and ${report === undefined ? "no" : "a"} report`;
  const reason = timedOut ? `not done after ${TIMEOUT_S} s` : ended;
  return failure(name, `${reason}\n${output}`);
}

/** One failure that is not a test's own. */
export function failure(name, text) {
  return { name, passed: 0, failed: 1, failures: [text], skips: [] };
}

/** Runs a command in a folder. */
export function start(command, cwd) {
  const [program, ...args] = command;
  const env = { ...process.env, ...softwareAdapter(), NO_COLOR: "1", DENSEHEAD_ROOT: root };
  delete env.FORCE_COLOR;
  return new Promise((resolve) => {
    // In a group of its own, so that what it starts ends with it.
    const child = spawn(program, args, { cwd, env, detached: !windows, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let timedOut = false;
    const keep = (chunk) => output += chunk;
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    const timers = [
      setTimeout(() => {
        timedOut = true;
        end(child, "SIGTERM");
      }, TIMEOUT_S * 1000),
      setTimeout(() => {
        end(child, "SIGKILL");
        finish(null);
      }, (TIMEOUT_S + GRACE_S) * 1000),
    ];
    const stop = () => end(child, "SIGTERM");
    process.once("exit", stop);
    const finish = (code) => {
      timers.forEach(clearTimeout);
      process.off("exit", stop);
      resolve({ code, timedOut, output: plain(output) });
    };
    child.on("error", (error) => {
      output += error.message;
      finish(null);
    });
    child.on("close", finish);
  });
}

function end(child, signal) {
  try {
    process.kill(windows ? child.pid : -child.pid, signal);
  } catch {
    // Ended already.
  }
}

/** No tests are a failure. */
function checked(report) {
  const failures = report.failures.map(plain);
  if (report.passed + report.failed + report.skips.length > 0) return { ...report, failures };
  return { ...report, ...failure(report.name, "no tests") };
}

/** Without colours: some runtimes' uvu writes them whatever it is told. */
function plain(text) {
  // deno-lint-ignore no-control-regex -- it is what colours are made of
  return text.replaceAll(/\u001b\[[0-9;]*m/g, "");
}
