/**
 * The operations by kind, each with its files of test/reference and test/fixtures, which are found by its stem. The suites
 * of the kinds walk them: an operation needs no line of its own there, and fails where one of its files is missing.
 */
import { operations } from "../src/registry.ts";
import type { Operation } from "../src/registry.ts";
import { BOX_UNIT } from "../src/ops/box_loss.ts";
import type { Param, Params } from "../src/params.ts";
import { shaders } from "../src/webgpu/shaders.ts";
import { fixtures } from "./generated/fixtures.ts";
import { references } from "./generated/references.ts";
import type { Random } from "./random.ts";
import type { BoxLoss } from "./reference/box_loss.ts";
import type { Allowed, Loss } from "./reference/classification.ts";

export type Options = Readonly<Record<string, number | boolean | string | readonly number[]>>;

/** What every file of test/reference may have beside its reference. */
interface ReferenceFile {
  /** Options to run with where combinations matter. Their parameters get no other values, but for an exponent. */
  readonly settings?: readonly Options[];
  /** Arguments of an operation whose kind does not say what they are; each call makes them anew. */
  readonly argumentCases?: readonly (() => unknown[])[];
}

/** An operation and its reference. */
export interface Reference<F, M = object> {
  readonly name: string;
  readonly operation: Operation & { readonly labels?: boolean };
  readonly reference: F;
  readonly file: ReferenceFile & M;
}

export type ElementReference = Reference<
  (x: number, y: number, options: Options) => Loss,
  {
    readonly allowed?: Allowed;
    /** The loss as a function of the logit, with all that the gradient takes for constant as it is at `x`. */
    readonly heldAt?: (x: number, y: number, options: Options) => (x: number) => number;
    readonly vanishing?: readonly [Options, readonly (readonly [x: number, y: number])[]][];
  }
>;
export type RowReference = Reference<
  (row: ArrayLike<number>, y: number, options: Options) => { value: number; grad: number[] },
  {
    /** Columns that rows may have. */
    readonly columns: readonly number[];
    /** The target at a share of its range. */
    readonly targetAt: (share: number, columns: number, options: Options) => number;
  }
>;
type Corners = ArrayLike<number>;
export type BoxReference = Reference<
  (pred: Corners, target: Corners, options?: Options) => BoxLoss,
  {
    /** Terms that may cancel, one by one. */
    readonly terms?: (pred: Corners, target: Corners, options?: Options) => readonly BoxLoss[];
    /** The loss as a function of the prediction, with all that the gradient takes for constant as it is at `pred`. */
    readonly heldAt?: (pred: Corners, target: Corners, options?: Options) => (pred: Corners) => number;
  }
>;

type Arrays = readonly Float32Array<ArrayBuffer>[];
type Values = readonly number[] | Readonly<Record<string, readonly number[]>>;
/** The reference takes the operation's arguments, tensors as their values. */
export type RowOperationReference = Reference<(...args: [...Arrays, Options]) => Values, {
  /** The values of random tensors of so many rows. */
  readonly inputs: (r: Random, rows: number, options: Options) => Arrays;
  /** What the bound is a share of; default: the size of the value. */
  readonly unit?: (wanted: number, options: Options, inputs: Arrays, place: number) => number;
}>;

/** Options that the operation is not called without: those of its reference's first setting. */
export function requiredOf(operation: Operation): Options {
  const required = Object.entries(operation.params as Params).filter(([, param]) => param.required);
  if (operation.kind === "routine" || required.length === 0) return {};
  const [options] = settingsOf(referenceOf(operation));
  return Object.fromEntries(Object.entries(options).filter(([param]) => required.some(([name]) => name === param)));
}

/** The operation's options that are lengths in the unit of its boxes, with these values. */
export function lengthsTimes(operation: Operation, factor: number): Options {
  const params = Object.entries(operation.params as Params).filter(([, { unit }]) => unit === BOX_UNIT);
  const usual = requiredOf(operation);
  return Object.fromEntries(params.map(([name, param]) => {
    const value = usual[name] ?? param.default as number;
    return [name, typeof value === "number" ? value * factor : (value as readonly number[]).map((v) => v * factor)];
  }));
}

/** `{ eps }` for each, or once no options where the loss takes none. */
export function withEps({ params }: Operation, values: readonly number[]): Options[] {
  return "eps" in params ? values.map((eps) => ({ eps })) : [{}];
}

/** The operations of these kinds. */
export function ofKind(...kinds: Operation["kind"][]): Operation[] {
  const found = Object.values(operations).filter(({ kind }) => kinds.includes(kind));
  if (found.length === 0) throw new Error(`no operation is of kind ${kinds.join(" or ")}`);
  return found;
}

