/**
 * Masks of detections: what belongs to each, and an image's prototypes.
 */
import type { Prototypes } from "../heads/prototypes.ts";
import { MaskList } from "../masks/mask_list.ts";
import { PrototypeMasks } from "../masks/prototype_masks.ts";
import { type AnySource, onHost } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { type CheckedDetect, op } from "./checked_detect.ts";
import type { DetectionArrays, MaskArrays } from "./detections.ts";
import { frameOf } from "./mask_frames.ts";

/** With the boxes in the network's input. */
export function maskArrays({ boxes }: DetectionArrays, coefficients: Float32Array): MaskArrays {
  return { coefficients, boxes: boxes.slice() };
}

/** An image's prototypes, and its index in them. */
export interface ImagePrototypes {
  readonly prototypes: Prototypes<AnySource> | null;
  readonly image: number;
}

/** The masks of an image of the call; null where it has none. */
export function masksOf(
  backend: WasmBackend,
  { settings: { imageSize }, transforms }: CheckedDetect,
  image: number,
  { masks: arrays }: DetectionArrays,
  { prototypes, image: index }: ImagePrototypes,
): MaskList | null {
  if (prototypes === null || arrays === undefined) return null;
  const frame = frameOf(imageSize, transforms[image], prototypes);
  const source = arrays.boxes.length === 0 ? null : hosted(prototypes);
  return new MaskList(new PrototypeMasks(op, backend, { prototypes: source, image: index, ...frame, ...arrays }));
}

function hosted(prototypes: Prototypes<AnySource>): Prototypes {
  const { argument, source } = prototypes;
  return { ...prototypes, source: onHost({ op, argument }, source) };
}
