/**
 * Masks of detections: what belongs to each, and an image's prototypes.
 */
import type { Prototypes } from "../heads/prototypes.ts";
import { BitMasks } from "../masks/bit_masks.ts";
import { type BitPlan, planBits } from "../masks/bit_plan.ts";
import { MaskList } from "../masks/mask_list.ts";
import { PrototypeMasks } from "../masks/prototype_masks.ts";
import { type AnySource, onHost } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { type CheckedDetect, op } from "./checked_detect.ts";
import type { DetectionArrays, MaskArrays } from "./detections.ts";
import { frameOf } from "./mask_frames.ts";
import type { Searched } from "./search.ts";

/** With the boxes in the network's input. */
export function maskArrays({ boxes }: DetectionArrays, coefficients: Float32Array): MaskArrays {
  return { coefficients, boxes: boxes.slice() };
}

/** The masks of an image of the call; null where it has none. */
export function masksOf(
  backend: WasmBackend,
  checked: CheckedDetect,
  image: number,
  { masks }: DetectionArrays,
): MaskList | null {
  const { prototypes } = checked;
  if (prototypes === null || masks === undefined) return null;
  return fromPrototypes(backend, checked, image, masks, masks.boxes.length === 0 ? null : hosted(prototypes), image);
}

/** Of prototypes that have the image at this index. */
function fromPrototypes(
  backend: WasmBackend,
  { settings: { imageSize }, prototypes, transforms }: CheckedDetect,
  image: number,
  arrays: MaskArrays,
  source: Prototypes | null,
  index: number,
): MaskList {
  const frame = frameOf(imageSize, transforms[image], prototypes as Prototypes<AnySource>);
  return new MaskList(new PrototypeMasks(op, backend, { prototypes: source, image: index, ...frame, ...arrays }));
}

function hosted(prototypes: Prototypes<AnySource>): Prototypes {
  const { argument, source } = prototypes;
  return { ...prototypes, source: onHost({ op, argument }, source) };
}

/**
 * The masks of every image, from prototypes on another device: as bits that are made there; or, where bits would take more than the
 * image's prototypes, from these.
 */
export async function distantMasks(
  backend: WasmBackend,
  checked: CheckedDetect,
  searched: Searched,
  arrays: readonly DetectionArrays[],
): Promise<MaskList[]> {
  const images = arrays.map(({ masks }, image) => {
    const plan = planOf(checked, image, masks as MaskArrays);
    return { image, masks: masks as MaskArrays, plan, isSmall: plan.words * 4 <= bytesOfImage(checked) };
  });
  const requests = images.filter(({ isSmall }) => isSmall);
  const bits = await searched.masks(requests);
  const found = new Map(requests.map(({ image }, i) => [image, bits[i]]));
  const lists: MaskList[] = [];
  for (const { image, masks, plan } of images) {
    const own = found.get(image);
    lists.push(
      own === undefined
        ? fromPrototypes(backend, checked, image, masks, await searched.prototypes(image), 0)
        : new MaskList(new BitMasks(plan, own)),
    );
  }
  return lists;
}

function planOf(
  { settings: { imageSize }, prototypes, transforms }: CheckedDetect,
  image: number,
  masks: MaskArrays,
): BitPlan {
  return planBits({ ...frameOf(imageSize, transforms[image], prototypes as Prototypes<AnySource>), ...masks });
}

function bytesOfImage({ prototypes }: CheckedDetect): number {
  const { source, channels, height, width } = prototypes as Prototypes<AnySource>;
  return channels * height * width * (source.kind === "gpu" && source.half ? 2 : 4);
}
