/**
 * The facts in src/types.ts and the generated pages of docs/ are what tools/docs.js makes now. docs/api.md has every public
 * name, and every operation's formula and facts.
 */
// needs: tools/docs
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { rle } from "../../src/eval/index.ts";
import { heads } from "../../src/heads/index.ts";
import { inputs } from "../../src/pixels/index.ts";
import { operations } from "../../src/registry.ts";

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

/** Operations of the interfaces in types.ts. */
const documented = [...read("src/types.ts").matchAll(/^export interface \w+Ops<F> \{\n([^]*?)^\}/gm)].flatMap((
  [, body],
) => [...body.matchAll(/^ {2}(\w+)[(:<]/gm)].map(([, name]) => ({ name })));

test("the facts of docblocks are in step with the records, and the generated pages with the sources", () => {
  const { status, stderr } = spawnSync(process.execPath, ["tools/docs.js", "--check"], { cwd: root, encoding: "utf8" });
  assert.is(status, 0, stderr);
});

/** Names that a source file exports, also those of other files. */
function exportsOf(path: string): string[] {
  const text = read(path);
  const own = [...text.matchAll(/^export (?:async )?(?:function|interface|type|const) (\w+)/gm)].map(([, name]) =>
    name
  );
  const listed = [...text.matchAll(/^export (?:type )?\{ ([^}]+) \}/gm)].flatMap(([, names]) => names.split(", "));
  const others = [...text.matchAll(/^export (?:type )?\* from "(.+)"/gm)].flatMap(([, other]) => {
    return exportsOf(join(dirname(path), other));
  });
  return [...own, ...listed, ...others].map((name) => name.replace(/^type /, ""));
}

test("every public name is in docs/api.md", () => {
  const entries = Object.values(JSON.parse(read("package.json")).exports as Record<string, { types?: string }>);
  const sources = entries.flatMap(({ types = "" }) => types.replace("./dist", "src").replace(".d.ts", ".ts") || []);
  const names = new Set(sources.flatMap(exportsOf));
  assert.ok(names.size > 70, `${names.size} names`);
  // Interfaces that are sections of the page, and the values whose members stand as `heads.…`.
  for (
    const name of [
      "LossOps",
      "BoxOps",
      "RotatedOps",
      "InstanceOps",
      "DetectionOps",
      "PixelOps",
      "Heads",
      "heads",
      "Inputs",
      "inputs",
      "Rle",
      "rle",
    ]
  ) {
    assert.ok(names.delete(name), name);
  }
  for (const name of [...names, ...membersOf({ heads, inputs, rle })]) {
    assert.ok(page.has(name), `docs/api.md: no ${name}`);
  }
});

/** The members of values by their paths: "heads.infer". */
function membersOf(values: Readonly<Record<string, object>>): string[] {
  return Object.entries(values).flatMap(([value, members]) => Object.keys(members).map((name) => `${value}.${name}`));
}

test("every operation of an engine is in docs/api.md", () => {
  const names = documented.map(({ name }) => name);
  for (const name of Object.keys(operations)) assert.ok(names.includes(name), `src/types.ts: no ${name}`);
  for (const name of names) assert.ok(page.has(name), `docs/api.md: no ${name}`);
});

/** The lines of facts of an operation, in their order; "Defaults" where it has options, "Throws" beyond what all throw. */
const FACTS = ["Shapes", "Defaults", "Throws", "Error bound", "Source"];
const OPTIONAL = ["Defaults", "Throws"];

test("every operation has its formula, and its facts as lines in one order", () => {
  for (const { name } of documented) {
    const text = page.get(name) ?? "";
    // NMS and detection are rules in words.
    assert.match(text, /[·√Σσ−]|\bIoU\b/, `${name}: no formula`);
    const found = [...text.matchAll(/^- ([\w ]+): /gm)].map(([, fact]) => fact).filter((fact) => FACTS.includes(fact));
    const wanted = FACTS.filter((fact) => found.includes(fact) || !OPTIONAL.includes(fact));
    assert.equal(found, wanted, `${name}: facts`);
    assert.match(text, /^- Shapes: [^]*?\([^)]*\b[NMB]\b[^)]*\)/m, `${name}: no shapes`);
  }
});

test("every loss has its gradient, defaults, errors and bound, and the year of its source", () => {
  for (const { name } of documented.filter(({ name }) => /Loss$|Entropy/.test(name))) {
    const text = page.get(name) ?? "";
    for (
      const wanted of [
        /\bGradient\b.*:[^]*[−·]/,
        /^- Throws: .*(?:Type|Range)Error/m,
        /^- Error bound: .*≤ (?:5e-7|1e-6)/m,
        /^- Source: [^]*?\b(?:19|20)\d\d\b/m,
      ]
    ) {
      assert.match(text, wanted, `${name}: nothing like ${wanted}`);
    }
    const hasDefaults = /options\?: .* & \w+Options/.test(text);
    assert.is(/^- Defaults: /m.test(text), hasDefaults, `${name}: defaults`);
  }
});

test.run();
