/**
 * Finds classes, boxes and objectness in what a network gave: which tensor, which level, which channels.
 */
import { boxChannels, hasObjectness } from "./presets.ts";
import type { HeadSpec, Outputs, TensorLike } from "../types.ts";
import {
  type AnySource,
  describe,
  describeTensor,
  onHost,
  type Place,
  shapeOf,
  type Source,
  tensorAnywhere,
  typeError,
} from "../validate.ts";
import type { Rows } from "../wasm/backend.ts";
import { anchorsIn, type Level } from "./levels.ts";

export type Role = "classes" | "boxes" | "objectness";

/** The channels of one role over a run of anchors, in one tensor. */
export interface Field<S extends AnySource = Source> {
  /** Where its tensor was passed: "outputs[0]". */
  readonly argument: string;
  readonly source: S;
  readonly channelsFirst: boolean;
  /** Channels of the role, the first of them, and all in the tensor. */
  readonly channels: number;
  readonly firstChannel: number;
  readonly allChannels: number;
  /** Anchors of the run, the first of them, and all in the tensor (of one image). */
  readonly anchors: number;
  readonly firstAnchor: number;
  readonly allAnchors: number;
}

/** A run of anchors whose fields stand in tensors of one extent. */
export interface Part<S extends AnySource = Source> {
  readonly firstAnchor: number;
  readonly anchors: number;
  readonly classes: Field<S>;
  readonly boxes: Field<S>;
  readonly objectness: Field<S> | null;
}

export interface ResolvedOutputs<S extends AnySource = AnySource> {
  readonly images: number;
  readonly parts: readonly Part<S>[];
}

/** One tensor with its shape understood. */
interface TensorMap {
  readonly argument: string;
  readonly source: AnySource;
  readonly images: number;
  readonly channels: number;
  readonly anchors: number;
}

/** The fields that a part has. */
export function fieldsOf<S extends AnySource>({ classes, boxes, objectness }: Part<S>): Field<S>[] {
  return objectness === null ? [classes, boxes] : [classes, boxes, objectness];
}

/** Refuses parts that lie on the GPU. */
export function partsOnHost(op: string, parts: readonly Part<AnySource>[]): readonly Part[] {
  for (const { argument, source } of parts.flatMap(fieldsOf)) onHost({ op, argument }, source);
  return parts as readonly Part[];
}

/** The field's channels over [from, from + count) of its anchors, in one image, as rows of the tensor. */
export function fieldRows(field: Field, image: number, from = 0, count = field.anchors): Rows {
  const base = image * field.allChannels * field.allAnchors;
  const anchor = field.firstAnchor + from;
  return field.channelsFirst
    ? {
      start: base + field.firstChannel * field.allAnchors + anchor,
      pitch: field.allAnchors,
      rows: field.channels,
      columns: count,
    }
    : {
      start: base + anchor * field.allChannels + field.firstChannel,
      pitch: field.allChannels,
      rows: count,
      columns: field.channels,
    };
}

/** Channels of each role that the head has. */
export function channelsOf(head: HeadSpec): ReadonlyMap<Role, number> {
  const roles = new Map<Role, number>([["classes", head.numClasses], ["boxes", boxChannels(head)]]);
  if (hasObjectness(head)) roles.set("objectness", 1);
  return roles;
}

/** Roles in the order of their channels in one tensor; objectness stands between boxes and classes. */
function channelOrder(head: HeadSpec): Role[] {
  const order: Role[] = head.channelOrder === "class-first"
    ? ["classes", "objectness", "boxes"]
    : ["boxes", "objectness", "classes"];
  return order.filter((role) => channelsOf(head).has(role));
}

/** Checks the outputs against the head and the levels of the image size. */
export function resolveOutputs(
  op: string,
  outputs: Outputs,
  head: HeadSpec,
  levels: readonly Level[],
): ResolvedOutputs {
  const place = { op, argument: "outputs" };
  if (typeof outputs !== "object" || outputs === null) {
    throw typeError(place, describe(outputs), "a tensor, a list of tensors, or {classes, boxes}");
  }
  if ("classes" in outputs) return joinRoles(place, head, levels, mapsByName(place, outputs, head, levels));
  const tensors: readonly TensorLike[] = isList(outputs) ? outputs : [outputs];
  if (head.channelOrder === "separate") {
    return joinRoles(place, head, levels, mapsByShape(place, tensors, head, levels));
  }
  const order = channelOrder(head);
  const roles = channelsOf(head);
  const total = order.reduce((sum, role) => sum + (roles.get(role) ?? 0), 0);
  const maps = tensors.map((value, i) => readMap(nth(place, i, tensors.length), value, head, levels, [total]));
  const byRole = new Map(order.map((role) => [role, maps]));
  return joinRoles(place, head, levels, byRole);
}

