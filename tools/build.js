/** Builds dist/: both WASM builds, one bundle per entry, the command, and the declarations that the entries reach. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);

/** Runs a script of a dependency with the running Node. */
function tool(script, ...args) {
  execFileSync(process.execPath, [at("node_modules", script), ...args], { cwd: root, stdio: "inherit" });
}

/** `module:x.wasm` stays an import of the file beside the bundle. */
const moduleImports = {
  name: "module-imports",
  setup({ onResolve }) {
    onResolve({ filter: /^module:/ }, ({ path }) => ({ path: path.replace("module:", "./"), external: true }));
  },
};

/** The command imports the library beside it rather than holding the kernels once more. */
const commandImports = {
  name: "command-imports",
  setup({ onResolve }) {
    onResolve({ filter: /\/entry\/embedded\.ts$/ }, () => ({ path: "./index.js", external: true }));
  },
};

/** WebGPU is a file of its own beside the bundles, loaded when it is asked for. */
const webgpuImport = {
  name: "webgpu-import",
  setup({ onResolve }) {
    onResolve({ filter: /\/webgpu\/index\.ts$/ }, ({ kind }) => {
      return kind === "dynamic-import" ? { path: "./webgpu.js", external: true } : undefined;
    });
  },
};

/** Shaders without comments and indentation. */
const smallShaders = {
  name: "small-shaders",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/webgpu\/\w+\.ts$/ }, ({ path }) => {
      const shrink = (shader) => shader.replaceAll(/\s*\/\/.*$/gm, "").replaceAll(/\n\s+/g, "\n");
      const contents = readFileSync(path, "utf8").replaceAll(/(?<=\/\* wgsl \*\/ )`[^`]*`/g, shrink);
      return { contents, loader: "ts" };
    });
  },
};

async function bundle(name, source, options = {}) {
  await build({
    entryPoints: [at(source)],
    outfile: at("dist", `${name}.js`),
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    loader: { ".wasm": "binary" },
    plugins: [moduleImports, webgpuImport],
    logLevel: "warning",
    ...options,
  });
}

/** Copies a declaration and those that it imports, their specifiers as they are outside a bundler. */
function copyDeclarations(file, done = new Set()) {
  if (done.has(file)) return;
  done.add(file);
  const text = readFileSync(file, "utf8");
  const target = at("dist", relative(at("build/types"), file));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text.replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.d.ts"'));
  for (const [, path] of text.matchAll(/from "(\.[^"]*)\.ts"/g)) {
    copyDeclarations(join(dirname(file), `${path}.d.ts`), done);
  }
}

rmSync(at("dist"), { recursive: true, force: true });
mkdirSync(at("dist"), { recursive: true });
tool("assemblyscript/bin/asc.js", "--target", "baseline");
tool("assemblyscript/bin/asc.js", "--target", "relaxed");
await Promise.all([
  bundle("index", "src/entry/embedded.ts", { banner: { js: '/* @ts-self-types="./entry/embedded.d.ts" */' } }),
  bundle("workerd", "src/entry/workerd.ts"),
  bundle("slim", "src/entry/slim.ts", { banner: { js: '/* @ts-self-types="./entry/slim.d.ts" */' } }),
  bundle("webgpu", "src/webgpu/index.ts", { plugins: [smallShaders] }),
  bundle("cli", "src/cli/main.ts", { platform: "node", plugins: [commandImports] }),
]);
// The command has these libraries inside.
const licences = ["npyjs", "image-size"].map((name) =>
  `${name}\n\n${readFileSync(at("node_modules", name, "LICENSE"))}`
);
writeFileSync(at("dist/cli.licenses.txt"), licences.join("\n\n"));
for (const file of ["densehead.wasm", "densehead-relaxed.wasm"]) cpSync(at("build", file), at("dist", file));
tool("typescript/bin/tsc", "-p", "tsconfig.json");
tool("typescript/bin/tsc", "-p", "tsconfig.cli.json");
copyDeclarations(at("build/types/entry/embedded.d.ts"));
copyDeclarations(at("build/types/entry/slim.d.ts"));
