/** The curve of loss and AP, and scenes with what was found in them, as SVG. */
import { toSvg } from "densehead";
import { mean } from "./adapt.js";
import { SIZE } from "./drawing.js";
import { CLASSES, NEW_CLASS } from "./scenes.js";

const [WIDTH, HEIGHT] = [640, 300];
const AREA = { left: 48, right: WIDTH - 48, top: 40, bottom: HEIGHT - 44 };
const COLOURS = { loss: "#8d6a9f", fresh: "#d9482b", old: "#146c94" };
/** Steps whose losses are one point of the curve. */
const SMOOTHED = 5;

/** Losses of the steps, and AP50 of the new class and of the old ones (mean) where they were measured. */
export function curveSvg({ losses, measures, steps }) {
  const most = Math.ceil(2 * Math.max(...losses)) / 2;
  const x = (step) => AREA.left + (AREA.right - AREA.left) * step / steps;
  const y = (share) => AREA.bottom - (AREA.bottom - AREA.top) * share;
  const line = (points, colour) => {
    const path = points.map(([step, share]) => `${x(step).toFixed(1)},${y(share).toFixed(1)}`).join(" ");
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"/>`;
  };
  const text = (px, py, value, anchor, colour = "#444") => {
    return `<text x="${px}" y="${py}" text-anchor="${anchor}" fill="${colour}">${value}</text>`;
  };
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const level = y(share);
    return `<path d="M${AREA.left} ${level}H${AREA.right}" stroke="#ddd"/>` +
      text(AREA.left - 8, level + 4, (most * share).toFixed(2), "end", COLOURS.loss) +
      text(AREA.right + 8, level + 4, share.toFixed(2), "start");
  });
  const smooth = losses.slice(SMOOTHED - 1).map((_, i) => {
    return [i + SMOOTHED, mean(losses.slice(i, i + SMOOTHED)) / most];
  });
  const ap50 = (isOurs) =>
    measures.map(({ step, classes }) => {
      return [step, mean(classes.filter((_, id) => isOurs(id)).map(({ AP50 }) => AP50))];
    });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"` +
    ` font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="Loss and AP50 over the steps">` +
    `<rect width="100%" height="100%" fill="#fff"/>${grid.join("")}` +
    line(smooth, COLOURS.loss) +
    line(ap50((id) => id !== NEW_CLASS), COLOURS.old) +
    line(ap50((id) => id === NEW_CLASS), COLOURS.fresh) +
    text(AREA.left, 22, "loss", "start", COLOURS.loss) +
    text(AREA.right, 22, `AP50 of ${CLASSES[NEW_CLASS]}s`, "end", COLOURS.fresh) +
    text(AREA.right - 130, 22, "AP50 of the old four", "end", COLOURS.old) +
    [0, 0.5, 1].map((share) => text(x(steps * share), AREA.bottom + 18, Math.round(steps * share), "middle")).join("") +
    text(x(steps / 2), HEIGHT - 8, "step", "middle") +
    `</svg>`;
}

/** A scene with detections; the truth is dashed. */
export function sceneSvg({ boxes, labels }, found, image) {
  return toSvg(found, { size: [SIZE, SIZE], names: CLASSES, image, truth: { boxes, classes: labels } });
}
