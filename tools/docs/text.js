/** Types and signatures as TypeScript writes them, comments as Markdown. */
import { membersOf } from "./model.js";

/** A type as text. `names` replaces type parameters. */
export function typeText(type, names = {}) {
  const text = (inner) => typeText(inner, names);
  const list = (types) => types.map(text);
  return type.visit({
    array: ({ elementType }) =>
      /^[\w.]+$/.test(text(elementType)) ? `${text(elementType)}[]` : `(${text(elementType)})[]`,
    conditional: ({ checkType, extendsType, trueType, falseType }) =>
      `${text(checkType)} extends ${text(extendsType)} ? ${text(trueType)} : ${text(falseType)}`,
    intersection: ({ types }) => types.map((part) => inParentheses(part, text(part))).join(" & "),
    intrinsic: ({ name }) => name,
    literal: ({ value }) => JSON.stringify(value),
    reference: ({ name, typeArguments = [] }) => {
      const own = names[name] ?? name;
      const given = list(typeArguments).join(", ");
      // Of typed arrays the default.
      return given === "" || given === "ArrayBufferLike" ? own : `${own}<${given}>`;
    },
    reflection: ({ declaration }) => bodyText(declaration, names),
    tuple: ({ elements }) => `[${list(elements).join(", ")}]`,
    rest: ({ elementType }) => `...${text(elementType)}`,
    typeOperator: ({ operator, target }) => `${operator} ${text(target)}`,
    union: ({ types }) => types.map((part) => inParentheses(part, text(part))).join(" | "),
  }) ?? type.toString();
}

/** A function type or a conditional one inside a union needs them. */
function inParentheses({ type, declaration }, text) {
  return type === "conditional" || declaration?.signatures !== undefined ? `(${text})` : text;
}

function bodyText(declaration, names) {
  if (declaration.signatures !== undefined) return signatureText(declaration.signatures[0], names, " =>");
  const members = membersOf(declaration).map((child) => {
    if (child.signatures !== undefined) return `${child.name}${signatureText(child.signatures[0], names)}`;
    const mark = child.flags.isOptional ? "?" : "";
    return `${child.flags.isReadonly ? "readonly " : ""}${child.name}${mark}: ${typeText(child.type, names)}`;
  });
  return `{ ${members.join("; ")} }`;
}

/** `<R>(a: A, b?: B): C`. */
export function signatureText({ typeParameters = [], parameters = [], type }, names = {}, arrow = ":") {
  const bounds = typeParameters.map(({ name, type: bound, default: value }) => {
    return `${name}${bound ? ` extends ${typeText(bound)}` : ""}${value ? ` = ${typeText(value)}` : ""}`;
  });
  const given = parameters.map(({ name, flags, type }) => {
    return `${name}${flags.isOptional ? "?" : ""}: ${typeText(type, names)}`;
  });
  const generic = bounds.length === 0 ? "" : `<${bounds.join(", ")}>`;
  return `${generic}(${given.join(", ")})${arrow} ${typeText(type, names)}`;
}

/** {text, examples} of a declaration's comment; links become code. */
export function commentText(reflection) {
  const comment = reflection.comment ?? reflection.signatures?.[0].comment;
  const text = (parts) => parts.map((part) => part.kind === "inline-tag" ? `\`${part.text}\`` : part.text).join("");
  const examples = comment?.blockTags.filter(({ tag }) => tag === "@example") ?? [];
  return {
    text: comment === undefined ? "" : text(comment.summary).trim(),
    examples: examples.map(({ content }) => text(content).trim()),
  };
}
