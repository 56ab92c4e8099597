/**
 * A loss in sections, which threads take.
 */
import { type HostArray, partOf } from "../arrays.ts";
import type { Division, Share } from "../call.ts";
import type { CheckedLoss } from "./checked_loss.ts";
import {
  type HostCall,
  hostCall,
  joinLoss,
  type LossArrays,
  type LossSums,
  resultArrays,
  sectionRows,
} from "./loss.ts";

/** Of 65536 elements each, which together take a thread 0.7 ms. To hand them over takes a twentieth of that. */
const MOST_SECTIONS = 4;

export function divisionOf(checked: CheckedLoss): Division {
  const call = hostCall(checked);
  const { rows } = call;
  const inSection = sectionRows(call);
  let out: ReturnType<typeof resultArrays> | null = null;
  const results = () => out ??= resultArrays(call);
  return {
    sections: Math.ceil(rows / inSection),
    most: MOST_SECTIONS,
    share: (first, end) => shareOf(call, results(), first * inSection, Math.min(rows, end * inSection)),
    join: (parts, backend) => joinLoss(backend, call, results(), parts as LossSums[]),
  };
}

/** Rows from the first up to the end. */
function shareOf(call: HostCall, { loss, grad }: LossArrays, first: number, end: number): Share {
  const { pred, target, labels, scores, columns, targetColumns, valueColumns, settings } = call;
  const { weight, weightKind } = settings;
  const ofRows = <A extends HostArray | null>(array: A, width: number): A => {
    return array === null ? array : partOf(array, first * width, (end - first) * width);
  };
  return {
    kind: "loss",
    call: {
      ...call,
      rows: end - first,
      pred: ofRows(pred, columns),
      target: ofRows(target, targetColumns),
      labels: ofRows(labels, 1),
      scores: ofRows(scores, 1),
      settings: { ...settings, weight: ofRows(weight, weightKind === 1 ? columns : 1), out: null },
      // No data: the caller's thread makes the error.
      outside: undefined,
    },
    out: { loss: ofRows(bare(loss), valueColumns), grad: ofRows(bare(grad), columns) },
  };
}

/** Without the caller's own array, all of which would be copied to a worker. */
function bare(array: HostArray<Float32Array> | null): HostArray<Float32Array> | null {
  return array && { place: array.place, data: array.data, length: array.length, byteOffset: array.byteOffset };
}
