/** Finds the shapes in three scenes and draws a box around each. */
import type { Detections } from "densehead";
import { CLASSES, type Detector, openDetector } from "./detector.ts";

const status = document.querySelector("#status") as HTMLElement;
const scenes = document.querySelector("#scenes") as HTMLElement;

try {
  const detector = await openDetector("shapes/shapes.onnx");
  for (const name of ["scene1", "scene2", "scene3"]) await show(detector, `shapes/${name}.png`);
  status.textContent = "Done.";
} catch (error) {
  status.textContent = `It does not run here: ${(error as Error).message}`;
  throw error;
}

async function show(detector: Detector, file: string): Promise<void> {
  const image = await createImageBitmap(await (await fetch(file)).blob());
  const outputs = await detector.run(image);
  const found = await detector.find(outputs);
  // Not before: until `find` has resolved, the GPU may still read them.
  for (const tensor of Object.values(outputs)) tensor.dispose();
  scenes.append(figure(image, file, found));
}

function figure(image: ImageBitmap, file: string, found: Detections): HTMLElement {
  const element = document.createElement("figure");
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 2 * image.width, height: 2 * image.height });
  draw(canvas.getContext("2d") as CanvasRenderingContext2D, image, found);
  const caption = document.createElement("figcaption");
  caption.textContent = [...found].map(({ classId, score }) => `${CLASSES[classId]} ${score.toFixed(2)}`).join(", ");
  // For whoever does not see the picture; and the boxes in COCO's form.
  canvas.role = "img";
  canvas.ariaLabel = `${file} with boxes: ${caption.textContent}`;
  canvas.dataset.found = JSON.stringify(found.toCoco(file));
  element.append(canvas, caption);
  return element;
}

function draw(context: CanvasRenderingContext2D, image: ImageBitmap, found: Detections): void {
  context.scale(2, 2);
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0);
  context.strokeStyle = "#00e5a0";
  context.lineWidth = 1.5;
  context.font = "9px system-ui";
  for (const { box: [x1, y1, x2, y2], classId } of found) {
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    label(context, CLASSES[classId], x1, Math.max(y1, 11), image.width);
  }
}

/** A text on a ground of its own, above a point but inside the picture. */
function label(context: CanvasRenderingContext2D, text: string, x: number, y: number, right: number): void {
  const width = context.measureText(text).width + 5;
  const left = Math.min(x - 0.75, right - width);
  context.fillStyle = "#00e5a0";
  context.fillRect(left, y - 11, width, 11);
  context.fillStyle = "#000";
  context.fillText(text, left + 2.5, y - 2.5);
}
