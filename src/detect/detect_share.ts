/**
 * `detect` image by image, for threads.
 */
import { isShared, partOf } from "../arrays.ts";
import type { Division } from "../call.ts";
import { type Field, fieldsOf, type Part } from "../heads/outputs.ts";
import type { Source } from "../validate.ts";
import type { CheckedDetect } from "./checked_detect.ts";
import { type DetectionArrays, DetectionList } from "./detections.ts";

/** An image takes a thread about half a millisecond, and a worker needs 0.05 ms from one share to the next. */
const MOST_IMAGES = 4;

/**
 * Null where outputs are not in shared memory: to copy those of an image takes about as long as to detect (0.24 of 0.36 ms for 84
 * channels), and more where there are more channels.
 */
export function divisionOf(checked: CheckedDetect): Division | null {
  const sources = (checked.parts as Part[]).flatMap(fieldsOf).map(({ source }) => source);
  if (!sources.every(isShared)) return null;
  return {
    sections: checked.images,
    most: MOST_IMAGES,
    share: (first, end) => ({ kind: "detect", call: imagesOf(checked, first, end), out: {} }),
    // From a worker come the arrays alone.
    join: (lists) => (lists as DetectionArrays[][]).flat().map((arrays) => new DetectionList(arrays)),
  };
}

/** The same call of the images from the first up to the end. */
function imagesOf({ parts, settings, transforms }: CheckedDetect, first: number, end: number): CheckedDetect {
  const images = end - first;
  // A tensor that several fields share stays one.
  const cut = new Map<unknown, Source>();
  const fieldOf = (field: Field): Field => {
    const ofImage = field.allChannels * field.allAnchors;
    const source = cut.get(field.source) ?? partOf(field.source, first * ofImage, images * ofImage);
    cut.set(field.source, source);
    return { ...field, source };
  };
  return {
    images,
    parts: (parts as Part[]).map((part) => ({
      ...part,
      classes: fieldOf(part.classes),
      boxes: fieldOf(part.boxes),
      objectness: part.objectness && fieldOf(part.objectness),
    })),
    settings,
    transforms: transforms.slice(first, end),
    signal: undefined,
  };
}
