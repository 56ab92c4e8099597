/** Modules of the sources, for this Node. */
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../ready.js";

export async function bundled(path) {
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [join(root, path)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
  });
  return await import(`data:text/javascript,${encodeURIComponent(text)}`);
}
