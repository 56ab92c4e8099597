/** Non-maximum suppression of rotated boxes. */
import { bestOfClasses } from "../best_of_classes.ts";
import { doc } from "../doc.ts";
import { numberBefore } from "../float32.ts";
import { nameOf, routine } from "../operation.ts";
import { choiceParam, otherParam, type Param, paramReader, requiredNumber } from "../params.ts";
import type { RotatedNmsOptions, TensorLike } from "../types.ts";
import { arrayOf } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { NMS_PARAMS, suppress } from "./nms.ts";

const stem = "rotated_nms";
const op = nameOf(stem);

const PARAMS = {
  ...NMS_PARAMS,
  iouThreshold: requiredNumber(doc`overlap over which, or with "fast" from which on, a box is dropped`, {
    min: 0,
    max: 1,
  }),
  overlap: choiceParam(
    doc`what is compared: "polygon" the IoU of the rectangles, "probiou" that of \`probIou\`, which is another scale`,
    ["polygon", "probiou"],
    "polygon",
  ),
  suppression: choiceParam(
    doc`what drops a box: "greedy" an overlap over \`iouThreshold\` with a kept box, "fast" one of \`iouThreshold\` or more with any better box, kept or not`,
    ["greedy", "fast"],
    "greedy",
  ),
  classes: otherParam<RotatedNmsOptions["classes"]>(
    doc`classes (N), compared exactly; boxes of different classes never drop each other. By default all boxes compete`,
  ),
} as const satisfies Record<keyof RotatedNmsOptions, Param>;

const readOptions = paramReader(op, PARAMS);

export const rotatedNms = routine({
  stem,
  kernels: ["rotated_nms", "rotated_nms_scratch", "sort_scores"],
  shapes: doc`(N, 5), (N) → (K)`,
  tensors:
    doc`boxes (N, 5): centre x, y, width, height and angle in radians; scores (N) and \`classes\` (N); result (K), indices`,
  summary: doc`NMS of rotated boxes, greedy or fast, over polygon IoU or ProbIoU`,
  params: PARAMS,
  bounds: {},
  errorBound: doc`decided in float64`,
  source: doc`greedy NMS as in mmcv and detectron2, fast NMS as in Ultralytics; ProbIoU of Llerena et al. 2021`,
  run(backend: WasmBackend, boxes: TensorLike, scores: TensorLike, options: RotatedNmsOptions): Int32Array {
    const params = readOptions(options);
    const { iouThreshold, overlap, suppression, classes } = params;
    const isFast = suppression === "fast";
    // By the threshold or more is over the number before it.
    const threshold = isFast && iouThreshold > 0 ? numberBefore(iouThreshold) : iouThreshold;
    const classesOf = (count: number) =>
      classes === undefined ? null : arrayOf({ op, argument: "options.classes" }, "Int32Array", classes, count);
    const { kernels, memory } = backend;
    return suppress(backend, op, { boxes, scores, classesOf, columns: 5 }, params, {
      scratchBytes: (count) => kernels.rotated_nms_scratch(count),
      run: ({ boxes, labels, order, sorted, count, most, scratch, keep }) => {
        if (isFast && iouThreshold === 0) {
          const own = memory.view(Float32Array, boxes, 5 * count);
          const ids = labels === 0 ? null : memory.view(Int32Array, labels, count);
          const best = bestOfClasses(own, 5, ids, memory.view(Int32Array, order, sorted), most);
          memory.ints.set(best, keep >> 2);
          return best.length;
        }
        const input = [boxes, labels, order, sorted, count] as const;
        return kernels.rotated_nms(...input, threshold, overlap === "probiou", most, scratch, keep, isFast);
      },
    });
  },
});
