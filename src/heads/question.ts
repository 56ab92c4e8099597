/**
 * What `heads.infer` is asked.
 */
import type { HeadSpec } from "../types.ts";
import type { GivenTensor } from "./given.ts";
import type { Size } from "./sizes.ts";

/** Tensors, their shapes, and the hints. */
export interface Question {
  readonly given: readonly GivenTensor[];
  readonly shapes: readonly (readonly number[])[];
  readonly imageSize: Size | undefined;
  readonly numClasses: number | undefined;
  readonly strides: readonly number[] | undefined;
}

/** Do the tensors hold every role? */
export function isTogether({ channelOrder }: HeadSpec, given: readonly GivenTensor[]): boolean {
  return channelOrder !== "separate" && given.every(({ role }) => role === null || role === "rows");
}
