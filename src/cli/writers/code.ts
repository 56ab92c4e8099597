/**
 * Lines of code from a picture, or from outputs in files, to boxes.
 */
import { basename, extname } from "node:path";
import { heads, inputs } from "../../entry/embedded.ts";
import type { PresetName } from "../../heads/presets.ts";
import type { InputName } from "../../pixels/presets.ts";
import type { HeadSpec, InputSpec } from "../../types.ts";
import type { RunnableModel } from "../models/model.ts";
import { endsInDetections, feedsOf } from "../models/inputs.ts";

/** From a picture through the model: sharp, preprocess, onnxruntime-node, detect. */
export function modelCode(model: RunnableModel, head: HeadSpec, input: InputSpec): string {
  const { path, picture, size } = model;
  const feeds = [
    `${key(picture.name)}: new Tensor(${text(picture.dtype)}, tensor.data, tensor.dims)`,
    ...feedsOf(model.inputs, picture, size).map(({ name, type, values }) => {
      const array = { int64: "BigInt64Array", int32: "Int32Array", float32: "Float32Array" }[type];
      const numbers = values.map((value) => type === "int64" ? `${value}n` : String(value)).join(", ");
      return `${key(name)}: new Tensor(${text(type)}, ${array}.of(${numbers}), [1, 2])`;
    }),
  ];
  const decoded = endsInDetections(model.inputs);
  return lines(
    `import { createEngine, heads, inputs } from "densehead";`,
    `import { InferenceSession, Tensor } from "onnxruntime-node";`,
    `import sharp from "sharp";`,
    "",
    `const image = sharp("picture.jpg", { ignoreIcc: true }).rotate().removeAlpha().toColourspace("srgb").raw();`,
    `const { data, info: { width, height } } = await image.toBuffer({ resolveWithObject: true });`,
    "",
    "const engine = await createEngine();",
    `const session = await InferenceSession.create(${text(basename(path))});`,
    `const { tensor, transform } = await engine.preprocess({ data, width, height }, ${inputCode(input)});`,
    ...(feeds.length === 1
      ? [`const outputs = await session.run({ ${feeds[0]} });`]
      : ["const outputs = await session.run({", ...feeds.map((feed) => `  ${feed},`), "});"]),
    ...(decoded ? JOIN : []),
    ...detectCode(decoded ? "rows" : "outputs", head, size, ", transform"),
  );
}

/** Labels, boxes and scores as rows of box, score and class. */
const JOIN = [
  "",
  "const { labels, boxes, scores } = outputs;",
  "const data6 = Float32Array.from({ length: 6 * scores.size }, (_, i) => {",
  "  const row = Math.floor(i / 6);",
  "  return i % 6 < 4 ? boxes.data[4 * row + i % 6] : i % 6 === 4 ? scores.data[row] : Number(labels.data[row]);",
  "});",
  "const rows = { data: data6, dims: [1, scores.size, 6] };",
];

/** From a file, or a folder of .npy files. */
export function outputsCode(
  path: string,
  names: readonly string[],
  head: HeadSpec,
  size: readonly [number, number],
): string {
  const kind = extname(path).toLowerCase();
  const file = text(basename(path));
  const reads = kind === ".npy"
    ? { names: "readNpy", lines: [`const outputs = readNpy(await readFile(${file}));`] }
    : kind === ".safetensors"
    ? {
      names: "outputsByRole, readSafetensors",
      lines: [`const outputs = outputsByRole(readSafetensors(await readFile(${file})).tensors);`],
    }
    : {
      names: "outputsByRole, readNpy",
      lines: [
        `const names = [${names.map(text).join(", ")}];`,
        `const read = async (name) => [name, readNpy(await readFile(\`${basename(path)}/\${name}.npy\`))];`,
        "const outputs = outputsByRole(Object.fromEntries(await Promise.all(names.map(read))));",
      ],
    };
  return lines(
    `import { readFile } from "node:fs/promises";`,
    `import { createEngine, heads } from "densehead";`,
    `import { ${reads.names} } from "densehead/files";`,
    "",
    ...reads.lines,
    "const engine = await createEngine();",
    ...detectCode("outputs", head, size, ""),
  );
}

function detectCode(outputs: string, head: HeadSpec, size: readonly [number, number], more: string): string[] {
  return [
    "",
    `const head = ${headCode(head)};`,
    `const [found] = await engine.detect(${outputs}, { head, imageSize: [${size.join(", ")}]${more} });`,
    "for (const { box, score, classId } of found) console.log(classId, score.toFixed(2), box.map(Math.round));",
  ];
}

/** "heads.yolox({ numClasses: 3 })". */
function headCode(head: HeadSpec): string {
  const changed = changes(head, heads[head.name as PresetName]());
  return `heads.${head.name}(${changed.length === 0 ? "" : literal(changed)})`;
}

/** "inputs.yolox({ size: [416, 416] })". */
function inputCode(input: InputSpec): string {
  const { name, size } = input;
  return `inputs.${name}(${literal([["size", size], ...changes(input, inputs[name as InputName]({ size }))])})`;
}

/** Members that are not as the preset has them. */
function changes(value: object, usual: object): [string, unknown][] {
  const preset = new Map<string, unknown>(Object.entries(usual));
  return Object.entries(value).filter(([member, value]) => String(value) !== String(preset.get(member)));
}

/** An object as code. */
function literal(members: readonly (readonly [string, unknown])[]): string {
  const entries = members.map(([member, value]) => {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return `${member}: ${isObject ? literal(Object.entries(value)) : JSON.stringify(value).replaceAll(",", ", ")}`;
  });
  return `{ ${entries.join(", ")} }`;
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name);
}

function text(value: string): string {
  return JSON.stringify(value);
}

function lines(...all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}
