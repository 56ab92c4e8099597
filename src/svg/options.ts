/**
 * The options of `toSvg`, checked.
 */
import type { SvgOptions } from "../types.ts";
import { boolean, describe, namesOf, number, oneOf, options as checkOptions, size, typeError } from "../validate.ts";
import { type Item, readObjects } from "./objects.ts";
import { hrefOf } from "./picture.ts";
import { type Pair, readSkeleton } from "./skeleton.ts";

const op = "toSvg";
const OPTIONS = namesOf<SvgOptions>({
  size: true,
  image: true,
  background: true,
  names: true,
  truth: true,
  uncertainty: true,
  masks: true,
  skeleton: true,
  minVisibility: true,
  labels: true,
  legend: true,
  title: true,
});
const SPREADS = ["excess", "std", "none"] as const;
const MASKS = ["both", "outline", "fill", "none"] as const;

/** What is to be drawn, and how. */
export interface Settings {
  readonly size: readonly [number, number];
  readonly href: string | undefined;
  readonly background: string;
  readonly nameOf: (classId: number) => string;
  readonly truth: readonly Item[];
  /** Undefined: excess, where there is one. */
  readonly uncertainty: typeof SPREADS[number] | undefined;
  readonly masks: typeof MASKS[number];
  /** Undefined: COCO's, of as many keypoints. */
  readonly skeleton: readonly Pair[] | undefined;
  readonly minVisibility: number;
  readonly labels: boolean;
  readonly legend: boolean;
  readonly title: string | undefined;
}

export function readOptions(given: SvgOptions): Settings {
  const read = checkOptions(op, given, OPTIONS, true);
  const { image, background, names, truth, uncertainty, masks, skeleton, labels, legend, title } = read;
  const place = (member: string) => ({ op, argument: `options.${member}` });
  const text = (member: string, value: unknown): string => {
    if (typeof value !== "string") throw typeError(place(member), describe(value), "a string");
    return value;
  };
  return {
    size: size(place("size"), read.size),
    href: image === undefined ? undefined : hrefOf(place("image"), image),
    background: background === undefined ? GROUND : text("background", background),
    nameOf: namer(names),
    truth: truth === undefined ? [] : readObjects("options.truth", truth),
    uncertainty: uncertainty === undefined ? undefined : oneOf(place("uncertainty"), uncertainty, SPREADS),
    masks: masks === undefined ? "both" : oneOf(place("masks"), masks, MASKS),
    skeleton: skeleton === undefined ? undefined : readSkeleton(skeleton),
    minVisibility: read.minVisibility === undefined ? 0.5 : number(place("minVisibility"), read.minVisibility, 0, 1),
    labels: labels === undefined || boolean(place("labels"), labels),
    legend: legend === undefined || boolean(place("legend"), legend),
    title: title === undefined ? undefined : text("title", title),
  };
}

/** So that the viewer's own does not matter. */
export const GROUND = "#23272e";

/** The name of a class, or its index where it has none. */
function namer(names: unknown): (classId: number) => string {
  if (names === undefined) return String;
  if (typeof names !== "object" || names === null) {
    throw typeError(
      { op, argument: "options.names" },
      describe(names),
      "a list of names, or an object with them by class",
    );
  }
  return (classId) => {
    const name = Object.hasOwn(names, classId) ? (names as Record<number, unknown>)[classId] : undefined;
    if (name === undefined) return String(classId);
    if (typeof name === "string") return name;
    throw typeError({ op, argument: `options.names[${classId}]` }, describe(name), "a string");
  };
}
