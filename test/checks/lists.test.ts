/**
 * No list of names is kept by hand beside the records that have them: a new record would be missing from it, without a word.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { presetNames } from "../../src/heads/presets.ts";
import { typed } from "../presets.ts";

const test = suite("lists");
const root = process.env.DENSEHEAD_ROOT ?? ".";

/** Names that have records, and where several may stand together all the same: a file and why. */
interface Kind {
  /** A record's names, in every spelling. */
  readonly names: readonly (readonly string[])[];
  readonly allowed: Readonly<Record<string, string>>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  heads: {
    names: presetNames.map((name) => [...new Set([name, typed(name)])]),
    allowed: {
      "test/suite/heads.test.ts": "says each head's facts a second time, and which of them given outputs fit",
      "test/suite/gfl_criterion.test.ts": "a choice that differs in bins, strides and classes",
      "test/suite/webgpu_criteria.test.ts": "a choice that differs in bins and classes",
      "test/node/realdata.test.ts": "the networks whose outputs are recorded, by the names of their files",
      "test/examples/cloudflare_worker.test.ts": "a choice for requests that are refused",
    },
  },
};

const FOLDERS = ["src", "test", "tools", "bench", "examples"];
const SKIPPED = /^(node_modules|dist|fixtures|\..*)$/;
const SOURCE = /\.(ts|js|mjs|html|py)$/;

/** Records named within so few lines are a list. */
const FEW_LINES = 3;
const LEAST_NAMES = 3;

/** Lines at which lists of the names begin, from 1. */
function listsIn(text: string, names: Kind["names"]): number[] {
  const patterns = names.map((spellings) => new RegExp(`(?<![\\w-])(?:${spellings.join("|")})(?![\\w-])`));
  const named = text.split("\n").map((line) => patterns.flatMap((pattern, i) => pattern.test(line) ? [i] : []));
  return named.flatMap((own, line) => {
    const together = new Set(named.slice(line, line + FEW_LINES).flat());
    return own.length > 0 && together.size >= LEAST_NAMES ? [line + 1] : [];
  });
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (SKIPPED.test(entry.name)) return [];
    return entry.isDirectory() ? sources(path) : SOURCE.test(entry.name) ? [path] : [];
  });
}

const files = FOLDERS.flatMap(sources);
const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));

test("a list is found, names far apart or inside of others are none", () => {
  const names = [["nms"], ["boxIou"], ["softNms", "soft-nms"]];
  assert.equal(listsIn('a\nconst all = ["nms", "boxIou", "soft-nms"];', names), [2]);
  assert.equal(listsIn("nms\nboxIou\nsoftNms", names), [1]);
  assert.equal(listsIn("nms\nboxIou\n\nsoftNms", names), []);
  assert.equal(listsIn("nms, boxIou, softNmsOptions, a-soft-nms", names), []);
});

for (const [kind, { names, allowed }] of Object.entries(KINDS)) {
  test(`${kind} are listed nowhere by hand`, () => {
    const found = new Map([...texts].map(([file, text]) => [file, listsIn(text, names)]));
    const lists = [...found].filter(([file, lines]) => lines.length > 0 && !Object.hasOwn(allowed, file));
    const places = lists.map(([file, lines]) => `${file}:${lines.join(", ")}`).join("\n");
    assert.is(places, "", `lists of ${kind} by hand; derive them from the records`);
    for (const [file, why] of Object.entries(allowed)) {
      assert.ok((found.get(file) ?? []).length > 0, `${file} has no list of ${kind} any more (${why})`);
    }
  });
}

test.run();
