/**
 * Candidates of an image in linear memory: pairs of an anchor and a class, in this order.
 */
import type { Allocate } from "../wasm/memory.ts";
import type { Thresholds } from "./thresholds.ts";
import type { SideStatistics } from "./uncertainty.ts";

/** Pointers to anchor, class and raw class value of each candidate. */
export interface CandidateList {
  readonly anchors: number;
  readonly labels: number;
  readonly values: number;
  count: number;
}

export interface RankedCandidates extends Readonly<CandidateList> {
  /** Pointer to what they are sorted by: the raw value itself, or the joined score where there is objectness. */
  readonly ranks: number;
}

/** The candidates of an image from either device, and what is made of those that stay. */
export interface ImageCandidates {
  readonly list: CandidateList;
  readonly thresholds: Thresholds;
  /** Pointer to the boxes (count, 4), or rotated ones (count, 5), in network input pixels. */
  readonly boxesOf: (candidates: RankedCandidates) => number;
  /** For detections in any order. */
  readonly statisticsOf: (anchors: Int32Array) => SideStatistics;
  /** The angles' channel, for detections in any order. */
  readonly anglesOf: (anchors: Int32Array) => Float32Array;
}

/** An empty list for as many candidates as `capacity`. */
export function emptyList(allocate: Allocate, capacity: number): CandidateList {
  const bytes = capacity * 4;
  return { anchors: allocate(bytes), labels: allocate(bytes), values: allocate(bytes), count: 0 };
}
