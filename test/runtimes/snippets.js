/** The README's snippets of code, each as it stands. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function readmeSnippets(root) {
  const text = readFileSync(join(root, "README.md"), "utf8").replaceAll("\r\n", "\n");
  return [...text.matchAll(/^```[jt]s\n([^]*?)^```/gm)].map(([, code]) => code);
}
