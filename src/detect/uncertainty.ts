/**
 * The shape of detections' distributions: how sure each side is.
 */
import { levelOf } from "../heads/levels.ts";
import { boxGroupSize, forEachGroup, gather } from "./groups.ts";
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
  const { backend, parts, settings: { levels } } = run;
  const count = anchors.length;
  const statistics = emptyStatistics(count);
  const order = Array.from(anchors.keys()).sort((a, b) => anchors[a] - anchors[b]);
  const { channels } = parts[0].boxes;
  const size = boxGroupSize(run, count);
  scoped(run, (own) => {
    const list = { anchors: own.allocate(count * 4), count };
    const staging = own.allocate(backend.stagingBytes(size * channels));
    const [std, entropy, top, last, excess] = Array.from({ length: 5 }, () => own.allocate(size * 16));
    order.forEach((from, i) => backend.memory.ints[(list.anchors >> 2) + i] = anchors[from]);
    forEachGroup(own, list, size, (group) => {
      const strides = gather(own, group.part.boxes, group, staging);
      const distributions = [staging, strides.anchor, strides.channel, group.count, channels / 4] as const;
      backend.kernels.dfl_statistics(...distributions, std, entropy, top, last, excess);
      const { floats } = backend.memory;
      for (let i = 0; i < 4 * group.count; i++) {
        const detection = order[group.at + (i >> 2)];
        const to = 4 * detection + (i & 3);
        const { stride } = levelOf(levels, anchors[detection]);
        statistics.std[to] = floats[(std >> 2) + i] * stride;
        statistics.saturation[to] = floats[(last >> 2) + i];
        statistics.excess[to] = floats[(excess >> 2) + i] * stride;
      }
    });
  });
  return statistics;
}
