/**
 * The flags that change a head: one for each member of a HeadSpec, read as the values that the member takes.
 */
import { type Member, members } from "../heads/members.ts";
import type { HeadOptions, HeadSpec } from "../types.ts";
import { choice, integer, keypoints, number, numbers } from "./values.ts";

/** A network's name is --head, and its number of classes may come with their names. */
type ChangedMember = Exclude<keyof HeadSpec, "name" | "numClasses">;

const NAMES = {
  strides: "strides",
  bins: "bins",
  boxes: "boxes",
  boxUnit: "box-unit",
  anchors: "anchors",
  anchorsPerCell: "anchors-per-cell",
  selection: "selection",
  binValues: "bin-values",
  unusedClasses: "unused-classes",
  layout: "layout",
  channelOrder: "channel-order",
  anchorOffset: "offset",
  scores: "scores",
  objectness: "objectness",
  maskCoefficients: "mask-coefficients",
  keypoints: "keypoints",
  angle: "angle",
  refined: "refined",
} as const satisfies Record<ChangedMember, string>;

type HeadFlag = typeof NAMES[ChangedMember];
type SwitchedFlag = { [M in ChangedMember]: typeof members[M]["kind"] extends "boolean" ? typeof NAMES[M] : never }[
  ChangedMember
];

const FLAGS = Object.entries(NAMES).map(([name, flag]) => ({
  name,
  flag,
  member: members[name as ChangedMember] as Member,
}));

/** As `parseArgs` takes them. */
export const HEAD_OPTIONS = Object.fromEntries(FLAGS.map(({ flag, member }) => {
  return [flag, { type: member.kind === "boolean" ? "boolean" : "string" }];
})) as { readonly [F in HeadFlag]: { readonly type: F extends SwitchedFlag ? "boolean" : "string" } };

/** What `parseArgs` made of them. */
export type HeadTexts = { readonly [F in HeadFlag]?: F extends SwitchedFlag ? boolean : string };

/** The changes that the flags ask for; the error of a wrong one names it. */
export function readChanges(texts: HeadTexts): HeadOptions {
  const given = FLAGS.filter(({ flag }) => texts[flag] !== undefined);
  return Object.fromEntries(given.map(({ name, flag, member }) => {
    const text = texts[flag];
    return [name, typeof text === "string" ? read(`--${flag}`, text, member) : text];
  }));
}

function read(flag: string, text: string, member: Member): unknown {
  switch (member.kind) {
    case "integer":
      return integer(flag, text, member.low, member.high);
    case "number":
      return number(flag, text);
    case "choice":
      return choice(flag, text, member.choices);
    case "strides":
      return numbers(flag, text);
    case "numbers":
      return text.split(",").map((value) => number(flag, value));
    case "anchors":
      return text.split("/").map((level) => numbers(flag, level));
    case "keypoints":
      return keypoints(flag, text);
    default:
      return text;
  }
}

/** The flag of each member: "--box-unit" of boxUnit. */
export const MEMBER_FLAGS: Readonly<Record<string, string>> = {
  numClasses: "--num-classes",
  ...Object.fromEntries(FLAGS.map(({ name, flag }) => [name, `--${flag}`])),
};
