/**
 * `npm run docs`: writes docs/api.md from the docblocks of the public types. With `--check` it writes nothing and fails
 * when the file is out of date.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, "docs/api.md");
const WIDTH = 120;

/** Sections in the order of the page; those of types.ts carry the names of its section comments. */
const GROUPS = ["Engine", "Losses", "Boxes", "Detection", "Heads", "Values"];
/** Types that stand under another section in types.ts than on the page. */
const MOVED = { SyncOps: "Engine", AsyncOps: "Engine" };
/** Written out wherever they are used. */
const INLINED = ["CreateEngine", "Heads", "Loss", "Result"];
/** In nearly every signature, so not worth a link at each. */
const EVERYWHERE = ["Reduction", "TensorLike"];

/** Types that stand for one of the platform's: their declaration says nothing to a reader. */
const PLATFORM = /\bGlobal<|\binfer [A-Z]/;

const INTRO =
  `Made from the comments in the sources by \`npm run docs\`; edit those, not this page. The README shows how to
begin.

Signatures are those of \`engine.sync\`, where a result comes at once. The same operations are on \`engine\` itself, where each
returns a promise of that result and its errors are rejections. Shapes are row-major and stand in parentheses: (N, 4) is N
rows of four. Arguments of type \`TensorLike\` are \`{ data, dims }\` objects such as the tensors of onnxruntime; a plain
\`Float32Array\` has the shape that the argument calls for.`;

const ERRORS =
  `Messages name the operation, the argument, what came and what was wanted. The engine works on after an error.

- \`TypeError\`: a wrong kind of value, dtype or shape; an unknown name among options or inputs, with the nearest known
  one; also shapes that fit no head, or more than one, in \`heads.infer\`.
- \`RangeError\`: a value out of its range, or \`maxMemory\` reached.
- \`Error\`: an engine that is used after \`dispose()\`.
- What \`signal\` was aborted with: \`detect\` ended by it.

Operations add:`;

main();

function main() {
  const page = render();
  if (!process.argv.includes("--check")) {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, page);
  } else if (read("docs/api.md") !== page) {
    console.error("docs/api.md is out of date; run `npm run docs`");
    process.exitCode = 1;
  }
}

/** Line ends as in the repository, whatever the checkout made of them; empty for a file that is not there. */
function read(path) {
  try {
    return readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return "";
  }
}

// ── Parsing ─────────────────────────────────────────────────────────────────────

/** Every exported declaration of a file: {kind, name, group, doc, code}; `doc` is text, `code` has its comments. */
function declarations(text, group = "Values") {
  const found = [];
  const starts =
    /^\/\/ ── (\w+)|^(?:(\/\*\*(?:(?!\*\/)[^])*\*\/)\n)?export (?:async )?(interface|type|function) (\w+)/gm;
  for (const match of text.matchAll(starts)) {
    const [whole, section, comment, kind, name] = match;
    if (section !== undefined) group = section;
    if (kind === undefined || /^(type|interface)$/.test(name)) continue;
    const from = match.index + (comment === undefined ? 0 : comment.length + 1);
    const code = text.slice(from, endOf(text, match.index + whole.length, kind));
    found.push({ kind, name, group: MOVED[name] ?? group, doc: docText(comment), code });
  }
  return found;
}

/** Where a declaration ends: at its closing brace, at its semicolon, or where a function's body begins. */
function endOf(text, from, kind) {
  const plain = blank(text);
  if (kind === "function") return plain.indexOf(" {\n", from);
  if (kind === "interface") return closing(plain, plain.indexOf("{", from)) + 1;
  return from + pieces(plain.slice(from), ";")[0].length + 1;
}

