/**
 * A worker: kernels of its own, which run the shares that come.
 */
import { WasmBackend } from "../wasm/backend.ts";
import { AT_WORK, DONE, type Order, type Reply, type Start, STARTED, WAITS } from "./messages.ts";
import { runShare } from "./runners.ts";

/** The worker's end: `self` in a page, `parentPort` of node:worker_threads. */
interface Port {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: Reply): void;
}

/** Serves whoever sends messages to the port. */
export function serve(port: Port): void {
  const answer = (id: number, run: () => unknown) => {
    try {
      port.postMessage({ id, result: run() });
    } catch (error) {
      port.postMessage({ id, error });
    }
  };
  port.onmessage = ({ data }) => {
    const { module, maxMemory, flags } = data as Start;
    answer(STARTED, () => {
      const backend = new WasmBackend(module, maxMemory);
      port.onmessage = ({ data }) => {
        const { id, slot, share } = data as Order;
        answer(id, () => {
          const isMine = Atomics.compareExchange(flags, slot, WAITS, AT_WORK) === WAITS;
          try {
            return isMine ? runShare(backend, share) : null;
          } finally {
            Atomics.store(flags, slot, DONE);
          }
        });
      };
    });
  };
}
