/** The bins of one side as bars, with the loss's gradient as arrows. */
import { type Frame, frameOf, setSize, svg } from "./chart.ts";

export const BINS = 16;

/** What a BinChart shows. */
export interface Shown {
  readonly probabilities: readonly number[];
  readonly grad: Float32Array;
  readonly expectation: number;
  readonly excess: number;
  readonly target: number;
}

/** A bar for each bin, which is a slider to the pointer and to the keyboard. */
export class BinChart {
  readonly #host: HTMLElement;
  readonly #set: (bin: number, probability: number) => void;
  readonly #root = svg("svg", { role: "group", "aria-label": "Probability of each bin" });
  readonly #under = svg("g", { "aria-hidden": "true" });
  readonly #over = svg("g", { "aria-hidden": "true" });
  readonly #bars: readonly SVGRectElement[];
  #shown: Shown | null = null;
  #frame: Frame | null = null;
  /** The bin that the pointer holds. */
  #held: number | null = null;

  constructor(host: HTMLElement, set: (bin: number, probability: number) => void) {
    this.#host = host;
    this.#set = set;
    this.#bars = Array.from({ length: BINS }, (_, bin) => this.#makeBar(bin));
    this.#root.append(this.#under, ...this.#bars, this.#over);
    host.append(this.#root);
    this.#listen();
    new ResizeObserver(() => this.#redraw()).observe(host);
  }

  draw(shown: Shown): void {
    this.#shown = shown;
    this.#redraw();
  }

  #makeBar(bin: number): SVGRectElement {
    const bar = svg("rect", {
      class: "bar",
      role: "slider",
      // One stop of the tab key; arrow keys go from bin to bin.
      tabindex: bin === 0 ? 0 : -1,
      "aria-label": `bin ${bin}`,
      "aria-orientation": "vertical",
      "aria-valuemin": 0,
      "aria-valuemax": 1,
    });
    bar.addEventListener("keydown", (event) => this.#onKey(event, bin));
    bar.addEventListener("focus", () => this.#bars.forEach((other) => other.tabIndex = other === bar ? 0 : -1));
    return bar;
  }

  #listen(): void {
    this.#root.addEventListener("pointerdown", (event) => {
      const bin = this.#binAt(event);
      if (bin === null) return;
      this.#held = bin;
      this.#root.setPointerCapture(event.pointerId);
      this.#bars[bin].focus({ preventScroll: true });
      this.#drag(event);
      event.preventDefault();
    });
    this.#root.addEventListener("pointermove", (event) => this.#drag(event));
    this.#root.addEventListener("lostpointercapture", () => this.#held = null);
  }

  #binAt({ clientX }: PointerEvent): number | null {
    if (this.#frame === null) return null;
    const bin = Math.round(this.#frame.x.invert(clientX - this.#root.getBoundingClientRect().left));
    return bin in this.#bars ? bin : null;
  }

  #drag({ clientY }: PointerEvent): void {
    if (this.#held === null || this.#frame === null) return;
    this.#set(this.#held, this.#frame.y.invert(clientY - this.#root.getBoundingClientRect().top));
  }

  #onKey(event: KeyboardEvent, bin: number): void {
    const steps: Readonly<Record<string, number>> = { ArrowUp: 0.01, ArrowDown: -0.01, PageUp: 0.1, PageDown: -0.1 };
    const moves: Readonly<Record<string, number>> = { ArrowLeft: bin - 1, ArrowRight: bin + 1, Home: 0, End: BINS - 1 };
    if (event.key in steps) this.#set(bin, (this.#shown?.probabilities[bin] ?? 0) + steps[event.key]);
    else if (event.key in moves) this.#bars[moves[event.key]]?.focus();
    else return;
    event.preventDefault();
  }

  #redraw(): void {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (this.#shown === null || width === 0) return;
    const x = {
      name: "bin (strides from the anchor point)",
      domain: [-0.5, BINS - 0.5],
      ticks: everyBin(width),
    } as const;
    const frame = frameOf(width, height, x, { name: "probability", domain: [0, 1] });
    this.#frame = frame;
    setSize(this.#root, width, height);
    this.#under.replaceChildren(frame.group, spread(this.#shown, frame));
    this.#bars.forEach((bar, bin) => placeBar(bar, bin, this.#shown as Shown, frame));
    this.#over.replaceChildren(...arrows(this.#shown, frame), ...marks(this.#shown, frame));
  }
}

/** Ticks at all bins, or where that is too narrow at every other one. */
function everyBin(width: number): number[] {
  const step = width < 480 ? 2 : 1;
  return Array.from({ length: Math.ceil(BINS / step) }, (_, i) => i * step);
}

function placeBar(bar: SVGRectElement, bin: number, { probabilities }: Shown, { x, y }: Frame): void {
  const value = probabilities[bin];
  const width = (x(1) - x(0)) * 0.72;
  const place = { x: x(bin) - width / 2, y: y(value), width, height: y(0) - y(value) };
  for (const [key, pixels] of Object.entries(place)) bar.setAttribute(key, pixels.toFixed(1));
  bar.setAttribute("aria-valuenow", value.toFixed(6));
  bar.setAttribute("aria-valuetext", `probability ${value.toFixed(3)}`);
}

/** The excess to either side of the expectation. */
function spread({ expectation, excess }: Shown, { x, y }: Frame): SVGElement {
  const [from, to] = [x(expectation - excess), x(expectation + excess)];
  return svg("rect", { class: "spread", x: from, y: y(1), width: to - from, height: y(0) - y(1) });
}

/** From each bin's top against its gradient: in units of the axis, the tips are the probabilities that the loss wants. */
function arrows({ probabilities, grad }: Shown, { x, y }: Frame): SVGElement[] {
  return probabilities.map((value, bin) => {
    const [from, to] = [y(value), y(value - grad[bin])];
    const size = Math.min(5, Math.abs(to - from) / 2);
    const back = to + Math.sign(from - to) * size;
    return svg("path", {
      class: "arrow",
      d: `M${x(bin)} ${from}V${to}M${x(bin) - size} ${back}L${x(bin)} ${to}L${x(bin) + size} ${back}`,
    });
  });
}

/** Lines at the expectation and at the target, with their names in a row each. */
function marks({ expectation, target }: Shown, { x, y }: Frame): SVGElement[] {
  const [left, right] = x.range();
  return [["expectation", expectation], ["target", target]].flatMap(([name, value], row) => {
    const at = x(value as number);
    const leftwards = at > (left + right) / 2;
    return [
      svg("line", { class: `mark ${name}`, x1: at, x2: at, y1: y(1), y2: y(0) }),
      svg(
        "text",
        {
          class: `mark ${name}`,
          x: at + (leftwards ? -6 : 6),
          y: y(1) + 14 + 17 * row,
          "text-anchor": leftwards ? "end" : "start",
        },
        `${name} ${(value as number).toFixed(2)}`,
      ),
    ];
  });
}
