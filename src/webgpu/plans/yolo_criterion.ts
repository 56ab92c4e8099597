/**
 * The YOLO criterion: assignment by the predictions themselves, so that who is positive is known only on the device; then the
 * losses over as many rows as there may be. Rows that are nobody's weigh nothing.
 */
import type { CheckedYolo } from "../../criteria/criterion_call.ts";
import type { YoloCandidates } from "../../criteria/yolo_assign.ts";
import { type AnySource, type GpuSource, rangeError } from "../../validate.ts";
import { chunksOf } from "../chunks.ts";
import type { CriterionRun, Listed, Plan } from "../criterion.ts";
import { leadingBits } from "../loss.ts";
import type { Output } from "../output.ts";
import { listedRows, type Step } from "../positive_rows.ts";
import * as assign from "../shaders/yolo_assign.ts";
import * as rows from "../shaders/yolo_criterion.ts";
import { onDevice, storageOf } from "../storage.ts";

/** Words of the structs of the shaders. */
const CANDIDATE = 8;
const OBJECT = 8;
const MATCH = 3;
const CHOSEN = 4;
/** WGSL has no infinity of whole numbers. */
const ALL = 0xffffffff;

/** Whether the device can bind the matches. */
export function fitsMatches(pairs: number, { maxStorageBufferBindingSize }: GPUSupportedLimits): boolean {
  return pairs * MATCH * 4 <= maxStorageBufferBindingSize;
}

export function yoloCriterion(run: CriterionRun, checked: CheckedYolo): Plan {
  const { cls, gains, grid, settings: { grad } } = checked;
  const pairs = checked.pairs();
  if (!fitsMatches(pairs, run.gpu.device.limits)) {
    const most = Math.floor(run.gpu.device.limits.maxStorageBufferBindingSize / MATCH / 4);
    throw rangeError({ op: run.op, argument: "input.gt" }, `${pairs} anchors inside its objects`, `at most ${most}`);
  }
  const candidates = checked.candidates();
  const scene = new YoloScene(run, checked, candidates);
  const { chosen } = scene;
  const { count } = chosen;
  const labels = run.upload(new Int32Array(cls.rows).fill(-1));
  const scores = run.buffer(cls.rows);
  const weights = run.upload(candidates.weights);
  const [pred, goal, shares] = [run.buffer(4 * count), run.buffer(4 * count), run.buffer(count)];
  const [box, dfl, total] = [run.buffer(1), run.buffer(1), run.buffer(1)];
  const boxGrad = grad ? run.buffer(4 * count) : null;
  const loss = {
    stem: "ciou_loss",
    kind: "box loss",
    parameters: { innerRatio: 1, eps: checked.rules.eps },
    pred: onDevice(pred, count, 4),
    columns: 4,
    rows: count,
    target: onDevice(goal, count, 4),
    targetColumns: 4,
  } as const;
  const items = { counts: { items: count }, parameters: {} };
  const ofRows = { counts: { items: cls.rows }, parameters: {} };
  const sides = (grid.head.bins === 0 ? plainSides : distributedSides)(run, checked, scene, {
    pred,
    goal,
    shares,
    boxGrad,
    dfl,
    total,
  });
  return {
    cls: {
      labels: onDevice(labels, cls.rows, 1),
      scores: onDevice(scores, cls.rows, 1),
      settings: { ...cls.settings, factor: gains.cls, weight: onDevice(weights, cls.rows, 1), weightKind: 2 },
    },
    positives: chosen,
    steps: () => [
      ...scene.steps(),
      run.each(rows.yoloCriterion, items, [
        chosen.listed,
        scene.candidates,
        scene.objects,
        scene.sides,
        pred,
        goal,
        shares,
      ]),
      run.each(rows.labels, items, [chosen.listed, scene.objects, labels, scores, weights]),
      run.loss(loss, shares, box, boxGrad),
      run.sum(shares, count, total),
      run.each(rows.shares, ofRows, [total, weights]),
      ...sides.steps(),
    ],
    sums: { box, dfl, total },
    grads: sides.grad === null ? {} : { dist: { map: { ...scene.dist, source: checked.maps.dist }, rows: sides.grad } },
    parts: (sums) => {
      const divisor = Math.max(sums.total, 1);
      return { box: gains.box * sums.box / divisor, dfl: gains.dfl / 4 * sums.dfl / divisor };
    },
  };
}

