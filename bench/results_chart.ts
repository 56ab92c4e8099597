/** A drawing of the highlights: how many times longer each peer takes, on a logarithmic axis. */
import { describeRun, headline, HIGHLIGHTS, type Race, raceOf, type Rated, type Results } from "./results.ts";
import { withoutVersion } from "./results_page.ts";
import { significant } from "./statistics.ts";

const WIDTH = 840;
/** Where the bars begin, and how long a factor of ten is. */
const LEFT = 190;
const DECADE = 155;
const DECADES = 4;
const BAR = 18;
const HEAD = 26;
const GAP = 14;
const TOP = 66;

const KINDS = { script: "JavaScript", wasm: "WebAssembly", native: "native code" } as const;

/** Colours on white and on black, by class. */
const COLOURS = {
  text: ["#1f2328", "#f0f6fc"],
  soft: ["#59636e", "#9198a1"],
  grid: ["#d1d9e0", "#3d444d"],
  script: ["#bc6c00", "#e3a04b"],
  wasm: ["#0969da", "#4493f8"],
  native: ["#57606a", "#9198a1"],
} as const;

const FONTS = {
  "text": "font: 12px system-ui, sans-serif",
  ".title": "font: 600 15px system-ui, sans-serif",
  ".case": "font: 600 13px system-ui, sans-serif",
  ".end": "text-anchor: end",
  ".middle": "text-anchor: middle",
} as const;

/** bench/results.svg. */
export function resultsChart(results: Results): string {
  const run = headline(results);
  const groups = HIGHLIGHTS.flatMap(({ label, title }) => {
    const race = raceOf(run, title);
    return race === undefined || race.rivals.length === 0 ? [] : [{ label, race }];
  });
  const heights = groups.map(({ race }) => HEAD + BAR * race.rivals.length + GAP);
  const bottom = heights.reduce((sum, height) => sum + height, TOP);
  const starts = heights.map((_, i) => heights.slice(0, i).reduce((sum, height) => sum + height, TOP));
  const lines = [
    text(0, 16, "How many times longer others take than densehead", "title"),
    text(0, 36, `${results.machine.split(",")[0]}, one thread, ${describeRun(run)}, ${results.date}`, "soft"),
    ...legend(),
    ...axis(bottom),
    ...groups.flatMap(({ label, race }, i) => group(label, race, starts[i])),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 0 ${WIDTH + 20} ${bottom + 24}" role="img">`,
    `  <title>How many times longer others take than densehead</title>`,
    "  <style>",
    ...style().map((line) => `  ${line}`),
    "  </style>",
    ...lines.map((line) => `  ${line}`),
    "</svg>",
    "",
  ].join("\n");
}

/** One declaration a line, as `deno fmt` has it. */
function style(): string[] {
  const rule = (selector: string, declaration: string) => [`${selector} {`, `  ${declaration};`, "}"];
  const colours = (dark: 0 | 1) =>
    Object.entries(COLOURS).flatMap(([name, colour]) => {
      return rule(name === "text" ? name : `.${name}`, `${name === "grid" ? "stroke" : "fill"}: ${colour[dark]}`);
    });
  return [
    ...Object.entries(FONTS).flatMap(([selector, declaration]) => rule(selector, declaration)),
    ...colours(0),
    "@media (prefers-color-scheme: dark) {",
    ...colours(1).map((line) => `  ${line}`),
    "}",
  ];
}

function legend(): string[] {
  return Object.entries(KINDS).flatMap(([kind, name], i) => {
    const x = 500 + 115 * i;
    return [`<rect class="${kind}" x="${x}" y="27" width="10" height="10" />`, text(x + 15, 36, name, "soft")];
  });
}

/** Powers of ten, as lines from top to bottom. */
function axis(bottom: number): string[] {
  return Array.from({ length: DECADES + 1 }, (_, power) => {
    const x = LEFT + DECADE * power;
    const label = `${10 ** power}×`;
    return [
      `<line class="grid" x1="${x}" y1="${TOP - 4}" x2="${x}" y2="${bottom}" />`,
      text(x, TOP - 10, label, "soft middle"),
      text(x, bottom + 16, label, "soft middle"),
    ];
  }).flat();
}

function group(label: string, { ms, rivals }: Race, top: number): string[] {
  const head = text(0, top + HEAD - 10, `${label}: ${significant(ms)} ms`, "case");
  return [head, ...rivals.flatMap((rated, i) => bar(rated, top + HEAD + BAR * i))];
}

function bar({ name, ratio: { median } }: Rated, top: number): string[] {
  const length = Math.round(DECADE * Math.min(Math.max(Math.log10(median), 0.01), DECADES));
  const middle = top + BAR / 2;
  return [
    text(LEFT - 8, middle + 4, withoutVersion(name), "end"),
    `<rect class="${kindOf(name)}" x="${LEFT}" y="${top + 2}" width="${length}" height="${BAR - 4}" rx="2" />`,
    text(LEFT + length + 6, middle + 4, `${significant(median)}×`, ""),
  ];
}

function kindOf(name: string): keyof typeof KINDS {
  if (name.includes("JavaScript")) return "script";
  return /onnxruntime-node|PyTorch/.test(name) ? "native" : "wasm";
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text${style && ` class="${style}"`} x="${x}" y="${y}">${content}</text>`;
}
