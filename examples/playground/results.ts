/** What was found, over the picture and as a table, and how long each stage took. */
import { CLASSES, SIZE } from "./network.ts";
import type { PlainDetection } from "./plain_detect.ts";
import { element, fixed } from "./text.ts";

/** Where the outputs become boxes. */
export type Way = "javascript" | "wasm" | "webgpu";

/** Milliseconds. */
export interface Times {
  readonly input: number;
  readonly network: number;
  /** Null where the outputs stay on the GPU. */
  readonly readback: number | null;
  readonly detect: number;
}

/** Fills the column of this way; those of the others keep what they had. */
export function showTimes(way: Way, times: Times): void {
  const table = element("times");
  for (const [stage, ms] of Object.entries(times)) {
    const cell = table.querySelector(`[data-stage=${stage}] [data-way=${way}]`) as HTMLElement;
    cell.textContent = ms === null ? "none" : fixed(ms, ms < 1 ? 3 : 1);
  }
  for (const cell of table.querySelectorAll<HTMLElement>("[data-way]")) {
    cell.classList.toggle("current", cell.dataset.way === way);
  }
}

export function showDetections(detections: readonly PlainDetection[]): void {
  element("boxes").replaceChildren(...detections.map(boxOf));
  element("found").replaceChildren(...detections.map(rowOf));
  element("found-table").hidden = false;
  element("found-count").textContent = detections.length === 1 ? "1 object" : `${detections.length} objects`;
}

/** A box with its label; on each side a band as wide as the excess to either side. */
function boxOf(
  { box: [x1, y1, x2, y2], score, classId, excess: [left, top, right, bottom] }: PlainDetection,
): HTMLElement {
  const label = document.createElement("span");
  label.textContent = `${CLASSES[classId]} ${score.toFixed(2)}`;
  const parts = [
    placed("band", x1 - left, y1, x1 + left, y2),
    placed("band", x1, y1 - top, x2, y1 + top),
    placed("band", x2 - right, y1, x2 + right, y2),
    placed("band", x1, y2 - bottom, x2, y2 + bottom),
    placed("box", x1, y1, x2, y2, label),
  ];
  const group = document.createElement("div");
  group.className = CLASSES[classId];
  group.append(...parts);
  return group;
}

function placed(className: string, x1: number, y1: number, x2: number, y2: number, ...children: Node[]): HTMLElement {
  const part = document.createElement("div");
  part.className = className;
  const percent = (value: number) => `${100 * value / SIZE}%`;
  Object.assign(part.style, {
    left: percent(x1),
    top: percent(y1),
    width: percent(Math.max(0, x2 - x1)),
    height: percent(Math.max(0, y2 - y1)),
  });
  part.append(...children);
  return part;
}

function rowOf({ box, score, classId, excess }: PlainDetection): HTMLElement {
  const row = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  name.className = CLASSES[classId];
  name.textContent = CLASSES[classId];
  const sides = box.map((side, i) => cellOf(fixed(side, 1), `± ${fixed(excess[i], 1)}`));
  row.append(name, cellOf(fixed(score, 3)), ...sides);
  return row;
}

function cellOf(text: string, detail = ""): HTMLElement {
  const cell = document.createElement("td");
  const small = document.createElement("small");
  small.textContent = detail;
  cell.append(text, small);
  return cell;
}
