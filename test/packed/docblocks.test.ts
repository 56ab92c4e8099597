/**
 * The examples in the docblocks and on the pages. Every public function has one, each runs as it stands, and each
 * `console.log(…); // → …` prints what its comment shows, numbers to four decimals.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { createEngine, heads, inputs } from "densehead";
import * as evaluation from "densehead/eval";
import * as files from "densehead/files";
import { transform } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { docblockExamples, pageSnippets } from "../runtimes/snippets.js";

const test = suite("docblocks");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const shownOnPages = pageSnippets(root).filter(({ code }) => code.includes("// →"));
const examples = [...docblockExamples(root), ...shownOnPages.map(({ page, code }) => ({ name: page, code }))];

test("every operation, head and function that the package exports has an example", async () => {
  const engine = await createEngine();
  const operations = Object.keys(engine.sync);
  const exported = [heads, inputs, files, evaluation].flatMap((entry) => Object.keys(entry));
  for (const name of [...operations, ...exported, "createEngine", "from"]) {
    assert.ok(examples.some((example) => example.name === name), `${name} has no @example`);
  }
  engine.dispose();
});

for (const [i, { name, code }] of examples.entries()) {
  test(`example ${i + 1}, ${name}, prints what it shows`, async () => {
    const shown = [...code.matchAll(/console\.log\(.*\/\/ → (.+)$/gm)].map(([, text]) => text);
    assert.ok(shown.length > 0, `no console.log with a // → in the example of ${name}`);
    const printed = await run(code, join(process.cwd(), `docblock-${i}.mjs`));
    assert.is(printed.length, shown.length, `lines that the example of ${name} prints`);
    printed.forEach((values, line) => assert.is(values.map(asShown).join(", "), shown[line]));
  });
}

/** Runs a module in this process; the arguments of each console.log. */
async function run(code: string, file: string): Promise<unknown[][]> {
  const printed: unknown[][] = [];
  Object.assign(globalThis, { printed });
  const { code: script } = await transform(code, { loader: "ts" });
  writeFileSync(file, `const console = { log: (...values) => globalThis.printed.push(values) };\n${script}`);
  try {
    await import(pathToFileURL(file).href);
  } finally {
    rmSync(file);
  }
  return printed;
}

/** Values as text, numbers to four decimals. */
function asShown(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toFixed(4)));
  if (typeof value === "string") return JSON.stringify(value);
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    return `[${Array.from(value as number[], asShown).join(", ")}]`;
  }
  if (typeof value !== "object" || value === null) return String(value);
  return `{ ${Object.entries(value).map(([key, member]) => `${key}: ${asShown(member)}`).join(", ")} }`;
}

test.run();
