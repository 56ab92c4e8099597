/**
 * The shape of detections' distributions: how sure each side is.
 */
import { levelOf } from "../heads/levels.ts";
import { type BinStatistics, binStatistics } from "./bin_values.ts";
import { type AnchorGroup, boxGroupSize, forEachGroup, gather } from "./groups.ts";
import { type ImageRun, scoped } from "./image_run.ts";

/** Of each side of each detection: deviation and excess in pixels of the network input, saturation as a share of 1. */
export interface SideStatistics {
  readonly std: Float32Array;
  readonly saturation: Float32Array;
  readonly excess: Float32Array;
}

export function emptyStatistics(detections: number): SideStatistics {
  const values = () => new Float32Array(detections * 4);
  return { std: values(), saturation: values(), excess: values() };
}

/** For detections in any order. */
export function sideStatistics(run: ImageRun, anchors: Int32Array): SideStatistics {
  const { backend, parts, settings: { head, levels } } = run;
  const count = anchors.length;
  const statistics = emptyStatistics(count);
  const order = Array.from(anchors.keys()).sort((a, b) => anchors[a] - anchors[b]);
  const { channels } = parts[0].boxes;
  const size = boxGroupSize(run, count);
  /** Side i of a group, in bins. */
  const write = (group: AnchorGroup, i: number, side: Omit<BinStatistics, "mean">) => {
    const detection = order[group.at + (i >> 2)];
    const to = 4 * detection + (i & 3);
    const { stride } = levelOf(levels, anchors[detection]);
    statistics.std[to] = side.std * stride;
    statistics.saturation[to] = side.saturation;
    statistics.excess[to] = side.excess * stride;
  };
  scoped(run, (own) => {
    const list = { anchors: own.allocate(count * 4), count };
    const staging = own.allocate(backend.stagingBytes(size * channels));
    const [std, entropy, top, last, excess] = Array.from({ length: 5 }, () => own.allocate(size * 16));
    order.forEach((from, i) => backend.memory.ints[(list.anchors >> 2) + i] = anchors[from]);
    forEachGroup(own, list, size, (group) => {
      const strides = gather(own, group.part.boxes, group, staging);
      if (head.binValues !== undefined) {
        const values = backend.memory.view(Float32Array, staging, group.count * channels);
        for (let i = 0; i < 4 * group.count; i++) {
          const first = ((i >> 2) * strides.anchor + (i & 3) * (channels / 4) * strides.channel) >> 2;
          write(group, i, binStatistics({ values, first, step: strides.channel >> 2 }, head.binValues));
        }
        return;
      }
      const distributions = [staging, strides.anchor, strides.channel, group.count, channels / 4] as const;
      backend.kernels.dfl_statistics(...distributions, std, entropy, top, last, excess);
      const { floats } = backend.memory;
      for (let i = 0; i < 4 * group.count; i++) {
        write(group, i, {
          std: floats[(std >> 2) + i],
          saturation: floats[(last >> 2) + i],
          excess: floats[(excess >> 2) + i],
        });
      }
    });
  });
  return statistics;
}
