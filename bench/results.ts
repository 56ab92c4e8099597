/** What a run of the bench leaves behind, and what RESULTS.md, the drawing and the check are made from. */
import type { Spread } from "./statistics.ts";

/** Ours against those who gave the same result. */
export interface Race {
  /** As the heading has it: "losses: giouLoss, 100000 × 4, sum". */
  readonly title: string;
  /** Which of our ways: "ours, in memory". */
  readonly ours: string;
  readonly ms: number;
  readonly rivals: Rated[];
}

export interface Rated {
  readonly name: string;
  readonly ms: number;
  /** How many times longer it takes than ours, pair by pair. */
  readonly ratio: Spread;
}

/** A figure that is no race. */
export interface Figure {
  readonly title: string;
  readonly name: string;
  readonly text: string;
  /** Of what is possible, and the least that is wanted. */
  readonly share?: number;
  readonly target?: number;
}

/** One runtime's measurements. */
export interface Run {
  /** "Node 20.20.2". */
  readonly runtime: string;
  /** The kernels that were measured: "simd" or "relaxed-simd". */
  readonly build: string;
  readonly races: readonly Race[];
  readonly figures: readonly Figure[];
  /** Peers that were not measured, and why. */
  readonly skipped: readonly string[];
}

export interface Results {
  /** Day of the measurement, ISO 8601. */
  readonly date: string;
  readonly machine: string;
  readonly quick: boolean;
  readonly runs: readonly Run[];
}

/** What the check allows noise, other CPUs and other versions to take of a ratio. */
export const FLOOR = 0.6;

/** The least ratio that the check lets pass; undefined for what was not measured. */
export type Floor = (title: string, ours: string, rival: string) => number | undefined;

export function floorOf({ races }: Run): Floor {
  return (title, ours, rival) => {
    const race = races.find((race) => race.title === title && race.ours === ours);
    const rated = race?.rivals.find(({ name }) => name === rival);
    return rated && Number((FLOOR * rated.ratio.median).toPrecision(3));
  };
}

/** The run of the same engine and the same build of the kernels: plain JavaScript depends on the one, ours on the other. */
export function runLike({ runs }: Results, runtime: string, build: string): Run | undefined {
  return runs.find((run) => run.build === build && run.runtime.split(" ")[0] === runtime.split(" ")[0]);
}

/** The races that stand for all in the drawing and in the README, where `quoted`. */
export const HIGHLIGHTS = [
  {
    label: "Detection from a raw 144 × 8400 head, 838 candidates",
    title: "detect: 838 anchors over the threshold, 60 detections",
    quoted: true,
  },
  { label: "NMS of 30 000 boxes", title: "nms: 30000 boxes, no limit, 10391 kept", quoted: true },
  {
    label: "Decode of 8400 × 4 distributions of 16 bins",
    title: "decode: 8400 anchors × 4 × 16 bins, rows",
    quoted: true,
  },
  {
    label: "Quality focal loss, sum over 22 300 × 80 logits",
    title: "losses: qualityFocalLoss, 22300 × 80, sum",
    quoted: true,
  },
  {
    label: "Quality focal loss with gradient",
    title: "losses: qualityFocalLoss, 22300 × 80, sum and gradient",
    quoted: true,
  },
  {
    label: "Distribution focal loss, 33 600 × 17",
    title: "losses: distributionFocalLoss, 33600 × 17, sum",
    quoted: false,
  },
  {
    label: "GIoU loss of 100 000 boxes with gradient",
    title: "losses: giouLoss, 100000 × 4, sum and gradient",
    quoted: false,
  },
  {
    label: "GFL criterion with gradients, 1333 × 800",
    title: "criteria: GFL with gradient, 22300 × (80 + 4·17), 50 objects",
    quoted: false,
  },
] as const;

/** The first of our ways is the one without a copy. */
export function raceOf({ races }: Run, title: string): Race | undefined {
  return races.find((race) => race.title === title);
}

/** The run that the drawing and the README show: what most runtimes have today. */
export function headline({ runs }: Results): Run {
  return runs.find((run) => run.build === "relaxed-simd") ?? runs[0];
}

/** "Node 24.21.0, relaxed SIMD". */
export function describeRun({ runtime, build }: Run): string {
  return `${runtime}, ${build === "relaxed-simd" ? "relaxed SIMD" : "baseline SIMD"}`;
}

/** Titles begin with their family. */
export function familyOf(title: string): string {
  return title.slice(0, title.indexOf(":"));
}
