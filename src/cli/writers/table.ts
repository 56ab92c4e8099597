/**
 * The table that people read.
 */
import { classLabel, type ImageResult, spreads } from "../result.ts";
import { aligned, networkText, printable } from "./text.ts";

/** A headline and one row per detection. */
export function tableText(result: ImageResult): string {
  const { detections } = result;
  const lines = detections.length === 0 ? [] : [columns(result), ...rowsOf(result)];
  return [...headlines(result), ...aligned(lines).map((line) => `  ${line}`), "", ""].join("\n");
}

function headlines({ name, chosen, inputSize, frame, detections, unused }: ImageResult): string[] {
  const count = `${detections.length} ${detections.length === 1 ? "object" : "objects"}`;
  const [height, width] = inputSize;
  const place = frame[0] === height && frame[1] === width ? "" : `, boxes in the image's ${frame[1]}×${frame[0]}`;
  return [
    `${printable(name)}: ${count}`,
    `  ${networkText(chosen, inputSize)}${place}`,
    ...(unused.length === 0 ? [] : [`  not read: ${unused.map(printable).join(", ")}`]),
  ];
}

function columns({ detections }: ImageResult): string[] {
  return ["class", "score", "x1", "y1", "x2", "y2", ...(detections.excess === undefined ? [] : ["± px"])];
}

function rowsOf(result: ImageResult): string[][] {
  return Array.from(result.detections, ({ box, score, classId }, i) => {
    const sides = spreads(result.detections, i);
    return [
      printable(classLabel(result, classId)),
      score.toFixed(3),
      ...box.map((side) => side.toFixed(1)),
      ...(sides === undefined ? [] : [(sides.reduce((a, b) => a + b) / 4).toFixed(1)]),
    ];
  });
}
