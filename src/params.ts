/**
 * Parameters of operations as data: kind, range, default, unit and a line of text. Checks, the command's flags and help, and
 * the documentation are made of them.
 */
import {
  boolean,
  describe,
  integer,
  isContainer,
  isLiteral,
  known,
  number,
  oneOf,
  type Place,
  rangeError,
  rising,
  size,
  typeError,
} from "./validate.ts";

/** A parameter whose values are of type `T`; `undefined` is one of them where it may be left out and has no default. */
export interface Param<T = unknown> {
  readonly kind: "number" | "integer" | "boolean" | "choice" | "size" | "rising" | "other";
  /**
   * Meaning, without range, unit and default. Documentation puts unit and range behind its first clause, so that this is a
   * noun with what belongs to it.
   */
  readonly text: string;
  readonly default: T;
  /** True where the caller must give it. */
  readonly required: boolean;
  readonly unit?: string;
  /** Range of a number or integer, ends included. */
  readonly min?: number;
  readonly max?: number;
  /** A number must be larger than this. */
  readonly over?: number;
  readonly choices?: readonly string[];
  /** The default in words, where it depends on other arguments. */
  readonly byDefault?: string;
}

export type Params = Readonly<Record<string, Param>>;

/** The values of parameters by name. */
export type Values<P extends Params> = { readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never };

type Range = Pick<Param, "min" | "max" | "over" | "unit">;

/** A number with a default; ranges include their ends but for `over`. */
export function numberParam(text: string, value: number, range: Range = {}): Param<number> {
  return { kind: "number", text, default: value, required: false, ...range };
}

/** A finite number of at least 0: an exponent or a factor. */
export function atLeastZero(text: string, value: number): Param<number> {
  return numberParam(text, value, { min: 0, max: Number.MAX_VALUE });
}

/** A number that must be given. */
export function requiredNumber(text: string, range: Range = {}): Param<number> {
  return { kind: "number", text, default: NaN, required: true, ...range };
}

/** A number that may be left out. */
export function optionalNumber(text: string, range: Range = {}): Param<number | undefined> {
  return { kind: "number", text, default: undefined, required: false, ...range };
}

/** A whole number with a default; Infinity is one where there is no `max`. */
export function integerParam(text: string, value: number, range: Range): Param<number> {
  return { kind: "integer", text, default: value, required: false, ...range };
}

/** A whole number that must be given. */
export function requiredInteger(text: string, range: Range): Param<number> {
  return { kind: "integer", text, default: NaN, required: true, ...range };
}

/** A whole number that may be left out. */
export function optionalInteger(text: string, range: Range): Param<number | undefined> {
  return { kind: "integer", text, default: undefined, required: false, ...range };
}

export function booleanParam(text: string, value: boolean): Param<boolean> {
  return { kind: "boolean", text, default: value, required: false };
}

/** True or false, or neither: the operation then decides, as `byDefault` says. */
export function optionalBoolean(text: string, byDefault: string): Param<boolean | undefined> {
  return { kind: "boolean", text, default: undefined, required: false, byDefault };
}

/** One of some words. */
export function choiceParam<const C extends string>(text: string, choices: readonly C[], value: C): Param<C> {
  return { kind: "choice", text, default: value, required: false, choices };
}

/** One of some words, or none: the operation then decides, as `byDefault` says. */
export function optionalChoice<const C extends string>(
  text: string,
  choices: readonly C[],
  byDefault: string,
): Param<C | undefined> {
  return { kind: "choice", text, default: undefined, required: false, choices, byDefault };
}

/** [height, width], or none. */
export function optionalSize(text: string): Param<readonly [number, number] | undefined> {
  return { kind: "size", text, default: undefined, required: false };
}

/** [height, width], which must be given. */
export function requiredSize(text: string, unit?: string): Param<readonly [number, number]> {
  const param = { kind: "size", text, default: [NaN, NaN], required: true } as const;
  return unit === undefined ? param : { ...param, unit };
}

