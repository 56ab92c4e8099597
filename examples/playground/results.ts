/** What was found, over the picture and as a table, and how long each stage took. */
import { toSvg } from "densehead";
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
  const objects = detections.map(({ box, score, classId, excess }) => ({ box, score, classId, excess }));
  // Laid over the canvas, which has the picture.
  const options = { size: [SIZE, SIZE], names: CLASSES, background: "none", legend: false };
  element("boxes").innerHTML = toSvg(objects, options);
  element("found").replaceChildren(...detections.map(rowOf));
  element("found-table").hidden = false;
  element("found-count").textContent = detections.length === 1 ? "1 object" : `${detections.length} objects`;
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
