/** The snippets of code that the README and the docblocks show, each as it stands. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Files whose docblocks have examples: all that is public is declared in them. */
const DECLARING = [
  ...["src/types.ts", "src/heads/index.ts", "src/entry/embedded.ts", "src/entry/slim.ts"],
  ...["npy", "safetensors", "values", "roles"].map((name) => `src/files/${name}.ts`),
];

export function readmeSnippets(root) {
  return fences(read(root, "README.md"));
}

/** {name, code} of each `@example`; the name is that of the declaration under the docblock. */
export function docblockExamples(root) {
  return DECLARING.flatMap((file) =>
    [...read(root, file).matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(?:export )?(?:async )?(?:\w+ )?(\w+)/g)].flatMap(
      ([, comment, name]) => {
        const text = comment.replaceAll(/^ *\* ?/gm, "");
        return fences(text.split("@example").slice(1).join("\n")).map((code) => ({ name, code }));
      },
    )
  );
}

function fences(text) {
  return [...text.matchAll(/^```[jt]s\n([^]*?)^```/gm)].map(([, code]) => code);
}

/** Line ends as in the repository, whatever the checkout made of them. */
function read(root, path) {
  return readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");
}
