/** A project that has installed the packed package, so that the tests go through its exports as any user does. */
import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, npm, root } from "../../tools/ready.js";
import { bundleTests } from "./bundle.js";

/** Inside the repository, but a package of its own: `densehead` is resolved in its node_modules. */
export const consumer = join(root, ".test/consumer");

/** Bundles by name, and the folders of test/ whose files are in them. */
const BUNDLES = {
  suite: { folders: ["suite"], platform: "neutral" },
  node: { folders: ["node", "packed"], platform: "node" },
  examples: { folders: ["examples"], platform: "node" },
};

/** Packs and installs the package, and puts bundles of the test files beside it; returns the sources of the bundles. */
export async function prepareConsumer(files) {
  rmSync(consumer, { recursive: true, force: true });
  mkdirSync(consumer, { recursive: true });
  writeJson("package.json", { name: "densehead-consumer", private: true, type: "module" });
  // Keeps Deno from the repository's own configuration.
  writeJson("deno.json", { nodeModulesDir: "manual" });
  installPackage();
  for (const file of ["process.js", "command.js", "worker.js", "worker_globals.js", "page.js"]) {
    copyFileSync(join(root, "test/runtimes", file), join(consumer, file));
  }
  cpSync(join(root, "test/types"), join(consumer, "types"), { recursive: true });
  const sources = [];
  for (const [name, { folders, platform }] of Object.entries(BUNDLES)) {
    const bundled = files.filter(({ folder }) => folders.includes(folder));
    sources.push(
      ...await bundleTests(join(consumer, `${name}.js`), bundled, platform, {
        external: ["densehead", "densehead/*", "esbuild"],
      }),
    );
  }
  return sources;
}

function installPackage() {
  // Already built, so prepack is left out.
  run(root, "pack", "--ignore-scripts", "--pack-destination", consumer);
  const tarball = readdirSync(consumer).find((name) => name.endsWith(".tgz"));
  run(consumer, "install", "--offline", "--no-audit", "--no-fund", `./${tarball}`);
}

function run(cwd, ...args) {
  const { status, output } = npm(cwd, args);
  if (status !== 0) throw new Failure(`npm ${args.join(" ")} failed\n${output}`);
}

function writeJson(name, value) {
  writeFileSync(join(consumer, name), JSON.stringify(value, null, 2));
}
