/**
 * Masks, keypoints and turned boxes of trained heads, from their raw outputs: as like to the truth as the script measured that
 * trained them, which decodes in float64 by itself.
 */
import { createEngine, type Detections } from "densehead";
import { rle } from "densehead/eval";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Annotation, annotationsOf, type HeadName, HEADS, metrics, outputsOf, PONDS } from "../ponds.ts";

const test = suite("trained heads of masks, keypoints and turned boxes");
const engine = await createEngine();
test.after(() => engine.dispose());
const { keypoint_sigma: sigma, shown_score: scoreThreshold, nms_iou: iouThreshold, found_iou: ENOUGH } = metrics.eval;

function detect(pond: string, head: HeadName): Detections {
  const outputs = [...outputsOf(pond, head).values()];
  return engine.sync.detect(outputs, { head: HEADS[head], imageSize: [160, 160], scoreThreshold, iouThreshold })[0];
}

/** How like detection i is to an annotation. */
const LIKENESS = {
  masks: ({ masks }: Detections, i: number, { segmentation }: Annotation) => {
    assert.ok(masks);
    return rle.iou([masks.rle(i)], [segmentation])[0];
  },
  keypoints: ({ keypoints }: Detections, i: number, annotation: Annotation) => {
    assert.ok(keypoints);
    const each = [0, 1, 2, 3].map((k) => {
      const [dx, dy] = [0, 1].map((axis) => keypoints[12 * i + 3 * k + axis] - annotation.keypoints[3 * k + axis]);
      return Math.exp(-(dx * dx + dy * dy) / (2 * (2 * sigma) ** 2 * annotation.area));
    });
    return each.reduce((sum, value) => sum + value) / 4;
  },
  turned: ({ rotated }: Detections, i: number, { bbox }: Annotation) => {
    assert.ok(rotated);
    return engine.sync.rotatedBoxIou(rotated.slice(5 * i, 5 * i + 5), Float32Array.from(bbox))[0];
  },
};

/** By the overlap of upright boxes, or of turned ones. */
function overlapOf(found: Detections, i: number, { bbox }: Annotation): number {
  if (bbox.length === 5) return LIKENESS.turned(found, i, { bbox } as Annotation);
  const [x, y, width, height] = bbox;
  return engine.sync.boxIou(found.boxes.slice(4 * i, 4 * i + 4), Float32Array.of(x, y, x + width, y + height))[0];
}

/** The likeness of each annotation; a detection, best first, takes the annotation of its class that it overlaps most. */
function likenessOf(found: Detections, head: HeadName, annotations: Annotation[]): (number | null)[] {
  const result: (number | null)[] = annotations.map(() => null);
  for (let i = 0; i < found.length; i++) {
    const [best] = annotations.map((annotation, index) => ({ index, overlap: overlapOf(found, i, annotation) }))
      .filter(({ index, overlap }) => {
        const isSame = annotations[index].category_id === found.classes[i] + 1;
        return result[index] === null && isSame && overlap >= ENOUGH;
      })
      .sort((a, b) => b.overlap - a.overlap);
    if (best) result[best.index] = LIKENESS[head](found, i, annotations[best.index]);
  }
  return result;
}

for (const head of Object.keys(HEADS) as HeadName[]) {
  PONDS.forEach((pond, p) => {
    test(`${pond}: ${head} are as like to the truth as in float64`, () => {
      const annotations = annotationsOf(pond, head);
      const wanted = metrics[head].examples[p];
      const likeness = likenessOf(detect(pond, head), head, annotations);
      assert.is(wanted.length, annotations.length);
      likeness.forEach((value, i) => {
        const same = value === null || wanted[i] === null ? value === wanted[i] : Math.abs(value - wanted[i]) <= 2e-3;
        assert.ok(same, `object ${i}: ${value}; wanted ${wanted[i]}`);
      });
    });
  });
}

test.run();
