/** The test files: which there are, which of them a name means, and what they need installed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { kindOfStem } from "../../tools/generate.js";
import { Failure, root } from "../../tools/ready.js";

/** The folders of test/ that have test files. A test file runs as its folder says. */
export const FOLDERS = {
  suite: "in every runtime; by name in Node, from the sources",
  node: "in Node; by name from the sources",
  checks: "in Node, from the sources: what holds the parts together; npm run check runs them too",
  packed: "in Node, on the packed and installed package",
  examples: "in Node, on the packed and installed package and on the examples",
};

/** All test files: {folder, name, path}. */
export function testFiles() {
  return Object.keys(FOLDERS).flatMap((folder) =>
    readdirSync(join(root, "test", folder)).filter((file) => file.endsWith(".test.ts")).sort().map((file) => {
      return { folder, name: file.replace(".test.ts", ""), path: join(root, "test", folder, file) };
    })
  );
}

/**
 * The test files that the patterns mean: a file's name (box_loss for box_losses too) or a folder's, with * for any letters; or an
 * operation's stem, for the suites of its kind and its own.
 */
export function filesNamed(patterns) {
  const files = testFiles();
  const found = new Set();
  for (const pattern of patterns) {
    const source = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
    const means = new RegExp(`^${source}(e?s)?$`);
    const kind = kindOfStem(pattern);
    const meant = files.filter(({ folder, name, path }) => {
      return means.test(name) || means.test(folder) || kindsOf(path).includes(kind);
    });
    if (meant.length === 0) throw new Failure(`no test file is called ${pattern}; there are\n\n${listOfTests()}`);
    for (const file of meant) found.add(file);
  }
  return files.filter((file) => found.has(file));
}

/** The kinds of operations that a suite walks. It says so in a line of its own: `// kinds: row loss, box loss` */
function kindsOf(path) {
  return /^\/\/ kinds: (.+)$/m.exec(readFileSync(path, "utf8"))?.[1].split(", ") ?? [];
}

/** The names by folder. */
export function listOfTests() {
  const files = testFiles();
  return Object.entries(FOLDERS).map(([folder, runs]) => {
    const names = files.filter((file) => file.folder === folder).map(({ name }) => name);
    return `${folder}: ${runs}\n${wrapped(names)}`;
  }).join("\n\n");
}

function wrapped(names) {
  return names.join(" ").replaceAll(/(.{1,96})(?: |$)/g, "  $1\n").trimEnd();
}

/**
 * The folders that test sources need installed. A file says so in a line of its own: `// needs: examples/playground`
 */
export function foldersNeeded(sources) {
  const needed = new Set();
  for (const source of sources) {
    for (const [, folder] of readFileSync(source, "utf8").matchAll(/^\/\/ needs: (\S+)$/gm)) {
      const lockfile = join(folder, "package-lock.json");
      if (!existsSync(join(root, lockfile))) throw new Failure(`${relative(root, source)}: there is no ${lockfile}`);
      needed.add(folder);
    }
  }
  return [...needed].sort();
}
