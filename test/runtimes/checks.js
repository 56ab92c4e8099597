/** Checks that are commands: the declarations from a consumer's side, formatting, lints, publishing, install scripts. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npm, root } from "../../tools/ready.js";
import { consumer } from "./consumer.js";
import { start } from "./run.js";
import { findDeno } from "./runtimes.js";

/** Ways in which consumers compile; `skipLibCheck` stays off. */
const CONSUMERS = {
  bundler: {
    options: { module: "esnext", moduleResolution: "bundler", lib: ["es2023", "dom"] },
    files: ["usage.ts", "usage_dom.ts"],
  },
  nodenext: {
    options: { module: "nodenext", moduleResolution: "nodenext", lib: ["es2023", "dom"] },
    files: ["usage.ts", "usage_dom.ts"],
  },
  "no dom": {
    options: { module: "nodenext", moduleResolution: "nodenext", lib: ["es2023"] },
    files: ["usage.ts"],
  },
  newest: {
    options: { module: "nodenext", moduleResolution: "nodenext", lib: ["esnext", "dom"] },
    files: ["usage.ts", "usage_dom.ts", "usage_newest.ts"],
  },
};

/** Runs them all; a report like a runtime's. */
export async function runChecks() {
  const report = { name: "checks", passed: 0, failed: 0, failures: [], skips: [] };
  for (const { title, run, missing } of [...typeChecks(), ...denoChecks(), ...installChecks()]) {
    if (missing !== undefined) {
      report.skips.push(`${title}: ${missing}`);
      continue;
    }
    const { code, output } = await run();
    if (code === 0) report.passed++;
    else report.failures.push(`${title}: ended with code ${code}\n${output}`);
  }
  return { ...report, failed: report.failures.length };
}

function typeChecks() {
  return Object.entries(CONSUMERS).map(([name, { options, files }]) => ({
    title: `types, ${name}`,
    run: () => {
      const folder = join(consumer, "types", name.replace(" ", "-"));
      mkdirSync(folder, { recursive: true });
      const compilerOptions = { ...options, target: "es2023", types: [], strict: true, noEmit: true };
      const config = { compilerOptions, files: files.map((file) => `../${file}`) };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
      return start([process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", folder]);
    },
  }));
}

function denoChecks() {
  const deno = findDeno();
  const missing = deno === null ? "no deno for this platform" : undefined;
  return [["fmt", "--check"], ["lint"], ["publish", "--dry-run", "--allow-dirty"]].map((args) => ({
    title: `deno ${args.join(" ")}`,
    missing,
    run: () => start([deno, ...args], root),
  }));
}

/** Every install script is allowed by name; npm before 11 does not know the flag. */
function installChecks() {
  return [".", "test/runtimes", "test/runtimes/node24"].map((folder) => ({
    title: `npm ci --strict-allow-scripts in ${folder}`,
    run: () => {
      const { status, output } = npm(join(root, folder), ["ci", "--strict-allow-scripts", "--dry-run"]);
      return { code: status, output };
    },
  }));
}
