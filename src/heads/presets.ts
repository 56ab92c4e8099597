/**
 * The well-known heads: one record each. Nothing else lists them: `heads`, its type, what `heads.infer` tries, the command,
 * the docs and the tests are made from the records. The comment above a record is its documentation.
 *
 * Facts are those of each family's own code: reg_max is translated to a number of bins.
 */
import type { InputName } from "../pixels/presets.ts";
import type { HeadOptions, HeadSpec, KeypointSpec } from "../types.ts";

export interface Preset {
  /** The head by default; its name is the record's. */
  readonly head: Omit<HeadSpec, "name">;
  /** What differs where boxes have an angle. */
  readonly rotated?: HeadOptions;
  /** The preset of `inputs` that the family usually sees its image as; none where projects differ or ours have it not. */
  readonly input?: InputName;
  /** Does a list of the family's tensors have boxes before classes, where they stand apart? */
  readonly boxesFirst?: boolean;
  /** How its outputs come, in the order in which `heads.infer` tries them; empty: as those of an earlier preset. */
  readonly exports: readonly HeadExport[];
}

/** A way in which a family's outputs come. */
export interface HeadExport {
  /** What is not as the preset has it. */
  readonly changes?: HeadOptions;
  /** Made by cutting a graph, or the preset of a relative: tried where no usual export fits. */
  readonly unusual?: boolean;
  /** Kinds of scores that the export has; the first where values tell nothing. Default: the preset's. */
  readonly scores?: readonly HeadSpec["scores"][];
  /** The graph has the decode in it, and so the sigmoid. */
  readonly decoded?: boolean;
  /**
   * "joined" (default): a tensor has the anchors of all levels. "apart": each level has tensors of its own. "free": so it is,
   * and the family's configurations differ in their levels.
   */
  readonly levels?: "joined" | "apart" | "free";
  /** Other levels that the family's configurations have, beside the preset's. */
  readonly strides?: readonly (readonly number[])[];
  /** The family's configurations differ in their bins. */
  readonly freeBins?: boolean;
  /** What may stand behind the classes: the family has networks that find masks, keypoints or turned boxes. */
  readonly attached?: AttachedExport;
}

/** Attachments that an export may have, each alone. */
export interface AttachedExport {
  /** Is no export of this kind without? */
  readonly always?: boolean;
  /** Codings of keypoints, the likeliest first; else the export has only masks. */
  readonly keypoints?: readonly KeypointSpec["coding"][];
  readonly angles?: readonly NonNullable<HeadSpec["angle"]>[];
}

/** Gives a record its type: the declarations of `presets` have names and comments then, and no facts. */
function preset(record: Preset): Preset {
  return record;
}

const GFL: Preset["head"] = {
  numClasses: 80,
  bins: 17,
  strides: [8, 16, 32, 64, 128],
  anchorOffset: 0,
  scores: "logits",
  boxes: "distribution",
  layout: "channels-first",
  channelOrder: "separate",
};

const NANODET: Preset["head"] = { ...GFL, bins: 8, strides: [8, 16, 32], anchorOffset: 0.5, layout: "rows" };

const YOLOV8: Preset["head"] = {
  ...GFL,
  bins: 16,
  strides: [8, 16, 32],
  anchorOffset: 0.5,
  channelOrder: "box-first",
};

const YOLOX: Preset["head"] = {
  ...YOLOV8,
  bins: 0,
  scores: "probabilities",
  objectness: "multiply",
  layout: "rows",
};

/** Anchors of COCO's objects at strides 8, 16, 32: of YOLOv3 (at 416 pixels), YOLOv5 and YOLOv7-tiny. */
const COCO_ANCHORS = [
  [10, 13, 16, 30, 33, 23],
  [30, 61, 62, 45, 59, 119],
  [116, 90, 156, 198, 373, 326],
];

const YOLOV5: Preset["head"] = {
  ...YOLOX,
  scores: "logits",
  boxes: "anchor-sigmoid",
  anchors: COCO_ANCHORS,
  layout: "channels-first",
};

