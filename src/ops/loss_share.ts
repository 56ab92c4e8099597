/**
 * A loss in sections, which threads take.
 */
import { type HostArray, isShared, partOf } from "../arrays.ts";
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

/**
 * Of 65536 elements each, which take a thread 0.18 ms. A worker needs 0.05 ms from one share to the next. What has to be copied is
 * read from a cache where it is little.
 */
const MOST_SECTIONS = { shared: 16, copied: 4 };

export function divisionOf(checked: CheckedLoss): Division {
  const call = hostCall(checked);
  const { rows } = call;
  const inSection = sectionRows(call);
  let out: ReturnType<typeof resultArrays> | null = null;
  const results = () => out ??= resultArrays(call);
  return {
    sections: Math.ceil(rows / inSection),
    most: isAllShared(call) ? MOST_SECTIONS.shared : MOST_SECTIONS.copied,
    share: (first, end) => shareOf(call, results(), first * inSection, Math.min(rows, end * inSection)),
    join: (parts, backend) => joinLoss(backend, call, results(), parts as LossSums[]),
  };
}

function isAllShared({ pred, target, areas, settings: { weight, grad, reduction, out } }: HostCall): boolean {
  const results = [grad ? out.grad : pred, reduction === "none" ? out.loss : pred];
  return [pred, target ?? pred, areas ?? pred, weight ?? pred, ...results].every((array) =>
    array !== null && isShared(array)
  );
}

/** Rows from the first up to the end. */
function shareOf(call: HostCall, { loss, grad }: LossArrays, first: number, end: number): Share {
  const { pred, target, labels, scores, areas, columns, targetColumns, valueColumns, settings } = call;
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
      areas: areas && ofRows(areas, 1),
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
