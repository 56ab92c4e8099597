/**
 * The measures of a picture: lines and letters keep their proportions, however many pixels it has.
 */
import type { Rect } from "./geometry.ts";

/** The picture is drawn as if its longer side had so many pixels. */
const SHOWN = 640;

/** What is drawn in. */
export interface Frame {
  readonly height: number;
  readonly width: number;
  /** One of the pixels of which the longer side has so many. */
  readonly unit: number;
}

export function frameOf([height, width]: readonly [number, number]): Frame {
  return { height, width, unit: Math.max(width, height) / SHOWN };
}

export const MONOSPACE = "ui-monospace, Menlo, Consolas, monospace";
/** Units of a letter's height, and its width as a share of that. */
export const FONT = 13;
export const LETTER = 0.61;

/** Units of lines, of those that stand beside others, and of those that mean something by their width. */
export const [LINE, FINE, WIDE] = [2, 1.25, 5];

/** A number with digits enough for a picture. */
export function short(value: number): string {
  return String(Number(value.toFixed(3)));
}

/** The attributes of a rectangle. */
export function rect({ x, y, width, height }: Rect): string {
  return `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
}

/** Lines so many units wide, in a colour that stands out on any ground because it has a dark edge. */
export function outlined(
  shape: (attributes: string) => string,
  colour: string,
  { unit }: Frame,
  width: number = LINE,
): string {
  return shape(`stroke="#000" stroke-opacity="0.35" stroke-width="${short((width + 1.5) * unit)}"`) +
    shape(`stroke="${colour}" stroke-width="${short(width * unit)}"`);
}

/** An outline of the truth: white and black dashes in turn, which show on any ground. */
export function dashed(shape: (attributes: string) => string, { unit }: Frame): string {
  const width = `stroke-width="${short(1.5 * unit)}"`;
  return shape(`stroke="#000" ${width}`) + shape(`stroke="#fff" ${width} stroke-dasharray="${short(4 * unit)}"`);
}
