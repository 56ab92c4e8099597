/**
 * What the writers share: columns; a network in words.
 */
import { cells } from "../../text.ts";
import type { InputSpec } from "../../types.ts";
import type { ChosenHead } from "../head.ts";
import { typedName } from "../preset_names.ts";

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
