/**
 * What a network wants of its picture: the usual input of the head's family, in the model's own size, layout and type.
 */
import { heads, inputs } from "../../entry/embedded.ts";
import { familyOf, type PresetName, presetNames, presets } from "../../heads/presets.ts";
import type { InputName } from "../../pixels/presets.ts";
import type { HeadSpec, InputSpec } from "../../types.ts";
import { UsageError } from "../errors.ts";
import type { ChosenHead } from "../head.ts";
import { type InputFlags, inputNames } from "../input_flags.ts";
import { typedName } from "../preset_names.ts";
import { endsInDetections } from "./inputs.ts";
import type { RunnableModel } from "./model.ts";

/** An input, and why this one. */
export interface ChosenInput {
  readonly input: InputSpec;
  readonly why: string;
}

/** The preset that was asked for, or that is usual for the head. */
export function chooseInput(
  { inputs: given, picture: { layout, dtype }, size }: RunnableModel,
  chosen: ChosenHead,
  flags: InputFlags,
): ChosenInput {
  const own = { ...(layout === "nhwc" && { layout }), ...(dtype !== "float32" && { dtype }) };
  const make = (name: InputName) => inputs[name]({ ...flags.changes, size, ...own });
  if (flags.input !== "auto") return { input: make(flags.input), why: "as asked" };
  if (endsInDetections(given)) return { input: make("rtdetr"), why: "usual for graphs with orig_target_sizes" };
  return { input: make(usualInput(chosen)), why: `usual for head ${typedName(chosen.head.name)}` };
}

function usualInput({ head, why }: ChosenHead): InputName {
  const say = `say --input ${inputNames.slice(0, -1).join(", ")} or ${inputNames.at(-1)}`;
  const relatives = why === "inferred from the shapes" ? relativesOf(head) : [];
  if (relatives.length > 0) {
    const names = [head.name, ...relatives].map(typedName);
    throw new UsageError(
      `the outputs of ${names.join(" and ")} look alike, and they see pictures in different ways; ` +
        `say --head ${names.join(" or ")}, or ${say}`,
    );
  }
  const usual = familyOf(head)?.input;
  if (usual !== undefined) return usual;
  throw new UsageError(
    `there is no usual input for head ${typedName(head.name)}; ${say}, and where it differs its --scale, --mean …`,
  );
}

/** Presets that are named as another of the same layout, and have an input of their own. */
function relativesOf({ name }: HeadSpec): PresetName[] {
  const facts = (preset: string) => {
    return JSON.stringify({ ...heads[preset as PresetName](), name: "", numClasses: 0 });
  };
  return presetNames.filter((other) =>
    presets[other].exports.length === 0 && facts(other) === facts(name) &&
    presets[other].input !== presets[name as PresetName].input
  );
}
