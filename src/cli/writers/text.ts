/**
 * What the writers share: texts from outside, made safe to show; columns; a network in words.
 */
import type { ChosenHead } from "../head.ts";

/** Without control characters, which a terminal would obey and XML forbids. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, "�");
}

/** For XML text and attributes. */
export function escapeXml(text: string): string {
  return printable(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Lines of as many cells each, in columns: the first to the left, numbers to the right. */
export function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column].length))) ?? [];
  return lines.map(([label, ...numbers]) =>
    [label.padEnd(widths[0]), ...numbers.map((text, i) => text.padStart(widths[i + 1]))].join("  ")
  );
}

/** "head gfl (as asked), 4 classes, 8 bins, strides 8 16, input 160×160". */
export function networkText({ head, why }: ChosenHead, [height, width]: readonly [number, number]): string {
  return [
    `head ${head.name} (${why})`,
    `${head.numClasses} ${head.numClasses === 1 ? "class" : "classes"}`,
    ...(head.boxes === "distribution" ? [`${head.bins} bins`] : []),
    `strides ${head.strides.join(" ")}`,
    `input ${width}×${height}`,
  ].join(", ");
}
