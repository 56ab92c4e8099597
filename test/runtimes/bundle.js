/** Test files in one module that exports `run`. */
import { join, resolve } from "node:path";
import { root } from "../../tools/ready.js";

const PLATFORMS = {
  neutral: { platform: "neutral", mainFields: ["module", "main"] },
  node: {
    platform: "node",
    // For dependencies in CommonJS.
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
  },
};

/** An import of `begin:suite/nms` tells test/suite/index.ts that this file is the next. */
const beginnings = {
  name: "beginnings",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^begin:/ }, ({ path }) => ({ path: path.replace("begin:", ""), namespace: "begin" }));
    onLoad({ filter: /./, namespace: "begin" }, ({ path }) => ({
      contents: `import { begin } from "./index.ts"; begin(${JSON.stringify(path)});`,
      resolveDir: join(root, "test/suite"),
    }));
  },
};

/** Writes the bundle, and returns the paths of the sources in it. Only what `options` says differs with the package. */
export async function bundleTests(outfile, files, platform, options) {
  // Not above: the bundler itself may just have been installed.
  const { build } = await import("esbuild");
  const imports = files.map(({ folder, name, path }) =>
    `import "begin:${folder}/${name}"; import ${JSON.stringify(path)};`
  );
  const { metafile } = await build({
    absWorkingDir: root,
    stdin: {
      contents: ['export { run } from "./index.ts";', ...imports].join("\n"),
      resolveDir: join(root, "test/suite"),
    },
    outfile,
    bundle: true,
    // The package is free of side effects; its tests are not.
    ignoreAnnotations: true,
    format: "esm",
    target: "es2023",
    loader: { ".md": "text" },
    sourcemap: "inline",
    logLevel: "warning",
    metafile: true,
    ...PLATFORMS[platform],
    ...options,
    plugins: [beginnings, ...(options.plugins ?? [])],
  });
  return Object.keys(metafile.inputs).filter((path) => path.startsWith("test/")).map((path) => resolve(root, path));
}
