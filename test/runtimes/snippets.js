/** The snippets of code that the pages and the docblocks show, each as it stands. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Pages whose snippets are not whole programs: api.md repeats the docblocks, and export.md has fragments. */
const OTHERS = ["api.md", "export.md"];

/** The README and the pages of docs/. */
export function pagesOf(root) {
  const docs = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md")).sort();
  return ["README.md", ...docs.map((file) => `docs/${file}`)];
}

/** {page, code} of each snippet that is a program. */
export function pageSnippets(root) {
  const pages = pagesOf(root).filter((page) => !OTHERS.includes(page.replace("docs/", "")));
  return pages.flatMap((page) => fences(read(root, page)).map((code) => ({ page, code })));
}

/** {name, code} of each `@example`; the name is that of the declaration under the docblock. */
export function docblockExamples(root) {
  const sources = readdirSync(join(root, "src"), { recursive: true }).filter((file) => file.endsWith(".ts")).sort();
  return sources.flatMap((file) =>
    [...read(root, join("src", file)).matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(?:export )?(?:async )?(?:\w+ )?(\w+)/g)]
      .flatMap(
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
