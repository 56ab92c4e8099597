/** The page: a source of pictures, a network, and the boxes that it finds in them. */
import { type Detections, heads, inputs } from "densehead";
import { type Model, openDetector, type Picture } from "./detector.ts";
import { type Description, type HeadName, type InputName, ownModel, shapesModel } from "./model.ts";
import { cameraSource, fileSource, sceneSource, type Source } from "./sources.ts";
import { drawView } from "./view.ts";

const element = <E extends HTMLElement>(selector: string) => document.querySelector(selector) as E;
const view = element<HTMLCanvasElement>("#view");
const status = element("#status");
const figures = element("#figures");
const file = element<HTMLInputElement>("#file");
const form = element<HTMLFormElement>("#network");

/** Null while there is none that works: pictures are then shown without boxes. */
let model: Model | null = null;
let source: Source | null = null;
/** What uses or changes these goes one after the other. */
let work = Promise.resolve();

for (const name of Object.keys(heads)) if (name !== "infer") form.head.add(new Option(name));
for (const name of Object.keys(inputs)) form.input.add(new Option(name));
form.input.value = "yolov8";

element("#scene").onclick = () => watch("drawn scene", sceneSource);
element("#camera").onclick = () => watch("camera", cameraSource);
file.onchange = () => {
  const [chosen] = file.files ?? [];
  if (chosen) watch(chosen.name, () => fileSource(chosen));
  // So that the same file can be chosen again.
  file.value = "";
};
element("#example").onclick = () => use("shapes.onnx", shapesModel);
form.onsubmit = (event) => {
  event.preventDefault();
  const [chosen] = form.file.files as FileList;
  use(chosen.name, async () => ownModel(new Uint8Array(await chosen.arrayBuffer()), description()));
};

watch("drawn scene", sceneSource);
use("shapes.onnx", shapesModel);

/** What the form says of a network. */
function description(): Description {
  return {
    head: form.head.value === "" ? null : form.head.value as HeadName,
    headOptions: optionsIn("options of the head", form.headOptions.value),
    input: form.input.value as InputName,
    inputOptions: optionsIn("options of the input", form.inputOptions.value),
    scoreThreshold: Number(form.scoreThreshold.value),
  };
}

function optionsIn(what: string, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text || "{}");
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`);
  }
}

/** Shows another source's pictures. Where it does not open, those of the one before go on. */
async function watch(name: string, open: () => Source | Promise<Source>): Promise<void> {
  try {
    const next = await open();
    await inTurn(() => {
      source?.stop();
      source = next;
      view.dataset.source = name;
      // Without a network there is nothing to wait for.
      next.start((picture) => model === null ? show(next, picture) : inTurn(() => show(next, picture)));
    });
  } catch (error) {
    say(`${name}: it does not open here: ${(error as Error).message}`);
  }
}

/** Takes another network. Where it does not open, the one before stays. */
async function use(name: string, open: () => Promise<Model>): Promise<void> {
  say(`Loading ${name} …`);
  try {
    await inTurn(async () => {
      const next = await open();
      await model?.session.release();
      model = next;
      say(`${name}: input ${next.input.name}, head ${next.head.name} with ${next.head.numClasses} classes.`);
      if (source?.still) await show(source, source.still);
    });
  } catch (error) {
    say(`${name}: it does not run here: ${(error as Error).message}`);
  }
}

function inTurn(job: () => void | Promise<void>): Promise<void> {
  const done = work.then(job);
  work = done.catch(() => {});
  return done;
}

async function show(from: Source, picture: Picture): Promise<void> {
  if (from !== source) return;
  const begin = performance.now();
  const found = await detect(picture);
  drawView(view, picture, found, nameOf);
  if (found !== null) describe(picture, found, performance.now() - begin);
}

/** Null without a network. One that fails is not asked again. */
async function detect(picture: Picture): Promise<Detections | null> {
  if (model === null) return null;
  try {
    return await (await openDetector()).detect(model, picture);
  } catch (error) {
    const failed = model;
    model = null;
    await failed.session.release();
    say(`The network failed: ${(error as Error).message}`);
    return null;
  }
}

function describe(picture: Picture, found: Detections, milliseconds: number): void {
  const { width, height } = picture;
  figures.textContent = `${found.length} boxes in ${milliseconds.toFixed(0)} ms, from ${width} × ${height} pixels`;
  // For whoever does not see the picture; and the boxes in COCO's form.
  view.ariaLabel = `Picture with boxes: ${[...found].map(({ classId }) => nameOf(classId)).join(", ")}`;
  view.dataset.found = JSON.stringify(found.toCoco(view.dataset.source ?? ""));
}

function nameOf(classId: number): string {
  return model?.classes?.[classId] ?? `class ${classId}`;
}

function say(text: string): void {
  status.textContent = text;
}
