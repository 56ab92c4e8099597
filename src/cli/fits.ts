/**
 * Every head that fits some outputs, what each makes of the tensors, and why others do not fit.
 */
import { heads } from "../entry/embedded.ts";
import { weighHeads } from "../heads/infer.ts";
import type { Role } from "../heads/channels.ts";
import { fieldsOf, resolveOutputs } from "../heads/outputs.ts";
import type { Prototypes } from "../heads/prototypes.ts";
import type { PresetName } from "../heads/presets.ts";
import type { HeadSpec } from "../types.ts";
import { type ChosenHead, inFlags } from "./head.ts";
import { sizeFromShapes } from "./image_size.ts";
import { classesTold, inItsNames, type Told, understand } from "./network.ts";
import type { NetworkFlags } from "./network_options.ts";
import { type FileOutputs, inOwnNames } from "./outputs.ts";
import { isOfTask } from "./task.ts";

/** A head that fits. */
export interface Fit {
  readonly chosen: ChosenHead;
  /** Network input, [height, width]. */
  readonly size: readonly [number, number];
  /** What each tensor is to it. */
  readonly tensors: readonly TensorRoles[];
  /** Of masks, where there are any: their tensor's name, how many, and their extents. */
  readonly prototypes: { readonly name: string } & Pick<Prototypes, "channels" | "height" | "width"> | null;
}

/** The roles of a tensor's channels, in their order. */
export interface TensorRoles {
  /** Empty where there is but one. */
  readonly name: string;
  readonly roles: readonly { readonly role: Role; readonly channels: number }[];
  readonly anchors: number;
}

/** All of it. */
export interface Fits {
  /** The likeliest first. */
  readonly fits: readonly Fit[];
  /** Readings that no head of ours has, in words. */
  readonly others: readonly string[];
  /** Names of exports, by why they do not fit. */
  readonly missed: ReadonlyMap<string, readonly string[]>;
}

/** The head that is named, or every one that fits. */
export function findFits(read: FileOutputs, told: Told, flags: NetworkFlags): Fits {
  if (flags.head !== "auto" || told.head !== undefined) {
    const { chosen, inputSize, read: used } = understand(read, told, flags);
    return { fits: [fitOf(used, chosen, inputSize)], others: [], missed: new Map() };
  }
  const { imageSize } = told;
  const { numClasses } = classesTold(told, flags);
  const hints = { imageSize, numClasses, strides: flags.changes.strides ?? read.strides };
  const { heads: fitting, others, missed } = inItsNames(
    { read, inputSize: imageSize ?? [0, 0], sizeFrom: told.sizeFrom },
    () => weighHeads(read.outputs, hints),
  );
  const { task } = told;
  const ofTask = task === undefined ? [] : fitting.filter((head) => isOfTask(head, task));
  const likely = [...(ofTask.length > 0 ? ofTask : fitting)].sort((a, b) => Number(isUsual(b)) - Number(isUsual(a)));
  return {
    fits: likely.map((head) => {
      return fitOf(read, { head, why: "inferred from the shapes" }, imageSize ?? sizeFromShapes(read, head));
    }),
    others: others.map(inFlags),
    missed: byReason(missed.map(({ name, why }) => ({ name: inFlags(name), why: inFlags(inOwnNames(read, why)) }))),
  };
}

function byReason(missed: readonly { readonly name: string; readonly why: string }[]): Map<string, string[]> {
  const reasons = new Map<string, string[]>();
  for (const { name, why } of missed) reasons.set(why, [...new Set([...reasons.get(why) ?? [], name])]);
  return reasons;
}

/** As many classes as the family is published with are no chance. */
function isUsual({ name, numClasses }: HeadSpec): boolean {
  return heads[name as PresetName]().numClasses === numClasses;
}

const ROLES: readonly Role[] = ["classes", "boxes", "objectness", "maskCoefficients", "keypoints", "angles"];

function fitOf(read: FileOutputs, chosen: ChosenHead, size: readonly [number, number]): Fit {
  const { parts, prototypes } = resolveOutputs("inspect", read.outputs, chosen.head, size);
  const tensors = new Map<string, { roles: Map<Role, { channels: number; first: number }>; anchors: number }>();
  for (const part of parts) {
    for (const field of fieldsOf(part)) {
      const tensor = tensors.get(field.argument) ?? { roles: new Map(), anchors: field.allAnchors };
      const role = ROLES.find((role) => part[role] === field) as Role;
      tensor.roles.set(role, { channels: field.channels, first: field.firstChannel });
      tensors.set(field.argument, tensor);
    }
  }
  return {
    chosen,
    size,
    tensors: [...tensors].map(([argument, { roles, anchors }]) => ({
      name: read.names.get(argument) ?? "",
      roles: [...roles].sort(([, a], [, b]) => a.first - b.first).map(([role, { channels }]) => ({ role, channels })),
      anchors,
    })),
    prototypes: prototypes && {
      name: read.names.get(prototypes.argument) ?? "",
      channels: prototypes.channels,
      height: prototypes.height,
      width: prototypes.width,
    },
  };
}
