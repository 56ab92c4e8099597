/**
 * Writes the sources that follow from other sources:
 *
 * - src/generated/operations.ts: the operations, found in their folders
 * - src/webgpu/generated/shaders.ts: their shaders
 * - src/webgpu/generated/plans.ts: the plans of the criteria
 * - src/generated/losses.ts: facts of the losses for the command, which has the operations apart
 * - assembly/generated/kernels.ts: their kernels
 * - assembly/generated/loss_blocks.ts: the parameter block of each loss as a class
 * - test/generated/references.ts and fixtures.ts: what stands beside an operation by its stem in test/reference and test/fixtures
 *
 * An operation is a file x_y.ts of src/ops, src/criteria, src/detect or src/pixels that exports `xY` made by one of the functions in KINDS.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { evaluate } from "./evaluate.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);

const KINDS = ["elementLoss", "rowLoss", "boxLoss", "rowOperation", "routine"];
const OPERATION = new RegExp(`^export const (\\w+) = (${KINDS.join("|")})\\(`, "m");

export async function generate() {
  const operations = operationFiles();
  writeSource("src/generated/operations.ts", objectOf("operations", operations, "src/generated"));
  writeSource(
    "src/webgpu/generated/shaders.ts",
    objectOf("shaders", partsOf(operations, "src/webgpu/shaders"), "src/webgpu/generated"),
  );
  writeSource(
    "src/webgpu/generated/plans.ts",
    objectOf("plans", partsOf(operations, "src/webgpu/plans"), "src/webgpu/generated"),
  );
  const records = Object.values((await evaluate("src/generated/operations.ts")).operations);
  writeSource("src/generated/losses.ts", await lossFacts(records));
  writeSource("assembly/generated/kernels.ts", kernelExports(records));
  writeSource("assembly/generated/loss_blocks.ts", await blockClasses(records));
  writeSource("test/generated/references.ts", besides("references", records, "reference", "ts"));
  writeSource("test/generated/fixtures.ts", besides("fixtures", records, "fixtures", "json"));
}

/** The kind of the operation of a stem, as its record says it: "box loss"; undefined where there is none. */
export function kindOfStem(stem) {
  const found = operationFiles().find(({ file }) => basename(file, ".ts") === stem);
  return found && KINDS[found.place].replaceAll(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
}

/** The files of operations with the names that they export, by kind and name. */
function operationFiles() {
  const files = ["src/ops", "src/criteria", "src/detect", "src/pixels"].flatMap((folder) => {
    return readdirSync(at(folder)).filter((file) => file.endsWith(".ts")).map((file) => join(folder, file));
  });
  const found = files.flatMap((file) => {
    const [, name, kind] = OPERATION.exec(readFileSync(at(file), "utf8")) ?? [];
    if (name === undefined) return [];
    const wanted = camel(basename(file, ".ts"));
    if (name !== wanted) {
      throw new Error(`${file} exports the operation ${name}; wanted ${wanted}, as the file is called`);
    }
    return [{ file, name, place: KINDS.indexOf(kind) }];
  });
  return found.sort((a, b) => a.place - b.place || (a.name < b.name ? -1 : 1));
}

/** The files of a folder that belong to operations: each has the operation's name. */
function partsOf(operations, folder) {
  const there = readdirSync(at(folder));
  return operations.map(({ file, name }) => ({ file: join(folder, basename(file)), name }))
    .filter(({ file }) => there.includes(basename(file)));
}

/** A module of a folder that has what the files export in one object, in their order. */
function objectOf(object, files, folder) {
  const imports = files.map(({ file, name }) => {
    return `import { ${name} } from "${relative(folder, file).replaceAll("\\", "/")}";`;
  });
  return [...imports, "", `export const ${object} = { ${files.map(({ name }) => name).join(", ")} };`];
}

/** The files of a folder of test/ that have the stems of operations, in one object. Missing ones are for the tests to tell. */
function besides(object, records, folder, ending) {
  const there = readdirSync(at("test", folder));
  const found = records.filter(({ stem }) => there.includes(`${stem}.${ending}`));
  const imports = found.map(({ name, stem }) => {
    const path = JSON.stringify(`../${folder}/${stem}.${ending}`);
    return ending === "json"
      ? `import ${name} from ${path} with { type: "json" };`
      : `import * as ${name} from ${path};`;
  });
  return [...imports, "", `export const ${object} = { ${found.map(({ name }) => name).join(", ")} };`];
}

async function lossFacts(records) {
  const { LOSS_PARAMS } = await evaluate("src/ops/checked_loss.ts");
  const losses = records.filter(({ kind, operands }) => kind.endsWith(" loss") || operands !== undefined);
  const facts = losses.map(({ name, kind, alias, operands, labels, targetRange, params }) => {
    const own = Object.fromEntries(Object.entries(params).filter(([param]) => !(param in LOSS_PARAMS)));
    return [name, { kind, alias, operands, labels, targetRange, params: own }];
  });
  const imports = ['import type { LossFacts } from "../ops/loss_call.ts";', ""];
  const text = JSON.stringify(Object.fromEntries(facts), null, 2);
  // JSON has no undefined.
  return [
    ...imports,
    `/** With their parameters beside those of every loss. */`,
    `export const losses = ${text} as unknown as Readonly<Record<string, LossFacts>>;`,
  ];
}

/** Every kernel that a record names, from the file that exports it. */
function kernelExports(records) {
  const files = readdirSync(at("assembly"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("generated") && file !== "index.ts").sort();
  const texts = files.map((file) => [file, readFileSync(at("assembly", file), "utf8")]);
  const kernels = [...new Set(records.flatMap(({ kernels }) => kernels))].sort();
  return kernels.map((kernel) => {
    const [file] = texts.find(([, text]) => text.includes(`export function ${kernel}(`)) ?? [];
    if (file === undefined) {
      throw new Error(`no file of assembly/ has "export function ${kernel}(", a kernel of an operation`);
    }
    return `export { ${kernel} } from "../${file.replace(".ts", "").replaceAll("\\", "/")}";`;
  });
}

/** A class for the fields of every loss, one for those of element losses, and one for each loss with fields of its own. */
async function blockClasses(records) {
  const { blockClass, CALL_FIELDS, ELEMENT_FIELDS } = await evaluate("src/ops/loss_block.ts");
  const losses = records.filter(({ fields }) => fields !== undefined);
  return [
    ...blockText("LossBlock", "", CALL_FIELDS),
    ...blockText("ElementLossBlock", " extends LossBlock", ELEMENT_FIELDS),
    ...losses.flatMap(({ stem, kind, fields }) => {
      const base = kind === "element loss" ? "ElementLossBlock" : "LossBlock";
      return blockText(blockClass(stem), ` extends ${base}`, fields);
    }),
  ];
}

function blockText(name, base, fields) {
  const members = Object.entries(fields).flatMap(([field, [type, text]]) => {
    return [`  /** ${text[0].toUpperCase()}${text.slice(1)} */`, `  ${field}!: ${type};`];
  });
  // In one load: a splat of a field takes two instructions.
  const vectors = Object.entries(fields).filter(([, [type]]) => type === "f32").flatMap(([field]) => [
    "",
    "  // @ts-ignore: decorator",
    "  @inline",
    `  ${field}4(): v128 {`,
    `    return v128.load32_splat(changetype<usize>(this), offsetof<${name}>("${field}"));`,
    "  }",
  ]);
  return ["", "// @ts-ignore: decorator", "@unmanaged", `export class ${name}${base} {`, ...members, ...vectors, "}"];
}

function camel(stem) {
  return stem.replaceAll(/_(\w)/g, (_, letter) => letter.toUpperCase());
}

/** Leaves a file alone that is so already: whoever looks at its time need not build anew. */
function writeSource(file, lines) {
  const text = `// Written by tools/generate.js.\n${lines.join("\n")}\n`;
  mkdirSync(dirname(at(file)), { recursive: true });
  try {
    if (readFileSync(at(file), "utf8") === text) return;
  } catch {
    // Not there yet.
  }
  writeFileSync(at(file), text);
}

if (pathToFileURL(process.argv[1] ?? "").href === import.meta.url) await generate();
