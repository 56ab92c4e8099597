/** One side of a box as a distribution over bins that can be dragged, with what is decoded from it and its loss. */
import type { Engine } from "densehead";
import { BinChart, BINS } from "./bin_chart.ts";
import { element, fixed, precise } from "./text.ts";

const MOST = 0.98;
const LEAST = 0.001;
/** Step length of a gradient descent. */
const RATE = 2;
/** From when on, and how often, a button that is held acts. */
const HELD_MS = { first: 400, next: 50 };

const PRESETS: Readonly<Record<string, (bin: number) => number>> = {
  sharp: (bin) => peak(bin, 5.3, 0.7),
  wide: (bin) => peak(bin, 7, 3.2),
  two: (bin) => peak(bin, 3.2, 0.9) + 0.8 * peak(bin, 10.4, 1.1),
};

/** What densehead says of a side. */
interface Measured {
  readonly expectation: number;
  readonly std: number;
  readonly excess: number;
  readonly entropy: number;
  readonly saturation: number;
  readonly loss: number;
  readonly grad: Float32Array;
}

export function startDistribution({ sync }: Engine): void {
  const target = element<HTMLInputElement>("dfl-target");
  const logits = logitsOf(PRESETS.two);
  const chart = new BinChart(element("bins-chart"), (bin, probability) => {
    setProbability(logits, bin, probability);
    show();
  });
  target.addEventListener("input", show);
  repeatWhileHeld(element("dfl-step"), () => {
    const { grad } = measure(sync, logits, target.valueAsNumber);
    grad.forEach((slope, bin) => logits[bin] -= RATE * slope);
    show();
  });
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-distribution]")) {
    button.addEventListener("click", () => {
      logits.set(logitsOf(PRESETS[button.dataset.distribution as string]));
      show();
    });
  }
  show();

  function show(): void {
    const measured = measure(sync, logits, target.valueAsNumber);
    chart.draw({ ...measured, probabilities: softmax(logits), target: target.valueAsNumber });
    element("dfl-target-value").textContent = target.valueAsNumber.toFixed(2);
    for (const key of ["expectation", "std", "excess", "entropy", "loss"] as const) {
      element(`dfl-${key}`).textContent = fixed(measured[key], 4);
    }
    element("dfl-saturation").textContent = precise(measured.saturation, 3);
  }
}

/** Once for each click, and again and again while the pointer is down. */
function repeatWhileHeld(button: HTMLElement, act: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = () => {
    act();
    timer = setTimeout(again, HELD_MS.next);
  };
  button.addEventListener("click", act);
  button.addEventListener("pointerdown", () => timer = setTimeout(again, HELD_MS.first));
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
    button.addEventListener(end, () => clearTimeout(timer));
  }
}

function measure(sync: Engine["sync"], logits: Float32Array, target: number): Measured {
  // A box has four sides; here all are the same.
  const box = { data: Float32Array.from({ length: 4 * BINS }, (_, i) => logits[i % BINS]), dims: [1, 4 * BINS] };
  const { std: [std], excess: [excess], entropy: [entropy], saturation: [saturation] } = sync.dflStatistics(box, {
    bins: BINS,
  });
  const side = { data: logits, dims: [1, BINS] };
  const { loss, grad } = sync.distributionFocalLoss(side, Float32Array.of(target), { grad: true });
  const [expectation] = sync.dflDecode(box, { bins: BINS });
  return { expectation, std, excess, entropy, saturation, loss, grad };
}

function peak(bin: number, centre: number, width: number): number {
  return Math.exp(-(((bin - centre) / width) ** 2) / 2);
}

/** Logits of a density; no bin is quite empty. */
function logitsOf(density: (bin: number) => number): Float32Array {
  return Float32Array.from({ length: BINS }, (_, bin) => Math.log(density(bin) + 0.003));
}

function softmax(logits: Float32Array): number[] {
  const top = Math.max(...logits);
  const weights = Array.from(logits, (x) => Math.exp(x - top));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

/** Changes one logit so that its bin has this probability; the others keep their proportions. */
function setProbability(logits: Float32Array, bin: number, probability: number): void {
  const p = Math.min(MOST, Math.max(LEAST, probability));
  const others = logits.filter((_, i) => i !== bin);
  const top = Math.max(...others);
  const rest = top + Math.log(others.reduce((sum, x) => sum + Math.exp(x - top), 0));
  logits[bin] = rest + Math.log(p / (1 - p));
}
