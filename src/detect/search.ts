/**
 * The search for candidates on another device: its question and its answer.
 */
import { type Attachment, hasObjectness, isRotated } from "../heads/channels.ts";
import { type Field, fieldsOf, mapPart, type Part } from "../heads/outputs.ts";
import type { Prototypes } from "../heads/prototypes.ts";
import { LEAST_PROBABILITY, MOST_PROBABILITY } from "../heads/values.ts";
import type { BitPlan } from "../masks/bit_plan.ts";
import type { AnySource, Source } from "../validate.ts";
import { type CheckedDetect, op } from "./checked_detect.ts";
import { scoreError } from "./probabilities.ts";
import { productThreshold, rawThreshold } from "./scores.ts";

/** A search for candidates in each image of a batch. */
export interface CandidateSearch {
  readonly op: string;
  /** Whether no other device knows how to find the candidates: it only brings every image to the host. */
  readonly onHost: boolean;
  readonly images: number;
  readonly parts: readonly Part<AnySource>[];
  /** The fields of all parts. */
  readonly fields: readonly Field<AnySource>[];
  readonly prototypes: Prototypes<AnySource> | null;
  /** The parts with other tensors. */
  readonly partsWith: (moved: (source: AnySource) => Source) => readonly Part[];
  /** Whether class values and objectness are logits; else they are probabilities. */
  readonly logits: boolean;
  /** The range of probabilities, and the error for one outside. */
  readonly range: readonly [number, number];
  readonly scoreError: (argument: string, value: number) => RangeError;
  /** Bins of a side; 0 where the box channels are four values. */
  readonly bins: number;
  readonly numClasses: number;
  /** Every class, or the best of each anchor. */
  readonly multiLabel: boolean;
  readonly uncertainty: boolean;
  /** Whether candidates have angles. */
  readonly rotated: boolean;
  /**
   * Class values must exceed it. With objectness, its product with the class score must, as far as float32 can tell: a
   * superset may be returned, because the host compares again in float64.
   */
  readonly threshold: number;
}

/** The candidates of an image on the host, in the order of anchor and class. */
export interface ListedCandidates {
  readonly anchors: Int32Array;
  readonly labels: Int32Array;
  /** Class values as they came. */
  readonly values: Float32Array;
  /** Objectness as it came; not read without objectness. */
  readonly objectness: Float32Array;
  /** (N, 4): expectations in bins, or the values of the box channels. */
  readonly sides: Float32Array;
  /** (N, 4) each, in bins and as shares of 1; with `uncertainty`. */
  readonly std: Float32Array;
  readonly saturation: Float32Array;
  readonly excess: Float32Array;
  /** (N), the angles' channel as it came; none where boxes are not turned. */
  readonly angles: Float32Array;
}

/** An image with too many candidates to list them, or with more than lists have: its own outputs, on the host. */
export interface CrowdedImage {
  readonly parts: readonly Part[];
}

export type SearchedImage = ListedCandidates | CrowdedImage;

/** Channels of a role at some anchors of an image. */
export interface AttachedRequest {
  readonly image: number;
  readonly role: Attachment;
  readonly anchors: Int32Array;
}

/** Masks of an image's detections, as bits. */
export interface MaskRequest {
  readonly image: number;
  readonly plan: BitPlan;
}

/** What another device found. */
export interface Searched {
  readonly images: readonly SearchedImage[];
  /** Float32 values (anchors, channels) of each request, all at once, from tensors that lie there. */
  readonly attached: (requests: readonly AttachedRequest[]) => Promise<readonly Float32Array[]>;
  /** The bits of each request, all at once, from prototypes that lie there. */
  readonly masks: (requests: readonly MaskRequest[]) => Promise<readonly Uint32Array[]>;
  /** An image's prototypes, on the host. */
  readonly prototypes: (image: number) => Promise<Prototypes>;
}

export function searchOf({ images, parts, prototypes, settings }: CheckedDetect): CandidateSearch {
  const { head, scoreThreshold, classRules, uncertainty } = settings;
  // The host chooses among the classes of an anchor where these do not compete alike.
  const multiLabel = settings.multiLabel || classRules !== null;
  const makeThreshold = hasObjectness(head) ? productThreshold : rawThreshold;
  return {
    op,
    onHost: head.selection === "selected" || head.scores === "softmax" || head.binValues !== undefined,
    images,
    parts,
    fields: parts.flatMap(fieldsOf),
    prototypes,
    partsWith: (moved) => parts.map((part) => mapPart(part, (field) => ({ ...field, source: moved(field.source) }))),
    logits: head.scores === "logits",
    range: [LEAST_PROBABILITY, MOST_PROBABILITY],
    scoreError: (argument, value) => scoreError({ op, argument }, head, value),
    bins: head.bins,
    numClasses: head.numClasses,
    multiLabel,
    uncertainty,
    rotated: isRotated(head),
    threshold: makeThreshold(head, scoreThreshold),
  };
}
