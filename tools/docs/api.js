/** docs/api.md: every public declaration, from the comments in the sources. */
import { ReflectionKind } from "typedoc";
import { membersOf, sections } from "./model.js";
import { commentText, signatureText, typeText } from "./text.js";

const INTRO =
  `\`npm run docs\` writes this page from the comments in the sources. [The README](../README.md) shows how to begin.

Signatures are those of \`engine.sync\`, which returns results at once. \`engine\` has the same operations: each returns a
promise of that result, and errors reject the promise. Shapes are row-major and stand in parentheses: (N, 4) is N rows of
four. Arguments of type \`TensorLike\` are \`{ data, dims }\` objects such as the tensors of onnxruntime. A plain
\`Float32Array\` has the shape that the argument calls for.`;

const ERRORS =
  `A message names the operation, the argument, the value and what is wanted instead. The engine works on after an error.

- \`TypeError\`: a wrong kind of value, dtype or shape; an unknown name among options or inputs, with the nearest known
  one; in \`heads.infer\`, shapes that fit no head, or more than one.
- \`RangeError\`: a value out of its range, as NaN is of every one, or \`maxMemory\` reached.
- \`Error\`: an engine that is used after \`dispose()\`.
- The reason that \`signal\` was aborted with, from \`detect\`.

Operations add:`;

/** In nearly every signature, so not worth a link at each. */
const EVERYWHERE = ["Reduction", "TensorLike"];

/** The page as Markdown that is not formatted yet; `headsTable` stands at the head of the section on heads. */
export async function apiPage(headsTable) {
  const groups = await sections();
  const declared = groups.flatMap(([, found]) => found);
  const page = groups.map(([section, found]) => ({
    section,
    items: found.flatMap((item) => itemsOf(item, declared, headsTable)),
  }));
  const linked = linker(page);
  const body = page.flatMap(({ section, items }) => {
    return [`## ${section}`, ...ordered(items).map((item) => paragraphs(heading(item), ...item.parts(linked)))];
  });
  const operations = page.flatMap(({ items }) => items.filter(({ isOperation }) => isOperation));
  return paragraphs("# API", INTRO, contents(page), ...body, "## Errors", ERRORS, errorTable(operations));
}

/** Functions before the types that they use. */
function ordered(items) {
  return [...items.filter((item) => item.isFunction), ...items.filter((item) => !item.isFunction)];
}

function heading({ name }) {
  return name === undefined ? "" : `### \`${name}\``;
}

/** What a declaration puts on the page: {name, isFunction, isOperation, doc, parts}; no name for a section's own text. */
function itemsOf({ reflection, name, entry }, declared, headsTable) {
  if (reflection.signatures !== undefined) return [functionItem(reflection, name, entry)];
  // The value `Detections` has the type of that name beside it.
  if (entry !== undefined) return [];
  if (/^\w+Ops$/.test(name) && reflection.typeParameters !== undefined) {
    return [introItem(reflection), ...membersOf(reflection).map((member) => operationItem(member, declared))];
  }
  if (name === "Heads" || name === "Inputs") {
    const members = presetsFirst(membersOf(reflection));
    return [
      introItem(reflection, ...(name === "Heads" ? [headsTable] : [])),
      ...members.map((member) => functionItem(member, `${name.toLowerCase()}.${member.name}`)),
    ];
  }
  if (name === "Rle") return membersOf(reflection).map((member) => functionItem(member, `rle.${member.name}`));
  return [{ ...typeItem(reflection, name), isFunction: reflection.kind === ReflectionKind.Class }];
}

/** The records of a presets.ts, then what the interface itself declares. */
function presetsFirst(members) {
  const isPreset = ({ sources: [{ fileName }] }) => fileName.endsWith("presets.ts");
  return [...members.filter(isPreset), ...members.filter((member) => !isPreset(member))];
}

function introItem(reflection, ...more) {
  return { isFunction: true, parts: () => [commentText(reflection).text, ...more] };
}

/** A function of `heads` or `inputs`, or one that an entry exports. */
function functionItem(reflection, path, entry) {
  const signature = reflection.signatures?.[0] ?? reflection.type.declaration.signatures[0];
  const { text, examples } = commentText(reflection);
  const code = `${path.split(".").at(-1)}${signatureText(signature)}`;
  return {
    name: entry?.includes("/") ? `${path} of ${entry}` : path,
    isFunction: true,
    parts: (linked) => [block(`function ${code};`), text, ...examples, linked(code)],
  };
}

/** A member of `LossOps` and its like, as `engine.sync` has it. */
function operationItem(member, declared) {
  const { text, examples } = commentText(member);
  const code = syncTexts(member, declared).map((text) => `function ${member.name}${text};`).join("\n");
  return {
    name: member.name,
    isFunction: true,
    isOperation: true,
    doc: text,
    parts: (linked) => [block(code), text, ...examples, linked(code)],
  };
}

/**
 * A text for each way to call it. `Loss<F, T, O>` is written out; the placement is left out, because `engine.sync` has none;
 * a result comes at once.
 */
