/**
 * The options of `toSvg`, checked.
 */
import type { SvgOptions } from "../types.ts";
import { boolean, describe, namesOf, oneOf, options as checkOptions, size, typeError } from "../validate.ts";
import { type Item, readObjects } from "./objects.ts";
import { hrefOf } from "./picture.ts";

const op = "toSvg";
const OPTIONS = namesOf<SvgOptions>({
  size: true,
  image: true,
  background: true,
  names: true,
  truth: true,
  uncertainty: true,
  labels: true,
  legend: true,
  title: true,
});
export const SPREADS = ["excess", "std", "none"] as const;

/** What is to be drawn, and how. */
export interface Settings {
  readonly size: readonly [number, number];
  readonly href: string | undefined;
  readonly background: string;
  readonly nameOf: (classId: number) => string;
  readonly truth: readonly Item[];
  /** Undefined: excess, where there is one. */
  readonly uncertainty: typeof SPREADS[number] | undefined;
  readonly labels: boolean;
  readonly legend: boolean;
  readonly title: string | undefined;
}

export function readOptions(given: SvgOptions): Settings {
  const { image, background, names, truth, uncertainty, labels, legend, title, ...rest } = checkOptions(
    op,
    given,
    OPTIONS,
    true,
  );
  const place = (member: string) => ({ op, argument: `options.${member}` });
  const text = (member: string, value: unknown): string => {
    if (typeof value !== "string") throw typeError(place(member), describe(value), "a string");
    return value;
  };
  return {
    size: size(place("size"), rest.size),
    href: image === undefined ? undefined : hrefOf(place("image"), image),
    background: background === undefined ? GROUND : text("background", background),
    nameOf: namer(names),
    truth: truth === undefined ? [] : readObjects("options.truth", truth),
    uncertainty: uncertainty === undefined ? undefined : oneOf(place("uncertainty"), uncertainty, SPREADS),
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
