/**
 * What `detect` returns for an image.
 */
import type { CocoResult, Detection, Detections } from "../types.ts";

export interface DetectionArrays {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  readonly anchors: Int32Array;
  readonly std?: Float32Array;
  readonly saturation?: Float32Array;
}

/** Struct of arrays with the views that callers ask for. */
export class DetectionList implements Detections {
  readonly length: number;
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  readonly anchors: Int32Array;
  readonly std?: Float32Array;
  readonly saturation?: Float32Array;

  constructor(arrays: DetectionArrays) {
    this.length = arrays.scores.length;
    this.boxes = arrays.boxes;
    this.scores = arrays.scores;
    this.classes = arrays.classes;
    this.anchors = arrays.anchors;
    if (arrays.std !== undefined) this.std = arrays.std;
    if (arrays.saturation !== undefined) this.saturation = arrays.saturation;
  }

  *[Symbol.iterator](): IterableIterator<Detection> {
    for (let i = 0; i < this.length; i++) {
      const [x1, y1, x2, y2] = this.boxes.subarray(4 * i, 4 * i + 4);
      yield {
        box: [x1, y1, x2, y2],
        score: this.scores[i],
        classId: this.classes[i],
        anchor: this.anchors[i],
      };
    }
  }

  toCoco(imageId: number | string, categoryIds?: readonly number[]): CocoResult[] {
    return Array.from(this, ({ box: [x1, y1, x2, y2], score, classId }) => ({
      image_id: imageId,
      category_id: categoryIds === undefined ? classId : categoryOf(classId, categoryIds),
      bbox: [x1, y1, x2 - x1, y2 - y1],
      score,
    }));
  }
}

function categoryOf(classId: number, categoryIds: readonly number[]): number {
  if (classId < categoryIds.length) return categoryIds[classId];
  throw new RangeError(
    `toCoco: categoryIds has ${categoryIds.length} entries; wanted at least ${classId + 1}, for class ${classId}`,
  );
}
