/** The table of heads, from their records. */
import { table } from "./api.js";
import { evaluate } from "../evaluate.js";

const SIZE = [640, 640];
const COUNTS = ["none", "one", "two", "three", "four", "five", "six", "seven"];

/** A row for each head and each way in which its family exports it; those made by cutting a graph are left out. */
export async function headsTable() {
  const { presets } = await evaluate("src/heads/presets.ts");
  const { makeHead } = await evaluate("src/heads/check.ts");
  const { channelsOf } = await evaluate("src/heads/channels.ts");
  const { anchorsIn, levelsOf } = await evaluate("src/heads/levels.ts");
  const rows = Object.entries(presets).flatMap(([name, { input, exports }]) => {
    const usual = exports.filter(({ unusual }) => !unusual);
    return (usual.length === 0 ? [{}] : usual).map(({ changes = {}, scores: [scores] = [], levels = "joined" }) => {
      const preset = makeHead(name);
      const options = { ...(scores === undefined || scores === preset.scores ? {} : { scores }), ...changes };
      const head = makeHead(name, options);
      const anchors = anchorsIn(levelsOf(head, SIZE));
      const code = `\`heads.${name}(${Object.keys(options).length === 0 ? "" : literal(options)})\``;
      const usual = input === undefined ? "" : `\`inputs.${input}\``;
      return [code, tensorsText(head, channelsOf(head), anchors, levels), head.scores, boxesText(head), usual];
    });
  });
  return table(["Head", "Tensors of 80 classes at 640 × 640", "Scores", "Boxes", "Usual input"], rows);
}

/** "five of (1, 80, h, w) and five of (1, 68, h, w)". */
function tensorsText({ channelOrder, layout, strides, anchors: sizes }, roles, anchors, levels) {
  const stacked = layout === "rows" || sizes === undefined ? 1 : sizes[0].length / 2;
  const all = [...roles.values()].map((channels) => stacked * channels);
  const widths = channelOrder === "separate" ? all : [all.reduce((sum, channels) => sum + channels)];
  return widths.map((channels) => {
    if (levels === "joined") return layout === "rows" ? `(1, ${anchors}, ${channels})` : `(1, ${channels}, ${anchors})`;
    return `${COUNTS[strides.length]} of ${mapText(layout, channels, sizes)}`;
  }).join(" and ");
}

function mapText(layout, channels, sizes) {
  if (layout !== "rows") return `(1, ${channels}, h, w)`;
  return sizes === undefined ? `(1, n, ${channels})` : `(1, ${sizes[0].length / 2}, h, w, ${channels})`;
}

/** Codings of a cell in words. */
const GRID = {
  "log-size": "logarithms of sizes",
  "anchor-sigmoid": "sizes as squares of σ, in anchors",
  "anchor-exp": "logarithms of sizes, in anchors",
};

function boxesText({ boxes, boxUnit = "pixel", bins, refined, anchorOffset }) {
  if (boxes in GRID) return GRID[boxes];
  if (boxes === "xywh" || boxes === "xyxy") return `${boxes} in ${boxUnit}s`;
  const points = anchorOffset === 0 ? "corners of cells" : "centres of cells";
  const sides = boxes === "distribution" ? `4 · ${bins} bins` : `distances in ${boxUnit}s`;
  return `${refined ? "refined " : ""}${sides} from ${points}`;
}

/** An object of options as code. */
function literal(options) {
  return `{ ${Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")} }`;
}
