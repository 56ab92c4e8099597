/**
 * PNG and JPEG files: kind and size, from their headers.
 */
import { readFile } from "node:fs/promises";
import { JPG } from "image-size/types/jpg";
import { PNG } from "image-size/types/png";
import { UsageError } from "../errors.ts";

/** An image as it is stored. */
export interface ImageFile {
  readonly bytes: Uint8Array;
  readonly mime: "image/png" | "image/jpeg";
  readonly width: number;
  readonly height: number;
}

const KINDS = [[PNG, "image/png"], [JPG, "image/jpeg"]] as const;

/** Reads the file; its pixels stay as they are. */
export async function readImage(path: string): Promise<ImageFile> {
  const bytes = await readFile(path);
  for (const [kind, mime] of KINDS) {
    const size = sizeOf(kind, bytes);
    if (size !== null) return { bytes, mime, ...size };
  }
  throw new UsageError("wanted a PNG or JPEG image");
}

function sizeOf(kind: typeof PNG, bytes: Uint8Array): { width: number; height: number } | null {
  try {
    if (!kind.validate(bytes)) return null;
    const { width, height } = kind.calculate(bytes);
    return width > 0 && height > 0 ? { width, height } : null;
  } catch {
    return null;
  }
}