/** Maps of the last convolutions, or with anchors, height and width as axes of their own. */
const WITH_ANCHORS: readonly HeadExport[] = [
  { levels: "apart", attached: {} },
  { changes: { layout: "rows" }, levels: "apart", attached: {} },
];

const CORNERS: Preset["head"] = {
  ...YOLOV8,
  bins: 0,
  scores: "probabilities",
  boxes: "xyxy",
  layout: "rows",
  channelOrder: "separate",
};

const SELECTED: Preset["head"] = {
  ...YOLOV8,
  bins: 0,
  scores: "probabilities",
  boxes: "xyxy",
  layout: "rows",
  selection: "selected",
};

const QUERIES: Preset["head"] = { ...SELECTED, boxes: "xywh", boxUnit: "image", selection: "queries" };

const DFINE: Preset["head"] = { ...QUERIES, scores: "logits", channelOrder: "separate" };

/** A graph that ends before the decode of boxes may have that of keypoints and angles all the same. */
const RAW_ATTACHED: AttachedExport = { keypoints: ["yolov8", "pixel"], angles: ["sigmoid", "radians"] };

const RAW26_ATTACHED: AttachedExport = { keypoints: ["yolo26", "pixel"], angles: ["radians"] };

const DECODED_ATTACHED: AttachedExport = { keypoints: ["pixel"], angles: ["radians"] };

const DECODED = { bins: 0, scores: "probabilities", boxes: "xywh" } as const;

const EITHER_SCORES = ["probabilities", "logits"] as const;

