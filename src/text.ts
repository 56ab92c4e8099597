/**
 * Texts from outside, made safe to show, and the room that they take.
 */

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

/** For XML text and attributes in either kind of quotes. */
export function escapeXml(text: string): string {
  return printable(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

/** Letters that take two cells of a terminal: East Asian scripts, full-width forms, emoji. */
const WIDE =
  /^(?:[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}|\p{Emoji}\uFE0F)/u;

/** Half-width katakana, which are of that script too. */
const NARROW = /^[\uFF61-\uFFDC]/;

/** Marks without a letter, and letters that join others. */
const NOTHING = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

let graphemes: Intl.Segmenter | undefined;

/** Cells of a terminal that the text takes, and letters of one width in a picture. */
export function cells(text: string): number {
  // Most texts are ASCII.
  if (/^[ -~]*$/.test(text)) return text.length;
  graphemes ??= new Intl.Segmenter();
  let sum = 0;
  for (const { segment } of graphemes.segment(text)) {
    sum += NOTHING.test(segment) ? 0 : WIDE.test(segment) && !NARROW.test(segment) ? 2 : 1;
  }
  return sum;
}
