/**
 * The constants of keypoints: how far each may be off, in the object keypoint similarity.
 */
import type { CocoDataset } from "../eval/index.ts";
import { UsageError } from "./errors.ts";

/** COCO's constants, which the library has, are of a person. */
const COCO_KEYPOINTS = 17;

/** One for each keypoint of a data set, of which one may have been given for all; undefined: COCO's. */
export function sigmasFor(dataset: CocoDataset, asked: readonly number[] | undefined): readonly number[] | undefined {
  const count = keypointsOf(dataset);
  if (count === undefined) return asked;
  if (asked?.length === 1) return Array<number>(count).fill(asked[0]);
  if (asked?.length === count || (asked === undefined && count === COCO_KEYPOINTS)) return asked;
  const got = asked === undefined ? `COCO's are of ${COCO_KEYPOINTS}` : `${asked.length} are given`;
  throw new UsageError(
    `--sigmas: objects of --gt have ${count} keypoints, and ${got}; wanted one for all, or ${count}`,
  );
}

/** Of the first object that has any. */
function keypointsOf({ annotations }: CocoDataset): number | undefined {
  const lists = annotations.map(({ keypoints }) => keypoints).filter(Array.isArray);
  const first = lists.find(({ length }) => length > 0 && length % 3 === 0);
  return first && first.length / 3;
}
