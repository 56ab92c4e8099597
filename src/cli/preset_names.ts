/**
 * The names of the presets, as people type them.
 */
import { heads } from "../entry/embedded.ts";
import type { PresetName } from "../heads/presets.ts";
import { UsageError } from "./errors.ts";
import { suggestion } from "./suggest.ts";

const NAMES = Object.keys(heads).filter((name) => name !== "infer") as PresetName[];

/** "nanodetPlus" as flags have it: "nanodet-plus". */
export function typedName(name: string): string {
  return name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

/** Every preset in kebab-case. */
export function presetNames(): string[] {
  return NAMES.map(typedName);
}

/** "nanodet-plus", "nanodetPlus" and "NanoDet-Plus" are one. */
export function presetOf(typed: string): PresetName {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[-_]/g, "");
  const found = NAMES.find((name) => plain(name) === plain(typed));
  if (found !== undefined) return found;
  const names = presetNames();
  throw new UsageError(
    `${JSON.stringify(typed)} is no head; wanted auto or one of ${names.join(", ")}${suggestion(typed, names)}`,
  );
}
