/**
 * The flags that say what a network wants of its picture.
 */
import { inputs } from "../entry/embedded.ts";
import type { InputName } from "../pixels/presets.ts";
import type { InputOptions } from "../types.ts";
import { UsageError } from "./errors.ts";
import { suggestion } from "./suggest.ts";
import { choice, integer, number, optional } from "./values.ts";

export const inputNames = Object.keys(inputs) as InputName[];

export const INPUT_HELP = `What the network wants of a picture; its size, layout and type are the model's:
  --input NAME             ${inputNames.join(", ")};
                           auto (default): the usual one of the head
  --fit KIND               letterbox, top-left or stretch, where it is not the input's
  --pad-value N            byte of the padding
  --resize KIND            bilinear, area or bicubic
  --order KIND             rgb or bgr
  --scale X                factor of the bytes; 1 leaves them 0 to 255
  --mean X,X,X             subtracted then, channel by channel in that order
  --std X,X,X              divisors of what is left`;

export const INPUT_OPTIONS = {
  input: { type: "string", default: "auto" },
  fit: { type: "string" },
  "pad-value": { type: "string" },
  resize: { type: "string" },
  order: { type: "string" },
  scale: { type: "string" },
  mean: { type: "string" },
  std: { type: "string" },
} as const;

/** The flags, checked. */
export interface InputFlags {
  readonly input: InputName | "auto";
  /** Changes to the preset. */
  readonly changes: Omit<InputOptions, "size">;
}

type Texts = { readonly [Name in Exclude<keyof typeof INPUT_OPTIONS, "input">]?: string } & { readonly input: string };

/** Reads the flags; the error of a wrong one names it. */
export function readInput(texts: Texts): InputFlags {
  const changes = {
    fit: optional(texts.fit, (text) => choice("--fit", text, ["letterbox", "top-left", "stretch"])),
    padValue: optional(texts["pad-value"], (text) => integer("--pad-value", text, 0, 255)),
    resize: optional(texts.resize, (text) => choice("--resize", text, ["bilinear", "area", "bicubic"])),
    order: optional(texts.order, (text) => choice("--order", text, ["rgb", "bgr"])),
    scale: optional(texts.scale, (text) => number("--scale", text)),
    mean: optional(texts.mean, (text) => triple("--mean", text)),
    std: optional(texts.std, (text) => triple("--std", text)),
  };
  if (changes.std?.includes(0)) throw new UsageError(`--std is "${texts.std}"; wanted numbers other than 0`);
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return { input: texts.input === "auto" ? "auto" : inputCalled(texts.input), changes: Object.fromEntries(given) };
}

function inputCalled(text: string): InputName {
  const found = inputNames.find((name) => name === text.toLowerCase().replaceAll(/[-_]/g, ""));
  if (found !== undefined) return found;
  throw new UsageError(
    `${JSON.stringify(text)} is no input; wanted auto or one of ${inputNames.join(", ")}${
      suggestion(text, inputNames)
    }`,
  );
}

function triple(flag: string, text: string): readonly [number, number, number] {
  const values = text.split(",").map((value) => number(flag, value));
  if (values.length === 3) return values as [number, number, number];
  throw new UsageError(`${flag} is ${JSON.stringify(text)}; wanted three numbers, one for each channel`);
}
