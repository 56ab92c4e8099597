/** The types of the examples that have a tsconfig.json hold against the package's own declarations. */
// needs: examples/cloudflare-worker
// needs: examples/onnxruntime-webgpu
// needs: examples/playground
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("examples, types");
const root = process.env.DENSEHEAD_ROOT ?? process.cwd();
const examples = join(root, "examples");

for (const name of readdirSync(examples)) {
  if (!existsSync(join(examples, name, "tsconfig.json"))) continue;
  test(name, () => {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", join(examples, name)], {
      encoding: "utf8",
    });
    assert.is(status, 0, stdout);
  });
}

test.run();
