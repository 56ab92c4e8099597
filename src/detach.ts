/**
 * Calls that outlive their start: linear memory may grow, which empties its views, or be given back before they read it.
 */
import { type HostArray, type OutArray, ownArray } from "./arrays.ts";
import type { Call } from "./call.ts";
import type { DetectCall } from "./detect/detect_call.ts";
import type { Field } from "./heads/outputs.ts";
import { type AnySource, type GpuSource, typeError } from "./validate.ts";
import type { WasmBackend } from "./wasm/backend.ts";

/** The call with copies of what it reads in linear memory, and what puts its results into `out`. */
export function detach(wasm: WasmBackend, call: Call): { detached: Call; fill(result: unknown): unknown } {
  const detached = call.withSources((source) => copied(wasm, source));
  const fill = filler(wasm, call);
  wasm.memory.argumentsRead(call.op);
  return { detached, fill };
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

/** Likewise for `detect`. */
export function detachOutputs(wasm: WasmBackend, call: DetectCall): DetectCall {
  const detached = withSources(call, (source) => copied(wasm, source));
  wasm.memory.argumentsRead("detect");
  return detached;
}

/** The call with copies of all that images after the first will read: the caller may change or give it back between them. */
export function keptOutputs(wasm: WasmBackend, call: DetectCall): DetectCall {
  wasm.memory.argumentsRead("detect");
  if (call.images < 2) return call;
  return withSources(call, (source) => source.kind === "gpu" ? source : copyOf(wasm, source));
}

/** A tensor that several fields share stays one. */
function withSources(call: DetectCall, copy: (source: AnySource) => AnySource): DetectCall {
  const copies = new Map<AnySource, AnySource>();
  const copyOnce = <F extends Field<AnySource>>(field: F): F => {
    const source = copies.get(field.source) ?? copy(field.source);
    copies.set(field.source, source);
    return { ...field, source };
  };
  const parts = call.parts.map((part) => ({
    ...part,
    classes: copyOnce(part.classes),
    boxes: copyOnce(part.boxes),
    objectness: part.objectness && copyOnce(part.objectness),
  }));
  return { ...call, parts };
}

/** A copy of what lies in linear memory. */
function copied<S extends HostArray | GpuSource>(wasm: WasmBackend, source: S): S {
  if ("gpuBuffer" in source || wasm.pointerOf(source) === 0) return source;
  return copyOf(wasm, source as S & HostArray);
}

function copyOf<S extends HostArray>(wasm: WasmBackend, source: S): S {
  return { ...source, ...ownArray(source.place, wasm.values(source).slice()) };
}
