/**
 * `npm run docs`: writes the facts of operations into src/types.ts, and the generated pages of docs/. With `--check` it writes
 * nothing and fails where one of them is out of date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeFacts } from "./facts.js";
import { generate } from "./generate.js";
import { ensureInstalled, Failure, root, runMain } from "./ready.js";

await runMain(async () => {
  ensureInstalled("tools/docs");
  await generate();
  const check = process.argv.includes("--check");
  await writeFacts({ check });
  const { pages } = await import("./docs/pages.js");
  for (const [path, text] of Object.entries(await pages())) {
    if (!check) writeFileSync(join(root, path), text);
    else if (read(path) !== text) throw new Failure(`${path} is out of date; run \`npm run docs\``);
  }
});

/** Line ends as in the repository, whatever the checkout made of them. */
function read(path) {
  return readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");
}
