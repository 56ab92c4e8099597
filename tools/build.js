/** Builds dist/: both WASM builds, one bundle per entry, the command, and the declarations that the entries reach. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/**
 * The kernels as base64 in lines of their own: whoever prints the line of an error prints no kernels, in a bundle of
 * somebody else's neither. `atob` skips the line breaks.
 */
const kernelText = {
  name: "kernel-text",
  setup({ onLoad }) {
    onLoad({ filter: /\/build\/[\w-]+\.wasm$/ }, ({ path }) => {
      const lines = readFileSync(path).toString("base64").replaceAll(/.{1,1000}/g, "\n$&");
      return { contents: `export default \`${lines}\n\`;`, loader: "js" };
    });
  },
};

/** The command imports the library beside it rather than holding the kernels once more. */
const commandImports = {
  name: "command-imports",
  setup({ onResolve }) {
    onResolve({ filter: /\/entry\/embedded\.ts$/ }, () => ({ path: "./index.js", external: true }));
  },
};

/** Shaders without comments and indentation. */
const smallShaders = {
  name: "small-shaders",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/webgpu\/(shaders\/)?\w+\.ts$/ }, ({ path }) => {
      const shrink = (shader) => shader.replaceAll(/\s*\/\/.*$/gm, "").replaceAll(/\n\s+/g, "\n");
      const contents = readFileSync(path, "utf8").replaceAll(/(?<=\/\* wgsl \*\/ )`[^`]*`/g, shrink);
      return { contents, loader: "ts" };
    });
  },
};

/** Small, but with its own names and in lines, so that a stack can be read. No source map: it would be larger than the code. */
const COMPACT = {
  bundle: true,
  format: "esm",
  target: "es2022",
  outdir: at("dist"),
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 160,
  logLevel: "warning",
};

/** The package's version and a hash of the kernels' sources: an entry refuses kernels of another build. */
function kernelsName() {
  const hash = createHash("sha256");
  for (const file of readdirSync(at("assembly"), { recursive: true }).sort()) {
    if (file.endsWith(".ts")) hash.update(file).update(readFileSync(at("assembly", file)));
  }
  const { version } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  return `${version}-${hash.digest("hex").slice(0, 8)}`;
}

/** Compiles one build and puts the name of the kernels into a section of its own. */
function compileKernels(target, file, name) {
  tool("assemblyscript/bin/asc.js", "--target", target);
  const title = Buffer.from("densehead");
  const content = Buffer.concat([Buffer.of(title.length), title, Buffer.from(name)]);
  // A custom section: 0, its size in one byte, its title with its length, its content.
  const section = Buffer.concat([Buffer.of(0, content.length), content]);
  writeFileSync(at("build", file), Buffer.concat([readFileSync(at("build", file)), section]));
}

/** The entries, and beside them the files that they share or load when asked: `shared-…`, `kernels-…`, `webgpu-…`. */
async function bundleLibrary(kernels) {
  await build({
    ...COMPACT,
    entryPoints: {
      index: at("src/entry/embedded.ts"),
      workerd: at("src/entry/workerd.ts"),
      slim: at("src/entry/slim.ts"),
      // So that whoever imports only `heads` gets this file alone.
      heads: at("src/heads/index.ts"),
    },
    splitting: true,
    chunkNames: "[name]-[hash]",
    define: { KERNELS: JSON.stringify(kernels) },
    plugins: [moduleImports, kernelText, smallShaders],
  });
  for (const entry of ["index", "workerd", "slim", "heads"]) dropBareImports(at("dist", `${entry}.js`));
  // Deno and JSR take the declarations from here.
  selfTypes("index", "embedded");
  selfTypes("slim", "slim");
}

/** Imports of files for their side effects, which none has: bundlers of a linked package warn of them. */
function dropBareImports(file) {
  writeFileSync(file, readFileSync(file, "utf8").replaceAll(/import\s*"\.\/[\w-]+\.js";\s*/g, ""));
}

function selfTypes(bundle, entry) {
  const file = at("dist", `${bundle}.js`);
  writeFileSync(file, `/* @ts-self-types="./entry/${entry}.d.ts" */\n${readFileSync(file, "utf8")}`);
}

async function bundleCommand() {
  await build({
    ...COMPACT,
    entryPoints: { cli: at("src/cli/main.ts") },
    platform: "node",
    plugins: [commandImports],
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
const kernels = kernelsName();
compileKernels("baseline", "densehead.wasm", kernels);
compileKernels("relaxed", "densehead-relaxed.wasm", kernels);
await Promise.all([bundleLibrary(kernels), bundleCommand()]);
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
