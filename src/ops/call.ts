/**
 * A checked call of any operation that has a shader, as the dispatch sees it.
 */
import type { CriterionCall } from "../criteria/criterion_call.ts";
import { runGfl } from "../criteria/gfl_criterion.ts";
import { runVfnet } from "../criteria/vfnet_criterion.ts";
import { type AnySource, elementsOf } from "../validate.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { runLoss } from "./loss.ts";
import type { LossCall } from "./loss_call.ts";
import { type RowCall, runRows } from "./row_call.ts";

export type Call = LossCall | RowCall | CriterionCall;

export function runOnWasm(backend: WasmBackend, call: Call): unknown {
  if ("inputs" in call) return runRows(backend, call);
  if ("kernel" in call) return runLoss(backend, call);
  return call.op === "gflCriterion" ? runGfl(backend, call) : runVfnet(backend, call);
}

/** What a call reads, by argument. */
export function sourcesOf(call: Call): Record<string, AnySource | null> {
  if ("inputs" in call) return Object.fromEntries(call.inputs.map(({ argument, source }) => [argument, source]));
  if ("kernel" in call) {
    const { pred, target, settings } = call;
    return { pred, target, "options.weight": settings.weight };
  }
  const cls = { "input.cls": call.cls.pred };
  if (call.op === "gflCriterion") return { ...cls, "input.dist": call.dist };
  return { ...cls, "input.distances": call.distances, "input.refined": call.refined };
}

/** A loss's predictions, a criterion's classes, or the largest of an operation's tensors. */
export function elementsOfCall(call: Call): number {
  if ("kernel" in call) return elementsOf(call.pred.dims);
  if ("cls" in call) return elementsOf(call.cls.pred.dims);
  return Math.max(call.rows * call.columns, ...call.inputs.map(({ source }) => elementsOf(source.dims)));
}
