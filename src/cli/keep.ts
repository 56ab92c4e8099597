/**
 * What to keep of a network's boxes: the flags of every command that detects, and what they mean for a head's classes.
 */
import type { DetectOptions } from "../types.ts";
import { UsageError } from "./errors.ts";
import { splitNames } from "./readers/names.ts";
import { suggestion } from "./suggest.ts";
import { choice, integer, number, optional } from "./values.ts";

const SUPPRESSIONS = ["greedy", "fast", "none"] as const;
const OVERLAPS = ["polygon", "probiou"] as const;

/** The help, with the score from which boxes are kept by default. */
export function keepHelp(score: string): string {
  return `  --score X | X,NAME=X,…   scores over this (default ${score}), or over that of a class by name or index; X,X,…: of each class
  --only A,B,…             only these classes compete, by name or index
  --iou X                  NMS: of two boxes that overlap more than this, the better (default 0.6)
  --suppression KIND       greedy (default): by boxes that are kept; fast: by any better box; none
  --rotated-overlap KIND   of turned boxes: polygon (default), their common area; probiou
  --max N                  at most so many per image (default 300)
  --multi-label            every class over the score, not an anchor's best alone
  --class-agnostic         suppress across classes
  --no-masks               leave the masks of heads that have them, and their prototypes, alone`;
}

export const KEEP_OPTIONS = {
  only: { type: "string" },
  iou: { type: "string", default: "0.6" },
  suppression: { type: "string", default: "greedy" },
  "rotated-overlap": { type: "string", default: "polygon" },
  max: { type: "string", default: "300" },
  "multi-label": { type: "boolean", default: false },
  "class-agnostic": { type: "boolean", default: false },
  "no-masks": { type: "boolean", default: false },
} as const;

type KeepOptions = Pick<DetectOptions, "scoreThreshold" | "classes"> & Rest;
type Rest =
  & Required<Pick<DetectOptions, "iouThreshold" | "suppression" | "maxDetections" | "multiLabel" | "classAgnostic">>
  & Pick<DetectOptions, "masks" | "rotatedOverlap">;

/** The flags, checked as far as they can be without the classes. */
export interface KeepFlags {
  readonly scores: readonly Threshold[];
  readonly defaultScore: number;
  /** Names or indices. */
  readonly only: readonly string[] | undefined;
  readonly rest: Rest;
}

/** A score, of one class where it names it. */
interface Threshold {
  readonly of: string | undefined;
  readonly score: number;
}

interface Texts {
  readonly score?: string;
  readonly only?: string;
  readonly iou: string;
  readonly suppression: string;
  readonly "rotated-overlap": string;
  readonly max: string;
  readonly "multi-label": boolean;
  readonly "class-agnostic": boolean;
  readonly "no-masks": boolean;
}

/** Reads the flags; the error of a wrong one names it. */
export function readKeep(texts: Texts, defaultScore: number): KeepFlags {
  const { score, only } = texts;
  return {
    scores: score === undefined ? [] : score.split(",").map(readThreshold),
    defaultScore,
    only: optional(only, splitNames),
    rest: {
      iouThreshold: number("--iou", texts.iou, 0, 1),
      suppression: choice("--suppression", texts.suppression, SUPPRESSIONS),
      rotatedOverlap: choice("--rotated-overlap", texts["rotated-overlap"], OVERLAPS),
      maxDetections: integer("--max", texts.max, 1),
      multiLabel: texts["multi-label"],
      classAgnostic: texts["class-agnostic"],
      masks: texts["no-masks"] ? false : undefined,
    },
  };
}

function readThreshold(text: string): Threshold {
  const end = text.lastIndexOf("=");
  const of = end < 0 ? undefined : text.slice(0, end).trim();
  return { of, score: number("--score", text.slice(end + 1), 0, 1) };
}

/** As `detect` takes them, for a head of so many classes. */
export function keepOptions(
  { scores, defaultScore, only, rest }: KeepFlags,
  numClasses: number,
  names: readonly string[] | undefined,
): KeepOptions {
  const place = (flag: string, text: string) => classIndex(flag, text, numClasses, names);
  const scoreThreshold = thresholds(scores, defaultScore, numClasses, (text) => place("--score", text));
  return { scoreThreshold, classes: only?.map((text) => place("--only", text)), ...rest };
}

function thresholds(
  scores: readonly Threshold[],
  defaultScore: number,
  numClasses: number,
  place: (text: string) => number,
): number | Float32Array {
  const plain = scores.filter(({ of }) => of === undefined);
  if (scores.length < 2 && plain.length === scores.length) return scores[0]?.score ?? defaultScore;
  if (plain.length === scores.length && plain.length === numClasses) return Float32Array.from(scores, (t) => t.score);
  if (plain.length > 1) {
    throw new UsageError(
      `--score has ${plain.length} scores without a class; wanted one for all, or one for each of ${numClasses} classes`,
    );
  }
  const all = new Float32Array(numClasses).fill(plain[0]?.score ?? defaultScore);
  for (const { of, score } of scores) if (of !== undefined) all[place(of)] = score;
  return all;
}

function classIndex(flag: string, text: string, numClasses: number, names: readonly string[] | undefined): number {
  const named = names?.indexOf(text) ?? -1;
  if (named >= 0) return named;
  if (/^\d+$/.test(text) && Number(text) < numClasses) return Number(text);
  const wanted = names === undefined ? "names come with --classes" : "wanted a name of --classes";
  throw new UsageError(
    `${flag}: no class is called ${text}; ${wanted}, or an index from 0 to ${numClasses - 1}${
      suggestion(text, names ?? [])
    }`,
  );
}
