/** Checks that are commands: those of the sources, the declarations from a consumer's side, publishing, install scripts. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npm, root } from "../../tools/ready.js";
import { consumer } from "./consumer.js";
import { start } from "./run.js";
import { findDeno } from "./runtimes.js";
import { docblockExamples, pageSnippets } from "./snippets.js";
import { problemOf, sourceChecks } from "./source_checks.js";

/**
 * Ways in which consumers compile, and the versions of TypeScript that try each: 5.0 is the oldest that works, "newest" is
 * the one that the project itself uses. `skipLibCheck` stays off for our own declarations.
 */
const CONSUMERS = {
  bundler: {
    options: { module: "esnext", moduleResolution: "bundler", lib: ["es2023", "dom"] },
    files: ["usage.ts", "usage_dom.ts", "usage_onnx.ts"],
    versions: ["5.0", "6.0", "newest"],
  },
  node16: {
    options: { module: "node16", moduleResolution: "node16", lib: ["es2023", "dom"] },
    files: ["usage.ts", "usage_dom.ts", "usage_onnx.ts"],
    versions: ["5.0", "newest"],
  },
  "no dom": {
    options: { module: "node16", moduleResolution: "node16", lib: ["es2023"] },
    files: ["usage.ts"],
    versions: ["5.9", "newest"],
  },
  "no dom, onnxruntime": {
    // The declarations of onnxruntime themselves need the DOM's.
    options: { module: "node16", moduleResolution: "node16", lib: ["es2023"], skipLibCheck: true },
    files: ["usage_onnx.ts"],
    versions: ["5.9", "newest"],
  },
  node: {
    options: { module: "esnext", moduleResolution: "node", lib: ["es2023"] },
    files: ["usage.ts"],
    // Later versions do not know it.
    versions: ["5.0", "5.9"],
  },
  snippets: {
    // The declarations of onnxruntime themselves need the DOM's, and an example reads a file.
    options: {
      ...{ module: "esnext", moduleResolution: "bundler", target: "es2022" },
      ...{ lib: ["es2023", "dom"], types: ["node"], skipLibCheck: true },
    },
    files: snippetFiles,
    versions: ["5.0", "6.0", "newest"],
  },
  "snippets, node16, no dom": {
    options: { module: "node16", moduleResolution: "node16", lib: ["es2023"], types: ["node"], skipLibCheck: true },
    files: snippetFiles,
    versions: ["5.9", "newest"],
  },
  "newest library": {
    options: { module: "nodenext", moduleResolution: "nodenext", lib: ["esnext", "dom"] },
    files: ["usage.ts", "usage_dom.ts", "usage_newest.ts"],
    versions: ["newest"],
  },
};

/** Runs them all; a report like a runtime's. */
export async function runChecks() {
  addSnippetTypes();
  const report = { name: "checks", passed: 0, failed: 0, failures: [], skips: [] };
  for (const check of [...sourceChecks(), ...typeChecks(), publishCheck(), ...installChecks()]) {
    if (check.missing !== undefined) {
      report.skips.push(`${check.title}: ${check.missing}`);
      continue;
    }
    const problem = await problemOf(check);
    if (problem === null) report.passed++;
    else report.failures.push(problem);
  }
  return { ...report, failed: report.failures.length };
}

/**
 * The types of sharp, and those of onnxruntime under the names that the snippets import it by. They lie beside the snippets:
 * tests of the command run in the consumer's folder at the same time, and want these packages missing there.
 */
function addSnippetTypes() {
  const modules = join(consumer, "types/node_modules");
  mkdirSync(modules, { recursive: true });
  const common = "onnxruntime-common";
  for (const name of [common, "sharp"]) {
    symlinkSync(join(root, "test/runtimes/node_modules", name), join(modules, name), "junction");
  }
  for (const [name, entry] of [["onnxruntime-node", "."], ["onnxruntime-web", "./webgpu"]]) {
    mkdirSync(join(modules, name));
    writeFileSync(join(modules, name, "index.d.ts"), `export * from "${common}";\n`);
    const exports = { [entry]: { types: "./index.d.ts" } };
    writeFileSync(join(modules, name, "package.json"), JSON.stringify({ name, type: "module", exports }));
  }
}

function typeChecks() {
  return Object.entries(CONSUMERS).flatMap(([name, { versions, ...consumer }]) =>
    versions.map((version) => ({
      title: `types, ${name}, TypeScript ${version}`,
      run: () =>
        start([process.execPath, compilerOf(version), "-p", typeProject(`${name} ${version}`, consumer)], root),
    }))
  );
}

/** The snippets of the pages and the docblocks, each a file as it stands. */
function snippetFiles() {
  return [...pageSnippets(root), ...docblockExamples(root)].map(({ code }, i) => {
    // What imports nothing is a module all the same.
    writeFileSync(join(consumer, "types", `snippet_${i + 1}.ts`), `${code}\nexport {};\n`);
    return `snippet_${i + 1}.ts`;
  });
}

function compilerOf(version) {
  if (version === "newest") return join(root, "node_modules/typescript/bin/tsc");
  return join(root, `test/runtimes/node_modules/typescript-${version}/bin/tsc`);
}

/** A folder with the configuration of one way. */
function typeProject(name, { options, files }) {
  const folder = join(consumer, "types", name.replaceAll(/[ ,]+/g, "-"));
  mkdirSync(folder, { recursive: true });
  const common = { target: "es2022", types: [], strict: true, noUncheckedIndexedAccess: true, noEmit: true };
  const names = typeof files === "function" ? files() : files;
  const config = { compilerOptions: { ...common, ...options }, files: names.map((file) => `../${file}`) };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  return folder;
}

function publishCheck() {
  const deno = findDeno();
  return {
    title: "deno publish --dry-run",
    missing: deno === null ? "no deno for this platform" : undefined,
    run: () => start([deno, "publish", "--dry-run", "--allow-dirty"], root),
  };
}

/** Every install script is allowed by name; npm before 11 does not know the flag. */
function installChecks() {
  return [".", "test/runtimes", "test/runtimes/node24", "tools/docs"].map((folder) => ({
    title: `npm ci --strict-allow-scripts in ${folder}`,
    run: () => {
      const { status, output } = npm(join(root, folder), ["ci", "--strict-allow-scripts", "--dry-run"]);
      return { code: status, output };
    },
  }));
}