/** The same text with comments as spaces, so that positions stay. */
function blank(text) {
  return text.replace(/\/\*\*(?:(?!\*\/)[^])*\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
}

/** Position of the brace that closes the one at `open`. */
function closing(text, open) {
  return open + 1 + pieces(text.slice(open + 1), "")[0].length;
}

/** Text cut at a separator outside all brackets; ends at a bracket that it did not open. */
function pieces(text, separator) {
  const parts = [""];
  let depth = 0;
  for (const [i, char] of [...text].entries()) {
    const arrow = char === ">" && text[i - 1] === "=";
    if ("([{<".includes(char)) depth++;
    if (")]}>".includes(char) && !arrow && --depth < 0) break;
    if (depth === 0 && char === separator) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** Members of a body `{…}`: {name, optional, type, doc}. Members of nested bodies get dotted names. */
function members(code) {
  const plain = blank(code);
  const open = plain.indexOf("{");
  let from = open + 1;
  const found = [];
  for (const piece of pieces(plain.slice(from), ";")) {
    const text = code.slice(from, from + piece.length);
    from += piece.length + 1;
    if (piece.trim() !== "") found.push(...member(text, oneLine(piece)));
  }
  return found;
}

function member(text, line) {
  const [, name, mark, type] = line.match(/^(?:readonly )?(\w+)(\??)(?::\s*)?(.*)$/);
  const doc = docText(text.match(/^\s*(\/\*\*(?:(?!\*\/)[^])*\*\/)/)?.[1]);
  const nested = blank(text).trim().endsWith("}") && /^\{/.test(type) && text.split("/**").length > 2;
  const own = { name, optional: mark === "?", type: type.replaceAll(/readonly (?=\w+\??:)/g, ""), doc };
  if (!nested) return [own];
  const body = text.slice(text.indexOf("*/") + 2);
  return [{ ...own, type: "object" }, ...members(body).map((inner) => ({ ...inner, name: `${name}.${inner.name}` }))];
}

/** A docblock's paragraphs, without stars; links become code. */
function docText(comment = "") {
  const lines = comment.replace(/^\/\*\*|\*\/$/g, "").split("\n").map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
  const [text, ...examples] = lines.join("\n").trim().replaceAll(/\{@link (\w+)\}/g, "`$1`").split("@example\n");
  const blocks = text.trim().split(/\n\n+|\n(?=- )/).map((block) => block.replaceAll("\n", " "));
  return [blocks.join("\n\n"), ...examples.map((example) => example.trim())].join("\n\n");
}

function oneLine(code) {
  return code.trim().replaceAll(/\s+/g, " ").replaceAll(/([([]) | (?=[)\]])|,(?= [)\]])/g, "$1").replaceAll(",)", ")");
}

// ── Signatures ──────────────────────────────────────────────────────────────────

/** A member of an interface of operations as a function; `Loss<F, T, O>` is written out. */
function signature({ name, type }, types) {
  const called = type.match(/^Loss<F, (\w+), (\w+)>$/);
  const written = called === null ? type : expandLoss(types, called[1], called[2]);
  return functionBlock(name, written.replace(/Result<F, (.+)>$/, "$1"));
}

/** The type `Loss` with its target and its options put in, and without the placement, which `engine.sync` has not. */
function expandLoss(types, target, options) {
  const { code } = types.find(({ name }) => name === "Loss");
  const type = oneLine(code.slice(code.indexOf("=") + 1)).replace(/;$/, "").replace(/\) => /, "): ");
  return type.replace(', P extends Placement = "host"', "").replaceAll(", P>", ">").replace(
    "target: T",
    `target: ${target}`,
  ).replace(" & O", options === "object" ? "" : ` & ${options}`);
}

/** A function's declaration in a block, in the formatter's layout. */
function functionBlock(name, type) {
  const line = `function ${name}${type};`;
  if (line.length <= WIDTH) return block(line);
  const open = type.indexOf("(");
  const parameters = pieces(type.slice(open + 1), ",").map((text) => text.trim());
  const rest = type.slice(open + 1 + pieces(type.slice(open + 1), "")[0].length);
  return block(`function ${name}${type.slice(0, open)}(\n${parameters.map((p) => `  ${p},\n`).join("")}${rest};`);
}

function block(code) {
  return `\`\`\`ts\n${code}\n\`\`\``;
}

// ── Page ────────────────────────────────────────────────────────────────────────

function render() {
  const types = [
    ...declarations(read("src/types.ts")),
    ...declarations(read("src/heads/index.ts"), "Heads"),
    ...declarations(read("src/heads/infer.ts"), "Heads").filter(({ kind }) => kind !== "function"),
  ];
  const sections = GROUPS.map((group) => ({ group, items: itemsOf(group, types) }));
  const linked = linker(sections);
  const body = sections.map(({ group, items }) => [`## ${group}`, ...items.map((item) => item.text(linked))]);
  const operations = sections.flatMap(({ items }) => items.filter(({ doc }) => doc !== undefined));
  const parts = ["# API", wrap(INTRO), contents(sections), ...body.flat(), "## Errors", ERRORS, errorTable(operations)];
  return `${paragraphs(...parts)}\n`;
}

/** What stands under a heading of the page: {name, doc, text}; no name for a group's own text. */
function itemsOf(group, types) {
  const own = types.filter((type) => type.group === group);
  const operations = own.filter(isOperations);
  const rest = own.filter((type) => !isOperations(type) && !INLINED.includes(type.name));
  return [
    ...(group === "Engine" ? [entryItem()] : []),
    ...own.filter(({ name }) => name === "Heads").map((type) => ({ text: (linked) => typeText(type, linked) })),
    ...operations.flatMap((type) => [
      { text: () => wrap(type.doc) },
      ...members(type.code).map((operation) => operationItem(operation, types)),
    ]),
    ...rest.map((type) => ({ name: type.name, text: (linked) => `### \`${type.name}\`\n\n${typeText(type, linked)}` })),
  ];
}

/** `LossOps` and its like, which have operations as members. */
function isOperations({ name, code }) {
  return name.endsWith("Ops") && code.startsWith("export interface") && code.includes("<F>");
}

function operationItem(operation, types) {
  const { name, doc } = operation;
  const code = signature(operation, types);
  return { name, doc, text: (linked) => paragraphs(`### \`${name}\``, code, wrap(doc), linked(code)) };
}

/** `createEngine` of both entries. */
function entryItem() {
  const entry = (path, from) => {
    const { doc, code } = declarations(read(path)).find(({ name }) => name === "createEngine");
    const type = oneLine(code.slice(code.indexOf("(")));
    return `${wrap(`From \`${from}\`. ${doc}`)}\n\n${functionBlock("createEngine", type)}`;
  };
  const parts = [entry("src/entry/embedded.ts", "densehead"), entry("src/entry/slim.ts", "densehead/slim")];
  return {
    name: "createEngine",
    text: (linked) => paragraphs("### `createEngine`", ...parts, linked(parts.join("\n"))),
  };
}

/** A type's text and its members as a table, or its declaration where it has none. */
function typeText({ kind, name, doc, code }, linked) {
  if (PLATFORM.test(code)) return wrap(doc);
  const rows = kind === "interface" ? boundMembers(name, code) : [];
  if (rows.length === 0) return paragraphs(wrap(doc), block(withoutComments(code)), linked(code, "Types", name));
  const [head] = code.split("{");
  const parents = head.replaceAll(/<[^>]*>/g, "").split(" extends ")[1] ?? "";
  const used = rows.map(({ type }) => type).join("\n");
  return paragraphs(wrap(doc), memberTable(rows), linked(parents, "With the members of"), linked(used, "Types", name));
}

/** Members with type parameters as what bounds them, and as they are called. */
function boundMembers(name, code) {
  const [head] = code.split("{");
  const bounds = new Map([...head.matchAll(/(\w) extends (\w+)/g)].map(([, parameter, bound]) => [parameter, bound]));
  const prefix = name === "Heads" ? "heads." : "";
  return members(code).map((row) => ({
    ...row,
    name: prefix + row.name,
    type: bounds.get(row.type) ?? row.type,
    // A cell has no room for an example.
    doc: row.doc.split("\n\n```")[0],
  }));
}

