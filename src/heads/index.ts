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

/** Presets of the well-known heads; each takes changes to its members. */
export interface Heads extends PresetHeads {
  /**
   * The head that made the outputs: its preset, with numbers of classes, bins and levels as the shapes have them. Values
   * help: scores outside [0, 1] are logits, those inside are probabilities, a box with a negative side is none.
   *
   * TypeError where more than one reading fits, with a list of them; where none does, with what each preset misses; where
   * some tensors would have to be left out, with their names. YOLO11's layout is YOLOv8's and is named so. Channels behind
   * the classes (masks, keypoints, an angle) look like classes: `hints.numClasses` tells them apart. A bundle that leaves
   * `createEngine` out has no code to read tensors with: an Error says so there.
   */
  infer(outputs: Outputs, hints?: InferHints): HeadSpec;
}

export const heads: Heads = /* @__PURE__ */ makeHeads();

function makeHeads(): Heads {
  const makers = presetNames.map((name) => [name, (options?: HeadOptions) => makeHead(name, options)]);
  return { ...Object.fromEntries(makers) as PresetHeads, infer: (outputs, hints) => inference()(outputs, hints) };
}
