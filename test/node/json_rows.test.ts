/**
 * The command's reader of large JSON gives what JSON.parse gives, however the bytes come, and refuses what that refuses.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseChunks } from "../../src/cli/readers/json.ts";

const test = suite("JSON in pieces");

function inPieces(text: string, length: number): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => {
    return bytes.subarray(i * length, (i + 1) * length);
  });
}

const LENGTHS = [1, 2, 3, 5, 7, 1000];

const TEXTS = [
  "[]",
  "{}",
  "5",
  '"[{"',
  "[1,2]",
  " [ ] ",
  "[{}]",
  '[{"":7}]',
  '[{"a":1},{"b":[1,{"c":"}]"}]} , {"é":"\\"][","d":"\\\\"}]',
  '[[{"a":1}],{"b":2}]',
  '{"info":{"x":[{"y":1}]},"images":[{"id":1},{"id":"é"}],"annotations":[ {"a":{"b":{}}},\n{"c":1}, 5, {"d":2} ],"n":null}',
  '{"a":[{"":0},{"":1}],"7":[{"b":1}],"1":[{"c":1}]}',
  '{"a":[{"b":1},{"b":2}],"a":[{"c":1}]}',
];

test("whole texts, in pieces of any length", async () => {
  for (const text of TEXTS) {
    for (const length of LENGTHS) {
      assert.equal(await parseChunks(inPieces(text, length)), JSON.parse(text), `${text} by ${length}`);
    }
  }
  assert.equal(await parseChunks(inPieces('\ufeff[{"a":1}]', 2)), [{ a: 1 }], "a byte order mark");
});

const DAMAGED = [
  ...[
    "",
    "[",
    "}{",
    '[{"a":1}',
    '[{"a":1},]',
    '[{"a":1} {"b":2}]',
    '[{"a":1}]]',
    '{"a":[{"b":1},{"b":}]}',
    '[{"a":1}}',
  ],
  ...[
    '[{"a":1},,{"b":2}]',
    '[{"a":1}x]',
    '{"a":[{"b":1}}',
    '[{"a":"\u0001"}]',
    '[,{"a":1}]',
    '[{"a":1}, {"b"',
    '{"a":[{}',
  ],
];

test("damaged texts are refused", async () => {
  for (const text of DAMAGED) {
    for (const length of LENGTHS) {
      const read = parseChunks(inPieces(text, length)).then(() => "read", ({ message }) => message);
      assert.is(await read, "is no JSON", `${text} by ${length}`);
    }
  }
});

test.run();
