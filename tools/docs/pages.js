/** The generated pages of docs/, formatted. */
import { format } from "prettier";
import { apiPage } from "./api.js";
import { headsTable } from "./heads.js";
import { operationsPage } from "./operations.js";

/** {path: text}. */
export async function pages() {
  return {
    "docs/api.md": await markdown(await apiPage(await headsTable())),
    "docs/operations.md": await markdown(await operationsPage()),
  };
}

function markdown(text) {
  return format(text, { parser: "markdown", printWidth: 120, proseWrap: "always" });
}
