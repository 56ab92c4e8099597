/**
 * `heads`: the well-known layouts of raw outputs.
 */
import type { HeadOptions, HeadSpec, InferHints, Outputs } from "../types.ts";
import { makeHead } from "./check.ts";
import { inference } from "./inference.ts";
import type { presets } from "./presets.ts";
import { presetNames } from "./presets.ts";

/** A function for each record of `presets`, with the record's comment. */
type PresetHeads = { readonly [Name in keyof typeof presets]: (options?: HeadOptions) => HeadSpec };

/** Presets of well-known heads. Each takes changes to the members of its `HeadSpec`. */
export interface Heads extends PresetHeads {
  /**
   * Infers the head from outputs: its preset, with the numbers of classes, bins and levels that the shapes have. Values help:
   * scores outside [0, 1] are logits, scores inside are probabilities, and a box with a negative side is not a box.
   *
   * YOLO11 has the layout of YOLOv8 and is named so. Channels behind the classes (masks, keypoints, an angle) look like
   * classes: `hints.numClasses`, prototypes beside them, or values tell them apart. Where the channels in one tensor are not
   * those of any family's export, `numClasses` and `imageSize` also tell other numbers of bins and other strides. A bundle without `createEngine` has no code to read tensors, and throws an
   * Error that says so.
   *
   * - Throws: TypeError if more than one head fits (the error lists them), if none fits (the error says what each preset
   *   misses), or if some tensors would be left out (the error names them).
   *
   * @example
   * ```ts
   * import { createEngine, heads } from "densehead";
   *
   * const engine = await createEngine();
   * const output = { data: new Float32Array(84 * 8400), dims: [1, 84, 8400] };
   * const head = heads.infer(output, { imageSize: [640, 640], numClasses: 80 });
   * console.log(head.name, head.scores); // → "yolov8Decoded", "probabilities"
   * engine.dispose();
   * ```
   */
  infer(outputs: Outputs, hints?: InferHints): HeadSpec;
}

export const heads: Heads = /* @__PURE__ */ makeHeads();

function makeHeads(): Heads {
  const makers = presetNames.map((name) => [name, (options?: HeadOptions) => makeHead(name, options)]);
  return { ...Object.fromEntries(makers) as PresetHeads, infer: (outputs, hints) => inference()(outputs, hints) };
}
