/**
 * Numbers of bins and levels that no export of a family has, where one tensor holds every role: what is left of its channels
 * says the bins, and its anchors the levels.
 */
import type { HeadSpec } from "../types.ts";
import { channelsOf } from "./channels.ts";
import { possibleAttachments } from "./infer_attachments.ts";
import { anchorsIn, levelsOf } from "./levels.ts";
import { MOST_BINS } from "./members.ts";
import { type HeadExport, type PresetName, presets } from "./presets.ts";
import { isTogether, type Question } from "./question.ts";
import { readingsOf } from "./readings.ts";
import { possibleSizes } from "./sizes.ts";

/** Strides that networks have. */
const STRIDES = [2, 4, 8, 16, 32, 64, 128, 256];

/** Every head of the export that has the channels and anchors. The number of classes must be known: it takes any number. */
export function otherBins(each: HeadExport & { preset: PresetName }, base: HeadSpec, question: Question): HeadSpec[] {
  const { numClasses, given, shapes } = question;
  if (numClasses === undefined || base.boxes !== "distribution" || !isTogether(base, given)) return [];
  const widths = new Set(shapes.flatMap((dims) => readingsOf(dims, base)).map(({ channels }) => channels));
  const bins = Array.from({ length: MOST_BINS - 1 }, (_, i) => i + 2);
  const heads = bins.flatMap((n) => {
    const head = { ...base, numClasses, bins: n };
    return possibleAttachments(each, head, question).map((changes): HeadSpec => {
      return { ...head, ...changes.angle !== undefined && presets[each.preset].rotated, ...changes };
    });
  });
  const fitting = heads.filter((head) => widths.has([...channelsOf(head).values()].reduce((sum, n) => sum + n)));
  return fitting.flatMap((head) => possibleLevels(base, question).map((strides) => ({ ...head, strides })));
}

/** Strides of the hints, or of the family where it has as many anchors in any image; else those in a row that have in this. */
function possibleLevels(base: HeadSpec, { shapes, imageSize, strides }: Question): (readonly number[])[] {
  if (strides !== undefined || imageSize === undefined) return [base.strides];
  const counts = new Set(shapes.flatMap((dims) => readingsOf(dims, base)).map(({ anchors }) => anchors));
  // The size of the hints may be wrong instead.
  if (possibleSizes(base, shapes).some((size) => counts.has(anchorsIn(levelsOf(base, size))))) return [base.strides];
  const rows = STRIDES.flatMap((_, first) => STRIDES.slice(first).map((_, i) => STRIDES.slice(first, first + i + 1)));
  return rows.filter((row) => {
    const levels = levelsOf({ strides: row }, imageSize);
    return counts.has(anchorsIn(levels)) || levels.every(({ anchors }) => counts.has(anchors));
  });
}
