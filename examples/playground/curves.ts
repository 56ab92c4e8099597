/** What one logit costs, and its gradient, over the probability. */
import type { Engine, LossResult } from "densehead";
import { type Curve, LineChart, type Plot } from "./chart.ts";
import { element, fixed, precise } from "./text.ts";

type LossName = "focal" | "quality" | "varifocal" | "generalized";
type Parameter = "target" | "alpha" | "gamma" | "beta" | "yLeft" | "yRight" | "probability";

interface Settings extends Readonly<Record<Parameter, number>> {
  readonly loss: LossName;
}

/** Exponents of the faint curves. */
const EXPONENTS = [0, 1, 2, 4];
const PROBABILITIES = Float32Array.from({ length: 199 }, (_, i) => (i + 1) / 200);
/** Outside of it, logarithms leave any picture. */
const SHOWN = { from: 0.04, to: 0.96 };

const PRESETS: Readonly<Record<string, Partial<Settings>>> = {
  paper: { loss: "quality", target: 0.5, beta: 2 },
  positive: { loss: "focal", target: 1, alpha: 0.25, gamma: 2 },
  negative: { loss: "varifocal", target: 0, alpha: 0.75, gamma: 2 },
};

export function startCurves({ sync }: Engine): void {
  const form = element<HTMLFormElement>("curves-form");
  const inputs = form.elements as unknown as Readonly<Record<Parameter | "loss", HTMLInputElement & RadioNodeList>>;
  const read = (x: number) => {
    inputs.probability.value = String(x);
    show();
  };
  const lossChart = new LineChart(element("loss-chart"), read);
  const gradientChart = new LineChart(element("gradient-chart"), read);
  form.addEventListener("input", show);
  for (const button of form.querySelectorAll<HTMLButtonElement>("[data-preset]")) {
    button.addEventListener("click", () => {
      for (const [name, value] of Object.entries(PRESETS[button.dataset.preset as string])) {
        inputs[name as Parameter].value = String(value);
        // The loss comes first, and what targets it takes.
        keepTargetInside(inputs);
      }
      show();
    });
  }
  show();

  function show(): void {
    keepTargetInside(inputs);
    const settings = settingsOf(inputs);
    // Varifocal loss has its exponent and weight on negatives only.
    for (const name of ["gamma", "alpha"] as const) {
      inputs[name].disabled = settings.loss === "varifocal" && settings.target > 0;
    }
    showControls(form, settings.loss);
    const { probability } = settings;
    const logits = PROBABILITIES.map(logit);
    const family = EXPONENTS.map((exponent) => ({ ...settings, gamma: exponent, beta: exponent }));
    const curves = [...family, settings].map((each) => lossOver(sync, logits, each));
    const { loss: [loss], grad: [grad] } = lossOver(sync, Float32Array.of(logit(probability)), settings);
    const about = `over p of ${settings.loss} focal loss, target ${settings.target}`;
    lossChart.draw(
      plotOf("loss (nats)", curves.map((curve) => curve.loss), [probability, loss]),
      `Loss ${about}`,
    );
    gradientChart.draw(
      plotOf("gradient ∂loss/∂x (nats per logit)", curves.map((curve) => curve.grad), [probability, grad]),
      `Gradient ${about}`,
    );
    element("read-probability").textContent = fixed(probability, 2);
    element("read-logit").textContent = fixed(logit(probability), 3);
    element("read-loss").textContent = precise(loss);
    element("read-gradient").textContent = precise(grad);
  }
}

/** Loss and gradient of each logit. */
function lossOver(sync: Engine["sync"], logits: Float32Array, settings: Settings): LossResult<"none", true> {
  const { alpha, gamma, beta, yLeft, yRight } = settings;
  const targets = new Float32Array(logits.length).fill(settings.target);
  const each = { reduction: "none", grad: true } as const;
  switch (settings.loss) {
    case "focal":
      return sync.sigmoidFocalLoss(logits, targets, { ...each, alpha, gamma });
    case "quality":
      return sync.qualityFocalLoss(logits, targets, { ...each, beta });
    case "varifocal":
      return sync.varifocalLoss(logits, targets, { ...each, alpha, gamma });
    case "generalized":
      return sync.generalizedFocalLoss(logits, targets, { ...each, beta, yLeft, yRight });
  }
}

function logit(probability: number): number {
  return Math.log(probability / (1 - probability));
}

function settingsOf(inputs: Readonly<Record<Parameter | "loss", { readonly value: string }>>): Settings {
  const { loss, target, alpha, gamma, beta, yLeft, yRight, probability } = inputs;
  return {
    loss: loss.value as LossName,
    target: Number(target.value),
    alpha: Number(alpha.value),
    gamma: Number(gamma.value),
    beta: Number(beta.value),
    yLeft: Number(yLeft.value),
    yRight: Number(yRight.value),
    probability: Number(probability.value),
  };
}

/** A generalized focal loss is made for targets between its two values. */
function keepTargetInside({ loss, target, yLeft, yRight }: Readonly<Record<string, HTMLInputElement>>): void {
  const generalized = loss.value === "generalized";
  target.min = generalized ? yLeft.value : "0";
  target.max = generalized ? yRight.value : "1";
}

function exponentOf(loss: LossName): string {
  return loss === "quality" || loss === "generalized" ? "β" : "γ";
}

/** Only what the loss has; each slider says its value. */
function showControls(form: HTMLFormElement, loss: LossName): void {
  for (const part of form.querySelectorAll<HTMLElement>("[data-for]")) {
    part.hidden = !(part.dataset.for as string).split(" ").includes(loss);
  }
  for (const label of form.querySelectorAll<HTMLLabelElement>("label.slider")) {
    const { value } = label.querySelector("input") as HTMLInputElement;
    (label.querySelector(".value") as HTMLElement).textContent = Number(value).toFixed(2);
  }
  for (const part of form.querySelectorAll(".exponent")) part.textContent = exponentOf(loss);
}

/** Values over the probabilities: the family, one for each exponent, and last the curve as set. */
function plotOf(name: string, values: readonly Float32Array[], cursor: readonly [number, number]): Plot {
  const curves = values.map((ys, i): Curve => {
    return { className: i < EXPONENTS.length ? `family-${i}` : "own", xs: PROBABILITIES, ys };
  });
  return {
    x: { name: "probability p = σ(x)", domain: [0, 1] },
    y: { name, domain: domainOf(curves, cursor[1]) },
    curves,
    cursor,
  };
}

/** From the lowest to the highest of what is shown, 0 and the cursor's value among it, and a little more. */
function domainOf(curves: readonly Curve[], cursor: number): [number, number] {
  const inside = (_: number, i: number) => PROBABILITIES[i] >= SHOWN.from && PROBABILITIES[i] <= SHOWN.to;
  const values = curves.flatMap(({ ys }) => Array.from(ys).filter(inside));
  const [low, high] = [Math.min(0, cursor, ...values), Math.max(0, cursor, ...values)];
  return [low * 1.05, high * 1.05];
}