/** An operation with its reference; an Error that says what to write where there is none. */
export function referenceOf<R extends Reference<unknown> = Reference<unknown>>(operation: Operation): R {
  const { name, stem } = operation;
  const file = (references as Record<string, Record<string, unknown>>)[name];
  const path = `test/reference/${stem}.ts`;
  if (file === undefined) throw new Error(`${name} has no reference: write ${path}, which exports ${name} in float64`);
  if (typeof file[name] !== "function") throw new Error(`${path} does not export ${name}, the reference in float64`);
  return { name, operation, reference: file[name], file } as unknown as R;
}

/** The arguments of an operation whose kind does not say what they are; an Error where its reference has none. */
export function argumentCasesOf(operation: Operation): readonly (() => unknown[])[] {
  const { argumentCases } = referenceOf(operation).file;
  if (argumentCases !== undefined) return argumentCases;
  const file = `test/reference/${operation.stem}.ts`;
  throw new Error(
    `nothing says how ${operation.name} is called: ${file} must export argumentCases, functions that return its arguments`,
  );
}

/** The recorded file of an operation, or why PyTorch has none; an Error that says what to do where there is neither. */
export function fixtureOf<F>({ name, stem }: Operation): F | { readonly none: string } {
  const fixture = (fixtures as unknown as Record<string, F>)[name];
  if (fixture !== undefined) return fixture;
  throw new Error(
    `${name} has no fixture: write its formula in torch to tools/fixtures.py and run it, which writes ` +
      `test/fixtures/${stem}.json; where PyTorch has nothing like it, that file is {"none": why}`,
  );
}

/** The shader of an operation that runs on WebGPU, null of others; an Error that says what to write where it is missing. */
export function shaderOf({ name, stem, check }: Operation): string | null {
  // Their shaders are made for each call, in webgpu/detect_shaders.ts and preprocess_shader.ts.
  if (check === undefined || name === "detect" || name === "preprocess") return null;
  const shader = shaders[name];
  if (shader !== undefined) return shader;
  throw new Error(
    `${name} has no shader, and its record has a check, which is for any device: write src/webgpu/shaders/${stem}.ts, ` +
      `which exports ${name} in WGSL`,
  );
}

/** Exponents with paths of their own, and others. */
const EXPONENTS = [0, 0.3, 0.5, 1, 1.5, 2, 2.3, 3, 5];

/**
 * Options to run an operation with: the defaults, the `settings` of its reference, and every other parameter of its own by
 * itself: an exponent with and without a path of its own, and others at the ends of its range, inside it, at every choice.
 */
export function settingsOf({ operation, file }: Reference<unknown>): Options[] {
  const { exponent, own } = ownParams(operation);
  const settings = file.settings ?? [];
  const hasRequired = Object.values(own).some(({ required }) => required);
  const [usual] = hasRequired ? settings : [{}];
  if (usual === undefined) {
    throw new Error(`${operation.name} has required options: its reference must export settings`);
  }
  const given = new Set(settings.flatMap((options) => Object.keys(options)));
  const single = Object.entries(own).filter(([param]) => param === exponent || !given.has(param)).flatMap(
    ([param, spec]) => {
      const values = param === exponent ? EXPONENTS : valuesOf(spec);
      return values.map((value) => ({ ...usual, [param]: value }));
    },
  );
  return hasRequired ? [...settings, ...single] : [usual, ...settings, ...single];
}

/** Parameters that not every loss has, and which of them is an exponent. */
function ownParams(operation: Operation): { exponent?: string; own: Params } {
  const losses = ofKind("element loss", "row loss", "box loss");
  const isCommon = (param: string) => losses.every(({ params }) => param in params);
  const own = Object.entries(operation.params).filter(([param]) => !isCommon(param));
  return { exponent: (operation as { exponent?: string }).exponent, own: Object.fromEntries(own) };
}

/** Largest number to run with. */
const MOST = 1e6;

function valuesOf({ kind, default: usual, min = -Infinity, max = Infinity, over = -Infinity, choices = [] }: Param) {
  switch (kind) {
    case "boolean":
      return [false, true];
    case "choice":
      return choices;
    case "size":
      return [[300, 500]];
    // As many as the input has bins: suites of the operations' own.
    case "rising":
      return [];
    case "number":
    case "integer": {
      const middle = Number(usual ?? 0);
      const inside = kind === "integer" ? [middle - 1, middle + 1] : [middle - 1.25, middle * 2.4, 0.01];
      return [...new Set([min, max, 0, 1, ...inside])].filter((value) => {
        return value >= min && value <= max && value > over && Math.abs(value) <= MOST && value !== middle;
      });
    }
    default:
      throw new Error(`no values are known of a parameter of kind ${kind}; name some in the reference's settings`);
  }
}
