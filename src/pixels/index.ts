/**
 * `inputs`: what well-known networks want of their input image.
 */
import type { InputDtype, InputOptions, InputSpec } from "../types.ts";
import { makeInput } from "./input.ts";
import type { presets } from "./presets.ts";
import { inputNames } from "./presets.ts";

/** A function for each record of `presets`, with the record's comment. */
type PresetInputs = {
  readonly [Name in keyof typeof presets]: <D extends InputDtype = "float32">(options: InputOptions<D>) => InputSpec<D>;
};

/**
 * Inputs of well-known networks, for `preprocess`. Each takes the size, and changes to the other members of its `InputSpec`.
 *
 * All throw TypeError if there is no size, or for a member of another kind or name, and RangeError for values out of range.
 */
export interface Inputs extends PresetInputs {}

export const inputs: Inputs = /* @__PURE__ */ makeInputs();

function makeInputs(): Inputs {
  const makers = inputNames.map((name) => [name, (options: InputOptions) => makeInput(name, options)]);
  return Object.fromEntries(makers) as PresetInputs;
}
