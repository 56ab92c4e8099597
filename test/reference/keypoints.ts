/** Keypoints from the channels of a row, in float64: x, y, visibility of each, in pixels of the network's input. */
import type { HeadSpec, ImageTransform } from "densehead";
import { points } from "./detect.ts";

export interface KeypointSettings {
  readonly head: HeadSpec;
  readonly imageSize: readonly [number, number];
  readonly clip?: boolean;
  readonly transform?: ImageTransform;
}

const clamp = (value: number, most: number) => value < 0 ? 0 : value > most ? most : value;

/** Of one row; anchors are those of `detect`. */
export function keypoints(settings: KeypointSettings, anchor: number, channels: ArrayLike<number>): number[] {
  const { head, imageSize: [height, width], clip, transform } = settings;
  if (head.keypoints === undefined) throw new Error("a head with keypoints");
  const { count, dims, coding } = head.keypoints;
  const isListed = (head.selection ?? "dense") !== "dense";
  const { column, row, stride } = isListed ? { column: 0, row: 0, stride: 1 } : points(head, [height, width])[anchor];
  const place = (v: number, cell: number, size: number) => {
    if (coding === "yolov8") return (2 * v + cell) * stride;
    if (coding === "yolo26") return (v + cell + 0.5) * stride;
    if (coding === "yolox") return (v + cell) * stride;
    return head.boxUnit === "image" ? v * size : v;
  };
  return Array.from({ length: count }, (_, k) => k * dims).flatMap((at) => {
    let [x, y] = [place(channels[at], column, width), place(channels[at + 1], row, height)];
    if (clip) [x, y] = [clamp(x, width), clamp(y, height)];
    if (transform !== undefined) {
      [x, y] = [(x - transform.padX) / transform.scaleX, (y - transform.padY) / transform.scaleY];
      if (transform.clip !== undefined) [x, y] = [clamp(x, transform.clip[1]), clamp(y, transform.clip[0])];
    }
    const v = dims === 2 ? 1 : channels[at + 2];
    return [x, y, dims === 2 ? 1 : coding === "pixel" ? clamp(v, 1) : 1 / (1 + Math.exp(-v))];
  });
}
