/**
 * How many channels each role of a head has, and their order in one tensor.
 */
import type { HeadSpec } from "../types.ts";

export type Role = "classes" | "boxes" | "objectness";

/** Channels of the box part. */
export function boxChannels({ boxes, bins }: HeadSpec): number {
  return boxes === "distribution" ? 4 * bins : 4;
}

/** Does the head have a channel of objectness? */
export function hasObjectness({ objectness = "none" }: HeadSpec): boolean {
  return objectness !== "none";
}

/** Channels of a role that are read, of those that it has. */
export function readChannels(head: HeadSpec, role: Role, channels = channelsOf(head).get(role) ?? 0): number {
  return channels - (role === "classes" ? head.unusedClasses ?? 0 : 0);
}

/** A detection's score and class; else a score of each class, and of background where softmax has one. */
function classChannels({ selection, numClasses, scores }: HeadSpec): number {
  if (selection === "selected") return 2;
  return scores === "softmax" ? numClasses + 1 : numClasses;
}

/** Channels of each role that the head has, for one anchor of a cell. */
export function channelsOf(head: HeadSpec): ReadonlyMap<Role, number> {
  const classes = classChannels(head) + (head.unusedClasses ?? 0);
  const roles = new Map<Role, number>([["classes", classes], ["boxes", boxChannels(head)]]);
  if (hasObjectness(head)) roles.set("objectness", 1);
  return roles;
}

/** Roles in the order of their channels in one tensor; objectness stands between boxes and classes. */
export function channelOrder(head: HeadSpec): Role[] {
  const order: Role[] = head.channelOrder === "class-first"
    ? ["classes", "objectness", "boxes"]
    : ["boxes", "objectness", "classes"];
  return order.filter((role) => channelsOf(head).has(role));
}

/** The first channel of a role in a tensor that holds these roles in their order; of one that it has to itself, 0. */
export function firstChannel(head: HeadSpec, role: Role, held: readonly Role[]): number {
  const widths = channelsOf(head);
  return held.slice(0, Math.max(held.indexOf(role), 0)).reduce((sum, before) => sum + (widths.get(before) ?? 0), 0);
}
