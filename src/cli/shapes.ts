/**
 * What the shapes of outputs say by themselves: channels, anchors, and cells where height and width are apart.
 */
import { stacksOf } from "../heads/readings.ts";
import type { HeadSpec, HostTensor } from "../types.ts";
import { UsageError } from "./errors.ts";

/** One tensor's shape as a head lays it out. */
export interface Reading {
  /** Of one anchor. */
  readonly channels: number;
  readonly anchors: number;
  /** Rows and columns of cells. */
  readonly cells?: readonly [number, number];
}

/**
 * Reads tensors of one output together, because three axes can be (batch, channels, anchors) or (channels, height,
 * width): a batch axis is as long in every tensor, and in one tensor per level all have as many channels.
 */
export function readShapes(tensors: readonly HostTensor[], head: HeadSpec): Reading[] {
  const cubes = tensors.map((t) => t.dims).filter((dims) => dims.length === 3);
  const same = (axis: number) => cubes.every((dims) => dims[axis] === cubes[0][axis]);
  const batched = same(0) && (head.layout === "rows" || head.channelOrder === "separate" || same(1) || same(2));
  const [stacked] = stacksOf(head);
  return tensors.map(({ dims }) => {
    const { channels, anchors, cells } = readShape(dims, head.layout === "rows", batched);
    return { channels: channels / stacked, anchors: anchors * stacked, cells };
  });
}

function readShape(dims: readonly number[], rows: boolean, batched: boolean): Reading {
  const inner = dims.length > 3 || (dims.length === 3 && batched) ? dims.slice(1) : dims;
  const spatial = rows ? inner.slice(0, -1) : inner.slice(1);
  const channels = rows ? inner[inner.length - 1] : inner[0];
  if (spatial.length === 1) return { channels, anchors: spatial[0] };
  const [height, width] = spatial.slice(-2);
  const cells = [height, width] as const;
  if (spatial.length === 2) return { channels, anchors: height * width, cells };
  if (spatial.length === 3 && rows) return { channels, anchors: spatial[0] * height * width, cells };
  if (spatial.length === 3) return { channels: channels * spatial[0], anchors: height * width, cells };
  throw new UsageError(`a tensor has shape (${dims.join(", ")}); wanted 2 to 5 axes`);
}
