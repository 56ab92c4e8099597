/**
 * Finds each role of a head in what a network gave: which tensor, which level, which channels.
 */
import type { HeadSpec, Outputs } from "../types.ts";
import {
  type AnySource,
  describeTensor,
  onHost,
  type Place,
  shapeOf,
  type Source,
  tensorAnywhere,
  typeError,
} from "../validate.ts";
import type { Rows } from "../wasm/backend.ts";
import { attachmentsOf, channelOrder, channelsOf, firstChannel, readChannels, type Role, widthOf } from "./channels.ts";
import { type GivenTensor, type NamedRole, tensorsIn } from "./given.ts";
import { anchorsIn, type Level, planesOf } from "./levels.ts";
import { isListed, levelsIn } from "./listed_rows.ts";
import { familyOf } from "./presets.ts";
import { type Prototypes, readPrototypes, type Split, splitPrototypes } from "./prototypes.ts";
import { type Reading, readingsOf, stacksOf } from "./readings.ts";

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
  readonly maskCoefficients: Field<S> | null;
  readonly keypoints: Field<S> | null;
  readonly angles: Field<S> | null;
}

export interface ResolvedOutputs<S extends AnySource = AnySource> {
  readonly images: number;
  readonly parts: readonly Part<S>[];
  /** Null where the outputs have none: masks need them, boxes do not. */
  readonly prototypes: Prototypes<S> | null;
}

/** One tensor with its shape understood, and the role that its name says. */
interface TensorMap extends Reading {
  readonly place: Place;
  readonly role: NamedRole | null;
  readonly source: AnySource;
}

/** The fields that a part has. */
export function fieldsOf<S extends AnySource>(part: Part<S>): Field<S>[] {
  const { classes, boxes, objectness, maskCoefficients, keypoints, angles } = part;
  return [classes, boxes, objectness, maskCoefficients, keypoints, angles].filter((field) => field !== null);
}

/** The part with every field changed; member by member, because spreads would show in the time of a small call. */
export function mapPart<S extends AnySource, T extends AnySource>(
  part: Part<S>,
  change: (field: Field<S>) => Field<T>,
): Part<T> {
  return {
    firstAnchor: part.firstAnchor,
    anchors: part.anchors,
    classes: change(part.classes),
    boxes: change(part.boxes),
    objectness: part.objectness && change(part.objectness),
    maskCoefficients: part.maskCoefficients && change(part.maskCoefficients),
    keypoints: part.keypoints && change(part.keypoints),
    angles: part.angles && change(part.angles),
  };
}

