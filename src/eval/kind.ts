/**
 * A kind of evaluation: what it reads of a row, and how two of them overlap.
 */
import type { Row } from "./rows.ts";

/** A row as it came. */
export type Given = Readonly<Record<string, unknown>>;

/** Where an object's size puts it; both bounds are in. */
export interface AreaRange {
  readonly name: string;
  readonly least: number;
  readonly most: number;
}

const SIDES = { small: 32, large: 96, whole: 1e5 };

export const ALL: AreaRange = { name: "all", least: 0, most: SIDES.whole ** 2 };
export const SMALL: AreaRange = { name: "small", least: 0, most: SIDES.small ** 2 };
export const MEDIUM: AreaRange = { name: "medium", least: SIDES.small ** 2, most: SIDES.large ** 2 };
export const LARGE: AreaRange = { name: "large", least: SIDES.large ** 2, most: SIDES.whole ** 2 };

/** Size of the image that rows are of; where nobody said it, the first mask does. */
export interface ImageSize {
  value: readonly [number, number] | undefined;
}

/** What is compared of a row, and its area, where the row does not say it. */
export interface Shape<S> {
  readonly shape: S;
  readonly area: number;
}

export interface Kind<S> {
  readonly areas: readonly AreaRange[];
  readonly maxDets: readonly number[];
  /** Of an annotation; `ignored` is one that cannot be missed. */
  truth(row: Row, given: Given, size: ImageSize): Shape<S> & { readonly ignored?: boolean };
  /** Of a result. */
  found(row: Row, given: Given, size: ImageSize): Shape<S>;
  /** (found · truths) overlaps, row-major; of a crowd the share of the detection that lies in it. */
  overlaps(found: readonly S[], truths: readonly S[], crowd: readonly boolean[]): Float64Array;
}
