/**
 * A picture of an evaluation: precision over recall, and what scores are worth.
 */
import type { CocoEvaluation } from "../../eval/index.ts";
import { escapeXml } from "../../text.ts";
import type { EvalReport } from "./eval_text.ts";

const SIDE = 360;
const [LEFT, TOP, GAP, BELOW] = [60, 50, 90, 90];
const [GROUND, INK, FAINT, GRID] = ["#23272e", "#e8e8e8", "#9aa2ad", "#3a414c"];
const [BLUE, ORANGE] = ["#5ab4f0", "#f0a35a"];
const FONT = 'font-family="ui-sans-serif, system-ui, sans-serif" font-size="13"';

/** Thresholds and colours of the curves; the last is the mean over all. */
const CURVES = [
  { name: "IoU 0.50", first: 0, count: 1, colour: BLUE },
  { name: "IoU 0.75", first: 5, count: 1, colour: ORANGE },
  { name: "0.50:0.95", first: 0, count: 10, colour: "#ffffff" },
] as const;

/** Both plots, side by side. */
export function curvesSvg({ kind, evaluation }: EvalReport): string {
  const [width, height] = [LEFT + 2 * SIDE + GAP + 30, TOP + SIDE + BELOW];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${FONT}>`,
    `<title>${escapeXml(`${kind}: precision over recall, and precision over score`)}</title>`,
    `<rect width="${width}" height="${height}" fill="${GROUND}"/>`,
    plot(LEFT, "Precision over recall, mean of the classes", "recall", "precision", precisionCurves(evaluation)),
    plot(LEFT + SIDE + GAP, reliabilityTitle(evaluation), "score", "precision", reliability(evaluation)),
    "</svg>",
    "",
  ].join("\n");
}

/** Axes from 0 to 1, with something in them. */
function plot(left: number, title: string, across: string, upwards: string, content: string): string {
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((value) => {
    const [at, text] = [short(value * SIDE), value === 0 ? "0" : String(value)];
    return `<path d="M${at} 0V${SIDE}M0 ${at}H${SIDE}" stroke="${GRID}"/>` +
      `<text x="${at}" y="${SIDE + 18}" text-anchor="middle" fill="${FAINT}">${text}</text>` +
      `<text x="-8" y="${short((1 - value) * SIDE + 4)}" text-anchor="end" fill="${FAINT}">${text}</text>`;
  });
  return [
    `<g transform="translate(${left} ${TOP})">`,
    `<text x="0" y="-18" fill="${INK}" font-size="15">${title}</text>`,
    ...ticks,
    content,
    `<path d="M0 0V${SIDE}H${SIDE}" fill="none" stroke="${FAINT}"/>`,
    `<text x="${SIDE / 2}" y="${SIDE + 42}" text-anchor="middle" fill="${INK}">${across}</text>`,
    `<text transform="translate(-40 ${SIDE / 2}) rotate(-90)" text-anchor="middle" fill="${INK}">${upwards}</text>`,
    "</g>",
  ].join("\n");
}

function precisionCurves({ precision, counts }: CocoEvaluation): string {
  const [, R] = counts;
  const curves = CURVES.map(({ name, first, count, colour }) => {
    const means = Array.from({ length: R }, (_, r) => meanPrecision(precision, counts, first, count, r));
    return { name, colour, means, AP: means.reduce((sum, value) => sum + value, 0) / R };
  });
  if (curves.some(({ AP }) => Number.isNaN(AP))) {
    return `<text x="${SIDE / 2}" y="${SIDE / 2}" text-anchor="middle" fill="${FAINT}">no objects</text>`;
  }
  const lines = curves.map(({ colour, means }) => {
    const points = means.map((value, r) => `${short(r / (R - 1) * SIDE)} ${short((1 - value) * SIDE)}`).join("L");
    return `<path d="M${points}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  });
  return [...lines, legend(curves.map(({ name, colour, AP }) => ({ colour, text: `${name}: ${AP.toFixed(3)}` })))].join(
    "\n",
  );
}

/** Colours and what they are, in a row below the plot. */
function legend(entries: readonly { readonly colour: string; readonly text: string }[]): string {
  const [sign, letter, space] = [22, 6.7, 18];
  const y = SIDE + 68;
  let x = 0;
  return entries.map(({ colour, text }) => {
    const entry = `<path d="M${short(x)} ${y - 4}h${sign - 6}" stroke="${colour}" stroke-width="3"/>` +
      `<text x="${short(x + sign)}" y="${y}" fill="${INK}">${text}</text>`;
    x += sign + text.length * letter + space;
    return entry;
  }).join("\n");
}

/** Over the classes that have objects and over so many thresholds, of all areas and the largest of maxDets. */
function meanPrecision(
  precision: Float64Array,
  [, R, K, A, M]: CocoEvaluation["counts"],
  first: number,
  count: number,
  r: number,
): number {
  const values: number[] = [];
  for (let t = first; t < first + count; t++) {
    for (let k = 0; k < K; k++) values.push(precision[(((t * R + r) * K + k) * A) * M + M - 1]);
  }
  const known = values.filter((value) => value > -1);
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

function reliabilityTitle({ calibration: { ECE, LaECE } }: CocoEvaluation): string {
  const [a, b] = [ECE, LaECE].map((value) => Number.isNaN(value) ? "–" : value.toFixed(3));
  return `Reliability at IoU 0.50: ECE ${a}, LaECE ${b}`;
}

/** A bar for each bin of scores; a dash at the mean score: where bars end there, scores are what they say. */
function reliability({ calibration: { bins } }: CocoEvaluation): string {
  const width = SIDE / bins.length;
  const bars = bins.map(({ detections, score, precision }, i) => {
    if (detections === 0) return "";
    const [x, top, wanted] = [i * width, (1 - precision) * SIDE, (1 - score) * SIDE].map(short);
    const middle = short((i + 0.5) * width);
    return `<g><title>${detections} detections, mean score ${score.toFixed(3)}, precision ${
      precision.toFixed(3)
    }</title>` +
      `<rect x="${x}" y="${top}" width="${short(width - 1)}" height="${short(precision * SIDE)}" fill="${BLUE}"` +
      ` fill-opacity="0.75"/>` +
      `<path d="M${x} ${wanted}h${short(width - 1)}" stroke="${ORANGE}" stroke-width="3"/>` +
      `<text x="${middle}" y="${SIDE - 6}" text-anchor="middle" fill="${INK}" font-size="11">${
        brief(detections)
      }</text></g>`;
  });
  return [
    ...bars,
    `<path d="M0 ${SIDE}L${SIDE} 0" stroke="${INK}" stroke-dasharray="5 4"/>`,
    legend([{ colour: BLUE, text: "precision" }, { colour: ORANGE, text: "mean score" }]),
  ].join("\n");
}

/** 12 300 as 12k. */
function brief(count: number): string {
  return count < 1000 ? String(count) : `${Math.round(count / 1000)}k`;
}

function short(value: number): string {
  return String(Number(value.toFixed(2)));
}
