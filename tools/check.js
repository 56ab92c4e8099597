/**
 * `npm run check`: types, formatting, lints, and the tests of test/checks, which hold the parts together; in seconds.
 * What fails is printed with the way to mend it. `npm run check -- --fix` formats and writes docs/api.md first.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { filesNamed } from "../test/runtimes/files.js";
import { runTests, start } from "../test/runtimes/run.js";
import { nodeOn } from "../test/runtimes/runtimes.js";
import { format, problemOf, sourceChecks } from "../test/runtimes/source_checks.js";
import { prepareSources, sources } from "../test/runtimes/sources.js";
import { ensureInstalled, Failure, root, runMain } from "./ready.js";

await runMain(async () => {
  const { fix } = readArguments();
  ensureInstalled(root);
  // Deno is there.
  ensureInstalled("test/runtimes");
  if (fix) await mend();
  const problems = [];
  for (const check of sourceChecks()) {
    const problem = check.missing === undefined ? await problemOf(check) : null;
    tell(check.title, check.missing === undefined ? problem : `skipped: ${check.missing}`);
    if (problem !== null) problems.push(problem);
  }
  await prepareSources(filesNamed(["checks"]));
  const { passed, failures } = await runTests("checks", nodeOn("node.js", "build"), sources);
  tell(`tests of test/checks (${passed})`, failures.length === 0 ? null : failures.join("\n"));
  problems.push(...failures);
  if (problems.length > 0) throw new Failure("\nthere is something to mend");
});

function readArguments() {
  try {
    return parseArgs({ options: { fix: { type: "boolean", default: false } } }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n\nnpm run check [-- --fix]`);
  }
}

async function mend() {
  for (const { code, output } of [await start([process.execPath, join(root, "tools/docs.js")], root), await format()]) {
    if (code !== 0) throw new Failure(output, code);
  }
}

/** A line, and what is to be said below it. */
function tell(title, text) {
  const state = text === null ? "ok" : text.startsWith("skipped") ? text : "failed";
  console.log(`${title.padEnd(28)} ${state}`);
  if (state === "failed") console.log(text.trimEnd().replaceAll(/^(?=.)/gm, "    "));
}
