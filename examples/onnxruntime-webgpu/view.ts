/** A picture with its boxes. */
import type { Detections } from "densehead";
import type { Picture } from "./detector.ts";

const COLOUR = "#00e5a0";
/** Widest canvas in pixels; larger pictures are drawn smaller. */
const WIDEST = 1280;

/** Draws them; `nameOf` says what a class is called. */
export function drawView(
  canvas: HTMLCanvasElement,
  picture: Picture,
  found: Detections | null,
  nameOf: (classId: number) => string,
): void {
  const { width, height } = picture;
  const scale = Math.min(1, WIDEST / width);
  const [wide, high] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  // Setting a size clears the canvas, also the size that it has.
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.drawImage(picture, 0, 0, wide, high);
  for (const { box, score, classId } of found ?? []) {
    const [x1, y1, x2, y2] = box.map((side) => side * scale);
    context.strokeStyle = COLOUR;
    context.lineWidth = 2;
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    label(context, `${nameOf(classId)} ${score.toFixed(2)}`, x1, y1);
  }
}

/** A text on a ground of its own, above a point but inside the canvas. */
function label(context: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  context.font = "14px system-ui";
  const width = context.measureText(text).width + 6;
  const left = Math.max(0, Math.min(x - 1, context.canvas.width - width));
  const bottom = Math.max(y, 18);
  context.fillStyle = COLOUR;
  context.fillRect(left, bottom - 18, width, 18);
  context.fillStyle = "#000";
  context.fillText(text, left + 3, bottom - 4);
}