/** The objects and the anchors inside them, on the device, and the assignment of the ones to the others. */
class YoloScene {
  readonly candidates: GPUBufferBinding;
  readonly objects: GPUBufferBinding;
  /** (M, 4), in pixels. */
  readonly sides: GPUBufferBinding;
  /** The map of distances or distributions: the candidates' rows where it comes from the host. */
  readonly dist: { readonly argument: string; readonly source: GpuSource; readonly columns: number };
  readonly chosen: Chosen;
  readonly #run: CriterionRun;
  readonly #checked: CheckedYolo;
  readonly #listed: YoloCandidates;

  constructor(run: CriterionRun, checked: CheckedYolo, listed: YoloCandidates) {
    const { grid: { head: { bins } }, maps: { dist }, rules: { topk } } = checked;
    this.#run = run;
    this.#checked = checked;
    this.#listed = listed;
    const columns = bins === 0 ? 4 : 4 * bins;
    const { rows, counts } = listed;
    this.candidates = run.upload(candidatesBlock(checked, listed, dist.kind === "gpu"));
    this.objects = run.upload(objectsBlock(listed));
    this.sides = run.buffer(4 * rows.length);
    this.dist = { argument: "input.dist", source: rowsOnDevice(run, dist, rows, columns), columns };
    const most = counts.reduce((sum, count) => sum + Math.min(count, topk), 0);
    this.chosen = new Chosen(run, checked.cls.rows, Math.min(rows.length, most));
  }

  steps(): Promise<Step>[] {
    const { candidates, objects, sides, chosen } = this;
    const run = this.#run;
    const { grid: { head: { bins } }, rules: { topk, topk2, alpha, beta, eps } } = this.#checked;
    const { rows: { length: found }, counts: { length: groups }, inside: { length: pairs } } = this.#listed;
    const { matches, logits } = this.#matches();
    const [ratings, claims, assigned] = [run.buffer(2 * pairs), run.buffer(2 * found), run.buffer(2 * found)];
    const [picked, owners] = [run.buffer(pairs), run.buffer(found)];
    const gamma = Math.max(alpha, beta) || 1;
    const ranks = { eps, alpha: alpha / gamma, ...power("beta", beta / gamma) };
    const ofPairs = { counts: { items: pairs }, parameters: {} };
    const ofObjects = (most: number, parameters = {}) => ({
      counts: { items: groups, most: Math.min(most, ALL) },
      parameters,
    });
    const ofSides = { counts: { items: found, bins, anchors: 1 }, parameters: {} };
    const text = bins === 0 ? assign.plainSides : assign.expectedSides;
    return [
      run.eachPart(this.dist, text, ofSides, [candidates, sides]),
      run.eachPart(logits, assign.ratings, { ...ofPairs, parameters: ranks }, [
        matches,
        candidates,
        objects,
        sides,
        ratings,
      ]),
      run.groups(assign.best, ofObjects(topk), [objects, ratings, picked], groups),
      cleared(claims, owners, assigned),
      run.each(assign.claims, ofPairs, [matches, ratings, picked, claims]),
      run.each(assign.owners, ofPairs, [matches, ratings, picked, claims, owners]),
      run.groups(assign.scores, ofObjects(topk2, power("gamma", gamma)), [
        objects,
        matches,
        ratings,
        owners,
        picked,
        assigned,
      ], groups),
      run.groups(assign.listing, { counts: { items: chosen.count, candidates: found }, parameters: {} }, [
        candidates,
        assigned,
        chosen.listed,
        chosen.number,
      ], 1),
    ];
  }

