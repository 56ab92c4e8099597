/**
 * Calls that outlive their start: linear memory may grow, which empties its views, or be given back before they read it.
 */
import type { CriterionCall } from "./criteria/criterion_call.ts";
import type { DetectCall } from "./detect/detect_call.ts";
import type { Field } from "./heads/outputs.ts";
import type { Call } from "./ops/call.ts";
import type { LossCall } from "./ops/loss_call.ts";
import type { RowCall } from "./ops/row_call.ts";
import type { LossResult, Placement, Reduction } from "./types.ts";
import type { AnySource } from "./validate.ts";
import type { WasmBackend } from "./wasm/backend.ts";

type Result = LossResult<Reduction, boolean, Placement>;

/** The call with copies of what it reads in linear memory, and what puts its results where `out` has them there. */
export function detach(wasm: WasmBackend, call: Call): { detached: Call; fill(result: unknown): unknown } {
  if ("kernel" in call) return detachLoss(wasm, call);
  return {
    detached: "inputs" in call ? detachRows(wasm, call) : detachCriterion(wasm, call),
    fill: (result) => result,
  };
}

function detachRows(wasm: WasmBackend, call: RowCall): RowCall {
  return { ...call, inputs: call.inputs.map((input) => ({ ...input, source: copied(wasm, input.source) })) };
}

function detachCriterion(wasm: WasmBackend, call: CriterionCall): CriterionCall {
  const cls = { ...call.cls, pred: copied(wasm, call.cls.pred) };
  if (call.op === "gflCriterion") return { ...call, cls, dist: copied(wasm, call.dist) };
  return { ...call, cls, distances: copied(wasm, call.distances), refined: copied(wasm, call.refined) };
}

function detachLoss(wasm: WasmBackend, call: LossCall): { detached: LossCall; fill(result: Result): Result } {
  const { weight, out } = call.settings;
  const arrays = Object.entries(out).map(([name, array]) => ({ name, array, pointer: pointerOf(wasm, array) }));
  const inMemory = arrays.filter(({ pointer }) => pointer !== 0);
  const outside = { ...out, ...Object.fromEntries(inMemory.map(({ name }) => [name, null])) };
  const settings = { ...call.settings, weight: copied(wasm, weight), out: outside };
  const detached = { ...call, pred: copied(wasm, call.pred), target: copied(wasm, call.target), settings };
  const fill = (result: Result): Result => {
    const results = { ...result } as Record<string, unknown>;
    for (const { name, array, pointer } of inMemory) {
      const values = results[name] as Float32Array;
      const view = wasm.memory.view(Float32Array, pointer, values.length);
      view.set(values);
      results[name] = array?.length === 0 ? view : array;
    }
    return results as unknown as Result;
  };
  return { detached, fill };
}

function pointerOf(wasm: WasmBackend, array: Float32Array | null): number {
  return array !== null && wasm.memory.owns(array.buffer) ? array.byteOffset : 0;
}

/** Likewise for `detect`. A tensor that several fields share stays one. */
export function detachOutputs(wasm: WasmBackend, call: DetectCall): DetectCall {
  const copies = new Map<AnySource, AnySource>();
  const copyOf = <F extends Field<AnySource>>(field: F): F => {
    const source = copies.get(field.source) ?? copied(wasm, field.source);
    copies.set(field.source, source);
    return { ...field, source };
  };
  const parts = call.parts.map((part) => ({
    ...part,
    classes: copyOf(part.classes),
    boxes: copyOf(part.boxes),
    objectness: part.objectness && copyOf(part.objectness),
  }));
  return { ...call, parts };
}

function copied<S extends AnySource | null>(wasm: WasmBackend, source: S): S {
  if (source === null || source.kind === "gpu" || wasm.resident(source) === 0) return source;
  const data = source.data.slice();
  return { ...source, data, buffer: data.buffer, byteOffset: 0 };
}
