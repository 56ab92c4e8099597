/**
 * Parameters in words, for documentation and help.
 */
import type { Param } from "./params.ts";

/** The text with unit and range behind its first clause: "weight of positives, at most 1; a negative value turns …". */
export function meaningOf(param: Param): string {
  const { text, unit } = param;
  const facts = [unit === undefined ? "" : `in ${unit}`, rangeOf(param)].filter((fact) => fact !== "");
  const end = /[.:;] |$/.exec(text)?.index;
  return facts.length === 0 ? text : `${text.slice(0, end)}, ${facts.join(", ")}${text.slice(end)}`;
}

function rangeOf({ min, max, over }: Param): string {
  const lower = over !== undefined ? `over ${over}` : isLimit(min) ? `at least ${signed(min)}` : "";
  if (!isLimit(max)) return lower;
  if (isLimit(min)) return isShare(min, max) ? "in [0, 1]" : `${signed(min)} to ${signed(max)}`;
  return lower === "" ? `at most ${signed(max)}` : `${lower}, at most ${signed(max)}`;
}

/** What makes a value a RangeError, behind the parameter's name; undefined where each number is in the range. */
export function outsideOf({ kind, min, max, over }: Param): string | undefined {
  if (kind === "size") return "is not positive";
  if (isLimit(min) && isLimit(max)) {
    return `is outside ${isShare(min, max) ? "[0, 1]" : `${signed(min)}…${signed(max)}`}`;
  }
  const sides = [
    over === undefined ? "" : `is not over ${over}`,
    isLimit(min) ? `is under ${signed(min)}` : "",
    isLimit(max) ? `is over ${signed(max)}` : "",
  ].filter((side) => side !== "");
  return sides.length === 0 ? undefined : sides.join(" or ");
}

/** The default as code has it, or in words as `byDefault` or "no limit"; undefined where there is none. */
export function defaultOf(param: Param): { readonly text: string; readonly inWords: boolean } | undefined {
  const { default: value, byDefault, required } = param;
  if (byDefault !== undefined) return { text: byDefault, inWords: true };
  if (required || value === undefined) return undefined;
  if (value === Infinity) return { text: "no limit", inWords: true };
  return { text: typeof value === "string" ? `"${value}"` : signed(value as number), inWords: false };
}

/** Numbers that stand for "any finite number" are no limits. */
function isLimit(value: number | undefined): value is number {
  return value !== undefined && Math.abs(value) < Number.MAX_VALUE;
}

function isShare(min: number, max: number): boolean {
  return min === 0 && max === 1;
}

/** 0.001, 1e-6, 300, 1e6, and −1e6 with the minus sign of the other texts. */
function signed(value: unknown): string {
  const isShort = typeof value !== "number" || value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6);
  const text = isShort ? String(value) : value.toExponential().replace("e+", "e");
  return text.replace(/^-/, "−");
}
