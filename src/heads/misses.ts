/**
 * Why a head does not fit the shapes of some outputs, in a line.
 */
import type { HeadSpec } from "../types.ts";
import { channelsOf } from "./channels.ts";
import { anchorsIn, levelsOf } from "./levels.ts";
import { isListed } from "./listed_rows.ts";
import { MOST_LISTED } from "./outputs.ts";
import { type Reading, readingsOf } from "./readings.ts";
import { isTogether, type Question } from "./question.ts";
import { toldSizes } from "./sizes.ts";

/** `resolves` says whether the outputs are the head's. */
export function misses(
  head: HeadSpec,
  question: Question,
  resolves: (head: HeadSpec, question: Question) => boolean,
): string {
  const readings = question.shapes.map((dims) => readingsOf(dims, head)[0]);
  if (readings.includes(undefined as never)) return "tensors have two to five axes, and channels for each anchor";
  const { fault, numClasses } = isTogether(head, question.given)
    ? inOne(head, readings, question)
    : apart(head, readings, question);
  if (fault !== null) return fault;
  const named = { ...head, numClasses };
  const { imageSize } = question;
  if (isListed(head)) {
    const { anchors } = readings[0];
    return anchors > MOST_LISTED
      ? `${anchors} rows, and networks list at most ${MOST_LISTED}`
      : "wants (B, rows, channels)";
  }
  if (imageSize !== undefined) {
    const other = toldSizes(named, question.shapes).find((each) => resolves(named, { ...question, imageSize: each }));
    if (other !== undefined) return `anchors are those of imageSize [${other.join(", ")}]`;
  }
  return anchorFault(head, readings, imageSize);
}

interface Channels {
  readonly fault: string | null;
  readonly numClasses: number;
}

function inOne(head: HeadSpec, readings: readonly Reading[], { numClasses }: Question): Channels {
  const widths = [...new Set(readings.map(({ channels }) => channels))];
  const others = [...channelsOf({ ...head, numClasses: 0 }).values()].reduce((sum, n) => sum + n);
  if (head.selection === "selected") {
    const fault = widths.join() === String(others) ? "wants numClasses in hints" : `detections have ${others} channels`;
    return { fault, numClasses: 1 };
  }
  const classes = widths[0] - others;
  const fault = widths.length > 1
    ? `wants one number of channels, not ${widths.join(" and ")}`
    : classes < 1
    ? `${widths[0]} channels, and boxes take ${others}`
    : numClasses !== undefined && classes !== numClasses
    ? `${widths[0]} channels leave ${classes} classes`
    : null;
  return { fault, numClasses: classes };
}

function apart(head: HeadSpec, readings: readonly Reading[], { numClasses }: Question): Channels {
  const widths = readings.map(({ channels }) => channels);
  const boxes = channelsOf(head).get("boxes") ?? 0;
  const ofBoxes = widths.filter((width) => width === boxes).length;
  const others = channelsOf({ ...head, numClasses: 0 }).get("classes") ?? 0;
  const told = numClasses === undefined ? undefined : numClasses + others;
  const classes = told ?? widths.find((width) => width !== boxes) ?? boxes;
  const levels = head.strides.length;
  const fault = readings.length === 1
    ? "wants classes and boxes apart, not one tensor"
    : ofBoxes === 0
    ? `no tensor of ${boxes} channels for boxes`
    : !widths.includes(classes)
    ? `no tensor of ${classes} channels for classes`
    : ofBoxes !== 1 && ofBoxes % levels !== 0
    ? `${ofBoxes} tensors of ${boxes} channels, and ${levels} levels unless hints say strides`
    : null;
  return { fault, numClasses: classes - others };
}

function anchorFault(head: HeadSpec, readings: readonly Reading[], imageSize: Question["imageSize"]): string {
  const got = [...new Set(readings.map(({ anchors }) => anchors))].join(", ");
  const strides = head.strides.join(", ");
  if (imageSize === undefined) return `no square of ${got} anchors on strides ${strides}`;
  const levels = levelsOf(head, imageSize);
  return `${got} anchors, where strides ${strides} have ${anchorsIn(levels)} (${
    levels.map((l) => l.anchors).join(", ")
  })`;
}
