/** The page: shows the curve while the network learns, then the table and some of the held-out pictures. */
import { createEngine } from "densehead";
import * as ort from "onnxruntime-web/wasm";
import { adapt, rowsOf } from "./adapt.js";
import { curveSvg, sceneSvg } from "./pictures.js";
import { SIZE } from "./drawing.js";

/** How many held-out pictures are shown. */
const SHOWN = 4;
/** Milliseconds of work between two frames. */
const WORK = 100;

const element = (id) => document.getElementById(id);
const engine = await createEngine();
// Threads would need a page that is cross-origin isolated.
ort.env.wasm.numThreads = 1;
element("learn").addEventListener("click", learn);
element("learn").disabled = false;

async function learn() {
  element("learn").disabled = true;
  element("table").textContent = "";
  element("pictures").textContent = "";
  const start = performance.now();
  try {
    const file = new Uint8Array(await (await fetch("shapes.onnx")).arrayBuffer());
    const result = await adapt(engine, file, open, { steps: element("steps").valueAsNumber, tell: teller() });
    element("curve").innerHTML = curveSvg(result);
    element("table").append(tableOf(rowsOf(result)));
    result.scenes.slice(0, SHOWN).forEach((scene, i) => {
      element("pictures").append(
        figureOf("before", scene, result.before.found[i]),
        figureOf("after", scene, result.after.found[i]),
      );
    });
    element("status").textContent = `${((performance.now() - start) / 1000).toFixed(0)} s`;
  } catch (error) {
    element("status").textContent = error.message;
    throw error;
  } finally {
    element("learn").disabled = false;
  }
}

async function open(file) {
  const session = await ort.InferenceSession.create(file);
  return (planes) => session.run({ image: new ort.Tensor("float32", planes, [1, 3, SIZE, SIZE]) });
}

/** Shows what is done, ten times a second, and lets the page draw. */
function teller() {
  let last = 0;
  return async (text, curve) => {
    if (performance.now() - last < WORK) return;
    element("status").textContent = text;
    if (curve !== undefined) element("curve").innerHTML = curveSvg(curve);
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}

function tableOf(rows) {
  const table = document.createElement("table");
  addRow(table, "th", ["class", "AP50 before", "after", "AP before", "after"]);
  for (const { name, AP50, AP } of rows) {
    addRow(table, "td", [name, ...[...AP50, ...AP].map((value) => value.toFixed(3))]);
  }
  return table;
}

function addRow(table, kind, [name, ...cells]) {
  const row = table.insertRow();
  [["th", name], ...cells.map((cell) => [kind, cell])].forEach(([tag, text]) => {
    row.appendChild(document.createElement(tag)).textContent = text;
  });
}

function figureOf(title, scene, found) {
  const figure = document.createElement("figure");
  figure.innerHTML = sceneSvg(scene, found, addressOf(scene.pixels));
  figure.appendChild(document.createElement("figcaption")).textContent = title;
  return figure;
}

/** RGB bytes as the address of a picture. */
function addressOf(pixels) {
  const canvas = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE });
  const image = new ImageData(SIZE, SIZE);
  for (let i = 0; i < SIZE * SIZE; i++) image.data.set([...pixels.subarray(3 * i, 3 * i + 3), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas.toDataURL();
}
