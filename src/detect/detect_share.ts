/**
 * `detect` image by image, for threads.
 */
import { isShared, partOf } from "../arrays.ts";
import type { Division } from "../call.ts";
import { fieldsOf, mapPart, type Part } from "../heads/outputs.ts";
import type { Prototypes } from "../heads/prototypes.ts";
import type { Source } from "../validate.ts";
import type { CheckedDetect } from "./checked_detect.ts";
import { masksOf } from "./detection_masks.ts";
import { type DetectionArrays, DetectionList } from "./detections.ts";

/** An image takes a thread about half a millisecond, and a worker needs 0.05 ms from one share to the next. */
const MOST_IMAGES = 4;

/**
 * Null where outputs are not in shared memory: to copy those of an image takes about as long as to detect (0.24 of 0.36 ms for 84
 * channels), and more where there are more channels.
 */
export function divisionOf(checked: CheckedDetect): Division | null {
  const { parts, prototypes } = checked as OnHost;
  const sources = parts.flatMap(fieldsOf).map(({ source }) => source);
  if (!sources.every(isShared) || !(prototypes === null || isShared(prototypes.source))) return null;
  return {
    sections: checked.images,
    most: MOST_IMAGES,
    share: (first, end) => ({ kind: "detect", call: imagesOf(checked, first, end), out: {} }),
    // From a worker come the arrays alone: masks are made here.
    join: (lists, backend) => {
      return (lists as DetectionArrays[][]).flat().map((arrays, image) => {
        return new DetectionList(
          arrays,
          masksOf(backend, checked, image, arrays),
        );
      });
    },
  };
}

/** What a call that is divided has: no tensor of it lies on a GPU. */
interface OnHost {
  readonly parts: readonly Part[];
  readonly prototypes: Prototypes | null;
}

/** The same call of the images from the first up to the end. */
function imagesOf(checked: CheckedDetect, first: number, end: number): CheckedDetect {
  const { settings, transforms } = checked;
  const { parts } = checked as OnHost;
  const images = end - first;
  // A tensor that several fields share stays one.
  const cut = new Map<unknown, Source>();
  const cutOnce = <T extends { readonly source: Source }>(tensor: T, ofImage: number): T => {
    const source = cut.get(tensor.source) ?? partOf(tensor.source, first * ofImage, images * ofImage);
    cut.set(tensor.source, source);
    return { ...tensor, source };
  };
  return {
    images,
    parts: parts.map((part) => mapPart(part, (field) => cutOnce(field, field.allChannels * field.allAnchors))),
    prototypes: null,
    settings,
    transforms: transforms.slice(first, end),
    signal: undefined,
  };
}
