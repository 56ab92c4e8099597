/**
 * Masks from the plain data of detections.
 */
import { MaskList } from "../masks/mask_list.ts";
import type { MaskWindow } from "../masks/mask_pixels.ts";
import { StoredMasks, windowOf } from "../masks/stored_masks.ts";
import { readRuns, readSize, type Runs } from "../run_lengths.ts";
import { describe, integer, known, listOf, type Place, rangeError, typeError } from "../validate.ts";

/** Null where the data have none. Without a frame it is the size of the masks, and crops are what has their pixels. */
export function masksFrom(
  place: (member: string) => Place,
  { masks, maskFrame }: Readonly<Record<string, unknown>>,
  length: number,
): MaskList | null {
  if (masks === undefined && maskFrame === undefined) return null;
  const codes = listOf(masks);
  if (codes === null || codes.length !== length) {
    throw typeError(place("masks"), describe(masks), `an array of ${length} run lengths, as toJSON gives it`);
  }
  const runs = codes.map((code, i) => readRuns(place(`masks[${i}]`), code));
  const frame = maskFrame === undefined ? null : readFrame(place, maskFrame, length);
  const [height, width] = frame?.size ?? [runs[0]?.height ?? 0, runs[0]?.width ?? 0];
  runs.forEach((mask, i) => {
    if (mask.height === height && mask.width === width) return;
    throw rangeError(place(`masks[${i}].size`), `[${mask.height}, ${mask.width}]`, `[${height}, ${width}]`);
  });
  const windows = runs.map((mask, i) => frame === null ? windowOf(mask) : cropOf(place, frame, mask, i));
  return new MaskList(new StoredMasks(height, width, runs, windows));
}

interface Frame {
  readonly size: readonly [number, number];
  readonly crops: readonly unknown[];
}

function readFrame(place: (member: string) => Place, frame: unknown, length: number): Frame {
  if (typeof frame !== "object" || frame === null) {
    throw typeError(place("maskFrame"), describe(frame), "{ size, crops }");
  }
  known(place("").op, "json.maskFrame", frame, ["size", "crops"]);
  const { size, crops } = frame as { readonly size?: unknown; readonly crops?: unknown };
  const list = listOf(crops);
  if (list?.length !== 4 * length) {
    throw typeError(place("maskFrame.crops"), describe(crops), `an array of ${4 * length} numbers`);
  }
  return { size: readSize(place("maskFrame.size"), size), crops: list };
}

/** The crop of mask i: in the frame, and with all of the mask's pixels. */
function cropOf(place: (member: string) => Place, { size, crops }: Frame, mask: Runs, i: number): MaskWindow {
  const [height, width] = size;
  const [x, y, columns, rows] = [width, height, width, height].map((most, k) => {
    return integer(place(`maskFrame.crops[${4 * i + k}]`), crops[4 * i + k], 0, most);
  });
  const least = windowOf(mask);
  const holds = x + columns <= width && y + rows <= height &&
    (least.width === 0 || (x <= least.x && y <= least.y && least.x + least.width <= x + columns &&
      least.y + least.height <= y + rows));
  if (!holds) {
    throw rangeError(
      place(`maskFrame.crops of mask ${i}`),
      `[${[x, y, columns, rows].join(", ")}]`,
      "one around the mask, in the frame",
    );
  }
  return { x, y, width: columns, height: rows };
}