  /** The pairs of candidates and objects, and the map of their logits as elements. */
  #matches() {
    const run = this.#run;
    const { cls: { pred, columns } } = this.#checked;
    const { rows, counts, inside, labels } = this.#listed;
    const block = new Uint32Array(MATCH * inside.length);
    const elements = new Int32Array(inside.length);
    let at = 0;
    counts.forEach((count, object) => {
      for (const end = at + count; at < end; at++) {
        elements[at] = rows[inside[at]] * columns + labels[object];
        block[MATCH * at] = inside[at];
        block[MATCH * at + 1] = object;
        block[MATCH * at + 2] = pred.kind === "gpu" ? elements[at] : at;
      }
    });
    const source = rowsOnDevice(run, pred, elements, 1);
    return { matches: run.upload(block), logits: { argument: "input.cls", source, columns: 1 } };
  }
}

/** The rows that the device chose. */
class Chosen implements Listed {
  readonly count: number;
  readonly listed: GPUBufferBinding;
  /** How many of them are somebody's. */
  readonly number: GPUBufferBinding;
  readonly #run: CriterionRun;
  readonly #mapRows: number;
  readonly #block: Uint32Array;
  readonly #found = new Uint32Array(1);

  constructor(run: CriterionRun, mapRows: number, count: number) {
    this.#run = run;
    this.#mapRows = mapRows;
    this.count = count;
    this.#block = new Uint32Array(CHOSEN * count);
    this.listed = run.buffer(CHOSEN * count);
    this.number = run.buffer(1);
  }