function paragraphs(...parts) {
  return parts.filter((part) => part !== "").join("\n\n");
}

function withoutComments(code) {
  return blank(code).split("\n").filter((line) => line.trim() !== "").join("\n").replace("export ", "");
}

/** Members as rows; options get a column for their defaults. */
function memberTable(rows) {
  const code = (text) => `\`${text}\``;
  if (!rows.some(({ optional }) => optional)) {
    return table(["Name", "Type", "Meaning"], rows.map(({ name, type, doc }) => [code(name), code(type), doc]));
  }
  const cells = rows.map(({ name, type, doc, optional }) => {
    const { value, meaning } = splitDefault(doc);
    return [code(name), code(type), optional ? value : "required", meaning];
  });
  return table(["Name", "Type", "Default", "Meaning"], cells);
}

/** "Meaning. Default 2." in two. */
function splitDefault(doc) {
  const marked = doc.match(/("[^"]+"|\w+) \(default\)/);
  if (marked !== null) return { value: `\`${marked[1]}\``, meaning: doc };
  const stated = doc.match(/^(.*?)\s*\bDefault(:?) (.+?)\.(?=\s|$)\s*(.*)$/s);
  if (stated === null) return { value: "none", meaning: doc };
  const [, before, colon, value, after] = stated;
  return { value: colon === "" ? `\`${value}\`` : value, meaning: `${before} ${after}`.trim() };
}

/** A table in the formatter's layout. */
function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("\n\n", " ").replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const [first, ...others] = cells.map(line);
  return [first, line(widths.map((width) => "-".repeat(width))), ...others].join("\n");
}

