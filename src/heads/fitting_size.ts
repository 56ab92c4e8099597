/**
 * The size of the network's input that outputs have the anchors of, where it is not the one that was told.
 */
import type { HeadSpec, Outputs } from "../types.ts";
import { tensorAnywhere } from "../validate.ts";
import { tensorsIn } from "./given.ts";
import { levelsOf } from "./levels.ts";
import { isListed } from "./listed_rows.ts";
import { resolveTensors } from "./outputs.ts";
import { type Size, toldSizes } from "./sizes.ts";

/** Null where no size that the shapes tell makes the outputs the head's. */
export function fittingSize(op: string, outputs: Outputs, head: HeadSpec): Size | null {
  if (isListed(head)) return null;
  const place = { op, argument: "outputs" };
  try {
    const given = tensorsIn(place, outputs);
    const shapes = given.map(({ place, value }) => tensorAnywhere(place, value, (length) => [length]).dims);
    return toldSizes(head, shapes).find((size) =>
      fits(() => resolveTensors(place, given, head, levelsOf(head, size)))
    ) ??
      null;
  } catch {
    return null;
  }
}

function fits(resolve: () => unknown): boolean {
  try {
    resolve();
    return true;
  } catch {
    return false;
  }
}
