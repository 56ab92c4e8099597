/** The presets that `heads` has. */
import { type Heads, heads } from "densehead";

export type PresetName = Exclude<keyof Heads, "infer">;

export const PRESETS = Object.keys(heads).filter((name) => name !== "infer") as PresetName[];

/** A preset's name as the command has it: "nanodet-plus". */
export function typed(name: string): string {
  return name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}
