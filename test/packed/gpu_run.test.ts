/**
 * `npm run gpu`: what it packs runs outside of the repository, and says what it ran on.
 */
// needs: test/runtimes
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { skip } from "../suite/skip.ts";

const test = suite("gpu run");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const folder = mkdtempSync(join(tmpdir(), "densehead-gpu-"));
test.after(() => rmSync(folder, { recursive: true }));

function node(args: string[], cwd: string, env: Record<string, string> = {}) {
  const result = spawnSync(process.execPath, args, { cwd, encoding: "utf8", env: { ...process.env, ...env } });
  return { ...result, output: result.stdout + result.stderr };
}

const packed = node([join(root, "tools/gpu.js"), "--pack", folder], root);

test("packs, and a folder of others is left alone", () => {
  assert.is(packed.status, 0, packed.output);
  const refused = node([join(root, "tools/gpu.js"), "--pack", join(root, "docs")], root);
  assert.is(refused.status, 1);
  assert.match(refused.output, /--pack: .* is neither empty nor an earlier pack/);
  assert.ok(existsSync(join(root, "docs/webgpu.md")));
});

test("runs on the software adapter, which no figure is judged on", () => {
  if (!existsSync(join(folder, "vulkan"))) return skip("no software adapter to pack");
  const { status, output } = node(["run.mjs", "--quick", "--software"], folder);
  assert.is(status, 0, output);
  const { adapter, suites, rows } = JSON.parse(readFileSync(join(folder, "out/gpu.json"), "utf8"));
  assert.ok(adapter.software);
  assert.ok(suites.length > 0);
  for (const { passed, failed } of suites) assert.ok(passed > 0 && failed === 0, output);
  const count = (what: string) => rows.filter((row: { what: string }) => row.what.includes(what)).length;
  for (const what of ["sum and gradient", "decode", "preprocess"]) assert.is(count(what), 1, what);
  assert.is(count(", sum"), 2);
  assert.is(count("Criterion with gradient"), 3);
  const speed = readFileSync(join(folder, "out/gpu.md"), "utf8").split("## Speed")[1].split("\n##")[0];
  const lines = speed.split("\n").filter((line) => line.includes("GB/s"));
  assert.is(lines.length, rows.length);
  for (const line of lines) assert.match(line, /software adapter only/);
  assert.not.match(speed, /MISSED|reached/);
});

test("without an adapter it says what it tried", () => {
  if (process.platform !== "linux") return skip("only Vulkan's drivers can be hidden");
  const none = { VK_ICD_FILENAMES: "/none.json", VK_DRIVER_FILES: "/none.json" };
  const { status, output } = node(["run.mjs", "--quick"], folder, none);
  if (status === 0) return skip("a driver was found all the same");
  assert.match(output, /no WebGPU adapter here. Tried:\n {2}the environment as it is: no adapter/);
});

test.run();