function isList(outputs: Outputs): outputs is readonly TensorLike[] {
  return Array.isArray(outputs);
}

function nth(place: Place, i: number, count: number): Place {
  return count === 1 ? place : { op: place.op, argument: `${place.argument}[${i}]` };
}

function mapsByName(
  place: Place,
  outputs: object,
  head: HeadSpec,
  levels: readonly Level[],
): Map<Role, TensorMap[]> {
  const found = new Map<Role, TensorMap[]>();
  for (const [role, channels] of channelsOf(head)) {
    const value = (outputs as Partial<Record<Role, TensorLike | readonly TensorLike[]>>)[role];
    const argument = `${place.argument}.${role}`;
    if (typeof value !== "object" || value === null) {
      throw typeError({ op: place.op, argument }, describe(value), `a tensor or one per level, for head ${head.name}`);
    }
    const tensors: readonly TensorLike[] = isList(value) ? value : [value as TensorLike];
    const maps = tensors.map((t, i) =>
      readMap(nth({ op: place.op, argument }, i, tensors.length), t, head, levels, [channels])
    );
    found.set(role, maps);
  }
  return found;
}

/**
 * A list of tensors with classes and boxes apart: the number of channels tells the role. Where two roles have as many, the
 * order of the family's export does: all classes and then all boxes, or level by level.
 */
function mapsByShape(
  place: Place,
  tensors: readonly TensorLike[],
  head: HeadSpec,
  levels: readonly Level[],
): Map<Role, TensorMap[]> {
  const roles = [...channelsOf(head)];
  if (tensors.length < roles.length) {
    const names = roles.map(([role]) => role).join(", ");
    throw typeError(
      place,
      tensors.length === 1 ? "one tensor" : `${tensors.length} tensors`,
      `{${names}} or a list, because head ${head.name} has them apart`,
    );
  }
  const widths = roles.map(([, channels]) => channels);
  const maps = tensors.map((t, i) => readMap(nth(place, i, tensors.length), t, head, levels, widths));
  const distinct = new Set(widths).size === widths.length;
  const levelByLevel = maps.length > roles.length && maps[0].anchors === maps[1].anchors;
  const perRole = Math.floor(maps.length / roles.length);
  const byOrder = (i: number) => levelByLevel ? i % roles.length : Math.min(Math.floor(i / perRole), roles.length - 1);
  const found = new Map<Role, TensorMap[]>(roles.map(([role]) => [role, []]));
  maps.forEach((map, i) => {
    const index = distinct ? widths.indexOf(map.channels) : byOrder(i);
    found.get(roles[index][0])?.push(map);
  });
  keepRefined(found, levels.length);
  return found;
}

/** A head that gives initial and refined boxes lists the refined last. */
function keepRefined(found: Map<Role, TensorMap[]>, levels: number): void {
  const boxes = found.get("boxes") ?? [];
  const classes = found.get("classes") ?? [];
  if (classes.length === levels && boxes.length === 2 * levels) found.set("boxes", boxes.slice(levels));
}

/** Understands a tensor's shape: its channels must be one of `widths`, its anchors those of a level or of all. */
function readMap(
  place: Place,
  value: TensorLike,
  head: HeadSpec,
  levels: readonly Level[],
  widths: readonly number[],
): TensorMap {
  const extents = [anchorsIn(levels), ...levels.map((level) => level.anchors)];
  const found = tensorAnywhere(place, value, (length) => bareShape(length, head, widths, extents));
  const fits = readings(found.dims, head.layout === "channels-first")
    .find(({ channels, anchors }) => widths.includes(channels) && extents.includes(anchors));
  if (fits === undefined) {
    const wanted = [...new Set(widths)].map((w) => shapeOf(batchShape(head, w, "anchors")));
    const counts = levels.length === 1
      ? `${extents[0]}`
      : `${extents[0]} in all or ${extents.slice(1).join(", ")} by level`;
    throw typeError(
      place,
      describeTensor(value, found),
      `${wanted.join(" or ")} for head ${head.name} with ${head.numClasses} classes; anchors: ${counts}`,
    );
  }
  return { argument: place.argument, source: found, ...fits };
}

function batchShape(head: HeadSpec, channels: number, anchors: number | string): never[] {
  return (head.layout === "channels-first" ? ["B", channels, anchors] : ["B", anchors, channels]) as never[];
}

