/**
 * Which tensor of a file is what. Names tell the role and the stride: cls_s8, reg_s8, obj_stride_16.
 */
import type { HostTensor } from "../types.ts";
import { UsageError } from "./errors.ts";
import type { TensorFile } from "./readers/tensor_file.ts";

/** Tensors by role, each list in the order of the levels. */
export interface NamedOutputs {
  readonly classes: readonly HostTensor[];
  readonly boxes: readonly HostTensor[];
  readonly objectness?: readonly HostTensor[];
}

/** What a file holds, as `detect` takes it. */
export interface FileOutputs {
  readonly outputs: HostTensor | readonly HostTensor[] | NamedOutputs;
  /** Of a head that refines its boxes, those before, level by level as the others. */
  readonly initial: readonly HostTensor[] | undefined;
  /** Strides that the names carry, of the levels as they stand. */
  readonly strides: readonly number[] | undefined;
  /** The tensors' own names, by what the library calls them: "outputs.classes[0]". */
  readonly names: ReadonlyMap<string, string>;
  /** Tensors whose names tell no role, where those of others do. */
  readonly unused: readonly string[];
}

type Role = keyof NamedOutputs;

const ROLES: readonly (readonly [Role, RegExp])[] = [
  ["classes", /^(cls|class|score)/i],
  ["boxes", /^(reg|box|dis|bbox)/i],
  ["objectness", /^obj/i],
];

/** bbox_pred_refine_s8, beside bbox_pred_s8. */
const REFINED = /refine/i;

/** Reads the tensors: by role where names tell classes and boxes, else all in order. */
export async function readOutputs(file: TensorFile): Promise<FileOutputs> {
  const roles = new Map(ROLES.map(([role, pattern]) => [role, byStride(file.names.filter((n) => pattern.test(n)))]));
  const read = (names: readonly string[]) => Promise.all(names.map((name) => readWhole(file, name)));
  const [classes, boxes, objectness] = ROLES.map(([role]) => roles.get(role) ?? []);
  if (classes.length === 0 || boxes.length === 0) {
    const tensors = await read(file.names);
    const outputs = tensors.length === 1 ? tensors[0] : tensors;
    return { outputs, initial: undefined, strides: undefined, names: callNames("outputs", file.names), unused: [] };
  }
  const refined = byStride(boxes.filter((name) => REFINED.test(name)));
  const plain = byStride(boxes.filter((name) => !REFINED.test(name)));
  const last = refined.length > 0 ? refined : plain;
  const named = { classes: await read(classes), boxes: await read(last) };
  const used = new Set([...classes, ...boxes, ...objectness]);
  return {
    outputs: objectness.length === 0 ? named : { ...named, objectness: await read(objectness) },
    initial: refined.length > 0 && plain.length > 0 ? await read(plain) : undefined,
    strides: stridesIn(classes) ?? stridesIn(boxes),
    names: new Map([
      ...callNames("outputs.classes", classes),
      ...callNames("outputs.boxes", last),
      ...callNames("outputs.objectness", objectness),
    ]),
    unused: file.names.filter((name) => !used.has(name)),
  };
}

/** An empty tensor has no head, whatever its extents are. */
async function readWhole(file: TensorFile, name: string): Promise<HostTensor> {
  const tensor = await file.read(name);
  if (tensor.data.length > 0) return tensor;
  throw new UsageError(`${name} is empty: its shape is (${tensor.dims.join(", ")})`);
}

/** A lone tensor, which has the name of its file, stays "outputs". */
function callNames(argument: string, names: readonly string[]): Map<string, string> {
  if (names.length > 1) return new Map(names.map((name, i) => [`${argument}[${i}]`, name]));
  return new Map(argument === "outputs" ? [] : names.map((name) => [argument, name]));
}

/** Without the tensors of objectness. */
export function withoutObjectness(file: FileOutputs): FileOutputs {
  if (!("classes" in file.outputs)) return file;
  const { classes, boxes } = file.outputs;
  return { ...file, outputs: { classes, boxes } };
}

/** A message of the library, in the tensors' own names. */
export function inOwnNames({ names }: FileOutputs, message: string): string {
  return message.replaceAll(/\boutputs(?:\.\w+)?(?:\[\d+\])?/g, (argument) => names.get(argument) ?? argument);
}

/** Every tensor, in no particular order. */
export function tensorsOf({ outputs }: FileOutputs): HostTensor[] {
  if ("classes" in outputs) return [outputs.classes, outputs.boxes, outputs.objectness ?? []].flat();
  return [outputs].flat() as HostTensor[];
}

/** Lowest stride first; as they came where names carry none. */
function byStride(names: string[]): string[] {
  const strides = stridesIn(names);
  return strides === undefined ? names : names.sort((a, b) => trailingNumber(a) - trailingNumber(b));
}

/** Strides differ and are powers of two from 4 up; other numbers, as in cls_1, are indices. */
function stridesIn(names: readonly string[]): number[] | undefined {
  const found = names.map(trailingNumber);
  const plausible = found.every((n) => n >= 4 && Number.isInteger(Math.log2(n)));
  const marked = found.length > 1 || /s(tride_?)?\d+$/i.test(names[0] ?? "");
  return plausible && marked && new Set(found).size === found.length ? found.sort((a, b) => a - b) : undefined;
}

function trailingNumber(name: string): number {
  return Number(/\d+$/.exec(name)?.[0] ?? NaN);
}
