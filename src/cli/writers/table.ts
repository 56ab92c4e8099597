/**
 * The table that people read.
 */
import { printable } from "../../text.ts";
import { classLabel, type ImageResult, spreads } from "../result.ts";
import { aligned, networkText } from "./text.ts";

/** A headline, the network, and one row per detection. */
export function tableText(result: ImageResult): string {
  return tableOf(result, [headline(result), ...networkLines(result)]);
}

/** Likewise where the network is told once for all images. */
export function shortTableText(result: ImageResult): string {
  return tableOf(result, [headline(result)]);
}

function tableOf(result: ImageResult, headlines: readonly string[]): string {
  const { detections } = result;
  const lines = detections.length === 0 ? [] : [columns(result), ...rowsOf(result)];
  return [...headlines, ...aligned(lines).map((line) => `  ${line}`), "", ""].join("\n");
}

function headline({ name, detections }: ImageResult): string {
  return `${printable(name)}: ${detections.length} ${detections.length === 1 ? "object" : "objects"}`;
}

function networkLines({ chosen, inputSize, frame, unused }: ImageResult): string[] {
  const [height, width] = inputSize;
  const place = frame[0] === height && frame[1] === width ? "" : `, boxes in the image's ${frame[1]}×${frame[0]}`;
  return [
    `  ${networkText(chosen, inputSize)}${place}`,
    ...(unused.length === 0 ? [] : [`  not read: ${unused.map(printable).join(", ")}`]),
  ];
}

function columns({ detections }: ImageResult): string[] {
  const { excess, keypoints, masks, rotated } = detections;
  return [
    ...["class", "score"],
    ...(rotated === undefined ? ["x1", "y1", "x2", "y2"] : ["x", "y", "width", "height", "angle"]),
    ...(excess === undefined ? [] : ["± px"]),
    ...(keypoints === undefined ? [] : ["points"]),
    ...(masks === undefined ? [] : ["mask px"]),
  ];
}

/** Centre, size, and the angle in degrees. */
function rotatedTexts([x, y, width, height, angle]: readonly number[]): string[] {
  return [...[x, y, width, height].map((value) => value.toFixed(1)), `${(angle * 180 / Math.PI).toFixed(1)}°`];
}

/** Points from this visibility on are seen. */
const SEEN = 0.5;

/** How many of its keypoints are seen: "15/17". */
function pointsText(points: readonly (readonly [number, number, number])[]): string {
  return `${points.filter(([, , visibility]) => visibility >= SEEN).length}/${points.length}`;
}

function rowsOf(result: ImageResult): string[][] {
  const { masks } = result.detections;
  return Array.from(result.detections, ({ box, rotated, score, classId, keypoints }, i) => {
    const sides = spreads(result.detections, i);
    return [
      printable(classLabel(result, classId)),
      score.toFixed(3),
      ...(rotated === undefined ? box.map((side) => side.toFixed(1)) : rotatedTexts(rotated)),
      ...(sides === undefined ? [] : [(sides.reduce((a, b) => a + b) / 4).toFixed(1)]),
      ...(keypoints === undefined ? [] : [pointsText(keypoints)]),
      ...(masks === undefined ? [] : [String(masks.area(i))]),
    ];
  });
}