/** A bare array has the shape of the first extent that divides its length. */
function bareShape(length: number, head: HeadSpec, widths: readonly number[], extents: readonly number[]): number[] {
  for (const anchors of extents) {
    for (const channels of widths) {
      const images = length / (channels * anchors);
      if (!Number.isInteger(images)) continue;
      return head.layout === "channels-first" ? [images, channels, anchors] : [images, anchors, channels];
    }
  }
  return [length];
}

/** What a shape can mean: with or without a batch axis, anchors flat or as height and width. */
function readings(dims: readonly number[], channelsFirst: boolean): Omit<TensorMap, "argument" | "source">[] {
  const [a, b, c, d] = dims;
  const reading = (images: number, channels: number, anchors: number) => ({ images, channels, anchors });
  switch (dims.length) {
    case 2:
      return channelsFirst ? [reading(1, a, b)] : [reading(1, b, a)];
    case 3:
      return channelsFirst ? [reading(a, b, c), reading(1, a, b * c)] : [reading(a, c, b), reading(1, c, a * b)];
    case 4:
      return channelsFirst ? [reading(a, b, c * d)] : [reading(a, d, b * c)];
    default:
      return [];
  }
}

/** Fields of all roles, cut by level unless every role has all anchors in one tensor. */
function joinRoles(
  place: Place,
  head: HeadSpec,
  levels: readonly Level[],
  byRole: Map<Role, TensorMap[]>,
): ResolvedOutputs {
  const images = sameImages(place, [...byRole.values()].flat());
  const total = anchorsIn(levels);
  const whole = [...byRole.values()].every((maps) => maps.length === 1 && maps[0].anchors === total);
  const runs = whole ? [{ firstAnchor: 0, anchors: total }] : levels;
  const ordered = new Map([...byRole].map(([role, maps]) => [role, byLevel(place, role, maps, levels)]));
  const parts = runs.map((run, i) => {
    const field = (role: Role) => fieldOf(head, role, ordered.get(role) ?? [], run, i);
    return {
      firstAnchor: run.firstAnchor,
      anchors: run.anchors,
      classes: field("classes"),
      boxes: field("boxes"),
      objectness: byRole.has("objectness") ? field("objectness") : null,
    };
  });
  return { images, parts };
}

function sameImages(place: Place, maps: readonly TensorMap[]): number {
  const odd = maps.find((map) => map.images !== maps[0].images);
  if (odd !== undefined) {
    const wanted = `${maps[0].images}, as in ${maps[0].argument}`;
    throw typeError({ op: place.op, argument: odd.argument }, `a batch of ${odd.images}`, wanted);
  }
  return maps[0].images;
}

/** One map of all anchors, or one per level in the order of the strides, whatever order they came in. */
function byLevel(place: Place, role: Role, maps: readonly TensorMap[], levels: readonly Level[]): readonly TensorMap[] {
  if (maps.length === 1 && maps[0].anchors === anchorsIn(levels)) return maps;
  const left = [...maps];
  const ordered = levels.map((level) => {
    const index = left.findIndex((map) => map.anchors === level.anchors);
    return index < 0 ? undefined : left.splice(index, 1)[0];
  });
  const complete = ordered.filter((map) => map !== undefined);
  if (complete.length === levels.length && left.length === 0) return complete;
  const got = `${maps.length} tensors of ${role} with ${maps.map((map) => map.anchors).join(", ")} anchors`;
  throw typeError(
    place,
    got,
    `one of ${anchorsIn(levels)} or one per level of ${levels.map((l) => l.anchors).join(", ")}`,
  );
}

function fieldOf(
  head: HeadSpec,
  role: Role,
  maps: readonly TensorMap[],
  run: { readonly firstAnchor: number; readonly anchors: number },
  index: number,
): Field<AnySource> {
  const shared = maps.length === 1;
  const map = shared ? maps[0] : maps[index];
  const channels = channelsOf(head).get(role) ?? 0;
  return {
    argument: map.argument,
    source: map.source,
    channelsFirst: head.layout === "channels-first",
    channels,
    firstChannel: map.channels === channels ? 0 : firstChannel(head, role),
    allChannels: map.channels,
    anchors: run.anchors,
    firstAnchor: shared && map.anchors !== run.anchors ? run.firstAnchor : 0,
    allAnchors: map.anchors,
  };
}

function firstChannel(head: HeadSpec, role: Role): number {
  const order = channelOrder(head);
  const roles = channelsOf(head);
  return order.slice(0, order.indexOf(role)).reduce((sum, before) => sum + (roles.get(before) ?? 0), 0);
}
