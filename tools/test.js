/**
 * `npm test`: the suite in every runtime, against the packed and installed package; then what needs Node's files,
 * the examples, and the checks. The last line has the counts. With CI=true a runtime that is not there is a failure.
 * `npm test -- nms cli`: only the test files of these names, in this Node; with `--all` the suites among them everywhere.
 */
import { join } from "node:path";
import { runChecks } from "../test/runtimes/checks.js";
import { prepareConsumer, testFiles } from "../test/runtimes/consumer.js";
import { failure, runTests } from "../test/runtimes/run.js";
import { exampleTests, nodeTests, runtimes } from "../test/runtimes/runtimes.js";
import { ensureExamples, ensureInstalled, ensureReady, root } from "./ready.js";

const FOLDERS = ["suite", "node", "examples"];
/** Runtimes at a time. */
const WORKERS = 2;
const ci = process.env.CI === "true";
const names = process.argv.slice(2).filter((argument) => argument !== "--all");
const everywhere = names.length === 0 || process.argv.includes("--all");

// So that "exit" is heard, which ends what was started.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

for (const name of names) {
  if (FOLDERS.every((folder) => testFiles(folder, [name]).length === 0)) {
    throw new Error(`no test file is called ${name}; wanted for example nms, for test/suite/nms.test.ts`);
  }
}
ensureReady();
ensureInstalled(join(root, "test/runtimes"));
if (everywhere) ensureInstalled(join(root, "test/runtimes/node24"));
if (names.length === 0 || testFiles("examples", names).length > 0) ensureExamples();
await prepareConsumer(names);

const total = { passed: 0, failed: 0, skipped: 0 };
const hosts = testFiles("suite", names).length === 0 ? [] : everywhere ? runtimes() : runtimes().slice(0, 1);
const tasks = hosts.map(({ name, command, missing }) => () => {
  return command === null ? absent(name, missing) : runTests(name, command);
});
if (testFiles("node", names).length > 0) tasks.push(() => runTests("node only", nodeTests));
if (testFiles("examples", names).length > 0) tasks.push(() => runTests("examples", exampleTests));
if (names.length === 0) tasks.push(runChecks);
for (const report of inTurns(tasks)) print(demanding(await report));
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

function absent(name, reason) {
  if (ci) return failure(name, `${reason}; with CI=true every runtime must be there`);
  return { name, passed: 0, failed: 0, failures: [], skips: [reason] };
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

/** Promises of the tasks' results; each task waits for the one `WORKERS` places before it. */
function inTurns(tasks) {
  const results = [];
  for (const [i, task] of tasks.entries()) results.push(Promise.resolve(results[i - WORKERS]).then(task));
  return results;
}

function print({ name, version, passed, failed, failures, skips, notes = [] }) {
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
}
