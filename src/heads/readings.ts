/**
 * What the shape of a tensor can mean to a head.
 */
import type { HeadSpec } from "../types.ts";

/** One meaning of a shape. */
export interface Reading {
  readonly images: number;
  /** Channels of one anchor. */
  readonly channels: number;
  readonly anchors: number;
  /** Anchors of a cell whose channels stand one after the other: (B, stacked · channels, cells). Else 1. */
  readonly stacked: number;
}

type Layout = Pick<HeadSpec, "layout" | "anchors" | "anchorsPerCell">;

const ONE: readonly number[] = [1];

/** Numbers of anchors whose channels a map may stack, channels first; the levels of a head may differ in them. */
export function stacksOf({ layout, anchors }: Layout): readonly number[] {
  if (layout === "rows" || anchors === undefined) return ONE;
  return [...new Set(anchors.map(({ length }) => length / 2))];
}

/** Every reading of a shape: with or without a batch axis, anchors flat, as height and width, or each with these of its own. */
export function readingsOf(dims: readonly number[], head: Layout): Reading[] {
  const stacks = stacksOf(head);
  if (stacks === ONE) return plainReadings(dims, head);
  return stacks.flatMap((stacked) =>
    plainReadings(dims, head)
      .filter(({ channels }) => channels % stacked === 0)
      .map(({ images, channels, anchors }) => {
        return { images, channels: channels / stacked, anchors: anchors * stacked, stacked };
      })
  );
}

function plainReadings(dims: readonly number[], { layout, anchors, anchorsPerCell = 1 }: Layout): Reading[] {
  const [a, b, c, d, e] = dims;
  const channelsFirst = layout === "channels-first";
  const reading = (images: number, channels: number, anchors: number) => ({ images, channels, anchors, stacked: 1 });
  switch (dims.length) {
    case 2:
      return channelsFirst ? [reading(1, a, b)] : [reading(1, b, a)];
    case 3:
      return channelsFirst ? [reading(a, b, c), reading(1, a, b * c)] : [reading(a, c, b), reading(1, c, a * b)];
    case 4:
      if (channelsFirst) return [reading(a, b, c * d)];
      return anchors === undefined && anchorsPerCell === 1
        ? [reading(a, d, b * c)]
        : [reading(a, d, b * c), reading(1, d, a * b * c)];
    case 5:
      return channelsFirst ? [reading(a, b * c, d * e)] : [reading(a, e, b * c * d)];
    default:
      return [];
  }
}
