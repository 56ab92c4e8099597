/** A strict reader of XML without declarations, comments and sections: what is not well-formed is an error. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** Its own text. */
  readonly text: string;
}

/** Characters that XML 1.0 has no place for. */
// deno-lint-ignore no-control-regex -- these are meant
const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Cs}/u;
const NAME = "[A-Za-z_][\\w:.-]*";
const TAG = new RegExp(`<(/?)(${NAME})((?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(/?)>`, "y");
const ATTRIBUTE = new RegExp(`(${NAME})\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, "g");
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

interface Open {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: Element[];
  text: string;
}

/** The root element. */
export function parseXml(text: string): Element {
  const character = FORBIDDEN.exec(text);
  if (character !== null) throw new Error(`no character of XML: ${JSON.stringify(character[0])} at ${character.index}`);
  const document: Open = { name: "", attributes: {}, children: [], text: "" };
  const open = [document];
  for (let at = 0; at < text.length;) {
    const parent = open[open.length - 1];
    const next = text.indexOf("<", at);
    const end = next < 0 ? text.length : next;
    parent.text += decoded(text.slice(at, end));
    if (next < 0) break;
    TAG.lastIndex = next;
    const tag = TAG.exec(text);
    if (tag === null) throw new Error(`no tag: ${text.slice(next, next + 80)}`);
    at = TAG.lastIndex;
    const [, closing, name, attributes, empty] = tag;
    if (closing !== "") {
      if (parent.name !== name || open.length === 1) throw new Error(`</${name}> closes <${parent.name}>`);
      open.pop();
      continue;
    }
    const element: Open = { name, attributes: attributesOf(attributes), children: [], text: "" };
    parent.children.push(element);
    if (empty === "") open.push(element);
  }
  if (open.length !== 1) throw new Error(`<${open[open.length - 1].name}> is not closed`);
  if (document.children.length !== 1 || document.text.trim() !== "") throw new Error("wanted one root element");
  return document.children[0];
}

function attributesOf(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name, double, single] of text.matchAll(ATTRIBUTE)) {
    if (Object.hasOwn(attributes, name)) throw new Error(`two attributes ${name}`);
    attributes[name] = decoded(double ?? single);
  }
  return attributes;
}

function decoded(text: string): string {
  return text.replaceAll(/&([^;\s]*;?)/g, (whole, entity: string) => {
    const [, name = ""] = /^(\w+);$/.exec(entity) ?? [];
    if (Object.hasOwn(ENTITIES, name)) return ENTITIES[name];
    const [, code] = /^#(\d+);$/.exec(entity) ?? [];
    if (code === undefined) throw new Error(`no entity: ${whole}`);
    return String.fromCodePoint(Number(code));
  });
}

/** Every element of that name, in their order. */
export function elements(root: Element, name: string): Element[] {
  return root.children.flatMap((child) => [...(child.name === name ? [child] : []), ...elements(child, name)]);
}
