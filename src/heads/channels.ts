/**
 * How many channels each role of a head has, and their order in one tensor.
 */
import type { HeadSpec } from "../types.ts";

/** What some heads have beside box and class, read only of the rows that are detections. */
export type Attachment = "maskCoefficients" | "keypoints" | "angles";

export type Role = "classes" | "boxes" | "objectness" | Attachment;

/** In the order of their channels, which stand behind all others. */
const ATTACHMENTS: readonly Attachment[] = ["maskCoefficients", "keypoints", "angles"];

/** Channels of the box part. */
export function boxChannels({ boxes, bins }: HeadSpec): number {
  return boxes === "distribution" ? 4 * bins : 4;
}

/** Does the head have a channel of objectness? */
export function hasObjectness({ objectness = "none" }: HeadSpec): boolean {
  return objectness !== "none";
}

/** Is a box turned by an angle? */
export function isRotated({ angle = "none" }: HeadSpec): boolean {
  return angle !== "none";
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

function attachedChannels(head: HeadSpec, role: Attachment): number {
  if (role === "maskCoefficients") return head.maskCoefficients ?? 0;
  if (role === "angles") return isRotated(head) ? 1 : 0;
  return head.keypoints === undefined ? 0 : head.keypoints.count * head.keypoints.dims;
}

/** Attachments that the head has, in the order of their channels. */
export function attachmentsOf(head: HeadSpec): Attachment[] {
  return ATTACHMENTS.filter((role) => attachedChannels(head, role) > 0);
}

/** Channels of each role that the head has, for one anchor of a cell. */
export function channelsOf(head: HeadSpec): ReadonlyMap<Role, number> {
  const classes = classChannels(head) + (head.unusedClasses ?? 0);
  const roles = new Map<Role, number>([["classes", classes], ["boxes", boxChannels(head)]]);
  if (hasObjectness(head)) roles.set("objectness", 1);
  for (const role of attachmentsOf(head)) roles.set(role, attachedChannels(head, role));
  return roles;
}

/** Roles in the order of their channels in one tensor; objectness stands between boxes and classes. */
export function channelOrder(head: HeadSpec): Role[] {
  const order: Role[] = head.channelOrder === "class-first"
    ? ["classes", "objectness", "boxes", ...ATTACHMENTS]
    : ["boxes", "objectness", "classes", ...ATTACHMENTS];
  return order.filter((role) => channelsOf(head).has(role));
}

/** The first channel of a role in a tensor that holds these roles in their order; of one that it has to itself, 0. */
export function firstChannel(head: HeadSpec, role: Role, held: readonly Role[]): number {
  return widthOf(head, held.slice(0, Math.max(held.indexOf(role), 0)));
}

/** Channels of a tensor that holds these roles. */
export function widthOf(head: HeadSpec, held: readonly Role[]): number {
  const widths = channelsOf(head);
  return held.reduce((sum, role) => sum + (widths.get(role) ?? 0), 0);
}
