/** Builds dist/: both WASM builds, one bundle per entry, the command, and the declarations that the entries reach. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { ensureKernels, KERNEL_FILES, kernelText } from "./kernels.js";
import { Failure, root, runMain, runScript } from "./ready.js";
import { workerText } from "./worker_text.js";

const at = (...parts) => join(root, ...parts);

/** `module:x.wasm` stays an import of the file beside the bundle. */
const moduleImports = {
  name: "module-imports",
  setup({ onResolve }) {
    onResolve({ filter: /^module:/ }, ({ path }) => ({ path: path.replace("module:", "./"), external: true }));
  },
};

/** The command imports the library beside it rather than holding it once more. */
const commandImports = {
  name: "command-imports",
  setup({ onResolve }) {
    onResolve({ filter: /\/entry\/embedded\.ts$/ }, () => ({ path: "./index.js", external: true }));
    onResolve({ filter: /\/files\/index\.ts$/ }, () => ({ path: "./files.js", external: true }));
    onResolve({ filter: /\/eval\/index\.ts$/ }, () => ({ path: "./eval.js", external: true }));
  },
};

/** Shaders without comments and indentation. */
const smallShaders = {
  name: "small-shaders",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/webgpu\/(shaders\/)?\w+\.ts$/ }, ({ path }) => {
      const shrink = (shader) => shader.replaceAll(/\s*\/\/.*$/gm, "").replaceAll(/\n\s+/g, "\n");
      const contents = readFileSync(path, "utf8").replaceAll(/(?<=\/\* wgsl \*\/ )`(?:[^`\\]|\\.)*`/gs, shrink);
      return { contents, loader: "ts" };
    });
  },
};

const DOC = /\bdoc`(?:[^`\\]|\\.)*`/g;
/** A member of an object that is nothing but such texts, or a list of them. */
const DOCUMENTED = new RegExp(`\\b\\w+:\\s*(?:${DOC.source}|\\[(?:\\s*${DOC.source},?)+\\s*\\]),?`, "g");

/** Operations without the texts for documentation and help. */
const noDocumentation = {
  name: "no-documentation",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/(ops|criteria|detect|pixels)\/\w+\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, "utf8").replaceAll(DOCUMENTED, "").replaceAll(DOC, '""');
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

/** The entries, and beside them the files that they share or load when asked: `shared-…`, `kernels-…`, `webgpu-…`. */
async function bundleLibrary(kernels) {
  const { metafile } = await build({
    ...COMPACT,
    metafile: true,
    entryPoints: {
      index: at("src/entry/embedded.ts"),
      workerd: at("src/entry/workerd.ts"),
      slim: at("src/entry/slim.ts"),
      // So that whoever imports only `heads`, `inputs` or `toSvg` gets this file alone.
      heads: at("src/heads/index.ts"),
      inputs: at("src/pixels/index.ts"),
      svg: at("src/svg/to_svg.ts"),
      // What checks arguments is shared: beside an engine, files of tensors cost no second copy of it.
      files: at("src/files/index.ts"),
      eval: at("src/eval/index.ts"),
    },
    splitting: true,
    chunkNames: "[name]-[hash]",
    define: { KERNELS: JSON.stringify(kernels) },
    plugins: [moduleImports, kernelText, workerText, smallShaders, noDocumentation],
  });
  for (const file of Object.keys(metafile.outputs)) dropBareImports(at(file));
  // Deno and JSR take the declarations from here.
  selfTypes("index", "entry/embedded");
  selfTypes("slim", "entry/slim");
  selfTypes("files", "files/index");
  selfTypes("eval", "eval/index");
}

/** Imports of files for their side effects, which none has: bundlers of a linked package warn of them. */
function dropBareImports(file) {
  writeFileSync(file, readFileSync(file, "utf8").replaceAll(/import\s*"\.\/[\w-]+\.js";\s*/g, ""));
}

function selfTypes(bundle, declarations) {
  const file = at("dist", `${bundle}.js`);
  writeFileSync(file, `/* @ts-self-types="./${declarations}.d.ts" */\n${readFileSync(file, "utf8")}`);
}

async function bundleCommand() {
  await build({
    ...COMPACT,
    entryPoints: { cli: at("src/cli/main.ts") },
    platform: "node",
    plugins: [commandImports],
  });
}

/** Only types may be imported from a declaration by its own name: values are declared as what they are there. */
function typesAlone(text) {
  const declared = (name, path) => {
    const value = `export declare const ${name}: typeof import("${path}").${name};`;
    // A class is a type too.
    return /^[A-Z]/.test(name) ? `${value}\nexport type ${name} = import("${path}").${name};` : value;
  };
  return text
    .replaceAll(/^import \{([^}]*)\} from/gm, (_, names) => `import type {${names.replaceAll("type ", "")}} from`)
    .replaceAll(/^export \{([^}]*)\} from "(\.[^"]*)";$/gm, (_, names, path) => {
      return names.split(",").map((name) => declared(name.trim(), path)).join("\n");
    });
}

/** Copies a declaration and those that it imports, their specifiers as they are outside a bundler. */
function copyDeclarations(file, done = new Set()) {
  if (done.has(file)) return;
  done.add(file);
  const text = readFileSync(file, "utf8");
  const target = at("dist", relative(at("build/types"), file));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, typesAlone(text).replaceAll(/((?:from |import\()"\.[^"]*)\.ts"/g, '$1.d.ts"'));
  for (const [, path] of text.matchAll(/from "(\.[^"]*)\.ts"/g)) {
    copyDeclarations(join(dirname(file), `${path}.d.ts`), done);
  }
}

/** Writes the declarations into build/types; what is wrong is told in the compiler's words alone. */
async function compileTypes() {
  for (const project of ["tsconfig.json", "tsconfig.cli.json"]) {
    const { status, output } = await runScript("typescript/bin/tsc", "-p", project);
    if (status !== 0) throw new Failure(output.trimEnd(), status);
  }
}

/** The command has this library inside. */
function copyLicence() {
  writeFileSync(at("dist/cli.licenses.txt"), `image-size\n\n${readFileSync(at("node_modules/image-size/LICENSE"))}`);
}

await runMain(async () => {
  // Half a build would pass for a new one next time.
  rmSync(at("dist"), { recursive: true, force: true });
  const kernels = await ensureKernels();
  // Not beside it: the sources take the kernels' types from what the compiler of the kernels declares.
  await compileTypes();
  mkdirSync(at("dist"), { recursive: true });
  copyDeclarations(at("build/types/entry/embedded.d.ts"));
  copyDeclarations(at("build/types/entry/slim.d.ts"));
  copyDeclarations(at("build/types/files/index.d.ts"));
  copyDeclarations(at("build/types/eval/index.d.ts"));
  for (const file of Object.values(KERNEL_FILES)) cpSync(at("build", file), at("dist", file));
  copyLicence();
  await Promise.all([bundleLibrary(kernels), bundleCommand()]);
});
