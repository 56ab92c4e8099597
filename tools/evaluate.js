/** TypeScript modules of this repository, for this Node. */
import { join } from "node:path";
import { root } from "./ready.js";

/** The exports of a module. */
export async function evaluate(path) {
  // Not at once: the tools that install esbuild import this file too.
  const { build } = await import("esbuild");
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [join(root, path)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    logLevel: "warning",
  });
  return await import(`data:text/javascript,${encodeURIComponent(text)}`);
}