  async scatter(argument: string, columns: number, gathered: GPUBufferBinding, map: Output): Promise<Step> {
    const { gpu, op, work } = this.#run;
    const limit = gpu.device.limits.maxStorageBufferBindingSize;
    const chunks = chunksOf({ op, argument }, this.#mapRows, columns, limit);
    const steps = await Promise.all(chunks.map(({ firstRow, rows: map_rows }) => {
      const counts = { items: this.count * columns, columns, first_row: firstRow, map_rows };
      const part = map.binding(work, firstRow * columns, map_rows * columns);
      return this.#run.each(rows.scattering, { counts, parameters: {} }, [this.listed, gathered, part]);
    }));
    return (encoder) => steps.forEach((step) => step(encoder));
  }

  copyBack(encoder: GPUCommandEncoder): void {
    this.#run.work.copyBack(encoder, this.number, this.#found);
    if (this.#run.grad) this.#run.work.copyBack(encoder, this.listed, this.#block);
  }

  found(): number {
    return this.#found[0];
  }

  spread(values: Float32Array, columns: number): Float32Array {
    const map = new Float32Array(this.#mapRows * columns);
    for (let i = 0; i < this.found() && this.count > 0; i++) {
      map.set(values.subarray(i * columns, (i + 1) * columns), this.#block[CHOSEN * i + 2] * columns);
    }
    return map;
  }
}

/** Buffers of the boxes' losses. */
interface Boxes {
  readonly pred: GPUBufferBinding;
  readonly goal: GPUBufferBinding;
  readonly shares: GPUBufferBinding;
  readonly boxGrad: GPUBufferBinding | null;
  readonly dfl: GPUBufferBinding;
  readonly total: GPUBufferBinding;
}

/** DFL, and the gradient of both to the distributions. */
function distributedSides(
  run: CriterionRun,
  { grid: { head: { bins } }, gains, lastTarget }: CheckedYolo,
  { candidates, dist, chosen: { count, listed } }: YoloScene,
  { goal, boxGrad, dfl, total }: Boxes,
) {
  const logits = run.buffer(4 * bins * count);
  const [sideGoals, sideWeights] = [run.buffer(4 * count), run.buffer(4 * count)];
  const grad = boxGrad === null ? null : run.buffer(4 * bins * count);
  const distributions = {
    stem: "distribution_focal_loss",
    kind: "row loss",
    parameters: { firstBin: 0, inverseStep: 1, slack: 0, outside: 0 },
    pred: onDevice(logits, 4 * count, bins),
    columns: bins,
    rows: 4 * count,
    target: onDevice(sideGoals, 4 * count, 1),
    targetColumns: 1,
  } as const;
  const factors = { box_factor: gains.box, dfl_factor: gains.dfl / 4 };
  return {
    grad,
    steps: () => [
      run.eachPart(dist, rows.gathering, { counts: { items: 4 * bins * count }, parameters: {} }, [
        listed,
        candidates,
        logits,
      ]),
      run.each(rows.goals, { counts: { items: count }, parameters: { last: lastTarget } }, [
        listed,
        candidates,
        goal,
        sideGoals,
        sideWeights,
      ]),
      run.loss(distributions, sideWeights, dfl, grad),
      ...(boxGrad === null || grad === null ? [] : [
        run.each(rows.distributedSlopes, { counts: { items: 4 * count, bins, anchors: 1 }, parameters: factors }, [
          listed,
          candidates,
          logits,
          boxGrad,
          total,
          grad,
        ]),
      ]),
    ],
  };
}

/** The difference to the object's sides in shares of the image, and the gradient of both to the distances. */
function plainSides(
  run: CriterionRun,
  { grid: { imageSize: [height, width] }, gains }: CheckedYolo,
  { candidates, chosen: { count, listed } }: YoloScene,
  { pred, goal, shares, boxGrad, dfl, total }: Boxes,
) {
  const costs = run.buffer(count);
  const counts = { items: count };
  const factors = { width, height, box_factor: gains.box, dfl_factor: gains.dfl / 4 };
  return {
    grad: boxGrad,
    steps: () => [
      run.each(rows.distances, { counts, parameters: { width, height } }, [pred, goal, shares, costs]),
      run.sum(costs, count, dfl),
      ...(boxGrad === null ? [] : [
        run.each(rows.plainSlopes, { counts, parameters: factors }, [listed, candidates, pred, goal, total, boxGrad]),
      ]),
    ],
  };
}

/** A map on the device: the listed rows of one on the host, else the whole map where it lies. */
function rowsOnDevice(run: CriterionRun, source: AnySource, listed: Int32Array, columns: number): GpuSource {
  if (source.kind === "gpu") return source;
  const picked = listedRows(source, listed, columns);
  const { buffer } = run.work.guard(() => run.work.input(picked, 0, listed.length * columns));
  return { kind: "gpu", gpuBuffer: buffer, dims: [listed.length, columns], half: storageOf(picked) === "float16" };
}

/** The block of `Candidate`s. */
function candidatesBlock({ grid, units }: CheckedYolo, { rows, points }: YoloCandidates, inPlace: boolean) {
  const block = new ArrayBuffer(CANDIDATE * 4 * rows.length);
  const [floats, words] = [new Float32Array(block), new Uint32Array(block)];
  rows.forEach((row, i) => {
    const at = CANDIDATE * i;
    const anchor = row % grid.anchors;
    for (let axis = 0; axis < 2; axis++) {
      const point = points[2 * i + axis];
      floats[at + axis] = point;
      floats[at + 2 + axis] = point - floats[at + axis];
      floats[at + 4 + axis] = units[4 * anchor + axis];
    }
    words[at + 6] = row;
    words[at + 7] = inPlace ? row : i;
  });
  return new Uint8Array(block);
}

/** The block of `Object`s. */
function objectsBlock({ boxes, labels, counts }: YoloCandidates): Uint8Array {
  const block = new ArrayBuffer(OBJECT * 4 * labels.length);
  const [floats, words] = [new Float32Array(block), new Uint32Array(block)];
  let first = 0;
  counts.forEach((count, i) => {
    floats.set(boxes.subarray(4 * i, 4 * i + 4), OBJECT * i);
    words.set([first, count, labels[i]], OBJECT * i + 4);
    first += count;
  });
  return new Uint8Array(block);
}

/** Fills buffers with zeros. */
function cleared(...bindings: readonly GPUBufferBinding[]): Promise<Step> {
  return Promise.resolve((encoder: GPUCommandEncoder) => {
    for (const { buffer, size } of bindings) encoder.clearBuffer(buffer, 0, size);
  });
}

/** An exponent as the shaders take it. */
function power(name: string, value: number): Record<string, number> {
  const high = leadingBits(value);
  return { [name]: value, [`${name}_high`]: high, [`${name}_low`]: value - high };
}
