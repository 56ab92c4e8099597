/**
 * How a share of each kind of call runs, in a worker and on the caller's thread.
 */
import type { CallKind, Share } from "../call.ts";
import type { CheckedDetect } from "../detect/checked_detect.ts";
import { detectArrays } from "../detect/detect_images.ts";
import { type HostCall, type LossArrays, runSections } from "../ops/loss.ts";
import type { WasmBackend } from "../wasm/backend.ts";

type Runner = (backend: WasmBackend, share: Share) => unknown;

const RUNNERS: Partial<Record<CallKind, Runner>> = {
  loss: (backend, { call, out }) => runSections(backend, call as HostCall, out as unknown as LossArrays),
  detect: (backend, { call }) => [...detectArrays(backend, call as CheckedDetect)],
};

/** What becomes of a share: plain data beside what it leaves in its arrays. */
export function runShare(backend: WasmBackend, share: Share): unknown {
  return (RUNNERS[share.kind] as Runner)(backend, share);
}
