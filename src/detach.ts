/**
 * Calls that outlive their start: linear memory may grow, which empties its views, or be given back before they read it.
 */
import type { HostArray, OutArray } from "./arrays.ts";
import type { Call } from "./call.ts";
import { type GpuSource, typeError } from "./validate.ts";
import type { WasmBackend } from "./wasm/backend.ts";

/** The call with copies of what it reads in linear memory, and what puts its results into `out`. */
export function detach(wasm: WasmBackend, call: Call): { detached: Call; fill(result: unknown): unknown } {
  const detached = call.withSources((source) => copied(wasm, source));
  const fill = filler(wasm, call);
  wasm.memory.argumentsRead(call.op);
  return { detached, fill };
}

/** Whether anything that the call reads or writes lies in linear memory. */
export function touchesMemory(wasm: WasmBackend, call: Call): boolean {
  let touches = Object.values(call.out).some((array) => array !== null && wasm.pointerOf(array) !== 0);
  call.withSources((source) => {
    touches ||= !("gpuBuffer" in source) && wasm.pointerOf(source) !== 0;
    return source;
  });
  return touches;
}

/** Puts results into `out`, unless it lies in a tensor that was given back meanwhile. */
function filler(wasm: WasmBackend, { out }: Call): (result: unknown) => unknown {
  const given = Object.entries(out).filter((entry): entry is [string, OutArray] => entry[1] !== null);
  if (given.length === 0) return (result) => result;
  const places = given.map(([name, array]) => ({ name, array, block: wasm.blockOf(array) }));
  return (result) => {
    const results = { ...result as object } as Record<string, unknown>;
    for (const { name, array, block } of places) {
      if (wasm.blockOf(array) !== block) {
        throw typeError(array.place, "data of a tensor that was disposed meanwhile", "one that lives until the end");
      }
      wasm.values(array).set(results[name] as Float32Array);
      results[name] = wasm.handedBack(array);
    }
    return results;
  };
}

/** A copy of what lies in linear memory. */
function copied<S extends HostArray | GpuSource>(wasm: WasmBackend, source: S): S {
  if ("gpuBuffer" in source || wasm.pointerOf(source) === 0) return source;
  return wasm.copyOf(source as S & HostArray);
}
