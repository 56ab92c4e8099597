/**
 * The table that people read.
 */
import { classLabel, deviations, type ImageResult } from "../result.ts";
import { printable } from "./text.ts";

/** A headline and one row per detection. */
export function tableText(result: ImageResult): string {
  const { detections } = result;
  const lines = detections.length === 0 ? [] : [columns(result), ...rowsOf(result)];
  const left = Math.max(...lines.map(([label]) => label.length));
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column].length))) ?? [];
  const align = ([label, ...numbers]: string[]) =>
    [label.padEnd(left), ...numbers.map((text, i) => text.padStart(widths[i + 1]))].join("  ");
  return [headline(result), ...lines.map((line) => `  ${align(line)}`), "", ""].join("\n");
}

function headline({ id, chosen: { head, why }, inputSize: [height, width], frame, detections }: ImageResult): string {
  const count = `${detections.length} ${detections.length === 1 ? "object" : "objects"}`;
  const parts = [
    `head ${head.name} (${why})`,
    `${head.numClasses} ${head.numClasses === 1 ? "class" : "classes"}`,
    ...(head.boxes === "distribution" ? [`${head.bins} bins`] : []),
    `strides ${head.strides.join(" ")}`,
    `input ${width}×${height}`,
    ...(frame[0] === height && frame[1] === width ? [] : [`boxes in the image's ${frame[1]}×${frame[0]}`]),
  ];
  return `${printable(id)}: ${count}\n  ${parts.join(", ")}`;
}

function columns({ detections }: ImageResult): string[] {
  return ["class", "score", "x1", "y1", "x2", "y2", ...(detections.std === undefined ? [] : ["± px"])];
}

function rowsOf(result: ImageResult): string[][] {
  return Array.from(result.detections, ({ box, score, classId }, i) => {
    const sides = deviations(result.detections, i);
    return [
      printable(classLabel(result, classId)),
      score.toFixed(3),
      ...box.map((side) => side.toFixed(1)),
      ...(sides === undefined ? [] : [(sides.reduce((a, b) => a + b) / 4).toFixed(1)]),
    ];
  });
}
