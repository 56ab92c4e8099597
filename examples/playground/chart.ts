/** Charts as SVG, drawn anew when their size or their content changes. */
import { type ScaleLinear, scaleLinear } from "d3-scale";
import { line } from "d3-shape";

export type Scale = ScaleLinear<number, number>;

export interface Axis {
  /** What it measures, with its unit. */
  readonly name: string;
  readonly domain: readonly [number, number];
  /** Where ticks stand; as many as look well without it. */
  readonly ticks?: readonly number[];
}

/** Axes that are drawn, and the way from values to pixels. */
export interface Frame {
  readonly group: SVGGElement;
  readonly x: Scale;
  readonly y: Scale;
}

export interface Curve {
  readonly className: string;
  readonly xs: ArrayLike<number>;
  readonly ys: ArrayLike<number>;
}

export interface Plot {
  readonly x: Axis;
  readonly y: Axis;
  readonly curves: readonly Curve[];
  /** The point that is read. */
  readonly cursor: readonly [number, number];
}

const MARGIN = { top: 10, right: 10, bottom: 44, left: 56 };
const TICK_GAP_PX = 48;

export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** Grid, ticks and names of two axes within width × height pixels. */
export function frameOf(width: number, height: number, xAxis: Axis, yAxis: Axis): Frame {
  const x = scaleLinear(xAxis.domain, [MARGIN.left, width - MARGIN.right]);
  const y = scaleLinear(yAxis.domain, [height - MARGIN.bottom, MARGIN.top]);
  const [left, right] = x.range();
  const [bottom, top] = y.range();
  const middle = (top + bottom) / 2;
  const group = svg(
    "g",
    { class: "frame", "aria-hidden": "true" },
    ...ticksOf(xAxis, x).flatMap(([at, text]) => [
      svg("line", { class: "grid", x1: at, x2: at, y1: top, y2: bottom }),
      svg("text", { x: at, y: bottom + 17, "text-anchor": "middle" }, text),
    ]),
    ...ticksOf(yAxis, y).flatMap(([at, text]) => [
      svg("line", { class: "grid", x1: left, x2: right, y1: at, y2: at }),
      svg("text", { x: left - 7, y: at + 4, "text-anchor": "end" }, text),
    ]),
    svg("line", { class: "axis", x1: left, x2: right, y1: y(0), y2: y(0) }),
    svg("text", { class: "name", x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, xAxis.name),
    svg(
      "text",
      { class: "name", transform: `translate(13 ${middle}) rotate(-90)`, "text-anchor": "middle" },
      yAxis.name,
    ),
  );
  return { group, x, y };
}

/** Pixels and texts. */
function ticksOf({ ticks }: Axis, scale: Scale): [number, string][] {
  const [first, last] = scale.range();
  const count = Math.max(2, Math.floor(Math.abs(last - first) / TICK_GAP_PX));
  const text = scale.tickFormat(count);
  return (ticks ?? scale.ticks(count)).map((value) => [scale(value), text(value)]);
}

/** Curves over one axis, and a cursor that follows the pointer. */
export class LineChart {
  readonly #host: HTMLElement;
  readonly #root = svg("svg", { role: "img" });
  #frame: Frame | null = null;
  #plot: Plot | null = null;

  /** `pick` gets the x that the pointer is at. The host's size is the chart's. */
  constructor(host: HTMLElement, pick: (x: number) => void) {
    this.#host = host;
    host.append(this.#root);
    new ResizeObserver(() => this.#redraw()).observe(host);
    const onPointer = ({ clientX }: PointerEvent) => {
      if (this.#frame !== null) pick(this.#frame.x.invert(clientX - this.#root.getBoundingClientRect().left));
    };
    this.#root.addEventListener("pointermove", onPointer);
    this.#root.addEventListener("pointerdown", onPointer);
  }

  draw(plot: Plot, description: string): void {
    this.#plot = plot;
    this.#root.setAttribute("aria-label", description);
    this.#redraw();
  }

  #redraw(): void {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (this.#plot === null || width === 0) return;
    const { curves, cursor } = this.#plot;
    const frame = frameOf(width, height, this.#plot.x, this.#plot.y);
    const [left, right] = frame.x.range();
    const [bottom, top] = frame.y.range();
    const [cursorX, cursorY] = [frame.x(cursor[0]), frame.y(cursor[1])];
    this.#frame = frame;
    setSize(this.#root, width, height);
    this.#root.replaceChildren(
      frame.group,
      // Of its own, so that what leaves the axes is cut off.
      svg(
        "svg",
        {
          class: "plot",
          x: left,
          y: top,
          width: right - left,
          height: bottom - top,
          viewBox: boxOf(left, top, right, bottom),
        },
        svg("line", { class: "cursor", x1: cursorX, x2: cursorX, y1: top, y2: bottom }),
        ...curves.map((curve) => svg("path", { class: `curve ${curve.className}`, d: pathOf(curve, frame) })),
        svg("circle", { class: "cursor", cx: cursorX, cy: cursorY, r: 4.5 }),
      ),
    );
  }
}

export function setSize(root: SVGSVGElement, width: number, height: number): void {
  root.setAttribute("width", String(width));
  root.setAttribute("height", String(height));
  root.setAttribute("viewBox", boxOf(0, 0, width, height));
}

function boxOf(left: number, top: number, right: number, bottom: number): string {
  return [left, top, right - left, bottom - top].join(" ");
}

function pathOf({ xs, ys }: Curve, { x, y }: Frame): string {
  const path = line<number>((i) => x(xs[i]), (i) => y(ys[i])).digits(1);
  return path(Array.from(xs, (_, i) => i)) ?? "";
}
