/**
 * The inputs of well-known networks: one record each, its size left to the caller. Nothing else lists them. The comment above a
 * record is its documentation.
 */
import type { InputSpec } from "../types.ts";

type Preset = Omit<InputSpec, "name" | "size">;

/** Gives a record its type: the declarations of `presets` have names and comments then, and no facts. */
function preset(record: Preset): Preset {
  return record;
}

const YOLO: Preset = { fit: "letterbox" };

/** Mean and standard deviation of ImageNet's bytes, red first, as mmdet and NanoDet write them. */
const MEAN = [123.675, 116.28, 103.53] as const;
const STD = [58.395, 57.12, 57.375] as const;
const BGR_BYTES = { order: "bgr", scale: 1, mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395] } as const;

export const presets = {
  /**
   * YOLOv5 and YOLOv7: letterbox with padding of 114, red first, from 0 to 1.
   *
   * @example
   * ```ts
   * import { inputs } from "densehead";
   *
   * const input = inputs.yolov5({ size: [640, 640] });
   * console.log(input.fit); // → "letterbox"
   * ```
   */
  yolov5: preset(YOLO),

  /**
   * YOLOv8, YOLO11 and YOLO26: as YOLOv5.
   *
   * @example
   * ```ts
   * import { inputs } from "densehead";
   *
   * const input = inputs.yolov8({ size: [640, 640], dtype: "float16" });
   * console.log(input.fit, input.dtype); // → "letterbox", "float16"
   * ```
   */
  yolov8: preset(YOLO),

  /**
   * YOLOX: ratio kept, sizes rounded down, padding of 114 right and below, blue first, bytes as they are.
   *
   * @example
   * ```ts
   * import { inputs } from "densehead";
   *
   * const input = inputs.yolox({ size: [416, 416] });
   * console.log(input.fit, input.order, input.scale); // → "top-left", "bgr", 1
   * ```
   */
  yolox: preset({ fit: "top-left", rounding: "floor", order: "bgr", scale: 1 }),

  /**
   * NanoDet-Plus: stretched, blue first, mean and deviation of ImageNet in bytes. The first NanoDet keeps the ratio.
   *
   * @example
   * ```ts
   * import { inputs } from "densehead";
   *
   * const input = inputs.nanodet({ size: [320, 320], fit: "letterbox" }); // keep_ratio: True
   * console.log(input.order, input.mean?.[0]); // → "bgr", 103.53
   * ```
   */
  nanodet: preset({ fit: "stretch", padValue: 0, ...BGR_BYTES }),

  /**
   * PicoDet: stretched by bicubic interpolation, red first, mean and deviation of ImageNet.
   *
   * @example
   * ```ts
   * import { inputs } from "densehead";
   *
   * const input = inputs.picodet({ size: [320, 320] });
   * console.log(input.resize, input.mean?.[0]); // → "bicubic", 0.485
   * ```
   */
  picodet: preset({ fit: "stretch", resize: "bicubic", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }),

  /**
   * PP-YOLOE+: stretched by bicubic interpolation, red first, from 0 to 1. The first PP-YOLOE has mean and deviation as PicoDet.
   *
   * @example
   * ```ts
   * import { inputs } from "densehead";
   *
   * const input = inputs.ppyoloe({ size: [640, 640] });
   * console.log(input.resize, input.mean); // → "bicubic", undefined
   * ```
   */
  ppyoloe: preset({ fit: "stretch", resize: "bicubic" }),

  /**
   * RTMDet (mmdet): ratio kept, padding of 114 right and below, blue first, mean and deviation of ImageNet in bytes.
   *
   * @example
   * ```ts
   * import { inputs } from "densehead";
   *
   * const input = inputs.rtmdet({ size: [640, 640] });
   * console.log(input.fit, input.order); // → "top-left", "bgr"
   * ```
   */
  rtmdet: preset({ fit: "top-left", ...BGR_BYTES }),

  /**
   * RT-DETR and D-FINE: stretched, red first, from 0 to 1.
   *
   * @example
   * ```ts
   * import { inputs } from "densehead";
   *
   * const input = inputs.rtdetr({ size: [640, 640] });
   * console.log(input.fit, input.order); // → "stretch", undefined
   * ```
   */
  rtdetr: preset({ fit: "stretch" }),

  /**
   * GFL and VarifocalNet (mmdet): ratio kept, padding of 0 right and below, red first, mean and deviation of ImageNet in bytes.
   *
   * @example
   * ```ts
   * import { inputs } from "densehead";
   *
   * const input = inputs.gfl({ size: [800, 1344] });
   * console.log(input.padValue, input.mean?.[0]); // → 0, 123.675
   * ```
   */
  gfl: preset({ fit: "top-left", padValue: 0, order: "rgb", scale: 1, mean: MEAN, std: STD }),
};

export type InputName = keyof typeof presets;

export const inputNames = Object.keys(presets) as readonly InputName[];
