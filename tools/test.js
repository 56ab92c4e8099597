/**
 * `npm test`: the suite in every runtime, against the packed and installed package; then what needs Node's files,
 * the examples, and the checks. The last line has the counts. With CI=true a runtime that is not there is a failure.
 * `npm test -- nms webgpu_*`: only the test files of these names, in this Node and from the sources; FOLDERS in
 * test/runtimes/files.js says how each runs.
 */
import { parseArgs } from "node:util";
import { runChecks } from "../test/runtimes/checks.js";
import { consumer, prepareConsumer } from "../test/runtimes/consumer.js";
import { filesNamed, foldersNeeded, listOfTests, testFiles } from "../test/runtimes/files.js";
import { failure, runTests } from "../test/runtimes/run.js";
import { nodeOn, runtimes } from "../test/runtimes/runtimes.js";
import { prepareSources, sources } from "../test/runtimes/sources.js";
import { ensureInstalled, ensureReady, Failure, root, runMain } from "./ready.js";

const USAGE = `\
npm test                    everything: every runtime that the machine has, and the checks
npm test -- nms webgpu_*    the test files of these names, or of the folders of these names, in Node
  --all                     the suites among them in every runtime, on the packed package
  --times                   the slowest test files, which the full run prints anyway
  --list                    the names`;
/**
 * Runs at a time. More than a small machine has cores: Deno waits 10 ms for each answer of WebGPU, the examples wait for
 * servers and browsers.
 */
const WORKERS = 3;
/** Test files that are named with their seconds. */
const SLOWEST = 10;
const ci = process.env.CI === "true";
const total = { passed: 0, failed: 0, skipped: 0 };
/** {label, seconds} of each file in each runtime. */
const times = [];

// So that "exit" is heard, which ends what was started.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

await runMain(async () => {
  const { options, names } = readArguments();
  if (options.list) return console.log(listOfTests());
  const everything = names.length === 0;
  const files = everything ? testFiles() : filesNamed(names);
  const tasks = await prepare(files, everything || options.all, everything);
  if (everything) tasks.push(runChecks);
  for (const report of inTurns(tasks)) print(demanding(await report));
  if (everything || options.times) printTimes();
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
});

function readArguments() {
  const flag = { type: "boolean", default: false };
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { all: flag, times: flag, list: flag },
    });
    return { options: values, names: positionals };
  } catch (error) {
    throw new Failure(`${error.message}\n\n${USAGE}`);
  }
}

/**
 * Installs and bundles what the files need; returns the runs of them as functions. With `thin` one runtime alone takes
 * the long walks of test/suite/walk.ts.
 */
async function prepare(files, everywhere, thin) {
  const isPacked = ({ folder }) => {
    return ["packed", "examples"].includes(folder) || (everywhere && ["suite", "node"].includes(folder));
  };
  const packed = files.filter(isPacked);
  const others = files.filter((file) => !isPacked(file));
  const bundled = [];
  if (others.length > 0) {
    ensureInstalled(root);
    bundled.push(...await prepareSources(others));
  }
  if (packed.length > 0) {
    ensureReady();
    bundled.push(...await prepareConsumer(packed));
  }
  for (const folder of [...(everywhere ? ["test/runtimes", "test/runtimes/node24"] : []), ...foldersNeeded(bundled)]) {
    ensureInstalled(folder);
  }
  const hasFiles = (from, ...folders) => from.some(({ folder }) => folders.includes(folder));
  const tasks = [];
  if (hasFiles(packed, "suite")) tasks.push(...runtimes(thin).map((runtime) => () => runSuite(runtime)));
  if (hasFiles(packed, "node", "packed")) tasks.push(() => runTests("node only", nodeOn("node.js"), consumer));
  if (hasFiles(packed, "examples")) tasks.push(() => runTests("examples", nodeOn("examples.js"), consumer));
  if (hasFiles(others, "suite")) tasks.push(() => runTests("node", nodeOn("suite.js", "build"), sources));
  if (hasFiles(others, "node", "checks")) tasks.push(() => runTests("node only", nodeOn("node.js", "build"), sources));
  return tasks;
}

function runSuite({ name, command, missing }) {
  if (command !== null) return runTests(name, command, consumer);
  if (ci) return failure(name, `${missing}; with CI=true every runtime must be there`);
  return { name, passed: 0, failed: 0, failures: [], skips: [missing] };
}

/** With CI=true a runtime with WebGPU must have found an adapter: Chromium brings one. */
function demanding(report) {
  const reason = report.skips.find((skip) => skip === "WebGPU: no adapter");
  if (!ci || reason === undefined) return report;
  return {
    ...report,
    failed: report.failed + 1,
    failures: [...report.failures, `${reason}; with CI=true there must be`],
  };
}

/** Promises of the tasks' results; a task starts, in their order, when fewer than `WORKERS` others run. */
function inTurns(tasks) {
  const running = new Set();
  return tasks.map(async (task) => {
    while (running.size >= WORKERS) await Promise.race(running);
    const result = task();
    running.add(result);
    try {
      return await result;
    } finally {
      running.delete(result);
    }
  });
}

function print({ name, version, passed, failed, failures, skips, notes = [], files = [] }) {
  const label = version === undefined ? name : `${name.replace(/ \d+$/, "")} ${version}`;
  const counts = [`${passed} passed`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (skips.length > 0) counts.push(`${skips.length} skipped`);
  console.log(`${label.padEnd(28)} ${counts.join(", ")}`);
  for (const text of failures) console.log(text.replaceAll(/^(?=.)/gm, "    "));
  for (const text of notes) console.log(`    ${text}`);
  for (const reason of new Set(skips)) console.log(`    skipped: ${reason}`);
  total.passed += passed;
  total.failed += failed;
  total.skipped += skips.length;
  for (const file of files) times.push({ label: `${file.name}, ${label}`, seconds: file.seconds });
}

function printTimes() {
  console.log(`\nThe ${SLOWEST} slowest test files, in seconds:`);
  for (const { label, seconds } of times.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST)) {
    console.log(`${seconds.toFixed(1).padStart(8)}  ${label}`);
  }
  console.log();
}
