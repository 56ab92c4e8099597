/**
 * Which tensor of a file is what. Names tell the role and the stride: cls_s8, reg_s8, obj_stride_16.
 */
import { type OutputsByRole, rolesByName } from "../files/index.ts";
import { channelsOf, type Role } from "../heads/channels.ts";
import type { HeadSpec, HostTensor } from "../types.ts";
import { UsageError } from "./errors.ts";
import type { TensorFile } from "./readers/tensor_file.ts";

/** What a file holds, as `detect` takes it. */
export interface FileOutputs {
  readonly outputs: HostTensor | readonly HostTensor[] | OutputsByRole<HostTensor>;
  /** Of a head that refines its boxes, those before, level by level as the others. */
  readonly initial: readonly HostTensor[] | undefined;
  /** Strides that the names carry, of the levels as they stand. */
  readonly strides: readonly number[] | undefined;
  /** The tensors' own names, by what the library calls them: "outputs.classes[0]". */
  readonly names: ReadonlyMap<string, string>;
  /** Tensors whose names tell no role, where those of others do. */
  readonly unused: readonly string[];
}

/** Roles whose tensors are one, or one for each level. */
const ROLES = ["classes", "boxes", "objectness", "maskCoefficients", "keypoints", "angles"] as const;

/** Reads the tensors: by role where names tell classes and boxes, else all in order. */
export async function readOutputs(file: TensorFile): Promise<FileOutputs> {
  const roles = rolesByName(file.names);
  const read = (names: readonly string[]) => Promise.all(names.map((name) => readWhole(file, name)));
  if (roles === undefined) {
    const tensors = await read(file.names);
    const outputs = tensors.length === 1 ? tensors[0] : tensors;
    return { outputs, initial: undefined, strides: undefined, names: callNames("outputs", file.names), unused: [] };
  }
  const { initial, prototypes, strides, unused } = roles;
  const used = ROLES.filter((role) => (roles[role] ?? []).length > 0);
  const named = await Promise.all(used.map(async (role) => [role, await read(roles[role] ?? [])]));
  return {
    outputs: {
      ...Object.fromEntries(named) as OutputsByRole<HostTensor>,
      ...(prototypes !== undefined && { prototypes: await readWhole(file, prototypes) }),
    },
    initial: initial.length > 0 ? await read(initial) : undefined,
    strides,
    names: new Map([
      ...used.flatMap((role) => [...callNames(`outputs.${role}`, roles[role] ?? [])]),
      ...(prototypes === undefined ? [] : [["outputs.prototypes", prototypes] as const]),
    ]),
    unused,
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

/** Without the tensors by role that the head does not have. */
export function withoutOthers(file: FileOutputs, head: HeadSpec): FileOutputs {
  if (!("classes" in file.outputs)) return file;
  const has = channelsOf(head);
  const isRead = (role: string) => role === "prototypes" ? has.has("maskCoefficients") : has.has(role as Role);
  const roles = Object.keys(file.outputs);
  const left = roles.filter((role) => role !== "objectness" && !isRead(role));
  const unused = [...file.names].filter(([argument]) => left.includes(argument.split(/[.[]/)[1])).map(([, name]) =>
    name
  );
  return {
    ...file,
    outputs: Object.fromEntries(Object.entries(file.outputs).filter(([role]) => isRead(role))) as typeof file.outputs,
    unused: [...file.unused, ...unused],
  };
}

/** A message of the library, in the tensors' own names. */
export function inOwnNames({ names }: FileOutputs, message: string): string {
  return message.replaceAll(/\boutputs(?:\.\w+)?(?:\[\d+\])?/g, (argument) => names.get(argument) ?? argument);
}

/** Every tensor with rows or a level of the head, in no particular order: all but the prototypes of masks. */
export function tensorsOf({ outputs }: FileOutputs, { maskCoefficients = 0 }: HeadSpec): HostTensor[] {
  if ("classes" in outputs) return [outputs.classes, outputs.boxes, outputs.objectness ?? []].flat();
  const all = [outputs].flat() as HostTensor[];
  const finest = Math.max(...all.map(({ dims }) => gridOf(dims)));
  const isPrototypes = ({ dims }: HostTensor) => {
    const fits = dims.length === 4 && (dims[1] === maskCoefficients || dims[3] === maskCoefficients);
    return fits && gridOf(dims) === finest && all.some((other) => gridOf(other.dims) < finest);
  };
  return maskCoefficients === 0 ? all : all.filter((tensor) => !isPrototypes(tensor));
}

/** Places of a map of four axes, as channels or not; 0 of other tensors. */
function gridOf(dims: readonly number[]): number {
  return dims.length === 4 ? dims[2] * Math.max(dims[1], dims[3]) : 0;
}

/** Every tensor with its name; the name of a lone one is empty. */
export function tensorsByName({ outputs, names }: FileOutputs): [name: string, tensor: HostTensor][] {
  const lists = "classes" in outputs ? outputs : { "": outputs };
  return Object.entries(lists).flatMap(([role, given]: [string, HostTensor | readonly HostTensor[]]) => {
    const tensors = [given].flat() as HostTensor[];
    const argument = role === "" ? "outputs" : `outputs.${role}`;
    return tensors.map((tensor, i): [string, HostTensor] => {
      return [names.get(tensors.length === 1 ? argument : `${argument}[${i}]`) ?? "", tensor];
    });
  });
}
