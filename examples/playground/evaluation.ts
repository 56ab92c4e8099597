/** How good results are: annotations and results are dropped in, and counted by the protocol of COCO. */
import { type CocoDataset, cocoEvaluate, type CocoEvaluation, type EvalKind, type EvalResult } from "densehead/eval";
import { type Curve, LineChart } from "./chart.ts";
import { element, fixed } from "./text.ts";

/** Recalls at which precision is known. */
const RECALLS = Float64Array.from({ length: 101 }, (_, i) => i / 100);

/** What was given so far. */
interface Given {
  truth: CocoDataset | null;
  results: readonly EvalResult[] | null;
}

interface File {
  readonly name: string;
  text(): Promise<string>;
}

export function startEvaluation(): void {
  const given: Given = { truth: null, results: null };
  const charts = new Charts();
  const kinds = element("eval-kinds");
  const take = async (files: Iterable<File>) => {
    for (const file of files) {
      const problem = await read(file, given);
      if (problem !== null) return say(problem);
    }
    await evaluate();
  };
  kinds.addEventListener("change", evaluate);
  listen(take);

  async function evaluate(): Promise<void> {
    const { truth, results } = given;
    if (truth === null) {
      return say("Annotations are missing: a file of COCO’s format with images, annotations and categories.");
    }
    if (results === null) return say("Results are missing: a list of rows with image_id, category_id, bbox and score.");
    say("Counting …");
    // The page shows it before the work begins.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const kind = kinds.querySelector<HTMLInputElement>(":checked")?.value as EvalKind;
    try {
      show(cocoEvaluate(truth, results, { kind }), charts);
      say(`${results.length} results on ${truth.images.length} images, ${truth.annotations.length} objects.`);
    } catch (error) {
      say((error as Error).message);
    }
  }
}

/** Puts what a file has into `given`; returns what is wrong with it, or null. */
async function read(file: File, given: Given): Promise<string | null> {
  let content: unknown;
  try {
    content = JSON.parse(await file.text());
  } catch (error) {
    return `${file.name} is not JSON: ${(error as Error).message}`;
  }
  if (Array.isArray(content)) given.results = content;
  else if (typeof content === "object" && content !== null && "annotations" in content) {
    given.truth = content as CocoDataset;
  } else return `${file.name} has neither annotations nor a list of results.`;
  return null;
}

function listen(take: (files: Iterable<File>) => Promise<void>): void {
  const chooser = element<HTMLInputElement>("eval-files");
  chooser.addEventListener("change", () => take(chooser.files ?? []));
  const area = element("evaluation");
  area.addEventListener("dragover", (event) => event.preventDefault());
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer?.files ?? []);
  });
  element("eval-sample").addEventListener("click", async () => {
    const files = ["scenes.coco.json", "results.json"].map(async (name) => {
      const response = await fetch(`shapes/${name}`);
      return { name, text: () => response.text() };
    });
    await take(await Promise.all(files));
  });
}

/** The curves, read where the pointer is. */
class Charts {
  #shown: CocoEvaluation | null = null;
  #recall = 0.5;
  #score = 0.5;
  readonly #precision: LineChart;
  readonly #reliability: LineChart;

  constructor() {
    this.#precision = new LineChart(element("precision-chart"), (x) => this.#drawPrecision(x));
    this.#reliability = new LineChart(element("reliability-chart"), (x) => this.#drawReliability(x));
  }

  draw(evaluation: CocoEvaluation): void {
    this.#shown = evaluation;
    this.#drawPrecision(this.#recall);
    this.#drawReliability(this.#score);
  }

  #drawPrecision(recall: number): void {
    if (this.#shown === null) return;
    const at = Math.min(100, Math.max(0, Math.round(recall * 100)));
    this.#recall = at / 100;
    const [all, half, strict] = [[0, 10], [0, 1], [5, 1]].map(([first, count]) =>
      precisions(this.#shown!, first, count)
    );
    const curves: Curve[] = [
      { className: "family-2", xs: RECALLS, ys: half },
      { className: "family-3", xs: RECALLS, ys: strict },
      { className: "own", xs: RECALLS, ys: all },
    ];
    this.#precision.draw(
      { x: UNIT("recall"), y: UNIT("precision"), curves, cursor: [this.#recall, all[at]] },
      `Precision over recall; at recall ${fixed(this.#recall, 2)} it is ${fixed(all[at], 3)}`,
    );
    element("read-recall").textContent = fixed(this.#recall, 2);
    element("read-precision").textContent = fixed(all[at], 3);
  }

  #drawReliability(score: number): void {
    if (this.#shown === null) return;
    const bins = this.#shown.calibration.bins.filter(({ detections }) => detections > 0);
    if (bins.length === 0) return;
    const near = bins.reduce((best, bin) => Math.abs(bin.score - score) < Math.abs(best.score - score) ? bin : best);
    this.#score = near.score;
    const curves: Curve[] = [
      { className: "family-1", xs: [0, 1], ys: [0, 1] },
      { className: "own", xs: bins.map((bin) => bin.score), ys: bins.map((bin) => bin.precision) },
    ];
    this.#reliability.draw(
      { x: UNIT("mean score of a bin"), y: UNIT("precision at IoU 0.5"), curves, cursor: [near.score, near.precision] },
      `Precision over score; of ${near.detections} detections with a mean score of ${fixed(near.score, 2)}, ${
        fixed(near.precision, 2)
      } are right`,
    );
    element("read-score").textContent = fixed(near.score, 2);
    element("read-right").textContent = fixed(near.precision, 2);
    element("read-count").textContent = String(near.detections);
  }
}

const UNIT = (name: string) => ({ name, domain: [0, 1] as const });

/** Mean precision at each recall, over so many thresholds and the classes that have objects. */
function precisions({ precision, counts: [, R, K, A, M] }: CocoEvaluation, first: number, count: number): number[] {
  return Array.from(RECALLS, (_, r) => {
    const values: number[] = [];
    for (let t = first; t < first + count; t++) {
      for (let k = 0; k < K; k++) values.push(precision[((t * R + r) * K + k) * A * M + M - 1]);
    }
    const known = values.filter((value) => value > -1);
    return known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  });
}

function show(evaluation: CocoEvaluation, charts: Charts): void {
  const { stats, lrp, calibration, classes } = evaluation;
  element("evaluated").hidden = false;
  charts.draw(evaluation);
  const numbers = { ...stats, oLRP: lrp.oLRP, ECE: calibration.ECE, LaECE: calibration.LaECE };
  element("eval-stats").replaceChildren(...Object.entries(numbers).map(([name, value]) => reading(name, value)));
  element("eval-classes").replaceChildren(...classes.map(({ id, name, AP, AP50, AR, objects, threshold }) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name ?? String(id);
    row.append(head, ...[String(objects), ...[AP, AP50, AR, threshold].map(known)].map(cell));
    return row;
  }));
}

function reading(name: string, value: number): HTMLElement {
  const [group, term, detail, number] = ["div", "dt", "dd", "b"].map((tag) => document.createElement(tag));
  term.textContent = name;
  number.textContent = known(value);
  number.id = `eval-${name}`;
  detail.append(number);
  group.append(term, detail);
  return group;
}

/** COCO writes −1 where there is nothing to count. */
function known(value: number): string {
  return value === -1 || Number.isNaN(value) ? "–" : fixed(value, 3);
}

function cell(text: string): HTMLElement {
  const made = document.createElement("td");
  made.textContent = text;
  return made;
}

function say(text: string): void {
  element("eval-status").textContent = text;
}
