/**
 * What all heads together give. A partial summary says what each key contributes, not a sum: a delivery that is repeated,
 * or a batch that is cut anew, says the same again, and merging it changes nothing.
 */
import type { Detections } from "densehead";
import { type Evaluation, Evaluations } from "./evaluation.ts";
import { Problem } from "./problem.ts";
import type { Score } from "./score.ts";

/** What one head adds to the summary. */
export interface Contribution {
  /** When the head was written, in milliseconds, and its version: of two, the later counts. */
  readonly uploaded: number;
  readonly etag: string;
  /** Detections by score, in tenths. */
  readonly scores: readonly number[];
  /** Total and parts of its loss, where it was scored and they are finite. */
  readonly losses?: Readonly<Record<string, number>>;
  /** State of its evaluation, where there is ground truth. */
  readonly evaluation?: object;
}

/** By key. */
export type Contributions = Map<string, Contribution>;

export interface Summary {
  readonly heads: number;
  readonly detections: number;
  /** Detections by score: below 0.1, below 0.2 and so on. */
  readonly scoreHistogram: readonly number[];
  /** Heads with ground truth beside them and a finite loss. */
  readonly scored: number;
  /** Means over those, of total and parts. */
  readonly lossMeans: Readonly<Record<string, number>>;
  /** How good the detections of heads with ground truth are; or why there is no common answer. */
  readonly evaluation?: Evaluation | { readonly error: string };
  /** Partial summaries that could not be read; absent where there are none. */
  readonly unreadable?: readonly string[];
}

const BINS = 10;
const PREFIX = "summaries/";
const SUMMARY = "summary.json";
/** Bytes of partial summaries whose contributions are in memory at a time, where they take about twice as much. */
const PASS_BYTES = 16 * 1024 * 1024;

export function contributionOf(
  { uploaded, etag }: R2Object,
  images: readonly Detections[],
  score: Score | undefined,
  evaluation: object | undefined,
): Contribution {
  const scores = new Array<number>(BINS).fill(0);
  for (const found of images) {
    for (const value of found.scores) scores[Math.min(Math.floor(value * BINS), BINS - 1)]++;
  }
  const losses = score && { total: score.total, ...score.parts };
  const finite = losses !== undefined && Object.values(losses).every(Number.isFinite);
  return {
    uploaded: uploaded.getTime(),
    etag,
    scores,
    ...(finite ? { losses } : {}),
    ...(evaluation === undefined ? {} : { evaluation }),
  };
}

/** Adds a partial summary to `all`: associative, commutative, and idempotent. */
export function merge(all: Contributions, partial: Contributions): Contributions {
  for (const [key, contribution] of partial) {
    const present = all.get(key);
    if (present === undefined || isLater(contribution, present)) all.set(key, contribution);
  }
  return all;
}

function isLater(a: Contribution, b: Contribution): boolean {
  return a.uploaded > b.uploaded || (a.uploaded === b.uploaded && a.etag > b.etag);
}

/** Writes the partial summary of a batch, under a name of its contents: a repeat writes the same object. */
export async function writePartial(results: R2Bucket, contributions: Contributions): Promise<void> {
  const text = JSON.stringify(Object.fromEntries(contributions));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const name = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  await results.put(`${PREFIX}${name}.json`, text);
}

/** Merges that begin anew because another one wrote the summary meanwhile. */
const MAX_TRIES = 5;

/**
 * Merges all partial summaries into summary.json. Of two merges at once the later begins anew: its list may be older than the
 * summary that is there by then.
 */
export async function mergePartials(results: R2Bucket, passBytes = PASS_BYTES): Promise<Summary> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await results.head(SUMMARY);
    const summary = await mergeOnce(results, passBytes);
    const onlyIf = before === null ? { etagDoesNotMatch: "*" } : { etagMatches: before.etag };
    if (await results.put(SUMMARY, JSON.stringify(summary), { onlyIf }) !== null) return summary;
  }
  throw new Problem(503, "other merges wrote the summary meanwhile; try again", { headers: { "Retry-After": "10" } });
}

/** Memory is bounded: each pass takes a share of the keys. */
async function mergeOnce(results: R2Bucket, passBytes: number): Promise<Summary> {
  const partials = await list(results);
  const passes = Math.ceil(partials.reduce((sum, { size }) => sum + size, 0) / passBytes);
  const sums = new Sums();
  const unreadable = new Set<string>();
  for (let pass = 0; pass < passes; pass++) {
    const all: Contributions = new Map();
    for (const { key } of partials) {
      const partial = await readPartial(results, key);
      if (partial === null) unreadable.add(key);
      else merge(all, new Map(partial.filter(([head]) => hash(head) % passes === pass)));
    }
    sums.add(all);
  }
  return unreadable.size === 0 ? sums.summary() : { ...sums.summary(), unreadable: [...unreadable] };
}

async function list(results: R2Bucket): Promise<R2Object[]> {
  const objects: R2Object[] = [];
  let cursor: string | undefined;
  do {
    const page = await results.list({ prefix: PREFIX, cursor });
    objects.push(...page.objects);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return objects;
}

/** Null for what is no partial summary: one damaged object does not keep the others from being merged. */
async function readPartial(results: R2Bucket, key: string): Promise<[string, Contribution][] | null> {
  const text = await (await results.get(key))?.text() ?? "{}";
  try {
    const partial = JSON.parse(text);
    if (isObject(partial) && Object.values(partial).every(isContribution)) return Object.entries(partial) as never;
  } catch {
    // No JSON.
  }
  console.warn(`${key} is no partial summary`);
  return null;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isContribution(value: unknown): value is Contribution {
  const { uploaded, etag, scores, losses = {}, evaluation = {} } = Object(value);
  const areNumbers = (values: unknown[]) => values.every((n) => typeof n === "number");
  return typeof uploaded === "number" && typeof etag === "string" && Array.isArray(scores) &&
    scores.length === BINS && areNumbers(scores) && areNumbers(Object.values(Object(losses))) && isObject(evaluation);
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** Sums over keys, of which each is added once. */
class Sums {
  #heads = 0;
  #scored = 0;
  readonly #scores = new Array<number>(BINS).fill(0);
  readonly #losses = new Map<string, number>();
  readonly #evaluations = new Evaluations();

  add(contributions: Contributions): void {
    for (const { scores, losses, evaluation } of contributions.values()) {
      this.#heads++;
      if (evaluation !== undefined) this.#evaluations.add(evaluation);
      scores.forEach((count, bin) => this.#scores[bin] += count);
      if (losses === undefined) continue;
      this.#scored++;
      for (const [name, loss] of Object.entries(losses)) this.#losses.set(name, (this.#losses.get(name) ?? 0) + loss);
    }
  }

  summary(): Summary {
    const evaluation = this.#evaluations.result();
    return {
      heads: this.#heads,
      detections: this.#scores.reduce((a, b) => a + b, 0),
      scoreHistogram: this.#scores,
      scored: this.#scored,
      lossMeans: Object.fromEntries(Array.from(this.#losses, ([name, sum]) => [name, sum / this.#scored])),
      ...(evaluation === undefined ? {} : { evaluation }),
    };
  }
}
