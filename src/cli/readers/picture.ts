/**
 * Pictures as a network sees them: red, green and blue bytes, turned as viewers turn them.
 */
import type { Pixels } from "../../types.ts";
import { UsageError } from "../errors.ts";
import { readBytes } from "./file.ts";
import type { ImageFile } from "./image.ts";
import type { Sharp } from "./sharp.ts";

/** Files of a folder that are taken for pictures. */
export const PICTURE = /\.(png|jpe?g|webp|avif|gif|tiff?)$/i;

/** What every browser shows, so that a picture of detections can hold it as it is. */
const SHOWN: Readonly<Record<string, string>> = {
  png: "image/png",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
};

/** A picture. */
export interface Picture {
  /** RGB. */
  readonly pixels: Pixels;
  /** The same to show: as it is stored, where browsers read that. */
  show(): Promise<ImageFile>;
}

/**
 * Reads any format that sharp knows. As OpenCV and Pillow do, it takes bytes as they are, without the colour profile, leaves out
 * alpha, and turns photographs as their EXIF orientation says.
 */
export async function readPicture(sharp: Sharp, path: string): Promise<Picture> {
  const bytes = await readBytes(path);
  const open = () => sharp(bytes, { ignoreIcc: true }).rotate();
  const { format = "", orientation = 1 } = await decoded(sharp(bytes, { ignoreIcc: true }).metadata());
  const raw = open().removeAlpha().toColourspace("srgb").raw({ depth: "uchar" });
  const { data, info: { width, height } } = await decoded(raw.toBuffer({ resolveWithObject: true }));
  const show = async (): Promise<ImageFile> => {
    const mime = SHOWN[format];
    // Not every viewer turns other files than JPEG.
    if (mime !== undefined && (orientation === 1 || format === "jpeg")) return { bytes, mime, width, height };
    return { bytes: await decoded(open().png().toBuffer()), mime: SHOWN.png, width, height };
  };
  return { pixels: { data, width, height }, show };
}

/** An error of sharp in one line. */
async function decoded<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    const why = error instanceof Error ? error.message.trim().replaceAll(/\s*\n\s*/g, "; ") : String(error);
    throw new UsageError(`cannot be read as a picture: ${why}`);
  }
}
