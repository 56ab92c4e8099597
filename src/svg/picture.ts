/**
 * The image behind the boxes.
 */
import { readBytes } from "../arrays.ts";
import { escapeXml } from "../text.ts";
import { describe, type Place, rangeError, typeError } from "../validate.ts";
import { type Frame, short } from "./frame.ts";

/** Kinds of files by a pattern of their first bytes, as Latin-1. */
const KINDS = [
  [/^\x89PNG/, "image/png"],
  [/^\xff\xd8\xff/, "image/jpeg"],
  [/^GIF8/, "image/gif"],
  [/^RIFF[^]{4}WEBP/, "image/webp"],
  [/^[^]{4}ftypavi[fs]/, "image/avif"],
] as const;

/** Addresses that would run, or show what is no image. */
const NO_IMAGE = /^(?:javascript|vbscript):|^data:(?!image\/)/i;

/** The address of an image: as it was given, or with the bytes in it. */
export function hrefOf(place: Place, image: unknown): string {
  if (typeof image === "string") {
    // Readers of addresses leave out what is no letter.
    // deno-lint-ignore no-control-regex -- these are meant
    if (!NO_IMAGE.test(image.replaceAll(/[\x00-\x20]/g, ""))) return image;
    throw rangeError(place, describe(image), "the address of an image");
  }
  const buffer = Object.prototype.toString.call(image) === "[object ArrayBuffer]";
  const bytes = buffer ? new Uint8Array(image as ArrayBuffer) : readBytes(place, image)?.data;
  const wanted = "an address, or the bytes of a PNG, JPEG, GIF, WebP or AVIF file";
  if (bytes === undefined) throw typeError(place, describe(image), wanted);
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  const [, mime] = KINDS.find(([pattern]) => pattern.test(start)) ?? [];
  if (mime === undefined) throw rangeError(place, `bytes that begin with ${JSON.stringify(start)}`, wanted);
  return `data:${mime};base64,${base64(bytes)}`;
}

/** Arguments that a function takes everywhere. */
const PIECE = 8192;

function base64(bytes: Uint8Array): string {
  const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE) }, (_, i) => {
    return String.fromCharCode(...bytes.subarray(PIECE * i, PIECE * (i + 1)));
  });
  return btoa(pieces.join(""));
}

/** Few pixels stay pixels where they are enlarged; photographs are turned as their EXIF orientation says. */
export function picture(href: string, { width, height, unit }: Frame): string {
  const style = `image-orientation:from-image${unit <= 0.5 ? ";image-rendering:pixelated" : ""}`;
  return `<image width="${short(width)}" height="${short(height)}" preserveAspectRatio="none" style="${style}"` +
    ` href="${escapeXml(href)}"/>`;
}
