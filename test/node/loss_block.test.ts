/** The parameter block of losses lies in memory as the compiler of the kernels lays it out. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { blockClass, CALL_FIELDS, ELEMENT_FIELDS, type Field, type Fields, layOut } from "../../src/ops/loss_block.ts";
import { operations } from "../../src/registry.ts";

const test = suite("loss block");
const root = process.env.DENSEHEAD_ROOT ?? ".";

interface Block {
  readonly name: string;
  readonly layout: readonly Field[];
}

const blocks: Block[] = [
  { name: "LossBlock", layout: layOut(CALL_FIELDS) },
  { name: "ElementLossBlock", layout: layOut(CALL_FIELDS, ELEMENT_FIELDS) },
  ...Object.values(operations).flatMap((operation) => {
    if (!("fields" in operation)) return [];
    const family = operation.kind === "element loss" ? ELEMENT_FIELDS : {};
    return [{ name: blockClass(operation.stem), layout: layOut(CALL_FIELDS, family, operation.fields as Fields) }];
  }),
];

/** One function for each field, which returns the offset that the compiler knows. */
function program(): string {
  const functions = blocks.flatMap(({ name, layout }) => {
    return layout.map((field) =>
      `export function ${name}_${field.name}(): i32 {
  return <i32> offsetof<${name}>("${field.name}");
}`
    );
  });
  const names = blocks.map(({ name }) => name).join(", ");
  return [`import { ${names} } from "../../assembly/generated/loss_blocks";`, ...functions].join("\n");
}

function compile(source: string): WebAssembly.Exports {
  const folder = join(root, ".test/loss_block");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "offsets.ts"), source);
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  const options = ["--runtime", "stub", "--enable", "simd", "--outFile", "offsets.wasm"];
  execFileSync(process.execPath, [asc, "offsets.ts", ...options], { cwd: folder });
  return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(join(folder, "offsets.wasm")))).exports;
}

test("every field is where the compiler puts it", () => {
  const offsets = compile(program());
  assert.ok(blocks.length > 2);
  for (const { name, layout } of blocks) {
    for (const field of layout) {
      const offset = (offsets[`${name}_${field.name}`] as () => number)();
      assert.is(field.offset, offset, `${name}.${field.name}`);
    }
  }
});

test.run();
