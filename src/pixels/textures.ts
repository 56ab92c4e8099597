/**
 * Images as textures of a device, checked.
 */
import { describe, listOf, type Place, rangeError, typeError } from "../validate.ts";

/** Formats whose texels are bytes as a canvas has them. Reading one with "-srgb" would make other values of them. */
const FORMATS = ["rgba8unorm", "bgra8unorm"];

/** `GPUTextureUsage` is no global everywhere. */
const TEXTURE_BINDING = 0x4;

/** One texture or a list of them. */
export interface Textures {
  readonly images: readonly CheckedTexture[];
  readonly many: boolean;
}

interface CheckedTexture {
  readonly place: Place;
  readonly texture: GPUTexture;
  readonly width: number;
  readonly height: number;
}

/** Null where the first image is no texture. */
export function checkTextures(op: string, given: unknown): Textures | null {
  const list = listOf(given);
  if (!isTexture(list === null ? given : list[0])) return null;
  if (list === null) return { images: [checkTexture({ op, argument: "pixels" }, given)], many: false };
  return { images: list.map((each, i) => checkTexture({ op, argument: `pixels[${i}]` }, each)), many: true };
}

function isTexture(value: unknown): value is GPUTexture {
  return typeof value === "object" && value !== null && "createView" in value && "depthOrArrayLayers" in value;
}

function checkTexture(place: Place, given: unknown): CheckedTexture {
  if (!isTexture(given)) throw typeError(place, describe(given), "a GPUTexture, as pixels[0] is");
  const { op, argument } = place;
  const member = (name: string): Place => ({ op, argument: `${argument}.${name}` });
  const { dimension, depthOrArrayLayers, sampleCount, format, usage, width, height } = given;
  if (!FORMATS.includes(format)) throw typeError(member("format"), describe(format), FORMATS.join(" or "));
  if (dimension !== "2d") throw typeError(member("dimension"), describe(dimension), `"2d"`);
  if (depthOrArrayLayers !== 1) throw rangeError(member("depthOrArrayLayers"), depthOrArrayLayers, "1");
  if (sampleCount !== 1) throw rangeError(member("sampleCount"), sampleCount, "1");
  if ((usage & TEXTURE_BINDING) === 0) throw typeError(place, `of usage ${usage}`, "one with usage TEXTURE_BINDING");
  return { place, texture: given, width, height };
}
