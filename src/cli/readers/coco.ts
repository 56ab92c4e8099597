/**
 * COCO's annotation format: images, and the objects in them.
 */
import { readFile } from "node:fs/promises";
import { UsageError } from "../errors.ts";

/** x1, y1, x2, y2 in the image's pixels. */
export type Box = readonly [number, number, number, number];

/** An image with what is to be found in it. */
export interface CocoImage {
  readonly id: number | string;
  readonly fileName: string | undefined;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  /** One for each box: its category's place among the file's, by id. */
  readonly labels: readonly number[];
  /** Regions of objects too many to tell apart. */
  readonly crowds: readonly Box[];
}

/** A file of annotations. */
export interface CocoFile {
  /** How many categories it has. */
  readonly categories: number;
  readonly images: readonly CocoImage[];
}

type Entry = Readonly<Record<string, unknown>>;

interface Annotation {
  readonly label: number;
  readonly box: Box;
  readonly crowd: boolean;
}

/** Reads a file of annotations. */
export async function readCoco(path: string): Promise<CocoFile> {
  const { images, annotations, categories } = parse(await readFile(path, "utf8"));
  const ids = [...new Set(categories.map((entry, i) => categoryId(entry, `categories[${i}]`)))].sort((a, b) => a - b);
  const labels = new Map<unknown, number>(ids.map((id, label) => [id, label]));
  const objects = new Map<unknown, Annotation[]>(images.map(({ id }) => [id, []]));
  annotations.forEach((entry, i) => {
    const ofImage = objects.get(entry.image_id);
    if (ofImage === undefined) throw absent(i, "image_id", entry.image_id, "images");
    ofImage.push(readAnnotation(entry, i, labels));
  });
  return { categories: ids.length, images: images.map((entry, i) => readImage(entry, i, objects.get(entry.id) ?? [])) };
}

function parse(text: string): Readonly<Record<"images" | "annotations" | "categories", readonly Entry[]>> {
  const file = parseJson(text);
  const list = (name: string): Entry[] => {
    const value = isEntry(file) ? file[name] : undefined;
    if (Array.isArray(value) && value.every(isEntry)) return value;
    throw damaged(`it has no list of ${name}`);
  };
  return { images: list("images"), annotations: list("annotations"), categories: list("categories") };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged("it is no JSON");
  }
}

function categoryId({ id }: Entry, where: string): number {
  if (typeof id === "number") return id;
  throw damaged(`${where}.id is ${JSON.stringify(id)}; wanted a number`);
}

function readAnnotation(entry: Entry, index: number, labels: ReadonlyMap<unknown, number>): Annotation {
  const { category_id: category, bbox, iscrowd } = entry;
  const label = labels.get(category);
  if (label === undefined) throw absent(index, "category_id", category, "categories");
  return { label, box: corners(bbox, `annotations[${index}].bbox`), crowd: Boolean(iscrowd) };
}

function absent(index: number, member: string, id: unknown, list: string): UsageError {
  return damaged(`annotations[${index}].${member} is ${JSON.stringify(id)}, which is not in ${list}`);
}

function corners(bbox: unknown, where: string): Box {
  const numbers = Array.isArray(bbox) && bbox.length === 4 && bbox.every(Number.isFinite);
  const [x, y, width, height] = numbers ? bbox as number[] : [NaN, NaN, NaN, NaN];
  if (width >= 0 && height >= 0) return [x, y, x + width, y + height];
  throw damaged(`${where} is ${JSON.stringify(bbox)}; wanted x, y, width, height`);
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
