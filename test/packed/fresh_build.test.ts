/**
 * The build in a checkout that nobody has built before: nothing that one part writes may be there already for another.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("fresh build");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const folder = mkdtempSync(join(process.cwd(), "checkout-"));
test.after(() => rmSync(folder, { recursive: true }));

/** What the build reads. */
const PARTS = [
  "assembly",
  "src",
  "tools",
  "test",
  "asconfig.json",
  "package.json",
  "tsconfig.json",
  "tsconfig.cli.json",
];

test("a checkout builds at the first try", () => {
  const tracked = (path: string) => !/\/(generated|node_modules|build)$/.test(path);
  for (const part of PARTS) cpSync(join(root, part), join(folder, part), { recursive: true, filter: tracked });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["tools/build.js"], { cwd: folder, encoding: "utf8" });
  assert.is(status, 0, stdout + stderr);
  for (const file of ["index.js", "cli.js", "densehead.wasm", "entry/embedded.d.ts"]) {
    assert.ok(existsSync(join(folder, "dist", file)), `no dist/${file}`);
  }
});

test.run();
