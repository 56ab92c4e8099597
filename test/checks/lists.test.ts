/**
 * No list of names is kept by hand beside the records that have them: a new record would be missing from it, without a word.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { presetNames } from "../../src/heads/presets.ts";
import { operations } from "../../src/registry.ts";
import { typed } from "../presets.ts";

const test = suite("lists");
const root = process.env.DENSEHEAD_ROOT ?? ".";

/** Names that have records, and where several may stand together all the same: a file, or a folder's name with a slash, and why. */
interface Kind {
  /** A record's names, in every spelling. */
  readonly names: readonly (readonly string[])[];
  /** Does a name that is called count? Heads are made by calls; a test that calls operations lists none. */
  readonly calls: boolean;
  readonly allowed: Readonly<Record<string, string>>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  heads: {
    names: presetNames.map((name) => [...new Set([name, typed(name)])]),
    calls: true,
    allowed: {
      "src/detect/keypoints.ts": "codings of keypoints, which have the names of families",
      "src/heads/members.ts": "the same codings",
      "test/reference/keypoints.ts": "the same codings",
      "test/suite/attachments.test.ts": "one of each layout and coding",
      "test/suite/masks.test.ts": "one of each selection and packing",
      "test/suite/rotated_detect.test.ts": "one of each coding of boxes that an angle turns",
      "test/suite/heads.test.ts": "says each head's facts a second time, and which of them given outputs fit",
      "test/suite/detect.test.ts": "one of each coding, with its box by hand",
      "test/suite/gfl_criterion.test.ts": "a choice that differs in bins, strides and classes",
      "test/suite/webgpu_detect.test.ts": "codings of keypoints, which have the names of their families",
      "test/suite/small_memory.test.ts": "a head for each criterion",
      "test/suite/webgpu_criteria.test.ts": "a choice that differs in bins and classes",
      "test/node/realdata.test.ts": "the networks whose outputs are recorded, by the names of their files",
      "test/node/realdata_preprocess.test.ts": "the same networks' inputs, by the names of their files",
      "test/packed/score_cli.test.ts": "criteria, of which one has the name of a head",
      "test/examples/cloudflare_worker.test.ts": "a choice for requests that are refused",
    },
  },
  operations: {
    names: Object.values(operations).map(({ name, stem }) => [...new Set([name, stem, stem.replaceAll("_", "-")])]),
    calls: false,
    allowed: {
      "bench/peers/": "a peer's own implementations, by name; others are not there",
      "test/reference/": "the losses that a criterion is made of",
      "test/examples/train.test.ts": "the losses that its network is trained with",
      "test/suite/gfl_criterion.test.ts": "the references that its scenes are made of",
      "test/suite/vfnet_criterion.test.ts": "the references that its scenes are made of",
      "test/suite/criterion_references.test.ts": "the references of the criteria, and what PyTorch found of each",
      "test/suite/references.test.ts": "identities between losses, as papers have them",
      "test/suite/rotated_boxes.test.ts": "identities between overlaps, and between boxes and their corners",
      "test/suite/small_memory.test.ts": "sizes of routines; others run on their own arguments",
      "test/suite/webgpu_rows.test.ts": "values that are hard for one operation each",
      "tools/criterion_fixtures.py": "the losses that the criteria are made of",
    },
  },
};

const FOLDERS = ["src", "assembly", "test", "tools", "bench", "examples"];
const SKIPPED = /^(node_modules|build|dist|generated|fixtures|\..*)$/;
const SOURCE = /\.(ts|js|mjs|html|py|c)$/;

/** Records named within so few lines are a list. */
const FEW_LINES = 3;
const LEAST_NAMES = 3;

/** Lines at which lists of the names begin, from 1. */
function listsIn(text: string, { names, calls }: Pick<Kind, "names" | "calls">): number[] {
  const after = calls ? "[\\w-]" : "[\\w(-]";
  const patterns = names.map((spellings) => new RegExp(`(?<![\\w-])(?:${spellings.join("|")})(?!${after})`));
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

/** Each operation is a member there, with its documentation. */
const CONTRACT = "src/types.ts";

const files = FOLDERS.flatMap(sources).filter((file) => file !== CONTRACT);
const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));

test("a list is found, names far apart or inside of others are none", () => {
  const names = [["one"], ["twoLegs"], ["oldCat", "old-cat"]];
  const kind = { names, calls: false };
  assert.equal(listsIn('a\nconst all = ["one", "twoLegs", "old-cat"];', kind), [2]);
  assert.equal(listsIn("one\ntwoLegs\noldCat", kind), [1]);
  assert.equal(listsIn("one\ntwoLegs\n\noldCat", kind), []);
  assert.equal(listsIn("one, twoLegs, oldCatOptions, an-old-cat", kind), []);
  assert.equal(listsIn("one(x), f.twoLegs(y); oldCat", kind), []);
  assert.equal(listsIn("one(x), f.twoLegs(y); oldCat", { names, calls: true }), [1]);
  assert.equal(listsIn("one: f.one(x), twoLegs: g, oldCat: h", kind), [1]);
});

for (const [kind, { allowed, ...own }] of Object.entries(KINDS)) {
  const lists = [...texts].map(([file, text]) => ({ file, lines: listsIn(text, own) })).filter(({ lines }) =>
    lines.length
  );
  const covers = (place: string, file: string) => place.endsWith("/") ? file.startsWith(place) : file === place;

  test(`${kind} are listed nowhere by hand`, () => {
    const places = Object.keys(allowed);
    const found = lists.filter(({ file }) => !places.some((place) => covers(place, file)));
    const text = found.map(({ file, lines }) => `${file}:${lines.join(", ")}`).join("\n");
    assert.is(text, "", `lists of ${kind} by hand; derive them from the records`);
  });

  test(`every place that may have a list of ${kind} has one`, () => {
    for (const [place, why] of Object.entries(allowed)) {
      assert.ok(lists.some(({ file }) => covers(place, file)), `${place} has no list of ${kind} any more (${why})`);
    }
  });
}

test.run();