/** Numbers that rise, in an array or a Float32Array, or none. */
export function optionalRising(text: string): Param<readonly number[] | undefined> {
  return { kind: "rising", text, default: undefined, required: false };
}

/** A value that must be given, and that the operation itself checks. */
export function requiredParam<T>(text: string): Param<T> {
  return { kind: "other", text, default: undefined as T, required: true };
}

/** A value that the operation itself checks; without it the operation decides, as `byDefault` may say. */
export function otherParam<T>(text: string, byDefault?: string): Param<T | undefined> {
  return { kind: "other", text, default: undefined, required: false, byDefault };
}

/** In the place of a value that must be given. */
const NOT_GIVEN = Symbol("not given");

interface Entry {
  readonly param: Param;
  readonly place: Place;
}

/** Reads an options object. */
export type ParamReader<P extends Params> = (options: unknown) => Values<P>;

/**
 * A reader of an operation's options, which reads each member once. Defaults are inherited by the values, which takes half the time
 * of a copy: take values by name, do not spread them. TypeError: members that no parameter has, values of another
 * kind. RangeError: values outside their range.
 */
export function paramReader<P extends Params>(op: string, params: P): ParamReader<P> {
  const names = Object.keys(params);
  const entries = new Map(names.map((name): [string, Entry] => {
    return [name, { param: params[name], place: { op, argument: `options.${name}` } }];
  }));
  const required = names.filter((name) => params[name].required);
  const defaults = Object.fromEntries(
    names.map((name) => [name, required.includes(name) ? NOT_GIVEN : params[name].default]),
  );
  const none = Object.freeze(Object.create(defaults)) as Values<P>;
  const noOptions = (got: unknown) => {
    const wanted = ["an object", required.join(" and ")].filter((part) => part !== "").join(" with ");
    return typeError({ op, argument: "options" }, describe(got), wanted);
  };
  return (options) => {
    if (options === undefined && required.length === 0) return none;
    if (typeof options !== "object" || options === null) throw noOptions(options);
    const plain = isLiteral(options);
    if (!plain && isContainer(options)) throw noOptions(options);
    known(op, "options", options, names);
    const values: Record<string, unknown> = Object.create(defaults);
    // Of a literal, only the members that it lists: most list one or two. A proxy may list none of those that it has.
    const listed = plain ? Object.keys(options) : names;
    for (const name of listed.length > 0 ? listed : names) {
      const value = (options as Readonly<Record<string, unknown>>)[name];
      if (value !== undefined) values[name] = checked(entries.get(name) as Entry, value);
    }
    for (const name of required) {
      if (values[name] === NOT_GIVEN) values[name] = checked(entries.get(name) as Entry, undefined);
    }
    return values as Values<P>;
  };
}

/** Whether the caller gave a parameter, its default too; of values as the reader made them, which inherit the others. */
export function isGiven<P extends Params>(values: Values<P>, name: keyof P): boolean {
  return Object.hasOwn(values, name);
}

function checked({ param, place }: Entry, value: unknown): unknown {
  switch (param.kind) {
    case "number":
      return numberIn(place, param, value);
    case "integer":
      return integer(place, value, param.min ?? -Infinity, param.max);
    case "boolean":
      return boolean(place, value);
    case "choice":
      return oneOf(place, value, param.choices as readonly string[]);
    case "size":
      return size(place, value);
    case "rising":
      return rising(place, value);
    case "other":
      return value;
  }
}

function numberIn(place: Place, { min, max, over }: Param, value: unknown): number {
  if (over === undefined) return number(place, value, min, max);
  const found = number(place, value);
  if (!(found > over && found <= (max ?? Infinity))) throw rangeError(place, found, wantedOver(over, max));
  return found;
}

function wantedOver(over: number, max = Infinity): string {
  if (max === Number.MAX_VALUE) return `a finite number over ${over}`;
  return max === Infinity ? `a number over ${over}` : `a number over ${over}, at most ${max}`;
}
