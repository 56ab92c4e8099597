/** What runs in a worker, as text: a worker that is started from a text is found in every bundle. */
import { join } from "node:path";

/** `x.ts?text` is a script of the module and all that it imports; what it exports is the global `densehead`. */
export const workerText = {
  name: "worker-text",
  setup({ onResolve, onLoad, esbuild, initialOptions }) {
    onResolve({ filter: /\.ts\?text$/ }, ({ path, resolveDir }) => {
      return { path: join(resolveDir, path.replace("?text", "")), namespace: "worker-text" };
    });
    onLoad({ filter: /./, namespace: "worker-text" }, async ({ path }) => {
      const { minifySyntax: minify, lineLimit, plugins } = initialOptions;
      const { outputFiles: [{ text }] } = await esbuild.build({
        entryPoints: [path],
        bundle: true,
        write: false,
        format: "iife",
        globalName: "densehead",
        target: "es2022",
        minify,
        lineLimit,
        plugins: plugins.filter((plugin) => plugin !== workerText),
      });
      return { contents: text, loader: "text" };
    });
  },
};
