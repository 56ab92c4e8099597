/** The head that `detect` is measured on: YOLOv8 at 640 × 640, (1, 144, 8400) channels-first. */
export const IMAGE = 640;
export const STRIDES = [8, 16, 32] as const;
export const CLASSES = 80;
export const BINS = 16;
export const BOX_CHANNELS = 4 * BINS;
export const CHANNELS = BOX_CHANNELS + CLASSES;

/** Point of each anchor in pixels, and its stride. */
export interface AnchorGrid {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly stride: Float32Array;
}

/** Anchors level by level, each level row by row. */
export function anchorGrid(): AnchorGrid {
  const points = STRIDES.flatMap((stride) => {
    const cells = IMAGE / stride;
    return Array.from({ length: cells * cells }, (_, cell) => ({
      x: (cell % cells + 0.5) * stride,
      y: (Math.floor(cell / cells) + 0.5) * stride,
      stride,
    }));
  });
  return {
    x: Float32Array.from(points, (point) => point.x),
    y: Float32Array.from(points, (point) => point.y),
    stride: Float32Array.from(points, (point) => point.stride),
  };
}

export const ANCHORS = STRIDES.reduce(
  (sum, stride) => sum + (IMAGE / stride) ** 2,
  0,
);

/** What every peer is asked to keep: the best class of each anchor, NMS within each class. */
export const KEEP = {
  scoreThreshold: 0.25,
  iouThreshold: 0.6,
  maxDetections: 300,
} as const;
