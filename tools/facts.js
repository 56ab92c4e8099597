/**
 * Writes into src/types.ts the facts that records of operations have: the lines "- Shapes: …" to "- Source: …" of a method, and
 * the comments of its options. Summary, formula, gradient and example are written by hand.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { evaluate } from "./evaluate.js";
import { Failure, root } from "./ready.js";

const FILE = "src/types.ts";
const WIDTH = 120;

const INTERFACE = /(^export interface (\w+)(?:<[^>]*>)?(?: extends ([\w, ]+))? \{\n)([^]*?)(?=^\})/gm;
const METHOD = /^ {2}\/\*\*\n((?: {3}\*.*\n)*?) {3}\*\/\n( {2}(\w+)[^]*?;\n)(?=\n| {2}\/\*\*|\})/gm;
const MEMBER = /^ {2}\/\*\*(?:.*|\n(?: {3}\*.*\n)*? {3})\*\/\n {2}(?=(\w+)\??: )/gm;
const OPTIONS = /(?:\boptions\??: |^ {2}\w+: Loss<F, \w+, )(\w+)/m;

/** Writes the facts, or with `check` fails where they are out of date. */
export async function writeFacts({ check }) {
  const old = readFileSync(join(root, FILE), "utf8").replaceAll("\r\n", "\n");
  const text = await withFacts(old);
  if (text === old) return;
  if (check) throw new Failure(`${FILE} has other facts than the records of operations; run \`npm run docs\``);
  writeFileSync(join(root, FILE), text);
}

/** The text with the facts of all operations. */
async function withFacts(text) {
  const { operations } = await evaluate("src/registry.ts");
  const { LOSS_PARAMS } = await evaluate("src/ops/checked_loss.ts");
  const words = await evaluate("src/param_text.ts");
  const parents = Object.fromEntries(
    [...text.matchAll(INTERFACE)].map(([, , name, list]) => [name, list?.split(", ") ?? []]),
  );
  // By the interface of options: parameters of each operation that takes it.
  const params = { LossOptions: [LOSS_PARAMS] };
  const missing = new Set(Object.keys(operations));
  const described = text.replaceAll(METHOD, (whole, comment, declaration, name) => {
    const record = operations[name];
    if (record === undefined) return whole;
    missing.delete(name);
    const own = Object.fromEntries(Object.entries(record.params).filter(([param]) => !(param in LOSS_PARAMS)));
    const [, options = "object"] = OPTIONS.exec(declaration) ?? [];
    for (const type of [options, ...parents[options] ?? []]) (params[type] ??= []).push(record.params);
    return `  /**\n${withLines(comment, factLines(record, own, words))}   */\n${declaration}`;
  });
  if (missing.size > 0) throw new Failure(`${FILE} has no commented method ${[...missing].join(", ")}`);
  return described.replaceAll(INTERFACE, (whole, head, name, _, body) => {
    return params[name] === undefined ? whole : head + withMembers(body, name, params[name], words);
  });
}

/** The comment's paragraph of facts replaced, or put before the example where there is none. */
function withLines(comment, lines) {
  const paragraphs = comment.split(/^ {3}\*\n/m);
  const isFacts = (paragraph) => paragraph.startsWith("   * - Shapes: ");
  const others = paragraphs.filter((paragraph) => !isFacts(paragraph));
  const place = paragraphs.some(isFacts)
    ? paragraphs.findIndex(isFacts)
    : others.findIndex((paragraph) => paragraph.startsWith("   * @example"));
  const facts = lines.map((line) => wrap(line, "   * ", "   *   ")).join("");
  return others.toSpliced(place < 0 ? others.length : place, 0, facts).join("   *\n");
}

function factLines({ name, tensors, throws = [], bounds, errorBound, source }, own, words) {
  const facts = {
    Shapes: tensors,
    Defaults: defaults(own, words),
    Throws: errors(name, throws, own, words),
    "Error bound": withNumbers(name, errorBound, bounds),
    Source: source,
  };
  return Object.entries(facts).filter(([, fact]) => fact !== "").map(([title, fact]) => `- ${title}: ${fact}.`);
}

