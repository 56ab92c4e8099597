/** The kernels: both WASM builds in build/, compiled where they are not of the sources as they stand. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "./generate.js";
import { Failure, root, runScript } from "./ready.js";

/** By the target's name in asconfig.json. */
export const KERNEL_FILES = { baseline: "densehead.wasm", relaxed: "densehead-relaxed.wasm" };

/** What else the compiled kernels depend on. */
const SETTINGS = ["asconfig.json", "tools/kernels.js", "node_modules/assemblyscript/package.json"];

const at = (...parts) => join(root, ...parts);
const keyFile = at("build/kernels.key");

/** Compiles what is out of date, and returns the kernels' name: see `kernelsName`. */
export async function ensureKernels() {
  await generate();
  const name = kernelsName();
  const key = [name, hashOf(SETTINGS)].join(" ");
  const files = Object.values(KERNEL_FILES).map((file) => at("build", file));
  if (existsSync(keyFile) && readFileSync(keyFile, "utf8") === key && files.every(existsSync)) return name;
  mkdirSync(at("build"), { recursive: true });
  console.log("compiling kernels …");
  // Half a build would pass for a new one next time.
  rmSync(keyFile, { force: true });
  await Promise.all(Object.keys(KERNEL_FILES).map((target) => compile(target, name)));
  writeFileSync(keyFile, key);
  return name;
}

/** The package's version and a hash of the kernels' sources: an entry refuses kernels of another build. */
function kernelsName() {
  const sources = readdirSync(at("assembly"), { recursive: true }).filter((file) => file.endsWith(".ts")).sort();
  const { version } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  return `${version}-${hashOf(sources.map((file) => join("assembly", file))).slice(0, 8)}`;
}

/** Of the files' names and contents. */
function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(readFileSync(at(file)));
  return hash.digest("hex");
}

/** Compiles one build and puts the name of the kernels into a section of its own. */
async function compile(target, name) {
  const { status, output } = await runScript("assemblyscript/bin/asc.js", "--target", target);
  if (status !== 0) throw new Failure(`the ${target} kernels do not compile\n${output}`, status);
  const file = at("build", KERNEL_FILES[target]);
  const title = Buffer.from("densehead");
  const content = Buffer.concat([Buffer.of(title.length), title, Buffer.from(name)]);
  // A custom section: 0, its size in one byte, its title with its length, its content.
  const section = Buffer.concat([Buffer.of(0, content.length), content]);
  writeFileSync(file, Buffer.concat([readFileSync(file), section]));
}

/**
 * The kernels as base64 in lines of their own: whoever prints the line of an error prints no kernels, in a bundle of
 * somebody else's neither. `atob` skips the line breaks.
 */
export const kernelText = {
  name: "kernel-text",
  setup({ onLoad }) {
    onLoad({ filter: /\/build\/[\w-]+\.wasm$/ }, ({ path }) => {
      const lines = readFileSync(path).toString("base64").replaceAll(/.{1,1000}/g, "\n$&");
      return { contents: `export default \`${lines}\n\`;`, loader: "js" };
    });
  },
};
