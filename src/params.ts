/**
 * Parameters of operations as data: kind, range, default, unit and a line of text. Checks, the command's flags and help, and
 * the documentation are made of them.
 */
import {
  boolean,
  describe,
  integer,
  known,
  number,
  oneOf,
  type Place,
  rangeError,
  size,
  typeError,
} from "./validate.ts";

/** A parameter whose values are of type `T`; `undefined` is one of them where it may be left out and has no default. */
export interface Param<T = unknown> {
  readonly kind: "number" | "integer" | "boolean" | "choice" | "size" | "other";
  /** One line: meaning, without range and default. */
  readonly text: string;
  readonly default: T;
  /** Must it be given? */
  readonly required: boolean;
  readonly unit?: string;
  /** Range of a number or integer, ends included. */
  readonly min?: number;
  readonly max?: number;
  /** A number must be larger than this. */
  readonly over?: number;
  readonly choices?: readonly string[];
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

export function booleanParam(text: string, value: boolean): Param<boolean> {
  return { kind: "boolean", text, default: value, required: false };
}

/** One of some words. */
export function choiceParam<const C extends string>(text: string, choices: readonly C[], value: C): Param<C> {
  return { kind: "choice", text, default: value, required: false, choices };
}

/** One of some words, or none: the operation then decides. */
export function optionalChoice<const C extends string>(text: string, choices: readonly C[]): Param<C | undefined> {
  return { kind: "choice", text, default: undefined, required: false, choices };
}

/** [height, width], or none. */
export function optionalSize(text: string): Param<readonly [number, number] | undefined> {
  return { kind: "size", text, default: undefined, required: false };
}

/** [height, width], which must be given. */
export function requiredSize(text: string): Param<readonly [number, number]> {
  return { kind: "size", text, default: [NaN, NaN], required: true };
}

/** A value that must be given, and that the operation itself checks. */
export function requiredParam<T>(text: string): Param<T> {
  return { kind: "other", text, default: undefined as T, required: true };
}

/** A value that the operation itself checks. */
export function otherParam<T>(text: string): Param<T | undefined> {
  return { kind: "other", text, default: undefined, required: false };
}

/** Is a value of the options wanted at all? */
function isRequired(params: Params): boolean {
  for (const name in params) if (params[name].required) return true;
  return false;
}

/**
 * The values of an options object, each member read once. TypeError: members that no parameter has, values of another kind.
 * RangeError: values outside their range.
 */
export function readParams<P extends Params>(op: string, params: P, options: unknown): Values<P> {
  const given = optionsOf(op, params, options);
  const values: Record<string, unknown> = {};
  for (const name in params) {
    const param = params[name];
    const value = given?.[name];
    values[name] = value === undefined && !param.required
      ? param.default
      : checked({ op, argument: `options.${name}` }, param, value);
  }
  return values as Values<P>;
}

function optionsOf(op: string, params: Params, options: unknown): Readonly<Record<string, unknown>> | undefined {
  if (options === undefined && !isRequired(params)) return undefined;
  if (typeof options !== "object" || options === null) {
    throw typeError({ op, argument: "options" }, describe(options), "an object");
  }
  known(op, "options", options, Object.keys(params));
  return options as Readonly<Record<string, unknown>>;
}

function checked(place: Place, param: Param, value: unknown): unknown {
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