/** Booleans that are false are off; most parameters that their operation checks itself have no default. */
function defaults(params, { defaultOf }) {
  const entries = Object.entries(params).filter(([, param]) =>
    !param.required && (param.kind !== "other" || param.default !== undefined || param.byDefault !== undefined)
  );
  const off = entries.filter(([, param]) => param.default === false);
  const listed = entries.filter((entry) => !off.includes(entry)).map(([name, param]) => {
    const value = defaultOf(param);
    return value === undefined || param.default === Infinity ? `no \`${name}\`` : `\`${name}\` ${value.text}`;
  });
  return [...listed, ...(off.length === 0 ? [] : ["all else off"])].join(", ");
}

/** One sentence for each class of error: the record's own conditions, then the ranges of parameters. */
function errors(name, throws, params, { outsideOf }) {
  const stray = throws.find((each) => !/^(?:Type|Range)Error if /.test(each));
  if (stray !== undefined) {
    throw new Failure(`${name}: "${stray}" of throws begins with no "TypeError if" or "RangeError if"`);
  }
  const names = new Map();
  for (const [name, param] of Object.entries(params)) {
    const outside = outsideOf(param);
    if (outside !== undefined) names.set(outside, [...names.get(outside) ?? [], name]);
  }
  const ranges = [...names].map(([outside, list]) => `RangeError if ${alternatives(list, " or ")} ${outside}`);
  return ["TypeError", "RangeError"].flatMap((type) => {
    const start = `${type} if `;
    const conditions = [...throws, ...ranges].filter((each) => each.startsWith(start))
      .map((each) => each.slice(start.length));
    return conditions.length === 0 ? [] : `${start}${alternatives(conditions, ", or ")}`;
  }).join(". ");
}

function alternatives(list, last) {
  return [list.slice(0, -1).join(", "), list.at(-1)].filter((part) => part !== "").join(last);
}

/** The text with the numbers of the bounds. It must have each, and that of WebGPU where it is not four times as large. */
function withNumbers(op, text, bounds) {
  const used = new Set();
  const found = text.replaceAll(/\{(\w+)(?:\.(\w+))?\}/g, (placeholder, name, backend = "wasm") => {
    const value = bounds[name]?.[backend];
    if (value === undefined) throw new Failure(`${op}: errorBound has ${placeholder}, which is none of its bounds`);
    used.add(name);
    return figure(value);
  });
  for (const [name, { wasm, webgpu }] of Object.entries(bounds)) {
    if (!used.has(name)) throw new Failure(`${op}: errorBound does not have the bound {${name}}`);
    if (webgpu !== 4 * wasm && !found.includes(figure(webgpu))) {
      throw new Failure(`${op}: errorBound does not have {${name}.webgpu}, which is not 4 · {${name}}`);
    }
  }
  return found;
}

function figure(value) {
  return Number.isInteger(Math.log2(value)) ? `2^−${-Math.log2(value)}` : value.toExponential();
}

/** The members of an interface with the comments that all operations with these options make of them. */
function withMembers(body, type, records, { meaningOf, defaultOf }) {
  return body.replaceAll(MEMBER, (_, name) => {
    const texts = new Set(records.map((params) => {
      if (params[name] === undefined) {
        throw new Failure(`${type}.${name} is no parameter of an operation that takes it`);
      }
      const value = defaultOf(params[name]);
      const meaning = meaningOf(params[name]);
      const end = value === undefined ? "" : ` Default${value.inWords ? ":" : ""} ${value.text}.`;
      return `${meaning[0].toUpperCase()}${meaning.slice(1)}.${end}`;
    }));
    if (texts.size > 1) throw new Failure(`${type}.${name} has several meanings: ${[...texts].join(" / ")}`);
    const [text] = texts;
    const line = `  /** ${text} */\n  `;
    return line.trimEnd().length <= WIDTH ? line : `  /**\n${wrap(text, "   * ", "   * ")}   */\n  `;
  });
}

/** Lines of at most WIDTH columns. None begins with a number, or with a short parenthesis such as a shape or its end. */
function wrap(text, first, next) {
  const lines = [];
  for (const word of text.split(/(?<!Default) (?!\d|\(?[^(]{0,8}\))/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`${lines.length === 0 ? first : next}${word}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}
