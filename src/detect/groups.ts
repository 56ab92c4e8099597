/**
 * Anchors in groups, each of one part, whose values are gathered from the part's tensors at once.
 */
import { type Field, fieldRows, type Part } from "../heads/outputs.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import type { ImageRun } from "./image_run.ts";

/** Anchors that are gathered at a time: 512 of 4 · 16 bins are 128 KiB. */
const GROUP = 512;
/** Anchors of a tile in the kernel: groups are multiples of it, so that they change no bit. */
const TILE = 128;

/** A sorted list of anchors in linear memory. */
export interface AnchorList {
  readonly anchors: number;
  readonly count: number;
}

/** Anchors of a list that belong to one part. */
export interface AnchorGroup extends AnchorList {
  readonly part: Part;
  /** Index of the first in the list. */
  readonly at: number;
}

/** Anchors of a group whose box channels are gathered: fewer where little memory is allowed. */
export function boxGroupSize({ backend: { chunk }, parts }: ImageRun, count: number): number {
  const fitting = Math.max(TILE, Math.floor(chunk / parts[0].boxes.channels / TILE) * TILE);
  return Math.max(1, Math.min(GROUP, fitting, count));
}

/** Calls back for groups of at most `size` anchors. */
export function forEachGroup(
  { backend, parts }: ImageRun,
  list: AnchorList,
  size: number,
  body: (group: AnchorGroup) => void,
): void {
  let at = 0;
  for (const part of parts) {
    const end = lowerBound(backend, list, part.firstAnchor + part.anchors);
    while (at < end) {
      const count = Math.min(size, end - at);
      body({ part, at, anchors: list.anchors + at * 4, count });
      at += count;
    }
  }
}

/** How many of the list lie before the anchor. */
function lowerBound({ memory: { ints } }: WasmBackend, list: AnchorList, anchor: number): number {
  let low = 0;
  let high = list.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ints[(list.anchors >> 2) + middle] < anchor) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Strides of gathered values, in bytes. */
export interface Strides {
  readonly anchor: number;
  readonly channel: number;
}

/** The field's values of the group at `dst`: (channels, count) or (count, channels), as the field lies. */
export function gather({ backend, image }: ImageRun, field: Field, group: AnchorGroup, dst: number): Strides {
  const { part: { firstAnchor }, anchors, count } = group;
  const rows = fieldRows(field, image);
  if (field.channelsFirst) {
    backend.gatherColumns(field.source, rows, anchors, count, firstAnchor, dst);
    return { anchor: 4, channel: count * 4 };
  }
  backend.gatherRows(field.source, rows, anchors, count, firstAnchor, dst);
  return { anchor: field.channels * 4, channel: 4 };
}
