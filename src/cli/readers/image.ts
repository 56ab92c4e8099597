/**
 * PNG and JPEG files: kind and size, from their headers.
 */
import { JPG } from "image-size/types/jpg";
import { PNG } from "image-size/types/png";
import { UsageError } from "../errors.ts";
import { readBytes } from "./file.ts";

/** An image. */
export interface ImageFile {
  /** As it is stored. */
  readonly bytes: Uint8Array;
  readonly mime: string;
  /** As it is seen: viewers, canvas and cv2 turn a photograph as its EXIF orientation says. */
  readonly width: number;
  readonly height: number;
}

const KINDS = [[PNG, "image/png"], [JPG, "image/jpeg"]] as const;

/** Reads the file; its pixels stay as they are. */
export async function readImage(path: string): Promise<ImageFile> {
  const bytes = await readBytes(path);
  for (const [kind, mime] of KINDS) {
    const size = sizeOf(kind, bytes);
    if (size !== null) return { bytes, mime, ...size };
  }
  throw new UsageError("wanted a PNG or JPEG image");
}

/** Orientations from 5 on are turned by a quarter. */
const FIRST_TURNED = 5;

function sizeOf(kind: typeof PNG | typeof JPG, bytes: Uint8Array): { width: number; height: number } | null {
  try {
    if (!kind.validate(bytes)) return null;
    const { width, height, orientation = 1 } = kind.calculate(bytes);
    if (!(width > 0 && height > 0)) return null;
    return orientation >= FIRST_TURNED ? { width: height, height: width } : { width, height };
  } catch {
    return null;
  }
}
