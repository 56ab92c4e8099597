/**
 * What the writers share: texts from outside, made safe to show; columns; a network in words.
 */
import type { InputSpec } from "../../types.ts";
import type { ChosenHead } from "../head.ts";
import { typedName } from "../preset_names.ts";

/** Characters that a terminal or a reader of bidirectional text would obey, that end lines, or that XML forbids. */
const STEERING = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF\uFFFE\uFFFF]/gu;

/** A text from outside, with a mark in the place of each character that would steer what shows it. */
export function printable(text: string): string {
  return text.replaceAll(STEERING, "�");
}

/** JSON with such characters as escapes: the same to programs, and safe on a terminal. */
export function printableJson(value: unknown): string {
  const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replaceAll(STEERING, escape);
}

/** For XML text and attributes. */
export function escapeXml(text: string): string {
  return printable(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const graphemes = new Intl.Segmenter();

/** Letters that take two cells of a terminal: East Asian scripts, full-width forms, emoji. */
const WIDE =
  /^(?:[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}|\p{Emoji}\uFE0F)/u;

/** Half-width katakana, which are of that script too. */
const NARROW = /^[\uFF61-\uFFDC]/;

/** Marks without a letter, and letters that join others. */
const NOTHING = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** Cells of a terminal that the text takes. */
export function cells(text: string): number {
  // Most texts are ASCII.
  if (/^[ -~]*$/.test(text)) return text.length;
  let sum = 0;
  for (const { segment } of graphemes.segment(text)) {
    sum += NOTHING.test(segment) ? 0 : WIDE.test(segment) && !NARROW.test(segment) ? 2 : 1;
  }
  return sum;
}

/** Lines of as many cells each, in columns: those of the first so many labels to the left, numbers to the right. */
export function aligned(lines: readonly (readonly string[])[], labels = 1): string[] {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => cells(line[column])))) ?? [];
  return lines.map((line) =>
    line.map((text, column) => {
      const space = " ".repeat(widths[column] - cells(text));
      return column < labels ? text + space : space + text;
    }).join("  ")
  );
}

/** "head gfl (as asked), 4 classes, 8 bins, strides 8 16, input 160×160". */
export function networkText({ head, why }: ChosenHead, [height, width]: readonly [number, number]): string {
  return [
    `head ${typedName(head.name)} (${why})`,
    `${head.numClasses} ${head.numClasses === 1 ? "class" : "classes"}`,
    ...(head.boxes === "distribution" ? [`${head.bins} bins`] : []),
    `strides ${head.strides.join(" ")}`,
    `input ${width}×${height}`,
  ].join(", ");
}

/** "yolox (as asked): top-left, bilinear, bgr, bytes · 1, float32 nchw". */
export function inputText(input: InputSpec, why: string): string {
  const { name, fit, resize = "bilinear", order = "rgb", layout = "nchw", dtype = "float32" } = input;
  return `${name} (${why}): ${[fit, resize, order, valuesText(input), `${dtype} ${layout}`].join(", ")}`;
}

/** What becomes of the bytes. */
function valuesText({ scale = 1 / 255, mean, std, dtype }: InputSpec): string {
  if (dtype === "uint8") return "bytes";
  const range = scale === 1 / 255 ? "0 to 1" : scale === 1 ? "0 to 255" : `bytes · ${scale}`;
  return [range, ...(mean ? [`mean ${mean.join(" ")}`] : []), ...(std ? [`std ${std.join(" ")}`] : [])].join(", ");
}
