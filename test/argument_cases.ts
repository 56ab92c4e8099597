/**
 * Calls of every operation, made by its kind, and their arguments replaced one by one: what the suites about arguments walk.
 */
import type { Engine, WasmTensor } from "densehead";
import type { RowCall } from "../src/ops/row_call.ts";
import { type Operation, operations } from "../src/registry.ts";
import { BINS, boxes, CLASSES, classesOf, N, seeded, tensor } from "./argument_values.ts";
import {
  argumentCasesOf,
  type ElementReference,
  type Options,
  referenceOf,
  requiredOf,
  type RowOperationReference,
  type RowReference,
  settingsOf,
  withEps,
} from "./conformance.ts";
import { random } from "./random.ts";

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint16Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/** Where something stands among the arguments: [0, "data"]. */
export type Path = readonly (string | number)[];

/** A way to call an operation, made anew by each call. */
type Way = () => unknown[];

const out = (loss: number, grad: number) => ({ loss: new Float32Array(loss), grad: new Float32Array(grad) });
const everything = { reduction: "none", grad: true, lossWeight: 0.5 };
const logits = (columns: number) => tensor([N, columns], 1, -3, 3);

function elementWays(operation: Operation): Way[] {
  const c = referenceOf<ElementReference>(operation);
  const settings = settingsOf(c);
  const dense = () => [
    logits(CLASSES),
    tensor([N, CLASSES], 2),
    { ...everything, ...settings[1], weight: tensor([N, CLASSES], 4), out: out(N * CLASSES, N * CLASSES) },
  ];
  const byLabels = () => [
    logits(CLASSES),
    { labels: classesOf(N), scores: seeded(N, 3) },
    { ...everything, ...settings.at(-1), weight: tensor([N], 4), out: out(N, N * CLASSES) },
  ];
  return c.operation.labels ? [dense, byLabels] : [dense];
}

function rowWays(operation: Operation): Way[] {
  const { targetAt } = referenceOf<RowReference>(operation).file;
  const target = () => ({ data: seeded(N, 2).map((share) => targetAt(share, BINS, {})), dims: [N] });
  return [() => [logits(BINS), target(), { ...everything, weight: tensor([N], 4), out: out(N, N * BINS) }]];
}

function boxWays(operation: Operation): Way[] {
  const [eps] = withEps(operation, [1e-6]);
  const own = { ...everything, ...requiredOf(operation), ...eps };
  const options = () => ({ ...structuredClone(own), weight: tensor([N], 4), out: out(N, N * 4) });
  return [() => [boxes(5), boxes(6), options()]];
}

/** With the first and the last of the settings that have options. */
function rowOperationWays(operation: Operation): Way[] {
  const c = referenceOf<RowOperationReference>(operation);
  const all = settingsOf(c);
  const some = all.filter((options) => Object.keys(options).length > 0);
  const settings = some.length > 0 ? some : all;
  const rest = (options: Options) => Object.keys(operation.params).length === 0 ? [] : [{ ...options }];
  return [...new Set([settings[0], settings.at(-1) as Options])].map((options) => () => {
    const values = c.file.inputs(random(1), N, options);
    const { checked } = (operation.check as unknown as (...args: unknown[]) => RowCall)(...values, options);
    return [...values.map((data, i) => ({ data, dims: [...checked.inputs[i].source.dims] })), ...rest(options)];
  });
}

function waysOf(operation: Operation): readonly Way[] {
  switch (operation.kind) {
    case "element loss":
      return elementWays(operation);
    case "row loss":
      return rowWays(operation);
    case "box loss":
      return boxWays(operation);
    case "row operation":
      return rowOperationWays(operation);
    case "routine":
      return argumentCasesOf(operation);
  }
}

/** A missing reference fails where a call is made, and not where this is loaded. */
function waysOrError(operation: Operation): readonly Way[] {
  try {
    return waysOf(operation);
  } catch (error) {
    return [() => {
      throw error;
    }];
  }
}

/** Arguments of each operation; more than one way where it has them. */
export const cases: Readonly<Record<string, readonly Way[]>> = Object.fromEntries(
  Object.values(operations).map((operation) => [operation.name, waysOrError(operation)]),
);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
}

/** The paths of what `wanted` finds among the arguments. */
export function pathsOf(args: unknown, wanted: (value: unknown) => boolean, path: Path = []): Path[] {
  const own = path.length > 0 && wanted(args) ? [path] : [];
  if (!isObject(args)) return own;
  const inner = Object.keys(args).flatMap((key) => {
    return pathsOf(args[key], wanted, [...path, Array.isArray(args) ? Number(key) : key]);
  });
  return [...own, ...inner];
}

export function at(args: unknown, path: Path): unknown {
  return path.reduce((value: unknown, key) => (value as Record<string | number, unknown>)[key], args);
}

export function replace(args: unknown, path: Path, value: unknown): void {
  (at(args, path.slice(0, -1)) as Record<string | number, unknown>)[path.at(-1) as string] = value;
}

/** Has something done whenever a member is read. */
export function whenRead(args: unknown, path: Path, deed: () => void): void {
  const value = at(args, path);
  Object.defineProperty(at(args, path.slice(0, -1)), path.at(-1) as string, {
    get() {
      deed();
      return value;
    },
    enumerable: true,
    configurable: true,
  });
}

/** Plain numbers in the place of arrays, so that results compare whatever classes they are of. */
export function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

export const isArray = (value: unknown) => ArrayBuffer.isView(value);
export const arraysOf = (args: unknown[]): Path[] => pathsOf(args, isArray);
export const named = (path: Path) => path.join(".");

type Constructor = new (...args: unknown[]) => TypedArray;

export const constructorOf = (array: TypedArray) => array.constructor as Constructor;

/** The same values in a class whose constructor ignores its arguments. */
export function deaf(array: TypedArray): TypedArray {
  class Deaf extends constructorOf(array) {
    constructor() {
      super(array);
    }
  }
  return new Deaf();
}

/** Does the runtime have buffers that can be resized? */
export const resizable = typeof (ArrayBuffer.prototype as { resize?: unknown }).resize === "function";

/** The same values in a buffer that can be resized. */
export function resizableCopy(array: TypedArray) {
  const Buffer = ArrayBuffer as unknown as new (
    size: number,
    options: object,
  ) => ArrayBuffer & { resize(size: number): void };
  const buffer = new Buffer(array.byteLength, { maxByteLength: array.byteLength * 2 });
  const copy = new (constructorOf(array))(buffer, 0, array.length);
  copy.set(array as never);
  return { buffer, copy };
}

/** The same values in a tensor. */
export function inMemory(on: Engine, array: TypedArray): { array: TypedArray; tensor: WasmTensor } {
  const tensor = on.tensor([Math.ceil(array.byteLength / 4)]);
  const view = new (constructorOf(array))(tensor.data.buffer, tensor.data.byteOffset, array.length);
  view.set(array as never);
  return { array: view, tensor };
}

/** Every call: operation, what tells it from others, and its arguments. */
export const calls = Object.entries(cases).flatMap(([op, ways]) =>
  ways.map((args, i) => ({ op, what: ways.length === 1 ? op : `${op}, way ${i}`, args }))
);