/** A function that gives a line of links to the types of the page that a code names. */
function linker(sections) {
  const anchors = new Map();
  const seen = new Map();
  for (const heading of sections.flatMap(({ group, items }) => [group, ...items.flatMap(({ name }) => name ?? [])])) {
    const slug = heading.toLowerCase();
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.set(heading, count === 0 ? `#${slug}` : `#${slug}-${count}`);
  }
  return (code, lead = "Types", self = "") => {
    const names = [...new Set(code.match(/\b[A-Z]\w+/g))].filter((name) => anchors.has(name));
    const links = names.filter((name) => name !== self && !EVERYWHERE.includes(name));
    const list = links.map((name) => `[\`${name}\`](${anchors.get(name)})`).join(", ");
    return list === "" ? "" : wrap(`${lead}: ${list}.`);
  };
}

/** The page's sections and what is in them. */
function contents(sections) {
  const lines = sections.map(({ group, items }) => {
    const operations = items.filter(({ name, doc }) => name === "createEngine" || doc !== undefined);
    const names = operations.map(({ name }) => `[\`${name}\`](#${name.toLowerCase()})`).join(", ");
    return listItem(`[${group}](#${group.toLowerCase()})${names === "" ? "" : `: ${names}`}`);
  });
  return [...lines, "- [Errors](#errors)"].join("\n");
}

function listItem(text) {
  return `- ${wrap(text, WIDTH - 2).replaceAll("\n", "\n  ")}`;
}

/** Errors by operation, from their `Throws` lines. */
function errorTable(operations) {
  const rows = operations.flatMap(({ name, doc }) => {
    const throws = doc.match(/^- Throws: .+$/m)?.[0].replaceAll(/\s+/g, " ") ?? "";
    return [...throws.matchAll(/(TypeError|RangeError) (.+?)\.(?=\s|$)/g)].map(([, error, when]) => [
      `\`${name}\``,
      `\`${error}\``,
      when,
    ]);
  });
  return table(["Operation", "Error", "When"], rows);
}

/** Paragraphs in lines of at most WIDTH; no line begins with what Markdown would take for a list or a heading. */
function wrap(text, width = WIDTH) {
  const [prose, ...code] = text.split(/\n\n(?=```)/);
  return [wrapProse(prose, width), ...code].join("\n\n");
}

/** Items of a list stand under one another. */
function wrapProse(text, width) {
  return text.split("\n\n").map((paragraph) => {
    if (paragraph.startsWith("- ")) return listItem(paragraph.slice(2));
    const glued = paragraph.replaceAll(/\s+/g, " ").replaceAll(/ (?=(?:[-+*#>]|\d+[.)])(?:\s|$))/g, "\u0000");
    const lines = [""];
    for (const word of glued.split(" ")) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (longer.length <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines.join("\n").replaceAll("\u0000", " ");
  }).join("\n\n").replaceAll(/^((?:-| ) .*)\n\n(?=- )/gm, "$1\n");
}
