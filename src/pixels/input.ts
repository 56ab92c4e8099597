/**
 * Inputs of networks that are sound: those of users, and presets with changes.
 */
import type { InputOptions, InputSpec } from "../types.ts";
import {
  boolean,
  describe,
  finite,
  integer,
  known,
  listOf,
  oneOf,
  type Place,
  rangeError,
  typeError,
} from "../validate.ts";
import { type InputName, presets } from "./presets.ts";

/** With the defaults in the place of what is left out. */
export type CheckedInput = Required<InputSpec>;

/** Longest side of an input: a square of it has a billion pixels. */
const MOST_SIDE = 2 ** 15;

/** What each member must be. */
const CHECKS: { readonly [Name in keyof CheckedInput]: (place: Place, value: unknown) => CheckedInput[Name] } = {
  name: text,
  size: sides,
  fit: (place, value) => oneOf(place, value, ["letterbox", "top-left", "stretch"]),
  scaleUp: boolean,
  rounding: (place, value) => oneOf(place, value, ["round", "floor"]),
  padValue: (place, value) => integer(place, value, 0, 255),
  resize: (place, value) => oneOf(place, value, ["bilinear", "area", "bicubic"]),
  order: (place, value) => oneOf(place, value, ["rgb", "bgr"]),
  layout: (place, value) => oneOf(place, value, ["nchw", "nhwc"]),
  scale: finite,
  mean: triple,
  std: divisors,
  dtype: (place, value) => oneOf(place, value, ["float32", "float16", "uint8"]),
};

const NAMES = Object.keys(CHECKS) as (keyof CheckedInput)[];

const DEFAULTS: Partial<CheckedInput> = {
  scaleUp: true,
  rounding: "round",
  padValue: 114,
  resize: "bilinear",
  order: "rgb",
  layout: "nchw",
  scale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  dtype: "float32",
};

/** A preset with changes, checked. */
export function makeInput(name: InputName, changes: InputOptions): InputSpec {
  const op = `inputs.${name}`;
  if (typeof changes !== "object" || changes === null) {
    throw typeError({ op, argument: "options" }, describe(changes), "an object with size");
  }
  known(op, "options", changes, NAMES);
  const preset = { name, ...presets[name] };
  return { ...preset, ...checkedMembers(op, "options", { ...DEFAULTS, ...preset }, changes) } as InputSpec;
}

/** A copy of an input whose every member is sound. */
export function checkInput(op: string, argument: string, given: InputSpec): CheckedInput {
  if (typeof given !== "object" || given === null) {
    throw typeError({ op, argument }, describe(given), "an InputSpec, for example inputs.yolov8({ size: [640, 640] })");
  }
  known(op, argument, given, NAMES);
  return { ...DEFAULTS, ...checkedMembers(op, argument, DEFAULTS, given) } as CheckedInput;
}

/** The members that are given, each read once; an error for one that has no default and is not. */
function checkedMembers(
  op: string,
  argument: string,
  defaults: Partial<InputSpec>,
  given: Partial<InputSpec>,
): Partial<CheckedInput> {
  const members = NAMES.flatMap((name) => {
    const value: unknown = given[name];
    if (value === undefined && defaults[name] !== undefined) return [];
    return [[name, CHECKS[name]({ op, argument: `${argument}.${name}` }, value)]];
  });
  return Object.fromEntries(members);
}

function text(place: Place, value: unknown): string {
  if (typeof value !== "string") throw typeError(place, describe(value), "a string");
  return value;
}

function sides({ op, argument }: Place, value: unknown): readonly [number, number] {
  const pair = listOf(value);
  if (pair?.length !== 2) throw typeError({ op, argument }, describe(value), "[height, width]");
  const [height, width] = pair.map((side, i) => integer({ op, argument: `${argument}[${i}]` }, side, 1, MOST_SIDE));
  return [height, width];
}

function triple({ op, argument }: Place, value: unknown): readonly [number, number, number] {
  const list = listOf(value);
  if (list?.length !== 3) throw typeError({ op, argument }, describe(value), "three numbers, one for each channel");
  const [first, second, third] = list.map((each, i) => finite({ op, argument: `${argument}[${i}]` }, each));
  return [first, second, third];
}

function divisors(place: Place, value: unknown): readonly [number, number, number] {
  const list = triple(place, value);
  if (list.includes(0)) throw rangeError(place, `[${list.join(", ")}]`, "numbers other than 0");
  return list;
}