/** Refuses parts that lie on the GPU. */
export function partsOnHost(op: string, parts: readonly Part<AnySource>[]): readonly Part[] {
  for (const part of parts) {
    for (const { argument, source } of fieldsOf(part)) if (source.kind === "gpu") onHost({ op, argument }, source);
  }
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

/** Checks the outputs against the head and the image size; the levels are those of both. */
export function resolveOutputs(
  op: string,
  outputs: Outputs,
  head: HeadSpec,
  imageSize: readonly [number, number],
): ResolvedOutputs & { readonly levels: readonly Level[] } {
  const place = { op, argument: "outputs" };
  const given = tensorsIn(place, outputs);
  const levels = levelsIn(head, imageSize, given);
  return { ...resolveTensors(place, given, head, levels), levels };
}

/** Likewise of tensors that were found among outputs. */
export function resolveTensors(
  place: Place,
  given: readonly GivenTensor[],
  head: HeadSpec,
  levels: readonly Level[],
): ResolvedOutputs {
  const context = { place, head, levels };
  const { arrangement, rest, prototypes } = arrange(context, given);
  const { held, widths } = arrangement;
  if (rest.length === 0) throw typeError(place, "prototypes alone", `${channelOrder(head).join(", ")} beside them`);
  if (held.length > 0 || rest.some(({ role }) => role === "rows")) checkRows(context, rest, held);
  else checkRoles(context, rest);
  const named = new Set(rest.map(({ role }) => role));
  const others = [...widths].filter(([role]) => !named.has(role)).map(([, channels]) => channels);
  const maps = rest.map((tensor) => {
    return readMap(context, tensor, tensor.role === null ? others : [widths.get(tensor.role) ?? 0]);
  });
  const { images, parts } = joinAgreeing(context, maps, arrangement);
  return { images, parts, prototypes: prototypes && readPrototypes(prototypes, head, images) };
}

// ── Which tensors hold which roles ──────────────────────────────────────────────

/** Roles that stand together in "rows", and the channels of these and of each role that stands apart. */
interface Arrangement {
  readonly held: readonly Role[];
  readonly widths: ReadonlyMap<NamedRole, number>;
}

/** The arrangement of the tensors, and the prototypes apart from the rest of them. */
function arrange(context: Context, given: readonly GivenTensor[]): Split & { readonly arrangement: Arrangement } {
  const { place, head } = context;
  const possible = heldRoles(head, given).map((held) => arrangementOf(head, held));
  const splits = possible.map((arrangement) => ({
    arrangement,
    ...splitPrototypes(place, given, head, (dims) => mostOf(context, arrangement, dims)),
  }));
  return splits.find((split) => splits.length > 1 && isComplete(context, split)) ?? splits[0];
}

/** What tensors may hold together, the likeliest first: all that no name says; or that without attachments, which are apart. */
function heldRoles(head: HeadSpec, given: readonly GivenTensor[]): Role[][] {
  const names = new Set(given.map(({ role }) => role));
  const order = channelOrder(head);
  const held = order.filter((role) => !names.has(role));
  if (names.has("rows")) return [held];
  const attachments = attachmentsOf(head);
  const isJoined = names.has(null) && head.channelOrder !== "separate" &&
    order.every((role) => held.includes(role) || attachments.some((each) => each === role));
  if (!isJoined) return [[]];
  const apart = attachments.filter((role) => held.includes(role));
  // Every choice of attachments that are apart.
  return Array.from({ length: 2 ** apart.length }, (_, choice) => {
    return held.filter((role) => !apart.some((each, i) => each === role && (choice >> i) % 2 === 1));
  });
}

function arrangementOf(head: HeadSpec, held: readonly Role[]): Arrangement {
  const apart = [...channelsOf(head)].filter(([role]) => !held.includes(role));
  return {
    held,
    widths: new Map<NamedRole, number>([...held.length > 0 ? [["rows", widthOf(head, held)] as const] : [], ...apart]),
  };
}

/** How many tensors of a shape there can be. */
function mostOf({ head, levels }: Context, { widths }: Arrangement, dims: readonly number[]): number {
  const readings = readingsOf(dims, head);
  const extents = extentsOf(levels);
  const roles = [...widths.values()].filter((width) => {
    return readings.some(({ channels, anchors }) => channels === width && extents.includes(anchors));
  });
  const alike = levels.filter(({ anchors }) => readings.some((reading) => reading.anchors === anchors)).length;
  return roles.length * Math.max(alike, 1) * (head.refined ? 2 : 1);
}

/** Has every role a tensor, and every tensor a role, by channels and anchors? */
function isComplete(
  { head, levels }: Context,
  { arrangement, rest }: Split & { readonly arrangement: Arrangement },
): boolean {
  const named = new Set(rest.map(({ role }) => role));
  const open = [...arrangement.widths].filter(([role]) => !named.has(role)).map(([, width]) => width);
  const extents = extentsOf(levels);
  const unnamed = rest.filter(({ role }) => role === null).map((tensor) => {
    const bare = (length: number) => bareShape(length, head, open, extents);
    return readingsOf(tensorAnywhere(tensor.place, tensor.value, bare).dims, head);
  });
  const fits = (readings: readonly Reading[], widths: readonly number[]) => {
    return readings.some(({ channels, anchors }) => widths.includes(channels) && extents.includes(anchors));
  };
  return unnamed.every((readings) => fits(readings, open)) &&
    open.every((width) => unnamed.some((readings) => fits(readings, [width])));
}

/** Anchors of all levels, and of each. */
function extentsOf(levels: readonly Level[]): number[] {
  return [anchorsIn(levels), ...levels.map((level) => level.anchors)];
}

/** Beside rows by name stand only roles of the head by name, and the order of what rows hold is known. */
function checkRows({ head }: Context, given: readonly GivenTensor[], held: readonly Role[]): void {
  const rows = given.find(({ role }) => role === "rows");
  if (rows === undefined) return;
  refuseOddRoles(head, given);
  const unnamed = given.find(({ role }) => role === null);
  if (unnamed !== undefined) throw typeError(unnamed.place, "given", "none beside rows");
  if (held.length === 0) throw typeError(rows.place, "given", "none: every role has a tensor by its name");
  if (held.length > 1 && head.channelOrder === "separate") {
    const wanted = `{${held.join(", ")}}, because head ${head.name} has channelOrder "separate"`;
    throw typeError(rows.place, `a tensor of ${held.join(" and ")}`, wanted);
  }
}

/** What the outputs are read for. */
interface Context {
  readonly place: Place;
  readonly head: HeadSpec;
  readonly levels: readonly Level[];
}

/** Every role of the head has a tensor, and no tensor is beside them. */
function checkRoles({ place: { op, argument }, head }: Context, given: readonly GivenTensor[]): void {
  const roles = [...channelsOf(head).keys()];
  refuseOddRoles(head, given);
  const missing = roles.filter((role) => given.every((tensor) => tensor.role !== role));
  const unnamed = given.filter(({ role }) => role === null);
  if (missing.length === 0 && unnamed.length > 0) {
    throw typeError(unnamed[0].place, "given", `none beside ${roles.join(" and ")} by name`);
  }
  if (unnamed.length >= missing.length) return;
  if (missing.length < roles.length) {
    throw typeError(
      { op, argument: `${argument}.${missing[unnamed.length]}` },
      "undefined",
      `a tensor or one per level, for head ${head.name}`,
    );
  }
  throw typeError(
    { op, argument },
    given.length === 1 ? "one tensor" : `${given.length} tensors`,
    `{${roles.join(", ")}} or a list, because head ${head.name} has them apart`,
  );
}

/** Refuses a tensor by the name of a role that the head does not have. */
function refuseOddRoles(head: HeadSpec, given: readonly GivenTensor[]): void {
  const roles: readonly NamedRole[] = [...channelsOf(head).keys()];
  const odd = given.find(({ role }) => role !== null && role !== "rows" && !roles.includes(role));
  if (odd === undefined) return;
  throw typeError(odd.place, "given", `none, because head ${head.name} has ${roles.join(" and ")} only`);
}

/**
 * The maps of each role: as their names say, else as their number of channels does. Where roles have as many, the order of the
 * family's export decides: role by role, or level by level.
 */
function assignRoles(
  context: Context,
  { held, widths }: Arrangement,
  maps: readonly TensorMap[],
): Map<Role, readonly TensorMap[]> {
  const { head, levels } = context;
  const named = new Set(maps.map(({ role }) => role));
  const open = [...widths].filter(([role]) => !named.has(role));
  const found = new Map<NamedRole, TensorMap[]>([...widths.keys()].map((role) => [role, []]));
  for (const map of maps) if (map.role !== null) found.get(map.role)?.push(map);
  const unnamed = maps.filter(({ role }) => role === null);
  for (const width of new Set(unnamed.map(({ channels }) => channels))) {
    const alike = unnamed.filter(({ channels }) => channels === width);
    const same = open.filter(([, channels]) => channels === width).map(([role]) => role);
    const order = same.length === 1 ? same : inListOrder(context, same, width);
    alike.forEach((map, i) => found.get(order[groupOf(alike, i, order.length, levels.length)])?.push(map));
  }
  const kept = head.refined ? keepRefined(found, levels.length) : found;
  return new Map([...channelsOf(head).keys()].map((role) => {
    return [role, kept.get(held.includes(role) ? "rows" : role) ?? []];
  }));
}

/** Which of so many groups the i-th map is of; maps beyond the last group, as refined boxes, are of the last. */
function groupOf(maps: readonly TensorMap[], i: number, groups: number, levels: number): number {
  const levelByLevel = maps.length > groups && maps[0].anchors === maps[1].anchors;
  if (levelByLevel) return Math.min(i % Math.max(groups, Math.round(maps.length / levels)), groups - 1);
  return Math.min(Math.floor(i / (maps.length > groups ? levels : 1)), groups - 1);
}

/** Roles of one width in the order in which the family's export lists them. */
function inListOrder({ place, head }: Context, roles: readonly NamedRole[], width: number): readonly NamedRole[] {
  const family = familyOf(head);
  if (family === undefined) {
    throw typeError(
      place,
      `a list in which ${roles.join(" and ")} have ${width} channels each`,
      `{${[...channelsOf(head).keys()].join(", ")}}: head ${head.name} is of no family whose order is known`,
    );
  }
  const order: readonly NamedRole[] = family.boxesFirst
    ? ["rows", "boxes", "objectness", "classes"]
    : ["rows", "classes", "boxes", "objectness"];
  return [...order, ...attachmentsOf(head)].filter((role) => roles.includes(role));
}

/** Initial and refined boxes may both be there, the refined last; only these are used. */
function keepRefined(found: Map<NamedRole, TensorMap[]>, levels: number): Map<NamedRole, TensorMap[]> {
  const boxes = found.get("boxes") ?? [];
  const classes = found.get("classes") ?? [];
  if (classes.length !== levels || boxes.length !== 2 * levels) return found;
  const levelByLevel = levels > 1 && boxes[0].anchors === boxes[1].anchors;
  return new Map(found).set("boxes", boxes.filter((_, i) => levelByLevel ? i % 2 === 1 : i >= levels));
}

/** A tensor with every reading of its shape that fits: its channels one of `widths`, its anchors those of a level or of all. */
interface ReadTensor {
  readonly given: GivenTensor;
  readonly source: AnySource;
  readonly fits: readonly Reading[];
}

function readMap({ head, levels }: Context, given: GivenTensor, widths: readonly number[]): ReadTensor {
  const { place, value } = given;
  const extents = extentsOf(levels);
  const source = tensorAnywhere(place, value, (length) => bareShape(length, head, widths, extents));
  const isFit = ({ channels, anchors }: Reading) => widths.includes(channels) && extents.includes(anchors);
  const fits = readingsOf(source.dims, head).filter(isFit);
  if (fits.length > 0) return { given, source, fits };
  const stacks = stacksOf(head);
  const extent = isListed(head) ? "rows" : "anchors";
  const wanted = [...new Set(widths)].flatMap((w) => stacks.map((n) => shapeOf(batchShape(head, n * w, extent))));
  const perCell = stacks.length === 1 ? stacks[0] : 1;
  const counts = (levels.length === 1 ? extents.slice(0, 1) : extents).map((count) => count / perCell);
  const anchors = isListed(head)
    ? ""
    : `; ${perCell === 1 ? "anchors" : `anchors, ${perCell} to a cell, each`}: ${listOfCounts(counts)}`;
  throw typeError(
    place,
    describeTensor(value, source),
    `${wanted.join(" or ")} for head ${head.name} with ${head.numClasses} ${
      head.numClasses === 1 ? "class" : "classes"
    }` + anchors + misfit(source.dims, head, widths, isFit),
  );
}

/** Of all levels, and of each. */
function listOfCounts([all, ...each]: readonly number[]): string {
  return each.length === 0 ? `${all}` : `${all} in all or ${each.join(", ")} by level`;
}

/** What else the shape may be. */
function misfit(
  dims: readonly number[],
  head: HeadSpec,
  widths: readonly number[],
  isFit: (reading: Reading) => boolean,
): string {
  const other = head.layout === "rows" ? "channels-first" : "rows";
  if (readingsOf(dims, { ...head, layout: other }).some(isFit)) return `; it fits layout: "${other}"`;
  const detections = describeDetections(dims);
  if (detections !== null && !isListed(head)) return `; ${detections}`;
  // With the anchors of a level or of all; rows may be any number.
  const readings = readingsOf(dims, head);
  const ofLevels = isListed(head) ? readings : readings.filter((each) => isFit({ ...each, channels: widths[0] }));
  if (dims.length === 4 && ofLevels.length === 0 && head.maskCoefficients === undefined) {
    return "; prototypes of masks want maskCoefficients of the head";
  }
  const channels = ofLevels.map((each) => each.channels);
  if (channels.includes(1)) {
    return "; leave it out if it is neither, as the sum of scores that RKNN's exports have for each level";
  }
  if (head.channelOrder === "box-first" && channels.some((count) => count > Math.min(...widths))) {
    return "; maskCoefficients, keypoints and angle of the head say what channels behind the classes are";
  }
  return "";
}

/** Rows at most of networks that list what they found. */
export const MOST_LISTED = 1000;

/** Channels of a detection with 32 mask coefficients, or with 17 keypoints of three values. */
const DETECTION_WIDTHS = [38, 57];

/** Words for a shape that graphs with NMS inside give; null for others. */
export function describeDetections(dims: readonly number[]): string | null {
  const [rows, columns] = dims.slice(-2);
  const few = dims.length <= 3 && dims.length >= 2 && rows > 0 && rows <= MOST_LISTED;
  if (!few || !(columns === 6 || columns === 7 || (DETECTION_WIDTHS.includes(columns) && [100, 300].includes(rows)))) {
    return null;
  }
  const more = { 7: ", and an angle", 38: ", and 32 mask coefficients", 57: ", and 17 keypoints" }[columns] ?? "";
  return `these are detections already, it seems: ${rows} rows of ${columns} with box, score and class${more}`;
}

function batchShape(head: HeadSpec, channels: number, anchors: number | string): never[] {
  return (head.layout === "channels-first" ? ["B", channels, anchors] : ["B", anchors, channels]) as never[];
}

/** A bare array has the shape of the first extent that divides its length. */
function bareShape(length: number, head: HeadSpec, widths: readonly number[], extents: readonly number[]): number[] {
  const [stacked] = stacksOf(head);
  for (const anchors of extents) {
    for (const channels of widths) {
      const images = length / (channels * anchors);
      if (!Number.isInteger(images)) continue;
      return head.layout === "channels-first"
        ? [images, stacked * channels, anchors / stacked]
        : [images, anchors, channels];
    }
  }
  return [length];
}

/** Joins the readings that agree on the number of images: the first that has every level. */
function joinAgreeing(
  context: Context,
  tensors: readonly ReadTensor[],
  arrangement: Arrangement,
): Omit<ResolvedOutputs, "prototypes"> {
  let failure: unknown = null;
  for (const images of new Set(tensors[0].fits.map((fit) => fit.images))) {
    const maps = tensors.flatMap(({ given: { place, role }, source, fits }) => {
      const fit = fits.find((fit) => fit.images === images);
      return fit === undefined ? [] : [{ place, role, source, ...fit }];
    });
    if (maps.length < tensors.length) continue;
    try {
      return { images, parts: joinRoles(context, assignRoles(context, arrangement, maps), arrangement.held) };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure ?? disagreement(tensors);
}

/** Tensors of which no reading has as many images as the first. */
function disagreement([first, ...others]: readonly ReadTensor[]): TypeError {
  const counts = new Set(first.fits.map(({ images }) => images));
  const odd = others.find(({ fits }) => fits.every(({ images }) => !counts.has(images))) ?? others[0];
  const wanted = `${[...counts].join(" or ")}, as in ${first.given.place.argument}`;
  return typeError(odd.given.place, `a batch of ${odd.fits[0].images}`, wanted);
}

/** Anchors of a part: of all levels, of one, or of one plane of stacked channels. */
interface Run {
  readonly firstAnchor: number;
  readonly anchors: number;
  /** Index of the level whose map has them, where each level has one. */
  readonly level: number;
  /** Anchors of a cell that are stacked before them. */
  readonly index: number;
  /** The first of their cells among those of all levels. */
  readonly firstCell: number;
}

/** Fields of all roles, cut by level unless every role has all anchors in one tensor. */
function joinRoles(
  { place, head, levels }: Context,
  byRole: Map<Role, readonly TensorMap[]>,
  held: readonly Role[],
): Part<AnySource>[] {
  const ordered = new Map([...byRole].map(([role, maps]) => [role, byLevel(place, role, maps, levels)]));
  const widths = channelsOf(head);
  return runsOf(head, byRole, levels).map((run) => {
    const field = (role: Role) => {
      return fieldOf(head, role, firstChannel(head, role, held), widths.get(role) ?? 0, ordered.get(role) ?? [], run);
    };
    const fieldOrNull = (role: Role) => byRole.has(role) ? field(role) : null;
    return {
      firstAnchor: run.firstAnchor,
      anchors: run.anchors,
      classes: field("classes"),
      boxes: field("boxes"),
      objectness: fieldOrNull("objectness"),
      maskCoefficients: fieldOrNull("maskCoefficients"),
      keypoints: fieldOrNull("keypoints"),
      angles: fieldOrNull("angles"),
    };
  });
}

function runsOf(head: HeadSpec, byRole: Map<Role, readonly TensorMap[]>, levels: readonly Level[]): Run[] {
  const total = anchorsIn(levels);
  if (head.anchors !== undefined && head.layout === "channels-first") {
    let firstCell = 0;
    return planesOf(levels).map(({ firstAnchor, anchors, level, index }) => {
      if (index === 0 && level > 0) firstCell += levels[level - 1].width * levels[level - 1].height;
      return { firstAnchor, anchors, level, index, firstCell };
    });
  }
  const whole = [...byRole.values()].every((maps) => maps.length === 1 && maps[0].anchors === total);
  if (whole) return [{ firstAnchor: 0, anchors: total, level: 0, index: 0, firstCell: 0 }];
  return levels.map(({ firstAnchor, anchors }, level) => {
    return { firstAnchor, anchors, level, index: 0, firstCell: firstAnchor };
  });
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
  const surplus = complete.length === levels.length
    ? `; leave out ${
      left.map((map) => map.place.argument).join(", ")
    } if those are sums of scores, as in RKNN's exports`
    : "";
  throw typeError(
    place,
    got,
    `one of ${anchorsIn(levels)} or one per level of ${levels.map((l) => l.anchors).join(", ")}${surplus}`,
  );
}

function fieldOf(
  head: HeadSpec,
  role: Role,
  first: number,
  width: number,
  maps: readonly TensorMap[],
  run: Run,
): Field<AnySource> {
  const shared = maps.length === 1;
  const map = shared ? maps[0] : maps[run.level];
  const allAnchors = map.anchors / map.stacked;
  return {
    argument: map.place.argument,
    source: map.source,
    channelsFirst: head.layout === "channels-first",
    channels: readChannels(head, role, width),
    firstChannel: run.index * map.channels + first,
    allChannels: map.stacked * map.channels,
    anchors: run.anchors,
    firstAnchor: shared && allAnchors !== run.anchors ? run.firstCell : 0,
    allAnchors,
  };
}
