/**
 * A checked call of any operation that has a shader, as the dispatch sees it.
 */
import { type AnySource, elementsOf } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { runLoss } from "./loss.ts";
import type { LossCall } from "./loss_call.ts";
import { type RowCall, runRows } from "./row_call.ts";

export type Call = LossCall | RowCall;

export function runOnWasm(backend: WasmBackend, call: Call): unknown {
  return "inputs" in call ? runRows(backend, call) : runLoss(backend, call);
}

/** What a call reads, by argument. */
export function sourcesOf(call: Call): Record<string, AnySource | null> {
  if ("inputs" in call) return Object.fromEntries(call.inputs.map(({ argument, source }) => [argument, source]));
  const { pred, target, settings } = call;
  return { pred, target, "options.weight": settings.weight };
}

/** A loss's predictions, or the largest of an operation's tensors. */
export function elementsOfCall(call: Call): number {
  if (!("inputs" in call)) return elementsOf(call.pred.dims);
  return Math.max(call.rows * call.columns, ...call.inputs.map(({ source }) => elementsOf(source.dims)));
}