function syncTexts(member, declared) {
  if (member.signatures !== undefined) return member.signatures.map((signature) => atOnce(signatureText(signature)));
  const loss = declared.find(({ name }) => name === member.type.name).reflection;
  const [, target, options] = member.type.typeArguments.map((type) => typeText(type));
  const text = signatureText(loss.type.declaration.signatures[0], { T: target, O: options });
  return [atOnce(text).replace(', P extends Placement = "host"', "").replaceAll(", P>", ">").replace(" & unknown", "")];
}

function atOnce(signature) {
  return signature.replace(/Result<F, (.+)>$/, "$1");
}

function typeItem(reflection, name) {
  const { text, examples } = commentText(reflection);
  const members = membersOf(reflection).filter(({ inheritedFrom }) => inheritedFrom === undefined);
  const parents = (reflection.extendedTypes ?? []).map((type) => type.name).join(" ");
  const parts = (linked) => {
    if (members.length === 0 && parents === "") {
      const code = isPlatform(reflection.type) ? "" : declarationText(reflection);
      return [text, code === "" ? "" : block(code), ...examples, linked(code, "Types", name)];
    }
    const rows = members.flatMap((member) => rowsOf(member));
    const used = rows.map(({ type }) => type).join("\n");
    const shown = members.flatMap((member) => commentText(member).examples);
    return [
      text,
      members.length === 0 ? "" : memberTable(rows),
      ...examples,
      ...shown,
      linked(parents, "With the members of"),
      linked(used, "Types", name),
    ];
  };
  return { name, parts };
}

/** Types that stand for one of the platform's: their declaration says nothing to a reader. */
function isPlatform(type) {
  if (type.type === "union") return type.types.some(isPlatform);
  return type.name === "Global" || type.extendsType !== undefined && typeText(type.extendsType).includes("dispose");
}

function declarationText({ name, typeParameters = [], type }) {
  const generic = typeParameters.length === 0
    ? ""
    : `<${typeParameters.map((parameter) => parameter.name).join(", ")}>`;
  return `type ${name}${generic} = ${typeText(type)};`;
}

/** Rows {name, optional, type, doc} of a member; those of an object whose members have comments get dotted names. */
function rowsOf(member, prefix = "") {
  const name = prefix + member.name;
  const doc = commentText(member).text;
  const own = { name, optional: member.flags.isOptional };
  if (member.signatures !== undefined) return [{ ...own, type: signatureText(member.signatures[0]), doc }];
  const children = membersOf(member.type.declaration ?? {});
  if (!children.some((child) => child.comment !== undefined)) return [{ ...own, type: memberType(member), doc }];
  return [{ ...own, type: "object", doc }, ...children.flatMap((child) => rowsOf(child, `${name}.`))];
}

/** A type parameter is written as its bound. */
function memberType({ parent, type }) {
  const parameter = parent.typeParameters?.find(({ name }) => name === type.name);
  return typeText(parameter?.type ?? type);
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

export function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll(/\s+/g, " ").replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function block(code) {
  return `\`\`\`ts\n${code}\n\`\`\``;
}

function paragraphs(...parts) {
  return parts.filter((part) => part !== "").join("\n\n");
}

/** A function that gives a line of links to the declarations of the page that a code names. */
function linker(page) {
  const anchors = new Map();
  const seen = new Map();
  for (
    const name of page.flatMap(({ section, items }) => [
      section,
      ...ordered(items).flatMap(({ name }) => name ?? []),
    ])
  ) {
    const count = seen.get(slug(name)) ?? 0;
    seen.set(slug(name), count + 1);
    anchors.set(name, count === 0 ? `#${slug(name)}` : `#${slug(name)}-${count}`);
  }
  return (code, lead = "Types", self = "") => {
    const names = [...new Set(code.match(/\b[A-Z]\w+/g))].filter((name) => anchors.has(name));
    const links = names.filter((name) => name !== self && !EVERYWHERE.includes(name));
    return links.length === 0
      ? ""
      : `${lead}: ${links.map((name) => `[\`${name}\`](${anchors.get(name)})`).join(", ")}.`;
  };
}

/** A heading's anchor. */
function slug(name) {
  return name.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-");
}

/** The sections and the functions in them. */
function contents(page) {
  const lines = page.map(({ section, items }) => {
    const names = items.filter(({ name, isFunction }) => isFunction && name !== undefined).map(({ name }) => name);
    const links = names.map((name) => `[\`${name}\`](#${slug(name)})`).join(", ");
    return `- [${section}](#${slug(section)})${links === "" ? "" : `: ${links}`}`;
  });
  return [...lines, "- [Errors](#errors)"].join("\n");
}

/** The errors that operations name in their `Throws` lines. */
function errorTable(operations) {
  const rows = operations.flatMap(({ name, doc }) => {
    const throws = doc.match(/^- Throws: ((?:.|\n {2})+)/m)?.[1].replaceAll(/\s+/g, " ") ?? "";
    return [...throws.matchAll(/(TypeError|RangeError) (.+?)\.(?=\s|$)/g)].map(([, error, when]) => {
      return [`\`${name}\``, `\`${error}\``, when];
    });
  });
  return table(["Operation", "Error", "When"], rows);
}
