/**
 * COCO's run lengths for users: bitmaps and polygons to them and back, areas and overlaps.
 */
import { areaOf, codeOf, readRuns, readSize } from "../run_lengths.ts";
import { arrayOf, describe, listOf, typeError } from "../validate.ts";
import { maskOf, maskOverlaps } from "./masks.ts";
import { polygonRuns } from "./polygon_runs.ts";
import type { Polygons, RunLengthCode } from "./types.ts";

/** What `rle` has. Codes are checked: counts that are not all pixels of `size` are a RangeError. */
export interface Rle {
  /**
   * A bitmap (height · width) row by row, as `Masks.bitmap` gives it, to COCO's text; what is not 0 belongs to the mask.
   *
   * @example
   * ```ts
   * import { rle } from "densehead/eval";
   *
   * console.log(rle.encode(Uint8Array.of(0, 1, 1, 0, 1, 1), [2, 3])); // → { size: [2, 3], counts: "24" }
   * ```
   */
  encode(bitmap: Uint8Array, size: readonly [number, number]): { size: [number, number]; counts: string };
  /** The bitmap (height · width) row by row, of 0 and 1. */
  decode(code: RunLengthCode): Uint8Array;
  /** The union of polygons of at least three points each, to the pixel as COCO's tools make it. */
  fromPolygons(polygons: Polygons, size: readonly [number, number]): { size: [number, number]; counts: string };
  /** Pixels of the mask. */
  area(code: RunLengthCode): number;
  /**
   * (detections · truths) IoU, row-major; of a crowd the share of the detection that lies in it. 0 where nothing is in both. All
   * are of one size.
   */
  iou(detections: readonly object[], truths: readonly object[], crowd?: readonly (0 | 1)[]): Float64Array;
}

/**
 * Masks as COCO's run lengths, column by column; the same bytes as pycocotools.
 *
 * @example
 * ```ts
 * import { rle } from "densehead/eval";
 *
 * const triangle = rle.fromPolygons([[1, 1, 5, 1, 1, 5]], [6, 8]);
 * console.log(rle.area(triangle), triangle.counts); // → 6, "733O1Oh0"
 * const upperHalf = rle.encode(new Uint8Array(48).fill(1, 0, 24), [6, 8]);
 * console.log(rle.iou([triangle], [upperHalf])); // → [0.2]
 * ```
 */
export const rle: Rle = { encode, decode, fromPolygons, area, iou };

function encode(bitmap: Uint8Array, size: readonly [number, number]): { size: [number, number]; counts: string } {
  const [height, width] = readSize({ op: "rle.encode", argument: "size" }, size);
  const { data } = arrayOf({ op: "rle.encode", argument: "bitmap" }, "Uint8Array", bitmap, height * width);
  const counts: number[] = [];
  let run = 0;
  let inside = false;
  for (let x = 0; x < width; x++) {
    for (let i = x; i < data.length; i += width) {
      if ((data[i] !== 0) !== inside) {
        counts.push(run);
        run = 0;
        inside = !inside;
      }
      run++;
    }
  }
  counts.push(run);
  return codeOf({ height, width, counts });
}

function decode(code: RunLengthCode): Uint8Array {
  const { height, width, counts } = readRuns({ op: "rle.decode", argument: "code" }, code);
  const bitmap = new Uint8Array(height * width);
  let pixel = 0;
  counts.forEach((count, i) => {
    if (i % 2 === 1) {
      for (let p = pixel; p < pixel + count; p++) bitmap[p % height * width + Math.floor(p / height)] = 1;
    }
    pixel += count;
  });
  return bitmap;
}

function fromPolygons(polygons: Polygons, size: readonly [number, number]): { size: [number, number]; counts: string } {
  const op = "rle.fromPolygons";
  return codeOf(polygonRuns({ op, argument: "polygons" }, polygons, readSize({ op, argument: "size" }, size)));
}

function area(code: RunLengthCode): number {
  return areaOf(readRuns({ op: "rle.area", argument: "code" }, code));
}

function iou(detections: readonly object[], truths: readonly object[], crowd?: readonly (0 | 1)[]): Float64Array {
  const op = "rle.iou";
  const read = (argument: string, value: unknown) => {
    const codes = listOf(value);
    if (codes === null) throw typeError({ op, argument }, describe(value), "an array of { size, counts }");
    return codes.map((code, i) => readRuns({ op, argument: `${argument}[${i}]` }, code));
  };
  const [found, objects] = [read("detections", detections), read("truths", truths)];
  const flags = crowd === undefined ? objects.map(() => 0) : listOf(crowd);
  if (flags?.length !== objects.length) {
    throw typeError({ op, argument: "crowd" }, describe(crowd), `${objects.length} values`);
  }
  const first = found[0] ?? objects[0];
  for (const [argument, list] of [["detections", found], ["truths", objects]] as const) {
    list.forEach(({ height, width }, i) => {
      if (height === first.height && width === first.width) return;
      const wanted = `[${first.height}, ${first.width}], as that of the first`;
      throw new RangeError(`${op}: ${argument}[${i}].size is [${height}, ${width}]; wanted ${wanted}`);
    });
  }
  return maskOverlaps(found.map(maskOf), objects.map(maskOf), flags.map(Boolean));
}
