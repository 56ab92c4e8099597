/**
 * One axis of the frame that masks are of: its pixels, and where these lie between the samples of the prototypes.
 */

/** Pixel p is at ((p + ½) · scale + pad) · ratio − ½ in samples. */
export interface Axis {
  readonly pixels: number;
  readonly samples: number;
  /** From the frame to the network's input. */
  readonly scale: number;
  readonly pad: number;
  /** Samples for each pixel of the network's input. */
  readonly ratio: number;
}

/** Pixels or samples from the first up to the end. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

export function lengthOf({ first, end }: Range): number {
  return end - first;
}

/** The pixels p with from ≤ p < to, of which none is where a side is NaN. */
export function pixelsWithin({ pixels }: Axis, from: number, to: number): Range {
  const first = Math.min(Math.max(Math.ceil(from), 0), pixels);
  const end = Math.min(Math.ceil(to), pixels);
  return end > first ? { first, end } : { first: first || 0, end: first || 0 };
}

/** The samples that the pixels of a range, which has some, are made of. */
export function samplesOf(axis: Axis, { first, end }: Range): Range {
  const [near, far] = [samplesAt(axis, first), samplesAt(axis, end - 1)];
  return { first: Math.min(near.first, far.first), end: Math.max(near.end, far.end) };
}

/** The two samples, or the one, beside a pixel's centre: as the kernel of axes finds them. */
function samplesAt({ samples, scale, pad, ratio }: Axis, pixel: number): Range {
  const place = ((pixel + 0.5) * scale + pad) * ratio - 0.5;
  if (place >= samples - 1) return { first: samples - 1, end: samples };
  if (!(place > 0)) return { first: 0, end: 1 };
  const first = Math.floor(place);
  return { first, end: first + 2 };
}