export const presets = {
  /**
   * GFL (mmdet): classes (B, C, H, W) and 4 · 17 bins per level, strides 8 to 128, points on cell corners.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.gfl({ numClasses: 4, bins: 8 }); // a network with reg_max = 7
   * console.log(head.bins, head.strides); // → 8, [8, 16, 32, 64, 128]
   * ```
   */
  gfl: preset({ input: "gfl", head: GFL, exports: [{ levels: "free", freeBins: true }] }),

  /**
   * VarifocalNet (mmdet): classes and (refined) distances in pixels per level, strides 8 to 128.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.vfnet({ numClasses: 4 });
   * console.log(head.boxes, head.bins); // → "distances", 0
   * ```
   */
  vfnet: preset({
    input: "gfl",
    head: { ...GFL, bins: 0, boxes: "distances", refined: true },
    exports: [{ levels: "free" }],
  }),

  /**
   * NanoDet (first version): rows of classes and of 4 · 8 bins per level, strides 8 to 32, points on cell centres.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.nanodet({ scores: "probabilities", channelOrder: "class-first" }); // tools/export_onnx.py
   * console.log(head.bins, head.anchorOffset); // → 8, 0.5
   * ```
   */
  nanodet: preset({
    input: "nanodet",
    head: NANODET,
    exports: [{ levels: "apart" }, { changes: { channelOrder: "class-first" }, scores: EITHER_SCORES }],
  }),

  /**
   * NanoDet-Plus: (B, A, C + 4 · 8), classes first, strides 8 to 64, points on cell corners.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.nanodetPlus({ scores: "probabilities" }); // tools/export_onnx.py
   * console.log(head.strides); // → [8, 16, 32, 64]
   * ```
   */
  nanodetPlus: preset({
    input: "nanodet",
    head: { ...NANODET, strides: [8, 16, 32, 64], anchorOffset: 0, channelOrder: "class-first" },
    exports: [
      { scores: EITHER_SCORES, strides: [[8, 16, 32]] },
      { changes: { channelOrder: "separate" }, unusual: true, levels: "apart" },
    ],
  }),

  /**
   * PicoDet: rows of probabilities and of 4 · 8 bins per level, strides 8 to 64.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.picodet({ numClasses: 1 });
   * console.log(head.bins, head.strides); // → 8, [8, 16, 32, 64]
   * ```
   */
  picodet: preset({
    input: "picodet",
    head: { ...NANODET, strides: [8, 16, 32, 64], scores: "probabilities" },
    exports: [{ levels: "apart" }],
  }),

  /**
   * PP-YOLOE: probabilities (B, C, A) and bins (B, 4 · 17, A), strides 32, 16, 8 in that order.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.ppyoloe({ bins: 0, boxes: "xyxy", layout: "rows", channelOrder: "box-first" }); // decoded
   * console.log(head.strides); // → [32, 16, 8]
   * ```
   */
  ppyoloe: preset({
    input: "ppyoloe",
    head: { ...GFL, strides: [32, 16, 8], anchorOffset: 0.5, scores: "probabilities" },
    exports: [
      {},
      { changes: { bins: 0, boxes: "xyxy", layout: "rows", channelOrder: "box-first" }, decoded: true },
    ],
  }),

  /**
   * YOLOv6 export: (B, A, 5 + C) of xywh, objectness and probabilities.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolov6({ numClasses: 1 });
   * console.log(head.boxes, head.objectness); // → "xywh", "multiply"
   * ```
   */
  yolov6: preset({
    input: "yolov5",
    head: { ...YOLOX, boxes: "xywh" },
    boxesFirst: true,
    exports: [{ decoded: true }],
  }),

  /**
   * YOLOX export: (B, A, 5 + C) of boxes before their decode, objectness and probabilities.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolox({ numClasses: 1 });
   * console.log(head.boxes, head.anchorOffset); // → "log-size", 0
   * ```
   */
  yolox: preset({
    input: "yolox",
    head: { ...YOLOX, boxes: "log-size", anchorOffset: 0 },
    boxesFirst: true,
    exports: [{}],
  }),

  /**
   * YOLOX exported with the decode in the graph: as YOLOv6.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yoloxDecoded({ numClasses: 1 });
   * console.log(head.boxes, head.objectness); // → "xywh", "multiply"
   * ```
   */
  yoloxDecoded: preset({ input: "yolox", head: { ...YOLOX, boxes: "xywh" }, boxesFirst: true, exports: [] }),

  /**
   * RTMDet (mmdet): classes and distances in pixels per level, strides 8 to 32, points on cell corners.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.rtmdet({ boxUnit: "stride" }); // mmyolo's raw maps
   * console.log(head.boxes, head.strides); // → "distances", [8, 16, 32]
   * ```
   */
  rtmdet: preset({
    input: "rtmdet",
    head: { ...GFL, bins: 0, boxes: "distances", boxUnit: "pixel", strides: [8, 16, 32] },
    exports: [{ levels: "apart" }, { changes: { boxUnit: "stride" }, levels: "apart" }],
  }),

  /**
   * DAMO-YOLO: C + 1 classes, of which the last is not used, and 4 · 17 bins per level, strides 8 to 32, points on cell corners.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const decoded = { bins: 0, boxes: "xyxy", layout: "rows", scores: "probabilities", unusedClasses: 0 } as const;
   * const head = heads.damoYolo(decoded); // tools/converter.py
   * console.log(heads.damoYolo().unusedClasses, head.unusedClasses); // → 1, 0
   * ```
   */
  damoYolo: preset({ head: { ...GFL, strides: [8, 16, 32], unusedClasses: 1 }, exports: [{ levels: "apart" }] }),

  /**
   * YOLO-NAS export: corners (B, A, 4) and probabilities (B, A, C).
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yoloNas({ numClasses: 1 });
   * console.log(head.boxes, head.scores); // → "xyxy", "probabilities"
   * ```
   */
  yoloNas: preset({ head: CORNERS, boxesFirst: true, exports: [{ decoded: true }] }),

  /**
   * YOLOv3 raw: maps (B, 3 · (5 + C), h, w) of boxes, objectness and classes, strides 8, 16, 32 in any order. YOLOv4 has the
   * anchors of YOLOv7.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolov3({ numClasses: 1 });
   * console.log(head.boxes, head.anchors?.[0]); // → "anchor-exp", [10, 13, 16, 30, 33, 23]
   * ```
   */
  yolov3: preset({
    input: "yolov5",
    head: { ...YOLOV5, boxes: "anchor-exp" },
    boxesFirst: true,
    exports: WITH_ANCHORS,
  }),

  /**
   * YOLOv5 raw: maps (B, 3 · (5 + C), h, w), or with layout "rows" (B, 3, h, w, 5 + C), of boxes, objectness and classes.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolov5({ layout: "rows" }); // as PyTorch's head gives them in training
   * console.log(head.boxes, head.anchors?.[0]); // → "anchor-sigmoid", [10, 13, 16, 30, 33, 23]
   * ```
   */
  yolov5: preset({ input: "yolov5", head: YOLOV5, boxesFirst: true, exports: WITH_ANCHORS }),

  /**
   * YOLOv7 raw: as YOLOv5, with anchors of its own. YOLOv7-tiny has those of YOLOv5.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolov7({ numClasses: 1 });
   * console.log(head.boxes, head.anchors?.[0]); // → "anchor-sigmoid", [12, 16, 19, 36, 40, 28]
   * ```
   */
  yolov7: preset({
    input: "yolov5",
    head: {
      ...YOLOV5,
      anchors: [
        [12, 16, 19, 36, 40, 28],
        [36, 75, 76, 55, 72, 146],
        [142, 110, 192, 243, 459, 401],
      ],
    },
    boxesFirst: true,
    exports: WITH_ANCHORS,
  }),

  /**
   * YOLOv5 export: (B, A, 5 + C) of xywh, objectness and probabilities, three rows for each cell.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolov5Decoded({ strides: [8, 16, 32, 64] }); // yolov5s6
   * console.log(head.boxes, head.anchorsPerCell); // → "xywh", 3
   * ```
   */
  yolov5Decoded: preset({
    input: "yolov5",
    head: { ...YOLOX, boxes: "xywh", anchorsPerCell: 3 },
    boxesFirst: true,
    exports: [{ decoded: true, strides: [[8, 16, 32, 64]], attached: {} }],
  }),

  /**
   * YOLOv7 export: as YOLOv5.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolov7Decoded({ numClasses: 1 });
   * console.log(head.boxes, head.anchorsPerCell); // → "xywh", 3
   * ```
   */
  yolov7Decoded: preset({
    input: "yolov5",
    head: { ...YOLOX, boxes: "xywh", anchorsPerCell: 3 },
    boxesFirst: true,
    exports: [],
  }),

  /**
   * YOLOv8 raw: (B, 4 · 16 + C, A), boxes first, strides 8, 16, 32, points on cell centres. With `maskCoefficients`, `keypoints`
   * (coding "yolov8") or `angle` ("sigmoid"), -seg, -pose and -obb networks.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolov8({ numClasses: 1 });
   * console.log(4 * head.bins + head.numClasses, head.scores); // → 65, "logits"
   * ```
   */
  yolov8: preset({
    input: "yolov8",
    head: YOLOV8,
    boxesFirst: true,
    exports: [
      { attached: RAW_ATTACHED },
      { changes: { channelOrder: "separate" }, levels: "free", attached: RAW_ATTACHED },
      {
        changes: { bins: 0, boxes: "distances", boxUnit: "stride", channelOrder: "separate" },
        unusual: true,
        levels: "free",
      },
    ],
  }),

  /**
   * YOLO11 raw: as YOLOv8.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolo11({ numClasses: 1 });
   * console.log(head.name, head.bins); // → "yolo11", 16
   * ```
   */
  yolo11: preset({ input: "yolov8", head: YOLOV8, boxesFirst: true, exports: [] }),

  /**
   * YOLOv8 or YOLO11 exported with the decode in the graph: (B, 4 + C, A) of xywh and probabilities. With `maskCoefficients`,
   * `keypoints` (coding "pixel") or `angle` ("radians"), -seg, -pose and -obb networks.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolov8Decoded({ boxUnit: "image" }); // TFLite: boxes from 0 to 1
   * console.log(head.boxes, head.scores); // → "xywh", "probabilities"
   * ```
   */
  yolov8Decoded: preset({
    input: "yolov8",
    head: { ...YOLOV8, ...DECODED },
    boxesFirst: true,
    exports: [
      { decoded: true, attached: DECODED_ATTACHED },
      { changes: { channelOrder: "separate" }, decoded: true, unusual: true, attached: DECODED_ATTACHED },
    ],
  }),

  /**
   * YOLOv10: detections (B, 300, 6) of corners, score and class. No NMS.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolov10({ numClasses: 1 });
   * console.log(head.boxes, head.selection); // → "xyxy", "selected"
   * ```
   */
  yolov10: preset({ input: "yolov8", head: SELECTED, exports: [{ decoded: true }] }),

  /**
   * YOLO26 as it is trained, without NMS: as YOLOv10. Of an -obb network, with `angle`, boxes are xywh.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolo26({ numClasses: 1 });
   * console.log(head.boxes, head.selection); // → "xyxy", "selected"
   * ```
   */
  yolo26: preset({
    input: "yolov8",
    head: SELECTED,
    rotated: { boxes: "xywh" },
    exports: [{ decoded: true, attached: { ...DECODED_ATTACHED, always: true } }],
  }),

  /**
   * YOLO26 (one-to-many) before its decode: (B, 4 + C, A) of distances in strides, and logits. Keypoints of -pose networks have
   * the coding "yolo26", angles of -obb networks are "radians".
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolo26Raw({ numClasses: 1 });
   * console.log(head.boxes, head.boxUnit); // → "distances", "stride"
   * ```
   */
  yolo26Raw: preset({
    input: "yolov8",
    head: { ...YOLOV8, bins: 0, boxes: "distances", boxUnit: "stride" },
    boxesFirst: true,
    exports: [{ unusual: true, attached: RAW26_ATTACHED }],
  }),

  /**
   * YOLO26 (one-to-many) exported with the decode in the graph: as YOLOv8.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.yolo26Decoded({ numClasses: 1 });
   * console.log(head.boxes, head.scores); // → "xywh", "probabilities"
   * ```
   */
  yolo26Decoded: preset({ input: "yolov8", head: { ...YOLOV8, ...DECODED }, boxesFirst: true, exports: [] }),

  /**
   * RT-DETR (Ultralytics): queries (B, 300, 4 + C) of xywh from 0 to 1 and probabilities. No NMS.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.rtdetr({ numClasses: 1 });
   * console.log(head.boxUnit, head.selection); // → "image", "queries"
   * ```
   */
  rtdetr: preset({ input: "rtdetr", head: QUERIES, boxesFirst: true, exports: [{ decoded: true }] }),

  /**
   * D-FINE, DEIM, RT-DETR of transformers: queries with logits (B, 300, C) and boxes (B, 300, 4), xywh from 0 to 1. No NMS.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.dfine({ numClasses: 1 });
   * console.log(head.scores, head.selection); // → "logits", "queries"
   * ```
   */
  dfine: preset({ input: "rtdetr", head: DFINE, exports: [{}] }),

  /**
   * RF-DETR: queries with boxes (B, Q, 4), xywh from 0 to 1, and logits (B, Q, 91): COCO's ids as classes. No NMS.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.rfdetr({ numClasses: 3, unusedClasses: 1 }); // fine-tuned: one logit more than there are classes
   * console.log(head.scores, heads.rfdetr().numClasses); // → "logits", 91
   * ```
   */
  rfdetr: preset({ head: { ...DFINE, numClasses: 91 }, boxesFirst: true, exports: [] }),

  /**
   * DETR: queries with logits (B, 100, 91 + 1), the last of them background, and boxes (B, 100, 4), xywh from 0 to 1. No NMS.
   *
   * @example
   * ```ts
   * import { heads } from "densehead";
   *
   * const head = heads.detr({ numClasses: 1 }); // two logits
   * console.log(head.scores, heads.detr().numClasses); // → "softmax", 91
   * ```
   */
  detr: preset({ head: { ...DFINE, numClasses: 91, scores: "softmax" }, exports: [{}] }),
};

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as readonly PresetName[];

/** The record of the family that a head's name says; undefined where the name is no family's. */
export function familyOf({ name }: HeadSpec): Preset | undefined {
  return Object.hasOwn(presets, name) ? presets[name as PresetName] : undefined;
}
