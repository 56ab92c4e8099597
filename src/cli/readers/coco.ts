/**
 * COCO's annotation format: images, and the objects in them.
 */
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
  /** One for each box: its category's place among the file's, by id. */
  readonly labels: readonly number[];
  /** Regions of objects too many to tell apart. */
  readonly crowds: readonly Box[];
}

/** A kind of objects. */
export interface Category {
  readonly id: number;
  readonly name: string | undefined;
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

function readCategory({ id, name }: Entry, where: string): Category {
  if (typeof id === "number") return { id, name: typeof name === "string" ? name : undefined };
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
