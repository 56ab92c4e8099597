/**
 * COCO's annotation format: images, and the objects in them.
 */
import { around } from "../../svg/geometry.ts";
import type { SvgObject } from "../../types.ts";
import { UsageError } from "../errors.ts";
import { readJson } from "./json.ts";

/** x1, y1, x2, y2 in the image's pixels. */
export type Box = readonly [number, number, number, number];

/** An image with what is to be found in it. */
export interface CocoImage {
  readonly id: number | string;
  readonly fileName: string | undefined;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  /** Of each box what else its annotation has: the turned box that it is around, mask, keypoints. */
  readonly shapes: readonly Shape[];
  /** One for each box: its category's place among the file's, by id. */
  readonly labels: readonly number[];
  /** Regions of objects too many to tell apart. */
  readonly crowds: readonly Box[];
}

export type Shape = Pick<SvgObject, "rotated" | "segmentation" | "keypoints">;

/** A kind of objects. */
export interface Category {
  readonly id: number;
  readonly name: string | undefined;
  /** Lines between its keypoints, as the file has them. */
  readonly skeleton: unknown;
}

/** A file of annotations. */
export interface CocoFile {
  /** By id. */
  readonly categories: readonly Category[];
  readonly images: readonly CocoImage[];
}

type Entry = Readonly<Record<string, unknown>>;

interface Annotation {
  readonly label: number;
  readonly box: Box;
  readonly shape: Shape;
  readonly crowd: boolean;
}

/** Reads a file of annotations. */
export async function readCoco(path: string): Promise<CocoFile> {
  const { images, annotations, categories } = await readLists(path);
  const kinds = categories.map((entry, i) => readCategory(entry, `categories[${i}]`)).sort((a, b) => a.id - b.id)
    .filter(({ id }, i, all) => id !== all[i - 1]?.id);
  const labels = new Map<unknown, number>(kinds.map(({ id }, label) => [id, label]));
  const objects = new Map<unknown, Annotation[]>(images.map(({ id }) => [id, []]));
  annotations.forEach((entry, i) => {
    const ofImage = objects.get(entry.image_id);
    if (ofImage === undefined) throw absent(i, "image_id", entry.image_id, "images");
    ofImage.push(readAnnotation(entry, i, labels));
  });
  return { categories: kinds, images: images.map((entry, i) => readImage(entry, i, objects.get(entry.id) ?? [])) };
}

/** The lists of a file of annotations, whose rows are not read yet. */
export async function readLists(
  path: string,
): Promise<Readonly<Record<"images" | "annotations" | "categories", readonly Entry[]>>> {
  const file = await readJson(path);
  const list = (name: string): Entry[] => {
    const value = isEntry(file) ? file[name] : undefined;
    if (Array.isArray(value) && value.every(isEntry)) return value;
    throw damaged(`it has no list of ${name}`);
  };
  return { images: list("images"), annotations: list("annotations"), categories: list("categories") };
}

function readCategory({ id, name, skeleton }: Entry, where: string): Category {
  if (typeof id === "number") {
    return { id, name: typeof name === "string" ? name : undefined, skeleton: skeleton ?? undefined };
  }
  throw damaged(`${where}.id is ${JSON.stringify(id)}; wanted a number`);
}

function readAnnotation(entry: Entry, index: number, labels: ReadonlyMap<unknown, number>): Annotation {
  const { category_id: category, bbox, segmentation, keypoints, iscrowd } = entry;
  const label = labels.get(category);
  if (label === undefined) throw absent(index, "category_id", category, "categories");
  const place = readPlace(bbox, `annotations[${index}].bbox`);
  return {
    label,
    box: place.box,
    shape: {
      rotated: place.rotated,
      segmentation: readSegmentation(segmentation),
      keypoints: readKeypoints(keypoints),
    },
    crowd: Boolean(iscrowd),
  };
}

function absent(index: number, member: string, id: unknown, list: string): UsageError {
  return damaged(`annotations[${index}].${member} is ${JSON.stringify(id)}, which is not in ${list}`);
}

/** Five numbers are centre x, y, width, height and angle of a turned box. */
function readPlace(bbox: unknown, where: string): { box: Box; rotated?: readonly number[] } {
  const isList = Array.isArray(bbox) && (bbox.length === 4 || bbox.length === 5) && bbox.every(Number.isFinite);
  const [x, y, width, height, angle] = isList ? bbox as number[] : [NaN, NaN, NaN, NaN];
  if (!(width >= 0 && height >= 0)) throw damaged(`${where} is ${JSON.stringify(bbox)}; wanted x, y, width, height`);
  if (angle === undefined) return { box: [x, y, x + width, y + height] };
  const rotated = [x, y, width, height, angle] as const;
  return { box: around(rotated), rotated };
}

/** Files have empty lists where nobody drew a mask, and polygons of fewer than three points. */
function readSegmentation(value: unknown): Shape["segmentation"] {
  if (!Array.isArray(value)) return isEntry(value) ? value as unknown as Shape["segmentation"] : undefined;
  const polygons = value.filter((polygon) => Array.isArray(polygon) && polygon.length >= 6 && polygon.length % 2 === 0);
  return polygons.length > 0 ? polygons : undefined;
}

function readKeypoints(value: unknown): readonly number[] | undefined {
  return Array.isArray(value) && value.length > 0 && value.length % 3 === 0 ? value : undefined;
}

function readImage(entry: Entry, index: number, objects: readonly Annotation[]): CocoImage {
  const { id, file_name: fileName, width, height } = entry;
  if (typeof id !== "number" && typeof id !== "string") throw damaged(`images[${index}] has no id`);
  if (!isSide(width) || !isSide(height)) throw damaged(`image ${id} has no width and height in pixels`);
  const single = objects.filter(({ crowd }) => !crowd);
  return {
    id,
    fileName: typeof fileName === "string" ? fileName : undefined,
    width,
    height,
    boxes: single.map(({ box }) => box),
    shapes: single.map(({ shape }) => shape),
    labels: single.map(({ label }) => label),
    crowds: objects.filter(({ crowd }) => crowd).map(({ box }) => box),
  };
}

function isSide(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value < Infinity;
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function damaged(how: string): UsageError {
  return new UsageError(`is no whole file of COCO annotations: ${how}`);
}
