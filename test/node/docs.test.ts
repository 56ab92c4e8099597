/**
 * docs/api.md is what tools/docs.js makes now, and says of every operation its formula, its shapes and its errors.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { operations } from "../../src/ops/index.ts";

const test = suite("docs");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const read = (path: string) => readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");

/** Text under each heading of the page, by heading; operations begin in lower case. */
const page = new Map(
  read("docs/api.md").split(/^#{2,3} /m).slice(1).map((text) => {
    const [heading] = text.split("\n");
    return [heading.replaceAll("`", ""), text.slice(heading.length)];
  }),
);

/** Operations of the interfaces in types.ts, with the interface's own text. */
const documented = [
  ...read("src/types.ts").matchAll(
    /^(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?export interface \w+Ops<F> \{\n([^]*?)^\}/gm,
  ),
].flatMap(([, intro, body]) => [...body.matchAll(/^ {2}(\w+)[(:<]/gm)].map(([, name]) => ({ name, intro })));

/** What a reader is told of an operation: its text, that of operations it refers to, and of its options and results. */
function told(name: string, intro: string): string {
  const own = page.get(name) ?? "";
  const operationsNamed = [...own.matchAll(/`([a-z]\w+)`/g)].map(([, other]) => other);
  const typesLinked = [...own.matchAll(/\[`(\w+)`\]/g)].map(([, type]) => type);
  return [own, intro, ...[...operationsNamed, ...typesLinked].map((other) => page.get(other) ?? "")].join("\n");
}

test("docs/api.md is in step with the sources", () => {
  const { status, stderr } = spawnSync(process.execPath, ["tools/docs.js", "--check"], { cwd: root, encoding: "utf8" });
  assert.is(status, 0, stderr);
});

test("every operation of an engine is in it", () => {
  const names = documented.map(({ name }) => name);
  for (const name of Object.keys(operations)) assert.ok(names.includes(name), `src/types.ts: no ${name}`);
  for (const name of names) assert.ok(page.has(name), `docs/api.md: no ${name}`);
});

test("every operation has its formula, shapes and errors", () => {
  for (const { name, intro } of documented) {
    const text = told(name, intro);
    // NMS and detection are rules in words.
    assert.match(text, /[·√Σσ−]|\bIoU\b/, `${name}: no formula`);
    assert.match(text, /\((?:…, )?(?:N|M|length)\b[^)]*\)/, `${name}: no shapes`);
    assert.match(text, /(?:Type|Range)Error/, `${name}: no errors`);
  }
});

test("every loss has its gradient, defaults, errors, bound and source of its own", () => {
  for (const { name } of documented.filter(({ name }) => /Loss$|Entropy/.test(name))) {
    const text = page.get(name) ?? "";
    for (
      const wanted of [/\bGradient\b.*[:−]/, /(?:Type|Range)Error: /, /rror ≤ \de-7|rror ≤ 1e-6/, /\b(?:19|20)\d\d\b/]
    ) {
      assert.match(text, wanted, `${name}: nothing like ${wanted}`);
    }
  }
});

test.run();
